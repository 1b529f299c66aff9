#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-machines.sh MACHINE...: KUnit and the selftests on other machines that
# QEMU emulates: arm64, with an SMMUv3; amd and virtio, PCs with these IOMMUs.
# Counts like check.sh, and ends with the same line.
set -euo pipefail

# shellcheck source=harness/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/parts.sh"
# shellcheck source=harness/steps.sh
. "$parts/steps.sh"

# For another architecture: kernel, tests and shell are built or fetched for it.
prepare_arm64()
{
	needed_step busybox.arm64 "fetching a shell for arm64" fetch_program busybox-static arm64 bin/busybox
	needed_step selftests.arm64 "building the selftests for arm64" build_selftests arm64
	build_series_kernel arm64
	export BUSYBOX=$cache/arm64/busybox
}

prepare_pc()
{
	needed_step selftests "building the selftests" build_selftests
	build_series_kernel plain
	unset BUSYBOX
}

# run_machine MACHINE FLAVOUR [PROGRAM]...: all programs but these
run_machine()
{
	local name=$1 flavour=$2 programs

	shift 2
	selftests=$(selftests_dir "$flavour")
	mapfile -t programs < <(programs_that_wait "$@")
	run_vm_tests "$name" "KUnit and selftests: $name" "$(image_of series "$flavour")" \
		-m "$name" -u -w -t 3600 "${programs[@]}"
}

for name; do
	case $name in
	arm64) package_lists+=(packages.arm64) ;;
	amd | virtio) ;;
	*) die "$name: no such machine (known: arm64 amd virtio)" ;;
	esac
done
begin_count
get_base 10000
needed_step base "preparing the base" prepare_base
needed_step applied "the series applies" prepare_applied
for name; do
	case $name in
	arm64)
		prepare_arm64
		run_machine arm64 arm64
		;;
	amd)
		# Its devices are on the root bus, where nothing is unplugged.
		prepare_pc
		run_machine amd plain vfio_hotplug_test
		;;
	virtio)
		prepare_pc
		run_machine virtio plain
		;;
	esac
done
finish
