#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: what is allocated and freed while a PF, and a VF of it, are bound to
# vfio-pci, as the trace has it.
set -eu

driver=/sys/bus/pci/drivers/vfio-pci
trace=/sys/kernel/tracing/trace

# for_events FILE TEXT
for_events()
{
	for event in kmalloc kmem_cache_alloc kfree kmem_cache_free; do
		echo "$2" >"/sys/kernel/tracing/events/kmem/$event/$1"
	done
}

# trace_bind NAME ADDRESS
trace_bind()
{
	echo "$2" >"$driver/unbind"
	for_events enable 1
	# Tracing allocates, too.
	echo >"$trace"
	echo "$2" >&3
	for_events enable 0
	sed -n "s/^.*: \(k[a-z_]*: call_site=\)/$1 \1/p" "$trace"
}

pf=$(basename "$(dirname "$(find /sys/bus/pci/devices/*/ -maxdepth 1 -name sriov_totalvfs | head -n 1)")")
for_events filter "common_pid == $$"
exec 3>"$driver/bind"
trace_bind PF "$pf"
echo 1 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
trace_bind VF "$(basename "$(readlink "/sys/bus/pci/devices/$pf/virtfn0")")"
