# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# KUnit and the selftests on other machines that QEMU emulates: arm64, with an
# SMMUv3; amd and virtio, PCs with these IOMMUs. Sourced after steps.sh.

all_machines=(arm64 amd virtio)

# add_machine_packages MACHINE...: before the packages are looked at
add_machine_packages()
{
	local name

	for name; do
		[[ " ${all_machines[*]} " = *" $name "* ]] || die "$name: no such machine (known: ${all_machines[*]})"
		[ "$name" != arm64 ] || package_lists+=(packages.arm64)
	done
}

# run_machine NAME FLAVOUR [PROGRAM]...: all programs that wait but these
run_machine()
{
	local name=$1 flavour=$2 selftests programs

	shift 2
	selftests=$(selftests_dir "$flavour")
	mapfile -t programs < <(programs_that_wait "$@")
	run_vm_tests "$name" "KUnit and selftests: $name" "$(image_of series "$flavour")" \
		-m "$name" -u -w -t 3600 "${programs[@]}"
}

# For another architecture: kernel, tests and shell are built or fetched for it.
# What can't be had fails; the rest can do without.
run_arm64()
{
	local -x BUSYBOX=$cache/arm64/busybox

	step busybox.arm64 "fetching a shell for arm64" fetch_program busybox-static arm64 bin/busybox
	[ "$phase_status" = 0 ] || return 0
	step selftests.arm64 "building the selftests for arm64" build_selftests arm64
	[ "$phase_status" = 0 ] || return 0
	build_series_kernel arm64
	run_machine arm64 arm64
}

# run_machines MACHINE...: PCs take the kernel and the tests that are built
run_machines()
{
	local name

	for name; do
		case $name in
		arm64) run_arm64 ;;
		# Its devices are on the root bus, where nothing is unplugged.
		amd) run_machine amd plain vfio_hotplug_test ;;
		# Its driver can't do without memory: it warns, or goes through NULL.
		virtio) run_machine virtio plain vfio_fault_test ;;
		esac
	done
}
