#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# setup.sh ADDRESS...: bind PCI devices to vfio-pci for the tests, without VFs.
# cleanup.sh gives them back.
set -eu

[ $# -gt 0 ] || { echo "usage: ${0##*/} ADDRESS..." >&2; exit 1; }
[ -e /sys/bus/pci/drivers/vfio-pci ] ||
	{ echo "vfio-pci is not loaded; run: modprobe vfio-pci" >&2; exit 1; }
for addr; do
	dev=/sys/bus/pci/devices/$addr
	saved=/run/vfio-selftests/$addr
	mkdir -p "${saved%/*}"
	mkdir "$saved"
	cat "$dev/driver_override" >"$saved/driver_override"
	if [ -e "$dev/sriov_numvfs" ]; then
		cat "$dev/sriov_numvfs" >"$saved/sriov_numvfs"
		echo 0 >"$dev/sriov_numvfs"
	fi
	if [ -e "$dev/driver" ]; then
		basename "$(readlink "$dev/driver")" >"$saved/driver"
		echo "$addr" >"$dev/driver/unbind"
	fi
	echo vfio-pci >"$dev/driver_override"
	echo "$addr" >/sys/bus/pci/drivers/vfio-pci/bind
done
