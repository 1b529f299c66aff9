#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest.sh igb|nvme, in the VM: bench, and where the device is that no driver
# wants (QEMU's edu), which it takes off the bus and puts back.
set -eu

[ "$1" = igb ] || exec ./bench "$1"

unwanted=$(dirname "$(grep -l '^0x1234$' /sys/bus/pci/devices/*/vendor)")
port=$(dirname "$(readlink -f "$unwanted")")
exec ./bench igb "$(basename "$unwanted")" "$(echo "$port"/pci_bus/*/rescan)"
