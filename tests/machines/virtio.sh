# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of vmtest.sh
#
# vmtest.sh -m virtio.sh: a PC with a virtio IOMMU, which remaps no interrupts.

# Its driver waits for answers in vain after a suspend.
more_args+=" VFIO_NO_SUSPEND=1"

board() {
	QEMU=${QEMU:-qemu-system-x86_64}
	machine+=(-machine "q35,kernel-irqchip=split" -device virtio-iommu-pci
		-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off)
	args="no_timer_check vfio_iommu_type1.allow_unsafe_interrupts=1 iommufd.allow_unsafe_interrupts=1"
}
