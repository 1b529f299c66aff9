#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# /init of the test VM: load the modules, give both PFs to vfio-pci, do what
# do=... on the kernel's command line names, say how it ended, power off.

# shellcheck disable=SC2086,SC2046,SC2188,SC2231 # addresses and names have no blanks

/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
mount -t debugfs debugfs /sys/kernel/debug
mkdir -p /tmp
echo 4 >/proc/sys/kernel/printk 2>/dev/null

pci=/sys/bus/pci

driver_of()
{
	[ ! -e $pci/devices/$1/driver ] || basename "$(readlink $pci/devices/$1/driver)"
}

to_vfio()
{
	[ -z "$(driver_of $1)" ] || echo $1 >$pci/devices/$1/driver/unbind
	echo vfio-pci >$pci/devices/$1/driver_override
	echo $1 >$pci/drivers_probe
	[ "$(driver_of $1)" = vfio-pci ] || echo "error: $1 is not bound to vfio-pci"
}

# with_vf PF COMMAND...: with a VF, whose address COMMAND gets as $vf
with_vf()
{
	pf=$1
	shift
	echo 1 >$pci/devices/$pf/sriov_numvfs
	vf=$(basename "$(readlink $pci/devices/$pf/virtfn0)")
	"$@"
	echo 0 >$pci/devices/$pf/sriov_numvfs
}

race()
{
	/bin/race $1 $2 $pf $vf || echo "error: race $1 $pf"
}

selftest()
{
	echo "# program $1 $2"
	/bin/$1 $2 && echo "# end" || echo "# end with status $?"
}

# capture PF TIMES: let the allocation of driver_override fail, once or always,
# while two VFs are enabled.
capture()
{
	fail=/sys/kernel/debug/failslab
	range=$(grep -A 1 ' __device_set_driver_override$' /proc/kallsyms | cut -d ' ' -f 1)
	echo "0x${range%%[!0-9a-f]*}" >$fail/require-start
	echo "0x${range##*[!0-9a-f]}" >$fail/require-end
	echo N >$fail/ignore-gfp-wait
	echo 1 >$fail/verbose
	echo $2 >$fail/times
	echo 100 >$fail/probability
	(echo 2 >$pci/devices/$1/sriov_numvfs) 2>/dev/null
	echo 0 >$fail/probability

	lost=0 drivers=
	for file in $pci/devices/$1/virtfn*; do
		[ -e "$file" ] || continue
		[ "$(cat $file/driver_override)" = vfio-pci ] && continue
		lost=$((lost + 1))
		drivers="$drivers $(driver_of $(basename "$(readlink $file)"))"
	done
	echo "capture $1, $2 failures: $lost VFs not captured, $(cat $pci/devices/$1/sriov_numvfs) VFs enabled; drivers of the lost:$drivers"
	echo 0 >$pci/devices/$1/sriov_numvfs
}

for module in /modules/*.ko; do
	[ -e "$module" ] || continue
	insmod $module || echo "error: insmod $module"
done
echo Y >/sys/module/vfio_pci/parameters/enable_sriov

pfs=
for file in $pci/devices/*/sriov_totalvfs; do
	pf=$(basename "$(dirname $file)")
	to_vfio $pf
	pfs="$pfs $pf"
done

# shellcheck disable=SC2013 # words
for do in $(sed 's/.*do=\([^ ]*\).*/\1/; s/,/ /g' /proc/cmdline); do
	for pf in $pfs; do
		case $do in
		rounds) with_vf $pf race rounds 8 ;;
		cost) with_vf $pf race cost 8 ;;
		capture) capture $pf 1; capture $pf -1 ;;
		*) selftest $do $pf ;;
		esac
	done
done
dmesg | grep -E 'KASAN:|possible circular|inconsistent lock|possible recursive|WARNING:|BUG:|Oops|suspicious RCU' |
	sed 's/^/complaint: /'
echo "guest is through"
poweroff -f
