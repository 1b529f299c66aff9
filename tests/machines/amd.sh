# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of vmtest.sh
#
# vmtest.sh -m amd.sh: a PC with AMD's IOMMU.

# As emulated, it would lose interrupts that it remaps.
board() {
	QEMU=${QEMU:-qemu-system-x86_64}
	machine+=(-machine "q35,kernel-irqchip=split" -device "amd-iommu,intremap=off,pt=off")
	args="no_timer_check vfio_iommu_type1.allow_unsafe_interrupts=1 iommufd.allow_unsafe_interrupts=1"
}

# QEMU's emulation knows only devices of the root bus.
add_device() {
	ports=$((ports + 1))
	machine+=(-device "$1,bus=pcie.0,id=slot$ports")
}
