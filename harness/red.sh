#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# red.sh [NAME]...: can the tests fail? Each file in tests/mutants/ takes a
# property from the series and names the tests that must then be red, one a
# line: "Red: PROGRAM CASE", or "Red: kunit CASE". Build each of these kernels,
# run the tests, and say whether they were. Last line:
# N passed, N failed, N skipped.
set -euo pipefail

# shellcheck source=harness/lib/all.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

mutants=$top/tests/mutants
passed=0 failed=0

# What MUTANT must make red: lines of program and case.
red_cases()
{
	sed -n 's/^Red: //p' "$mutants/$1.diff"
}

build_mutant()
{
	checkout_src "$applied"
	in_src apply "$mutants/$1.diff"
	compile_kernel series plain "$work/bzImage.red"
	checkout_src "$applied"
}

# KUnit ran at boot in any case; it is no program. Where it must be red it gets
# the time that its threads need.
run_tests()
{
	local program programs=() machine=(-w) options=()

	while read -r program; do
		case $program in
		kunit)
			options=(-a "vfio_pci_sriov_kunit.operations=1000000")
			continue
			;;
		vfio_cost_test) machine=(-i) ;;
		vfio_flood_test) machine=() ;;
		esac
		programs+=("$program")
	done < <(red_cases "$1" | cut -d' ' -f1 | sort -u)
	[ "${#programs[@]}" != 0 ] || programs=(vfio_restart_test)
	rm -rf "$logs/red.$1"
	vmtest -k "$work/bzImage.red" -b "$work/selftests" -o "$logs/red.$1" \
		-u "${machine[@]}" "${options[@]}" "${programs[@]}" || true
}

# A case is red if the VM says "not ok" of it. That the VM failed altogether
# does not count.
check_red()
{
	local program name

	[ -n "$(red_cases "$1")" ] || die "$1.diff names no test that must be red"
	while read -r program name; do
		grep -qE "^ *not ok [0-9]+ (- )?${name//./\\.}( |$)" \
			"$logs/red.$1/results.log" ||
			die "$program: $name is not red without what $1 takes away"
	done < <(red_cases "$1")
}

try_mutant()
{
	build_mutant "$1"
	run_tests "$1"
	check_red "$1"
}

choose_mutants()
{
	local file

	[ $# = 0 ] || { printf '%s\n' "$@"; return; }
	for file in "$mutants"/*.diff; do
		basename "$file" .diff
	done
}

lock
ensure_packages base demo
prepare_all
phase selftests "building the selftests" build_selftests
while read -r name; do
	[ -f "$mutants/$name.diff" ] || die "$name: no such file in tests/mutants"
	try_phase "red.$name" "$name: red?" try_mutant "$name"
	if [ "$phase_status" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done < <(choose_mutants "$@")
say "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
