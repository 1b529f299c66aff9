#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests at full length, on kernels that look for what ordinary kernels do
# not see. Counts like check.sh, and ends with the same line.
set -euo pipefail

# shellcheck source=harness/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/parts.sh"
# shellcheck source=harness/steps.sh
. "$parts/steps.sh"

# How much, on each of two PFs: all on the plain kernel, which is quick, and all
# again on the other two together, which are not. ROUNDS and INPUTS in the
# environment ask for another number on each of these.
plain_rounds=500 plain_inputs=170000 operations=1000000
sanitizer_operations=100000
rounds=${ROUNDS:-250} inputs=${INPUTS:-85000}

announce()
{
	cat <<END
Two kernels that look for errors are built, and each runs KUnit and all selftests
(but vfio_hotplug_test, see harness/steps.sh) in QEMU, longer than in "make check":
  debug  KASAN, UBSAN, lockdep, kmemleak, SLUB and object debugging
  kcsan  KCSAN: data races
These two together, and before them the plain kernel, which is quick:
  $((4 * rounds)) and $((2 * plain_rounds)) rounds of racing with devices
  $((12 * inputs)) and $((6 * plain_inputs)) hostile inputs
  a minute of flood on each PF of each kernel
  $((2 * sanitizer_operations)) and $operations operations from several threads in KUnit
It took 82 min on two cores without KVM, beside other work (ROUNDS=500
INPUTS=170000, each of the two as much as the plain kernel: longer). Any
complaint of a kernel is a failure.

END
}

# deep_run FLAVOUR ROUNDS INPUTS OPERATIONS [PROGRAM]...: what waits, and what
# must take real time. The tests read their lengths from the environment.
deep_run()
{
	local flavour=$1 title="at length on the $1 kernel" image options

	image=$(image_of series "$1")
	options=(-t 10800 -a "VFIO_DEEP=1 VFIO_ROUNDS=$2 VFIO_INPUTS=$3 vfio_pci_sriov_kunit.operations=$4")
	shift 4
	run_vm_tests "deep.$flavour" "KUnit and selftests $title" "$image" -u -w "${options[@]}" "$@"
	run_vm_tests "deep.$flavour.flood" "a flood of wrong tokens $title" "$image" \
		"${options[@]}" vfio_flood_test
}

main()
{
	local programs

	announce
	begin_count
	step ktap "the KTAP counter sees failures" check_ktap_counter
	step splats "the kernel's complaints are seen" check_splats
	get_base 14000
	needed_step base "preparing the base" prepare_base
	needed_step applied "the series applies" prepare_applied
	needed_step selftests "building the selftests" build_selftests
	build_series_kernel plain
	build_series_kernel debug
	build_series_kernel kcsan

	deep_run plain "$plain_rounds" "$plain_inputs" "$operations" vfio_stress_test vfio_fuzz_test
	mapfile -t programs < <(programs_that_wait "$not_with_lockdep")
	deep_run debug "$rounds" "$inputs" "$sanitizer_operations" "${programs[@]}"
	deep_run kcsan "$rounds" "$inputs" "$sanitizer_operations" "${programs[@]}"
	finish
}

main
