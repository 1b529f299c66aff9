#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: what is allocated and freed while a PF, and a VF of it, are bound to
# vfio-pci, as the trace has it.
set -eu

events=/sys/kernel/tracing/events/kmem
trace=/sys/kernel/tracing/trace

trace_kmem()
{
	for event in kmalloc kmem_cache_alloc kfree kmem_cache_free; do
		echo "$1" >"$events/$event/enable"
	done
}

# trace_bind NAME ADDRESS
trace_bind()
{
	echo "$2" >/sys/bus/pci/drivers/vfio-pci/unbind
	for event in kmalloc kmem_cache_alloc kfree kmem_cache_free; do
		echo "common_pid == $$" >"$events/$event/filter"
	done
	echo >"$trace"
	trace_kmem 1
	echo "$2" >/sys/bus/pci/drivers/vfio-pci/bind
	trace_kmem 0
	sed -n "s/^.*: \(k[a-z_]*: call_site=\)/$1 \1/p" "$trace"
}

pf=$(basename "$(dirname "$(find /sys/bus/pci/devices/*/ -maxdepth 1 -name sriov_totalvfs | head -n 1)")")
trace_bind PF "$pf"
echo 1 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
trace_bind VF "$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn0")")"
