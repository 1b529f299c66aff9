# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# Checks that boot a kernel, and the kernels and programs that they need. Sourced
# by check.sh.

rule_tests=(vfio_pci_vf_token_test vfio_pci_vf_token_race_test vfio_pci_sriov_test)

. "$parts/kunit.sh"
. "$parts/bench.sh"

# ---- unit tests, on UML

check_kunit() {
	need_disk 1000 "$work"
	checkout_src "$applied"
	run_kunit "$(ktap_of kunit)"
}

# A mutant of each property that unit tests show must be red.
check_mutants() {
	locked=1 "$top/harness/red.sh" -k
}

# ---- programs in a VM, as the table has them

# What words of the table stand for: programs by what they ask, the slow ones apart; and
# the kernel's arguments for full length, rounds and inputs on each of two PFs
declare -A words=(
	[RULES]=${rule_tests[*]}
	[MORE]="vfio_abi_test vfio_counts_test vfio_field_test vfio_override_test vfio_power_test vfio_remove_test"
	[LONG]="vfio_secret_test vfio_fuzz_test vfio_stress_test vfio_fault_test"
	[KUNIT]="kunit.enable=1 kunit.autorun=1"
	[DEEP]="CONF_LIMIT=10000 VFIO_DEEP=1 VFIO_ROUNDS=${ROUNDS:-500} VFIO_INPUTS=${INPUTS:-170000}"
)

# in_words TEXT: with what its words stand for
in_words() {
	local word

	for word in $1; do
		printf '%s ' "${words[$word]:-$word}"
	done
}

# check_in_vm CHECK: each program must pass or fail a case. KUNIT among the arguments: the
# unit tests, which run at boot, and what was leaked count, too.
check_in_vm() {
	local check=$1 kernel=debian kunit="" machines arguments tests needs programs=$programs
	local -x QEMU=${QEMU:-} BUSYBOX=${BUSYBOX:-}

	needs=$(field check "$check" 4)
	machines=$(field check "$check" 6)
	arguments=$(in_words "$(field check "$check" 8)")
	read -ra tests <<<"$(in_words "$(field check "$check" 9)")"
	if [[ $needs = *kernel:* ]]; then
		kernel=${needs#*kernel:}
		kernel=${kernel%% *}
		machines+=" ${MACHINES:-}"
	fi
	[[ $needs != *qemu* ]] || QEMU=$qemu_new
	[[ $needs != *programs:arm64* ]] || programs+=.arm64 BUSYBOX=$cache/arm64/busybox
	[[ $arguments != *kunit* ]] || kunit=1
	vm_run "$check" "$kernel" "$machines" -t "$(field check "$check" 7)" -a "$arguments" \
		${kunit:+vfio_kunit_test} "${tests[@]}" ${kunit:+vfio_leaks_test}
	must_have_run "$check" "${tests[@]}"
}

# ---- the unpatched kernel

# Each test that expected-red-on-stock names must have failed on the unpatched
# kernel, on every device it ran on; the others may do what they like there.
judge_red() {
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
red_run() {
	local tests

	tests=$(without_comments "$3" | cut -d. -f1 | sort -u)
	# shellcheck disable=SC2086 # names of programs
	must_fail vm_run "$1-run" "$2" warp -t 1200 -a "VFIO_PATHS=group VFIO_ROUNDS=100" $tests
	ktap_cases "$(ktap_of "$1-run")" >"$work/cases/$1-run"
	judge_red "$3" "$work/cases/$1-run"
}

check_stock() {
	red_run stock debian-stock "$basedir/expected-red-on-stock"
}

check_stock_own() {
	red_run stock-own stock.plain "$basedir/expected-red-on-own-stock"
}

# ---- costs compared with the unpatched kernel

# With another compiler than that of bases/BASE/costs, more is allowed.
check_instructions() {
	local margin=1.1

	! grep -qxF -e "# compiler: $(compiler)" "$basedir/costs" || margin=1.02
	count_costs 1
	report "$counts" "$margin" "$basedir/costs"
}

# As many VFs as that device can have; both kernels see the same work.
check_virtio_net_costs() {
	local counts=$work/bench-virtio-net
	local -x QEMU=$qemu_new

	count_instructions 1 virtio-net "virtio-net:7 1 3 5 7"
	report "$counts" 1.05
}
