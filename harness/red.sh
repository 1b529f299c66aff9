#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of the other parts
#
# red.sh [-k] [NAME]...: can the tests fail? Each mutant, a file of tests/mutants,
# takes a property from the series and names the tests that must then fail, a line
# each: "Red: kunit CASE", a unit test on UML, or "Red: PROGRAM CASE", in the VM on
# Debian's kernel, or on one built here for fault injection. With -k only
# the unit tests. RUNS=N runs the VM of each mutant N times, and each must be red.
# Last line: N passed, N failed, N skipped.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
. "$parts/count.sh"

mutants=$top/tests/mutants
only=

# must_be_red NAME PROGRAM KTAP: each case that the mutant names is "not ok" there
must_be_red() {
	local passed

	passed=$(sed -n "s/^Red: $2 //p" "$mutants/$1.diff" | sort |
		comm -23 - <(sed -nE 's/ # .*//; s/^ *not ok [0-9]+ (- )?//p' "$3" | sort -u))
	[ -z "$passed" ] || die "\"${passed//$'\n'/\", \"}\" passes with mutant $1, but must fail"
}

# make_mutant NAME TESTS: leaves in $kernel what vmtest boots: the modules of the mutant,
# or its kernel, where tests inject faults
make_mutant() {
	local dir=$debian_dir/mutant

	if [[ $2 = *@(vfio_fault_test|vfio_override_test|vfio_power_test)* ]]; then
		compile_kernel series.plain "$work/bzImage.red"
		kernel=(-k "$work/bzImage.red")
		return
	fi
	make_tree "$dir" mutant
	GIT_CEILING_DIRECTORIES=$debian_dir git -C "$dir" apply "$mutants/$1.diff"
	compile_modules "$dir"
	install_modules mutant "$work/mutant"
	kernel=(-k "$(kernel_image)" -d "$work/mutant")
}

# Each in a VM of its own: a mutant may leave VFs that the next would skip for. That the
# VM as a whole fails says nothing.
try_in_vm() {
	local name=$1 test=$2 run options

	case $test in
	vfio_cost_test) machine count ;;
	vfio_flood_test) machine ;;
	vfio_hotplug_test) machine warp hotplug ;;
	*) machine warp ;;
	esac
	for ((run = 1; run <= ${RUNS:-1}; run++)); do
		rm -rf "$logs/red.$name"
		must_fail vmtest "${kernel[@]}" -b "$programs" -o "$logs/red.$name" -t 900 "${options[@]}" "$test"
		must_be_red "$name" "$test" "$logs/red.$name/results.log"
	done
}

try_mutant() {
	local test tests kernel=()

	tests=$(sed -nE "s/^Red: (${only:-[^ ]+}) .*/\1/p" "$mutants/$1.diff" | sort -u)
	[ -n "$tests" ] || die "$1.diff names no test that must be red"
	checkout_src "$applied"
	in_src apply "$mutants/$1.diff"
	for test in $tests; do
		if [ "$test" = kunit ]; then
			run_kunit "$work/red.kunit"
			must_be_red "$1" kunit "$work/red.kunit"
		else
			[ "${#kernel[@]}" != 0 ] || make_mutant "$1" "$tests"
			try_in_vm "$1" "$test"
		fi
	done
}

[ "${1:-}" != -k ] || { only=kunit; shift; }
lock
ensure_packages base demo
need applied
[ -n "$only" ] || need programs
: >"$results"
[ $# != 0 ] || read_lines names grep -rlE "^Red: $only" "$mutants" --include='*.diff'
for name in "${@:-${names[@]}}"; do
	name=$(basename "$name" .diff)
	[ -f "$mutants/$name.diff" ] || die "$name: no such file in tests/mutants"
	try_phase "red.$name" "mutant $name: its tests must fail" try_mutant "$name"
	if [ "$phase_status" = 0 ]; then
		record pass "$name"
	else
		record fail "$name (log: $logs/red.$name.log)"
	fi
done
finish
