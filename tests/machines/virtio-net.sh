# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of vmtest.sh
#
# vmtest.sh -m virtio-net.sh: one PF, QEMU's virtio-net with as many VFs as it
# can have in one slot. QEMU must be 11.1 or newer.

pfs=1

devices() {
	local i options=iommu_platform=on,disable-legacy=on,romfile=

	ports=1
	machine+=(-device "pcie-root-port,id=port1,chassis=1,slot=1")
	for ((i = 7; i >= 0; i--)); do
		machine+=(-netdev "hubport,id=net$i,hubid=0" -device
			"virtio-net-pci,bus=port1,addr=0x0.0x$i,netdev=net$i,$options,$([ "$i" = 0 ] && echo id=pf || echo sriov-pf=pf)")
	done
	machine+=(-netdev "hubport,id=plain,hubid=0")
	add_device e1000e,netdev=plain,romfile=
}
