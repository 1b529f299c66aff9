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

# The tests read their lengths from the environment, and KUnit has a parameter.
# What is counted on each PF of each kernel: two of either.
rounds=250
inputs=100000	# for each of three ioctls
operations=1000000
deep=(-t 7200 -a "VFIO_DEEP=1 VFIO_ROUNDS=$rounds VFIO_INPUTS=$inputs vfio_pci_core.kunit_operations=$operations")

announce()
{
	cat <<END
Two kernels that look for errors are built, and each runs KUnit and all selftests
in QEMU, with racing, fuzzing, failing allocations and flooding at full length:
  debug  KASAN, UBSAN, lockdep, kmemleak, SLUB and object debugging
  kcsan  KCSAN: data races
In all $((rounds * 4)) racing rounds with devices, $operations operations from several threads
in KUnit on each kernel, $((inputs * 12)) hostile inputs, a minute of flood on each PF.
It takes about an hour and a quarter on two cores without KVM, and may take up
to four hours on a slow machine. Any complaint of a kernel is a failure.

END
}

main()
{
	announce
	begin_count
	step ktap "the KTAP counter sees failures" check_ktap_counter
	step splats "the kernel's complaints are seen" check_splats
	get_base 14000
	needed_step base "preparing the base" prepare_base
	needed_step applied "the series applies" prepare_applied
	needed_step selftests "building the selftests" build_selftests
	build_series_kernel debug
	build_series_kernel kcsan

	run_all_tests deep.debug debug "${deep[@]}"
	run_all_tests deep.kcsan kcsan "${deep[@]}"
	finish
}

main
