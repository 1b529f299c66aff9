# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# vmtest.sh -m rescan-lock.sh: with lockdep, Linux 7.3 warns when a driver that is
# unbound disables SR-IOV, as the PCI core does not take pci_rescan_remove_lock there;
# igb's driver triggers it, too. Ignored if it comes from there.

kernel_log() {
	awk '
	/WARNING: drivers\/pci\/remove\.c:[0-9]* at pci_stop_and_remove_bus_device/ { held = $0; next }
	held == "" { print; next }
	{ held = held "\n" $0 }
	/end trace/ {
		if (held !~ / pci_device_remove\+/)
			print held
		held = ""
	}
	END { if (held != "") print held }' "$1"
}
