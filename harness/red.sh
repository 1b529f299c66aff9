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
. "$parts/kunit.sh"

mutants=$top/tests/mutants
only_kunit=

# red_cases MUTANT PATTERN: lines of program and case that must be red
red_cases() { sed -n 's/^Red: //p' "$mutants/$1.diff" | awk -v p="$2" '$1 ~ p'; }

# red_in NAME PATTERN KTAP: each of these cases is "not ok" there
red_in()
{
	local line bad=0 cases

	read_lines cases red_cases "$1" "$2"
	for line in "${cases[@]}"; do
		line=${line#* }
		grep -qE "^ *not ok [0-9]+ (- )?${line//./\\.}( |\$)" "$3" ||
			{ say "error: \"$line\" passes with mutant $1, but must fail"; bad=1; }
	done
	[ "$bad" = 0 ]
}

try_on_uml()
{
	checkout_src "$applied"
	in_src apply "$mutants/$1.diff"
	run_kunit "$work/red.kunit"
	checkout_src "$applied"
	red_in "$1" '^kunit$' "$work/red.kunit"
}

# The mutant's kernel or modules; that the VM as a whole fails says nothing.
try_in_vm()
{
	local name=$1 kernel dir=$debian_dir/mutant tests test machines=warp options run

	tests=$(red_cases "$name" '^vfio_' | cut -d' ' -f1 | sort -u)
	case $tests in
	*vfio_fault_test* | *vfio_override_test* | *vfio_power_test*)
		checkout_src "$applied"
		in_src apply "$mutants/$name.diff"
		compile_kernel series.plain "$work/bzImage.red"
		checkout_src "$applied"
		kernel=(-k "$work/bzImage.red")
		;;
	*)
		make_tree "$dir" mutant
		GIT_CEILING_DIRECTORIES=$(dirname "$dir") git -C "$dir" apply "$mutants/$name.diff"
		compile_modules "$dir"
		install_modules mutant "$work/mutant"
		kernel=(-k "$(kernel_image)" -d "$work/mutant")
		;;
	esac
	case $tests in
	*vfio_cost_test*) machines=count ;;
	*vfio_flood_test*) machines= ;;
	*vfio_hotplug_test*) machines="warp hotplug" ;;
	esac
	# shellcheck disable=SC2086 # words
	machine $machines
	# Each in a VM of its own: a mutant may leave VFs that the next would skip for.
	for test in $tests; do
		for ((run = 1; run <= ${RUNS:-1}; run++)); do
			rm -rf "$logs/red.$name"
			# shellcheck disable=SC2310 # a question
			if vmtest "${kernel[@]}" -b "$programs" -o "$logs/red.$name" -t 900 "${options[@]}" "$test"; then
				die "$test passes with mutant $name"
			fi
			red_in "$name" "^$test\$" "$logs/red.$name/results.log"
		done
	done
}

try_mutant()
{
	local kunit vm

	kunit=$(red_cases "$1" '^kunit$')
	vm=$(red_cases "$1" '^vfio_')
	[ -n "$kunit$vm" ] || die "$1.diff names no test that must be red"
	[ -z "$kunit" ] || try_on_uml "$1"
	[ -n "$only_kunit" ] || [ -z "$vm" ] || try_in_vm "$1"
}

if [ "${1:-}" = -k ]; then
	only_kunit=1
	shift
fi
lock
ensure_packages base demo
need applied
[ -n "$only_kunit" ] || need programs
mkdir -p "$work/cases"
results=$work/red.results
: >"$results"
# With -k those that a unit test must see
[ $# != 0 ] || read_lines names grep -rlE "${only_kunit:+^Red: kunit }" "$mutants" --include='*.diff'
[ $# = 0 ] || names=("$@")
for name in "${names[@]}"; do
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
