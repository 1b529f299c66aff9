# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of vmtest.sh
#
# vmtest.sh -m arm64.sh: arm64 with an SMMUv3. The kernel, the tests (-b) and
# BUSYBOX must be of that architecture.

serial=ttyAMA

# Without ACPI, Linux 6.12 finds the IOMMU after the ports, too late to isolate
# the devices behind them from each other.
board() {
	QEMU=${QEMU:-qemu-system-aarch64}
	machine+=(-machine "virt,iommu=smmuv3,gic-version=3,its=on")
	args="pci=config_acs=11101@pci:1b36:c"
}

accelerator() { machine+=(-accel "tcg,thread=single" -cpu max); }
