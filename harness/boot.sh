# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# Runs in a VM, all through the series' own vmtest.sh, and what they say in
# KTAP. Sourced after lib.sh.

vmtest()
{
	"$top/tools/testing/selftests/vfio/vmtest.sh" "$@"
}

# vmtest_host_root NAME IMAGE OPTION...: with this machine's programs, and all
# devices as they are when it boots
vmtest_host_root()
{
	local name=$1 image=$2

	shift 2
	vmtest -r -n -k "$image" -o "$logs/vm.$name" -f "$work/selftests/vfio_open" "$@"
}

# "pass|fail|skip<TAB>name" for each case in a KTAP file.
ktap_cases()
{
	awk -f "$top/harness/ktap.awk" "$1"
}

# A counter that can't see a failure would make everything green.
check_ktap_counter()
{
	local sample want bad=0

	for sample in "$top"/harness/ktap-samples/*.ktap; do
		want=${sample%.ktap}.want
		ktap_cases "$sample" | diff -u <(grep -v '^#' "$want") - || bad=1
	done
	[ "$bad" = 0 ]
}

# What kernels said when something was wrong with them, and what they say when
# a fault was injected and all is well: the judge must see the one and not mind
# the other.
check_splats()
{
	local sample name status bad=0

	for sample in "$top"/harness/splat-samples/*.log; do
		name=$(basename "$sample" .log)
		status=0
		vmtest -j "$sample" 2>&1 || status=$?
		case $name:$status in
		harmless-*:0) ;;
		harmless-*) echo "error: complains of $name"; bad=1 ;;
		*:1) ;;
		*) echo "error: does not see $name"; bad=1 ;;
		esac
	done
	[ "$bad" = 0 ]
}

# In the guest: the PF is bound to vfio-pci; can it get VFs?
# shellcheck disable=SC2016 # the guest's shell expands it
base_probe='
pf=$(basename $(dirname $(ls /sys/bus/pci/devices/*/sriov_totalvfs | head -n 1)))
dev=/sys/bus/pci/devices/$pf
echo "driver: $(basename $(readlink $dev/driver))"
(echo 1 >$dev/sriov_numvfs) 2>&1 | sed "s/^/answer: /"
echo "VFs: $(cat $dev/sriov_numvfs)"
dmesg | grep "$pf: driver does not support"
true'

# The prepared base knows nothing of SR-IOV.
boot_base()
{
	local log=$work/base-probe.log line

	vmtest -k "$(image_of base plain)" -o "$logs/vm.base" -t 120 -c "$base_probe" | tee "$log"
	for line in '^driver: vfio-pci$' '^answer: .*: No such file or directory$' '^VFs: 0$' \
		'driver does not support SR-IOV configuration via sysfs'; do
		grep -q "$line" "$log" || die "the base's answer to sriov_numvfs lacks \"$line\""
	done
}
