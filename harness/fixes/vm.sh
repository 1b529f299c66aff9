# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # variables of vmtest.sh
#
# vmtest.sh -m vm.sh: QEMU emulates AMD's virtualization, too, and the warning is
# expected by which an unpatched kernel tells of a VF that it does not capture.

modules+=(kvm-amd)

kernel_log() { sed "/WARNING: .* vfio_pci_bus_notifier/d" "$1"; }
