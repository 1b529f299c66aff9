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

# How much each kernel gets: rounds and inputs on each of two PFs, unless the
# environment says otherwise, and operations in KUnit.
rounds=${ROUNDS:-500} inputs=${INPUTS:-170000} operations=1000000

announce()
{
	cat <<END
Two kernels that look for errors are built, and each runs KUnit and all selftests
in QEMU, longer than in "make check":
  debug  KASAN, UBSAN, lockdep, kmemleak, SLUB and object debugging
  kcsan  KCSAN: data races
Each of these two, and before them the plain kernel, which is quick:
  $((2 * rounds)) rounds of racing with devices
  $((6 * inputs)) hostile inputs
  a minute of flood on each path to each PF
  $operations operations from several threads in KUnit
It takes hours: on two slow cores without KVM 2 h 33 min (plain 16 min, kcsan 43 min,
debug 94 min), and half an hour more when the kernels are not built yet. Any complaint of
a kernel is a failure, but data races of other parts of Linux, which are counted only.

END
}

# deep_run FLAVOUR [PROGRAM]...: what waits, and what must take real time. The
# tests read their lengths from the environment.
deep_run()
{
	local flavour=$1 title="at length on the $1 kernel" image options

	image=$(image_of series "$1")
	options=(-t 10800 -a "VFIO_DEEP=1 VFIO_ROUNDS=$rounds VFIO_INPUTS=$inputs vfio_pci_sriov_kunit.operations=$operations")
	shift
	run_vm_tests "deep.$flavour" "KUnit and selftests $title" "$image" -u -w "${options[@]}" "$@"
	run_vm_tests "deep.$flavour.flood" "a flood of wrong tokens $title" "$image" \
		"${options[@]}" vfio_flood_test
}

# A machine of its own, in which lockdep leaves the order of locks alone, and
# nobody looks for leaks: Linux leaks a PF that is unplugged with VFs, whatever
# its driver. pciehp removes the VFs first, and pci_iov_remove_virtfn(), which
# gives back their references to the PF, does not find them any more.
run_hotplug()
{
	run_vm_tests "deep.$1.hotplug" "devices unplugged on the $1 kernel" \
		"$(image_of series "$1")" -w -t 3600 -a "lockdep.prove_locking=0 VFIO_LEAKS=no" \
		"$not_with_lockdep"
}

main()
{
	local programs kernel

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

	deep_run plain vfio_stress_test vfio_fuzz_test
	mapfile -t programs < <(programs_that_wait "$not_with_lockdep")
	# The slowest comes last.
	for kernel in kcsan debug; do
		deep_run "$kernel" "${programs[@]}"
		run_hotplug "$kernel"
	done
	finish
}

main
