# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of vmtest.sh
#
# vmtest.sh -m host-root.sh: the guest's root is the host's, or the directory VM_ROOT,
# read only, with an overlay in memory. Its programs run on the kernel under test.

# Programs that poll need a CPU for themselves. RCU and the watchdog must not complain of a busy host.
cpus=4
more_args+=" rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=150"
extra+=("$(dirname "${BASH_SOURCE[0]}")/host-root-guest.sh")
run=host-root-guest.sh
modules+=(9p 9pnet_virtio overlay)
machine+=(-fsdev "local,id=root,path=${VM_ROOT:-/},readonly=on,security_model=none,multidevs=remap"
	-device "virtio-9p-pci,fsdev=root,mount_tag=host,addr=0x1e")
