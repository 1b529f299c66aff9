#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest.sh PF CASE...: in the VM, run these cases of the race test on the PF and print
# the calls that the kernel's function graph tracer saw.
set -u

functions="vfio_group_fops_unl_ioctl vfio_device_fops_unl_ioctl vfio_pci_core_match
	vfio_pci_sriov_get vfio_pci_sriov_end vfio_pci_sriov_put vfio_df_open vfio_df_close
	vfio_pci_open_device vfio_pci_core_enable vfio_pci_core_finish_enable
	vfio_pci_core_close_device pci_try_reset_function pcie_flr"
tracing=/sys/kernel/tracing
pf=$1
shift

mount -t tracefs tracefs $tracing
# Each kernel has some of them.
for function in $functions; do
	echo "$function" >>$tracing/set_ftrace_filter 2>/dev/null
done
echo function_graph >$tracing/current_tracer
for option in proc abstime; do
	echo 1 >$tracing/options/funcgraph-$option
done
for option in cpu overhead irqs; do
	echo 0 >$tracing/options/funcgraph-$option
done
for case; do
	echo >$tracing/trace
	./vfio_pci_vf_token_race_test -r "$case" "$pf"
	echo "# trace $case"
	cat $tracing/trace
done
