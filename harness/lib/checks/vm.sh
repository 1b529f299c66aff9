# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# Checks that boot a kernel, and the kernels and programs that they need. Sourced
# by check.sh.

# Rounds of racing with devices, on each PF, where a round takes long.
debug_rounds=10

# By what they ask; the slow ones apart.
rule_tests=(vfio_pci_vf_token_test vfio_pci_vf_token_race_test vfio_pci_sriov_test)
more_tests=(vfio_abi_test vfio_counts_test vfio_field_test vfio_override_test vfio_power_test
	vfio_remove_test)
long_tests=(vfio_secret_test vfio_fuzz_test vfio_stress_test vfio_fault_test)

# Not with lockdep: pciehp of Linux takes its locks in two orders. Lockdep says
# so, once, and then looks at nothing any more. check-deep tells it not to look.
hotplug_test=vfio_hotplug_test

. "$parts/kunit.sh"
. "$parts/bench.sh"

# ---- needs

make_vm()
{
	qemu-system-x86_64 --version
	up_to_date
}

key_vm()
{
	{
		qemu-system-x86_64 --version
		busybox 2>&1 | sed -n 1p
		hash_files "$top/tools/testing/selftests/vfio"/vmtest*
	} | hash_of
}

make_debian()
{
	make_build_root
	with_cache fetch_kernel
	unpack_kernel
}

key_debian()
{
	unpack_key
}

make_modules()
{
	build_modules "$1"
}

key_modules()
{
	modules_key "$1"
}

# programs:ARCHITECTURE
make_programs()
{
	build_programs "${1:-}"
	[ -z "${1:-}" ] || with_cache fetch_program busybox-static "$1" bin/busybox
}

key_programs()
{
	programs_key
}

# kernel:SOURCE.FLAVOUR
make_kernel()
{
	build_kernel "${1%.*}" "${1#*.}"
}

key_kernel()
{
	kernel_key "${1%.*}" "${1#*.}"
}

# ---- unit tests, on UML

check_kunit()
{
	need_disk 1000 "$work"
	checkout_src "$applied"
	run_kunit "$(ktap_of kunit)"
}

# A mutant of each property that unit tests show must be red.
check_mutants()
{
	locked=1 "$top/harness/red.sh" -k
}

# ---- selftests on Debian's kernel

check_debian()
{
	local tests=("${rule_tests[@]}" "${more_tests[@]}" vfio_secret_test)

	vm_run debian debian warp -t 1200 "${tests[@]}"
	must_have_run debian "${tests[@]}"
}

# P7: instructions are counted.
check_costs()
{
	vm_run costs debian count -t 900 vfio_cost_test
	must_have_run costs vfio_cost_test
}

# Each test that expected-red-on-stock names must have failed on the unpatched
# kernel, on every device it ran on; the others may do what they like there.
judge_red()
{
	local test bad=0 tests

	read_lines tests without_comments "$1"
	[ "${#tests[@]}" != 0 ] || die "$1 names no test"
	for test in "${tests[@]}"; do
		awk -F '\t' -v want="$test" '
			{
				split($2, part, ": ")
				program = part[1]
				sub(/ .*/, "", program)
				if (program "." part[2] == want) {
					ran++
					if ($1 != "fail")
						other = other " " $1
				}
			}
			END {
				if (!ran) { print want ": did not run"; exit 1 }
				if (other) { print want ":" other ", must fail"; exit 1 }
			}' "$2" || bad=$((bad + 1))
	done
	say "of ${#tests[@]} tests that must fail on the unpatched kernel, $bad did not"
	[ "$bad" = 0 ]
}

# red_run CHECK KERNEL LIST: that many fail is what they are for here, so the run
# can't. Only the programs of which a case must fail, through groups: the unpatched
# kernel checks no token for cdevs. Rounds of vfio_stress_test, enough to find the race.
red_run()
{
	local tests

	tests=$(without_comments "$3" | cut -d. -f1 | sort -u)
	# shellcheck disable=SC2086 # names of programs
	must_fail vm_run "$1-run" "$2" warp -t 1200 -a "VFIO_PATHS=group VFIO_ROUNDS=100" $tests
	ktap_cases "$(ktap_of "$1-run")" >"$work/cases/$1-run"
	judge_red "$3" "$work/cases/$1-run"
}

check_stock()
{
	red_run stock debian-stock "$basedir/expected-red-on-stock"
}

check_stock_own()
{
	red_run stock-own stock.plain "$basedir/expected-red-on-own-stock"
}

# ---- on kernels built here

