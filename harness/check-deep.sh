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

# How much, on each of two PFs: much on the plain kernel, which is quick, and
# on the other two what they can do in half an hour. ROUNDS and INPUTS in the
# environment ask for more of these.
plain_rounds=500 plain_inputs=170000 operations=1000000
rounds=${ROUNDS:-50} inputs=${INPUTS:-20000}

announce()
{
	cat <<END
Two kernels that look for errors are built, and each runs KUnit and the selftests
in QEMU, longer than in "make check":
  debug  KASAN, UBSAN, lockdep, kmemleak, SLUB and object debugging
  kcsan  KCSAN: data races
The plain kernel does most of what is counted. On all three together:
  $((2 * plain_rounds + 4 * rounds)) rounds of racing with devices
  $((6 * plain_inputs + 12 * inputs)) hostile inputs, $((6 * plain_inputs)) of them on the plain kernel
  a minute of flood on each PF of each kernel
and $operations operations from several threads in KUnit on the plain kernel.
It takes about an hour and a quarter on two cores without KVM (ROUNDS=1000
INPUTS=200000: that much on each PF of debug and kcsan, too; some hours). Any
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
	deep_run debug "$rounds" "$inputs" 100000 "${programs[@]}"
	mapfile -t programs < <(programs_that_wait)
	deep_run kcsan "$rounds" "$inputs" 100000 "${programs[@]}"
	finish
}

main
