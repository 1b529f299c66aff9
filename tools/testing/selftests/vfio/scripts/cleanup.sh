#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# cleanup.sh ADDRESS...: give devices of setup.sh back to their drivers.
set -eu

for addr; do
	dev=/sys/bus/pci/devices/$addr
	saved=/run/vfio-selftests/$addr
	[ ! -e "$dev/driver" ] || echo "$addr" >"$dev/driver/unbind"
	sed 's/^(null)$//' "$saved/driver_override" >"$dev/driver_override"
	[ ! -e "$saved/driver" ] ||
		echo "$addr" >"/sys/bus/pci/drivers/$(cat "$saved/driver")/bind"
	[ ! -e "$saved/sriov_numvfs" ] ||
		cat "$saved/sriov_numvfs" >"$dev/sriov_numvfs"
	rm -r "$saved"
done
