# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# Checks that boot a kernel. Sourced by check.sh.

rule_tests=(vfio_pci_vf_token_test vfio_pci_vf_token_race_test vfio_pci_sriov_test)

. "$parts/bench.sh"

run_on_uml() {
	need_disk 1000 "$work"
	checkout_src "$applied"
	run_kunit "$(ktap_of "$1")" "${@:2}"
	! grep -aE "$(grep -v '^#' "$top/tools/testing/selftests/vfio/vmtest-complaints")" "$(ktap_of "$1")" ||
		die "the kernel complained"
}

check_kunit() { run_on_uml "$1" --kunitconfig="$top/bases/common/kunitconfig"; }
check_kunit_plain() { run_on_uml "$1"; }

# A mutant of each property that unit tests show must be red.
check_mutants() { locked=1 "$top/harness/red.sh" -k; }

# What words of the table stand for: programs by what they ask, the slow ones apart; and
# the kernel's arguments for full length, rounds and inputs on each of two PFs
declare -A words=(
	[RULES]="${rule_tests[*]} vfio_counts_test"
	[MORE]="vfio_abi_test vfio_field_test vfio_override_test vfio_power_test vfio_remove_test"
	[LONG]="vfio_secret_test vfio_fuzz_test vfio_stress_test vfio_fault_test"
	[KUNIT]="kunit.enable=1 kunit.autorun=1"
	[DEEP]="CONF_LIMIT=10000 VFIO_DEEP=1 VFIO_ROUNDS=${ROUNDS:-500} VFIO_INPUTS=${INPUTS:-170000}"
)

# in_words TEXT: with what its words stand for
in_words() {
	local word

	for word in ${1//BASE/$base}; do printf '%s ' "${words[$word]:-$word}"; done
}

# play_page PAGE: in a VM of its own, with this machine's programs
play_page() {
	local page=${1##*/}

	vmtest_host_root "$check.${page%.md}" "$kernel" "${options[@]}" -f "$top/tests/clients/page.py" \
		-f "$top/$1" -c "python3 page.py $page \${PAGE_SECONDS:-}" >"$(ktap_of "$check.$page")"
}

# run_row: what a row of the table has, with what check_in_vm has set. KUNIT among the
# arguments: the unit tests, which run at boot, and what was leaked count, too.
run_row() {
	local page kunit

	if [[ ${what[0]} = *.md ]]; then
		all_at_once play_page "${what[@]}"
		for page in "${what[@]##*/}"; do cat "$(ktap_of "$check.$page")"; done
		[ "$failed" = 0 ]
	else
		[[ $arguments != *kunit* ]] || kunit=1
		vm "$check" "$kernel" "$machines" "${options[@]}" -b "$programs" \
			${kunit:+vfio_kunit_test} "${what[@]}" ${kunit:+vfio_leaks_test}
	fi
}

# judge_red KTAP: the cases of $want must have failed wherever they ran, and with $only no
# others. Of a program, $want has PROGRAM.CASE for all devices. All that was planned must
# have run, and without $only something must pass: if nothing works, nothing is shown.
judge_red() {
	local cases failed missing more=''

	cases=$(ktap_cases "$1" | judge_skips "$check" | sed -E 's/ 0000:[0-9a-f:.]*: /./')
	failed=$(sed -n 's/^fail\t//p' <<<"$cases")
	missing=$({
		grep -vxF -e "$failed" <<<"$want"
		sed -nE 's/^(pass|skip)\t//p' <<<"$cases" | grep -xF -e "$want"
	} | sort -u | paste -sd ,) || true
	! grep -E '( results, [0-9]+ planned|no plan \(1\.\.N\)|no test results at all|does not say why)$|Bail out!' \
		<<<"$failed" || die "the run was cut short, or skipped a case"
	[ -n "$only" ] || grep -q '^pass' <<<"$cases" || die "no case passed"
	[ -z "$only" ] || more=$(grep -vxF -e "$want" <<<"$failed" | paste -sd ,) || true
	[ -z "$missing$more" ] ||
		die "must fail, and did not: ${missing:-none}; failed, and must not: ${more:-none}"
}

# check_in_vm CHECK: each program, or page, must pass or fail a case. Where others must fail,
# an empty list says that an unpatched kernel does all of it.
check_in_vm() {
	local check=$1 needs need kernel machines seconds arguments what red only want='' options
	local programs=$programs
	local -x QEMU=${QEMU:-} BUSYBOX=${BUSYBOX:-} VM_ROOT=${VM_ROOT:-}

	IFS='|' read -r _ _ _ needs _ machines seconds arguments what red only \
		<<<"$(grep "^check|$check|" "$top/harness/checks")"
	read -ra what <<<"$(in_words "$what")"
	arguments=$(in_words "$arguments")
	options=(-t "$seconds" -a "$arguments")
	for need in $needs; do
		case $need in
		modules:*) kernel=$need ;;
		kernel:*) kernel=$need machines+=" ${MACHINES:-}" ;;
		qemu) QEMU=$qemu_new ;;
		# In the VM it comes before the machine's own.
		qemu-patched) options+=(-f "$qemu_patched") ;;
		programs:arm64) programs+=.arm64 BUSYBOX=$cache/arm64/busybox ;;
		nvme-driver) options+=(-f "$work/nvme_driver") ;;
		dpdk:*) VM_ROOT=$cache/dpdk-${need#*:} ;;
		esac
	done
	[ -z "$red" ] || want=$(without_comments "$top/${red/BASE/$base}")
	if [ -z "$want" ]; then
		run_row | tee "$(ktap_of "$check")"
		must_have_run "$check" "${what[@]##*/}"
	else
		must_fail run_row | tee "$(ktap_of "$check-run")"
		judge_red "$(ktap_of "$check-run")"
		must_have_run "$check-run" "${what[@]##*/}"
	fi
}

# P5: the programs know no token that they could look for in the log; any UUID is one.
check_debian() {
	check_in_vm debian
	! grep -aE '[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}' "$logs/vm.debian"/console* ||
		die "a token is in the kernel's log"
}

check_hang() {
	check_in_vm hang
	[ "$(grep -c 'ended by its limit of 5 s' "$(ktap_of hang-run)")" = 2 ] || die "the limit did not end it"
}

check_demo() { locked=1 "$top/harness/demo.sh"; }

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
