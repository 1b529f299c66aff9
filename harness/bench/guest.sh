#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest.sh igb|nvme|virtio-net, in the VM: bench with numbers of VFs, or for igb with
# the device that no driver wants (QEMU's edu), which it takes off the bus and puts back.
set -eu

case $1 in
nvme) exec ./bench nvme 1 30 60 120 ;;
virtio-net) exec ./bench virtio-net 1 3 5 7 ;;
esac

unwanted=$(dirname "$(grep -l '^0x1234$' /sys/bus/pci/devices/*/vendor)")
port=$(dirname "$(readlink -f "$unwanted")")
exec ./bench igb "$(basename "$unwanted")" "$(echo "$port"/pci_bus/*/rescan)"
