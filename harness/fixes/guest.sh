#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# guest.sh WHAT...: in the VM of vmtest.sh, with all PFs on vfio-pci: "rounds",
# "cost", "capture", "fail", "kvm", or a selftest, on each PF.
# shellcheck shell=dash disable=SC2046,SC2086,SC2231 # addresses and names have no blanks
set -u

pci=/sys/bus/pci

# capture PF WHEN: enable two VFs, and count those without driver_override.
capture() {
	(echo 2 >$pci/devices/$1/sriov_numvfs) 2>/dev/null
	lost=0 drivers=
	for file in $pci/devices/$1/virtfn*; do
		[ -e "$file" ] || continue
		[ "$(cat $file/driver_override)" = vfio-pci ] && continue
		lost=$((lost + 1))
		drivers="$drivers $(basename "$(readlink $file/driver)")"
	done
	echo "capture $1, $2: $lost VFs not captured, $(cat $pci/devices/$1/sriov_numvfs) VFs enabled; drivers of the lost:$drivers"
	echo 0 >$pci/devices/$1/sriov_numvfs
}

# fail PF TIMES: the same while the allocation of driver_override fails, so often
fail() {
	fail=/sys/kernel/debug/failslab
	range=$(grep -A 1 ' __device_set_driver_override$' /proc/kallsyms | cut -d ' ' -f 1)
	echo "0x${range%%[!0-9a-f]*}" >$fail/require-start
	echo "0x${range##*[!0-9a-f]}" >$fail/require-end
	echo N >$fail/ignore-gfp-wait
	echo 1 >$fail/verbose
	echo $2 >$fail/times
	echo 100 >$fail/probability
	capture $1 "$2 failures"
	echo 0 >$fail/probability
}

for what; do
	for pf in $(cd $pci/devices && printf '%s\n' */sriov_totalvfs | cut -d / -f 1); do
		case $what in
		rounds | cost)
			echo 1 >$pci/devices/$pf/sriov_numvfs
			./race $what 8 $pf $(basename "$(readlink $pci/devices/$pf/virtfn0)") ||
				echo "error: race $what $pf"
			echo 0 >$pci/devices/$pf/sriov_numvfs
			;;
		capture) capture $pf "two VFs" ;;
		fail)
			fail $pf 1
			fail $pf -1
			;;
		kvm) ./kvm_bind $pf ;;
		*)
			echo "# program $what $pf"
			./$what $pf || echo "# end with status $?"
			;;
		esac
	done
done
