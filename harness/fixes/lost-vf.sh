# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# vmtest.sh -m lost-vf.sh: an unpatched kernel warns of each VF that it does not
# capture. The test has made it fail to.

kernel_log() { grep -av 'WARNING: .* vfio_pci_bus_notifier' "$1"; }
