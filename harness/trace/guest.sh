#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# guest.sh, in the VM: what the kernel's function graph tracer prints while a VF and its
# PF are opened at once, by programs with the names "vf" and "pf", and while a VF is
# opened and closed. Each trace has a title, a line "== NAME".
set -eu

pf=0000:01:00.0
token=$(cat /proc/sys/kernel/random/uuid)
ioctls="vfio_group_fops_unl_ioctl vfio_device_fops_unl_ioctl"
race="$ioctls vfio_pci_core_match vfio_pci_sriov_get vfio_pci_core_enable pcie_flr
	vfio_pci_core_finish_enable vfio_pci_sriov_end"
path="$race vfio_df_open vfio_pci_open_device pci_try_reset_function vfio_df_close
	vfio_pci_core_close_device vfio_pci_sriov_put"

# trace OPTION FUNCTIONS [BELOW]: only what BELOW call
trace() {
	echo nop >current_tracer
	echo "${3:-}" >set_graph_function
	echo >set_ftrace_filter
	# Each kernel has some of them.
	for function in $2; do echo "$function" >>set_ftrace_filter 2>/dev/null || true; done
	echo function_graph >current_tracer
	for option in $1 nofuncgraph-cpu nofuncgraph-overhead nofuncgraph-irqs nofuncgraph-duration; do
		echo "$option" >trace_options
	done
	echo >trace
}

# Without comments, changes of task and ioctls that open nothing
show() { sed '/^#/d; /^ -*$/d; /^$/d; /=>/d; /_ioctl.*();$/d; s/ \/\*.*//' trace; }

ln -s /extra/vfio_open /bin/vf
ln -s /extra/vfio_open /bin/pf
pf -p type1 -t "$token" $pf >/dev/null
echo 1 >/sys/bus/pci/devices/$pf/sriov_numvfs
vf=$(basename "$(readlink /sys/bus/pci/devices/$pf/virtfn0)")
cd /sys/kernel/tracing

trace funcgraph-proc "$race" "$ioctls"
vf -p type1 -t "$token" "$vf" >/tmp/vf &
until grep -q pcie_flr trace; do :; done
pf -p type1 -t "$(cat /proc/sys/kernel/random/uuid)" $pf >/tmp/pf || true
wait
echo "== race"
show
echo
cat /tmp/vf /tmp/pf
for mode in type1 cdev; do
	trace nofuncgraph-proc "$path"
	# The unpatched kernel has no token for cdevs.
	vf -p $mode -t "$token" "$vf" >/dev/null || true
	echo "== path-$mode"
	show
done
