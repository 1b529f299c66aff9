#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# foreign.sh refused|loads: in the VM. kvmgt of Debian was built against Debian's
# struct vfio_device; it is the last of these modules. Without symbol versions, as on
# kernels without MODVERSIONS, it loads with Debian's vfio, and must not with ours.

last=
for file in foreign/*.ko; do
	if [ -n "$last" ]; then
		name=$(basename "$last" .ko | sed 's/^[0-9]*-//; s/-/_/g')
		[ -e "/sys/module/$name" ] || insmod "$last" || exit 1
	fi
	last=$file
done
if insmod "$last"; then
	said=loads
else
	dmesg -t | tail -n 5
	dmesg -t | grep 'kvmgt: Unknown symbol _vfio_alloc_device ' && said=refused
fi
echo "kvmgt: $said"
[ "$said" = "$1" ]
