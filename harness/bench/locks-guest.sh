#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: three VFs of the igb PF and two of the nvme PF. One of the igb's is
# flooded, and the four others are opened and closed; then what the kernel
# counted of vfio's locks.
set -eu

token=7d9e0c3a-52b4-4f16-8a6f-1c3b5e7f9021
devices=/sys/bus/pci/devices

# make_vfs PF VFS: with the token that contend gives
make_vfs()
{
	./vfio_open -t "$token" "$1" >/dev/null
	echo "$2" >"$devices/$1/sriov_numvfs"
}

vf_of()
{
	basename "$(readlink "$devices/$1/virtfn$2")"
}

pf_of_class()
{
	for dev in "$devices"/*; do
		[ -e "$dev/sriov_totalvfs" ] || continue
		[ "$(cat "$dev/class")" != "$1" ] || basename "$dev"
	done
}

igb=$(pf_of_class 0x020000)
nvme=$(pf_of_class 0x010802)
make_vfs "$igb" 3
make_vfs "$nvme" 2

echo 0 >/proc/lock_stat
echo 1 >/proc/sys/kernel/lock_stat
./contend "$(vf_of "$igb" 0)" "$(vf_of "$igb" 1)" "$(vf_of "$igb" 2)" \
	"$(vf_of "$nvme" 0)" "$(vf_of "$nvme" 1)"
echo 0 >/proc/sys/kernel/lock_stat
sed -n 's/^/lock_stat: /p' /proc/lock_stat