# own_run CHECK KERNEL MACHINES OPTION... -- PROGRAM...: and the unit tests, which run
# at boot, and what was leaked
own_run()
{
	local check=$1 kernel=$2 machines=$3 options=()

	shift 3
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	vm_run "$check" "$kernel" "$machines ${MACHINES:-}" "${options[@]}" -a "kunit.enable=1 kunit.autorun=1" vfio_kunit_test "$@" vfio_leaks_test
	must_have_run "$check" "$@"
}

check_full()
{
	own_run full series.plain "warp hotplug" -t 2400 -- "${rule_tests[@]}" "${more_tests[@]}" \
		"${long_tests[@]}" "$hotplug_test"
}

check_noiommu()
{
	vm_run noiommu series.plain warp -t 1200 -a "intel_iommu=off vfio.enable_unsafe_noiommu_mode=1" vfio_field_test
	must_have_run noiommu vfio_field_test
}

# PFs that never sleep
check_idle_d3()
{
	vm_run idle-d3 series.plain warp -t 1200 -a vfio_pci.disable_idle_d3=1 vfio_power_test vfio_pci_sriov_test
	must_have_run idle-d3 vfio_power_test vfio_pci_sriov_test
}

# Its times are real ones.
check_flood()
{
	vm_run flood series.plain "" -t 1200 vfio_flood_test
	must_have_run flood vfio_flood_test
}

check_debug_rules()
{
	own_run debug-rules series.debug warp -t 3000 -a "VFIO_ROUNDS=$debug_rounds" -- "${rule_tests[@]}"
}

check_debug_more()
{
	own_run debug-more series.debug warp -t 3600 -a "VFIO_ROUNDS=$debug_rounds" -- \
		"${more_tests[@]}" vfio_fuzz_test vfio_stress_test
}

# Its devices are on the root bus, where nothing is unplugged.
check_amd()
{
	own_run amd series.plain "amd warp" -t 2400 -- "${rule_tests[@]}" "${more_tests[@]}"
}

# Its driver can't do without memory: it warns, or goes through NULL.
check_virtio()
{
	own_run virtio series.plain "virtio warp" -t 2400 -- "${rule_tests[@]}" "${more_tests[@]}"
}

# QEMU's virtio-net, and Linux's variant driver for its VFs.
check_virtio_net()
{
	local -x QEMU=$qemu_new

	vm_run virtio-net series.plain "virtio-net warp" -t 1800 "${rule_tests[@]}" "${more_tests[@]}" vfio_variant_test
	must_have_run virtio-net "${rule_tests[@]}" vfio_variant_test
}

check_arm64()
{
	local programs=$programs.arm64
	local -x BUSYBOX=$cache/arm64/busybox

	own_run arm64 series.arm64 "arm64 warp" -t 2400 -- "${rule_tests[@]}" "${more_tests[@]}"
}

# ---- at full length: rounds and inputs on each of two PFs

deep_run()
{
	local check=$1 kernel=$2 machines=$3

	shift 3
	own_run "$check" "$kernel" "$machines" -t 10800 \
		-a "CONF_LIMIT=10000 VFIO_DEEP=1 VFIO_ROUNDS=${ROUNDS:-500} VFIO_INPUTS=${INPUTS:-170000}" -- "$@"
}

check_deep_plain()
{
	deep_run deep-plain series.plain warp vfio_stress_test vfio_fuzz_test
}

check_deep_kcsan()
{
	deep_run deep-kcsan series.kcsan "warp kcsan" "${rule_tests[@]}" "${more_tests[@]}" "${long_tests[@]}"
}

check_deep_debug()
{
	deep_run deep-debug series.debug warp "${rule_tests[@]}" "${more_tests[@]}" "${long_tests[@]}"
}

# In this run lockdep ignores the order of locks, and leaks are not looked for:
# Linux leaks a PF that is unplugged with VFs, whatever its driver.
check_deep_hotplug()
{
	vm_run deep-hotplug series.debug "hotplug warp" -t 3600 -a "lockdep.prove_locking=0" "$hotplug_test"
	must_have_run deep-hotplug "$hotplug_test"
}

check_deep_flood()
{
	vm_run deep-flood series.debug "" -t 3600 -a "VFIO_DEEP=1" vfio_flood_test
	must_have_run deep-flood vfio_flood_test
}

# ---- costs compared with the unpatched kernel

check_instructions()
{
	count_instructions 1 igb:14 nvme:120
	report check "$counts" "$basedir/costs" "$(compiler)"
}

# As many VFs as that device can have; both kernels see the same work.
check_virtio_net_costs()
{
	local counts=$work/bench-virtio-net

	count_instructions 1 virtio-net:7
	report limit "$counts" 1.05
}
