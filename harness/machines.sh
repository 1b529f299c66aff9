# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# KUnit and the selftests on other machines that QEMU emulates: arm64, with an
# SMMUv3; amd and virtio, PCs with these IOMMUs. Sourced after steps.sh.

# add_machine_packages NAME: before the packages are looked at
add_machine_packages()
{
	case $1 in
	arm64) package_lists+=(packages.arm64) ;;
	amd | virtio) ;;
	*) die "$1: no such machine (known: arm64 amd virtio)" ;;
	esac
}

# run_on_machine NAME FLAVOUR [PROGRAM]...: all programs but these
run_on_machine()
{
	local name=$1 flavour=$2 selftests programs

	shift 2
	selftests=$(selftests_dir "$flavour")
	mapfile -t programs < <(programs_that_wait "$@")
	run_vm_tests "$name" "KUnit and selftests: $name" "$(image_of series "$flavour")" \
		-m "$name" -u -w -t 3600 "${programs[@]}"
}

# For another architecture: kernel, tests and shell are built or fetched for it.
run_arm64()
{
	local -x BUSYBOX=$cache/arm64/busybox

	needed_step busybox.arm64 "fetching a shell for arm64" fetch_program busybox-static arm64 bin/busybox
	needed_step selftests.arm64 "building the selftests for arm64" build_selftests arm64
	build_series_kernel arm64
	run_on_machine arm64 arm64
}

run_pc()
{
	needed_step selftests "building the selftests" build_selftests
	build_series_kernel plain
	run_on_machine "$1" plain "${@:2}"
}

run_machine()
{
	case $1 in
	arm64) run_arm64 ;;
	# Its devices are on the root bus, where nothing is unplugged.
	amd) run_pc amd vfio_hotplug_test ;;
	virtio) run_pc virtio ;;
	esac
}
