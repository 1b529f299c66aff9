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

# shellcheck source=harness/lib/kunit.sh
. "$parts/kunit.sh"
# shellcheck source=harness/lib/bench-instructions.sh
. "$parts/bench-instructions.sh"

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
	with_cache fetch_kernel
	unpack_kernel
}

key_debian()
{
	unpack_key
}

make_modules_series()
{
	build_modules series
}

key_modules_series()
{
	modules_key series
}

make_modules_stock()
{
	build_modules stock
}

key_modules_stock()
{
	modules_key stock
}

make_programs()
{
	build_programs
}

key_programs()
{
	programs_key
}

make_programs_arm64()
{
	build_programs arm64
	with_cache fetch_program busybox-static arm64 bin/busybox
}

key_programs_arm64()
{
	programs_key
}

make_kernel_plain()
{
	build_kernel series plain
}

key_kernel_plain()
{
	kernel_key series plain
}

make_kernel_debug()
{
	build_kernel series debug
}

key_kernel_debug()
{
	kernel_key series debug
}

make_kernel_kcsan()
{
	build_kernel series kcsan
}

key_kernel_kcsan()
{
	kernel_key series kcsan
}

make_kernel_arm64()
{
	build_kernel series arm64
}

key_kernel_arm64()
{
	kernel_key series arm64
}

make_kernel_stock()
{
	build_kernel stock
}

key_kernel_stock()
{
	kernel_key stock plain
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

	vm_run debian debian -w -t 1200 "${tests[@]}"
	must_have_run debian "${tests[@]}"
}

# P7: instructions are counted, with bounds that hold for a kernel of our own.
check_costs()
{
	vm_run costs series.plain -i -t 900 vfio_cost_test
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
	say "${#tests[@]} tests must fail on the unpatched kernel, $bad did not"
	[ "$bad" = 0 ]
}

# red_run CHECK KERNEL LIST: that many fail is what they are for here, so the run
# can't. Only the programs of which something must be red; racing through groups, as
# the cdevs are not guarded there at all, and long enough to find the race.
red_run()
{
	local tests

	tests=$(without_comments "$3" | cut -d. -f1 | sort -u)
	# shellcheck disable=SC2086,SC2310 # names of programs; it must fail
	vm_run "$1-run" "$2" -w -t 1200 -a "VFIO_PATHS=group VFIO_ROUNDS=100" $tests || true
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

# ---- on kernels of our own

# own_run CHECK KERNEL OPTION... -- PROGRAM...: with the unit tests, which ran at boot
own_run()
{
	local check=$1 kernel=$2 options=()

	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	vm_run "$check" "$kernel" -u -w "${options[@]}" "$@"
	must_have_run "$check" "$@"
}

check_full()
{
	own_run full series.plain -t 2400 -- "${rule_tests[@]}" "${more_tests[@]}" "${long_tests[@]}" "$hotplug_test"
}

check_noiommu()
{
	vm_run noiommu series.plain -w -t 1200 -a "intel_iommu=off vfio.enable_unsafe_noiommu_mode=1" vfio_field_test
	must_have_run noiommu vfio_field_test
}

check_flood()
{
	vm_run flood series.plain -t 1200 vfio_flood_test
	must_have_run flood vfio_flood_test
}

check_debug_rules()
{
	own_run debug-rules series.debug -t 3000 -a "VFIO_ROUNDS=$debug_rounds" -- "${rule_tests[@]}"
}

check_debug_more()
{
	own_run debug-more series.debug -t 3600 -a "VFIO_ROUNDS=$debug_rounds" -- \
		"${more_tests[@]}" vfio_fuzz_test vfio_stress_test
}

# Its devices are on the root bus, where nothing is unplugged.
check_amd()
{
	own_run amd series.plain -m amd -t 2400 -- "${rule_tests[@]}" "${more_tests[@]}"
}

# Its driver can't do without memory: it warns, or goes through NULL.
check_virtio()
{
	own_run virtio series.plain -m virtio -t 2400 -- "${rule_tests[@]}" "${more_tests[@]}"
}

check_arm64()
{
	local programs=$programs.arm64
	local -x BUSYBOX=$cache/arm64/busybox

	own_run arm64 series.arm64 -m arm64 -t 2400 -- "${rule_tests[@]}" "${more_tests[@]}"
}

# ---- at full length: rounds and inputs on each of two PFs

deep_run()
{
	local check=$1 kernel=$2

	shift 2
	own_run "$check" "$kernel" -t 10800 -a "VFIO_DEEP=1 VFIO_ROUNDS=${ROUNDS:-500} VFIO_INPUTS=${INPUTS:-170000}" -- "$@"
}

check_deep_plain()
{
	deep_run deep-plain series.plain vfio_stress_test vfio_fuzz_test
}

check_deep_kcsan()
{
	deep_run deep-kcsan series.kcsan "${rule_tests[@]}" "${more_tests[@]}" "${long_tests[@]}"
}

check_deep_debug()
{
	deep_run deep-debug series.debug "${rule_tests[@]}" "${more_tests[@]}" "${long_tests[@]}"
}

# A machine of its own, in which lockdep leaves the order of locks alone, and
# nobody looks for leaks: Linux leaks a PF that is unplugged with VFs, whatever
# its driver.
check_deep_hotplug()
{
	own_run deep-hotplug series.debug -t 3600 -a "lockdep.prove_locking=0 VFIO_LEAKS=no" -- "$hotplug_test"
}

check_deep_flood()
{
	vm_run deep-flood series.debug -t 3600 -a "VFIO_DEEP=1" vfio_flood_test
	must_have_run deep-flood vfio_flood_test
}

# ---- costs beside the unpatched kernel

check_instructions()
{
	compile_for_guest bench
	both plain count_instructions 1
	report check "$counts" "$recorded" "$(compiler)"
}
