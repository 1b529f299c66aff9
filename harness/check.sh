#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317,SC2016 # steps are called by name; awk has a $1, too
#
# Everything that can be checked on one machine: the base proves itself, the
# series applies and is clean patch by patch, the tests pass in a VM, and those
# that must be red on the unpatched kernel are. Each step and each test case
# counts as one. Last line: "N passed, N failed, N skipped".
set -euo pipefail

# shellcheck source=harness/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/parts.sh"
# shellcheck source=harness/steps.sh
. "$parts/steps.sh"
# shellcheck source=harness/machines.sh
. "$parts/machines.sh"
# shellcheck source=harness/clients/howto-step.sh
. "$parts/clients/howto-step.sh"
# shellcheck source=harness/clients/nvme-step.sh
. "$parts/clients/nvme-step.sh"
# shellcheck source=harness/compile.sh
. "$parts/compile.sh"
# shellcheck source=harness/bench/instructions.sh
. "$parts/bench/instructions.sh"

# Rounds of racing with devices, on each PF, where a round takes long. To fail
# each allocation of each call takes the better part of an hour there, and is
# left to "make check-deep".
debug_rounds=10

# ---- the base

# Only what the preparation reads, so that it takes a second.
check_change_is_noticed()
{
	local dir=$work/changed message

	rm -rf "$dir"
	mkdir -p "$dir"
	in_git archive stock drivers/vfio include/linux include/uapi/linux/vfio.h | tar -x -C "$dir"
	sed -i 's/\bvfio_pci_validate_vf_token\b/vfio_pci_renamed/' "$dir/drivers/vfio/pci/vfio_pci_core.c"
	if message=$("$basedir/prepare" "$dir" 2>&1); then
		die "a source without vfio_pci_validate_vf_token was prepared without complaint"
	fi
	echo "$message"
	grep -q 'did not find function vfio_pci_validate_vf_token in drivers/vfio/pci/vfio_pci_core.c' \
		<<<"$message"
	rm -rf "$dir"
}

check_base()
{
	rm -f "$work/stamps/base"
	prepare_base
}

# ---- compiling drivers/vfio, every driver of it

configure_allmod()
{
	checkout_src base
	mkdir -p "$src/build-allmod"
	kmake "$src/build-allmod" allmodconfig
	kmake "$src/build-allmod" prepare
}

check_base_compiles()
{
	local log=$work/compile.base.log

	compile_vfio "$src/build-allmod" base >"$log" 2>&1 || { tail -n 30 "$log"; return 1; }
	[ -z "$(warnings_in "$log")" ] || { warnings_in "$log"; return 1; }
}

compile_base_w1()
{
	local log=$work/compile.base.w1.log

	compile_vfio "$src/build-allmod" base W=1 >"$log" 2>&1 || { tail -n 30 "$log"; return 1; }
	warnings_in "$log" >"$work/warnings.base"
}

# check_patch_compiles COMMIT: no warning that was not there
# before. A file that is not compiled again has the warnings that it had.
check_patch_compiles()
{
	local log=$work/compile.patch.log

	compile_vfio "$src/build-allmod" "$1" W=1 >"$log" 2>&1 || { tail -n 30 "$log"; return 1; }
	warnings_in "$log" | comm -13 "$work/warnings.base" - >"$work/warnings.new"
	[ ! -s "$work/warnings.new" ] || { cat "$work/warnings.new"; return 1; }
}

check_patch_style()
{
	style_of "$1" | tee "$work/style"
	[ ! -s "$work/style" ]
}

# ---- the series

check_patches()
{
	local files ids n

	mapfile -t files < <(patch_files)
	mapfile -t ids < <(commits)
	[ "${#ids[@]}" != 0 ] && [ "${#files[@]}" = "${#ids[@]}" ] ||
		die "${#files[@]} patches, but ${#ids[@]} commits"
	for ((n = 1; n <= ${#ids[@]}; n++)); do
		step "patch$n.compile" "patch $n compiles without new warnings" \
			check_patch_compiles "${ids[n - 1]}"
		step "patch$n.style" "patch $n has a clean checkpatch" \
			check_patch_style "${files[n - 1]}"
	done
}

check_copies()
{
	local file bad=0

	while read -r file; do
		in_git cat-file blob "$applied:$file" | cmp - "$top/$file" || bad=1
	done < <(added_files "$gitdir" base "$applied")
	while read -r file; do
		in_git cat-file -e "$applied:$file" 2>/dev/null || { echo "$file is not in the series"; bad=1; }
	done < <(cd "$top" && git ls-files drivers include tools Documentation)
	[ "$bad" = 0 ] || die "in-tree copies and patches/ differ; \"make export\" writes both"
}

check_export()
{
	local dir=$work/export-check

	rm -rf "$dir"
	write_patches "$gitdir" base "$applied" "$dir"
	same_patches "$patches" "$dir" || die "\"make export\" would write other patches"
	rm -rf "$dir"
}

# ---- CONFIG_PCI_IOV=n

configure_noiov()
{
	local symbol

	mkdir -p "$src/build-noiov"
	kmake "$src/build-noiov" allmodconfig
	while read -r symbol; do
		"$src/scripts/config" --keep-case --file "$src/build-noiov/.config" -d "$symbol"
	done < <(symbol_and_selectors PCI_IOV)
	kmake "$src/build-noiov" olddefconfig
	! grep -q '^CONFIG_PCI_IOV=' "$src/build-noiov/.config" || die "CONFIG_PCI_IOV can't be turned off"
	kmake "$src/build-noiov" prepare
}

text_size()
{
	size "$1" | awk 'NR == 2 { print $1 }'
}

check_noiov()
{
	local dir=$src/build-noiov log=$work/compile.noiov.log before after object=drivers/vfio/pci/vfio-pci-core.o

	checkout_src base
	configure_noiov
	compile_vfio "$dir" base W=1 >"$log.base" 2>&1 || { tail -n 30 "$log.base"; return 1; }
	before=$(text_size "$dir/$object")
	find "$dir/drivers/vfio" -name 'vfio_pci_sriov*.o' -delete
	compile_vfio "$dir" "$applied" W=1 >"$log" 2>&1 || { tail -n 30 "$log"; return 1; }
	after=$(text_size "$dir/$object")
	warnings_in "$log.base" >"$work/warnings.noiov"
	warnings_in "$log" | comm -13 "$work/warnings.noiov" - | tee "$work/warnings.new"
	[ ! -s "$work/warnings.new" ] || return 1
	[ ! -e "$dir/drivers/vfio/pci/vfio_pci_sriov.o" ] || die "vfio_pci_sriov.o was built"
	echo "text of vfio-pci-core.o: $before bytes in the base, $after with the series"
	[ "$after" -le "$before" ] || die "$object grew by $((after - before)) bytes"
}

# ---- the unpatched kernel

# Each test that expected-red-on-stock names must have failed on the unpatched
# kernel, on every device it ran on; the others may do what they like there.
check_red_on_stock()
{
	local test bad=0 listed=0

	while read -r test; do
		listed=$((listed + 1))
		awk -F '\t' -v want="$test" '
			{
				split($2, part, ": ")
				program = part[1]
				sub(/ .*/, "", program)
				if (program "." part[2] == want) {
					ran++
					if ($1 != "fail")
						other = other " " $1
				}
			}
			END {
				if (!ran) { print want ": did not run"; exit 1 }
				if (other) { print want ":" other ", must fail"; exit 1 }
			}' "$work/stock.cases" || bad=$((bad + 1))
	done < <(grep -v '^#' "$basedir/expected-red-on-stock")
	echo "$listed tests must fail on the unpatched kernel, $bad did not"
	[ "$listed" -gt 0 ] && [ "$bad" = 0 ]
}

# That many fail is what they are for here, so the run can't. Only the programs
# of which something must be red; racing through groups, as the cdevs are not
# guarded there at all, and long enough to find the race that is there.
vm_tests_on_stock()
{
	local programs

	mapfile -t programs < <(grep -v '^#' "$basedir/expected-red-on-stock" | cut -d. -f1 | sort -u)
	vm_tests stock "$(image_of stock plain)" -w -t 1200 \
		-a "VFIO_PATHS=group VFIO_ROUNDS=100" "${programs[@]}" || true
}

run_stock_tests()
{
	: >"$work/stock.ktap"
	try_phase stock-tests "selftests on the unpatched kernel" vm_tests_on_stock
	ktap_cases "$work/stock.ktap" >"$work/stock.cases"
	say "    $(count_of pass "$work/stock.cases") cases passed there, $(count_of fail "$work/stock.cases") failed"
	step red-on-stock "the tests that must be red on it are" check_red_on_stock
}

# ---- documentation

check_documentation()
{
	checkout_src "$applied"
	kmake "$src/build-headers" headers
	"$top/harness/check-docs.sh" "$src" "$src/build-headers/usr" | tee "$work/docs.ktap"
}

run_check_documentation()
{
	: >"$work/docs.ktap"
	try_phase docs "the documentation is true" check_documentation
	count_cases docs "the documentation is true" "$phase_status"
}

main()
{
	add_machine_packages "${all_machines[@]}"
	begin_count
	ensure_guest_packages
	step ktap "the KTAP counter sees failures" check_ktap_counter
	step splats "the kernel's complaints are seen" check_splats
	step model "the model holds, and what is taken from it is missed" "$top/harness/model.sh"
	get_base 17000
	needed_step base "the base proves itself" check_base
	step changed "a changed source is noticed" check_change_is_noticed
	needed_step applied "the series applies" prepare_applied
	step copies "in-tree copies and patches agree" check_copies
	step export "make export gives the same patches" check_export

	needed_step allmod "configuring an allmodconfig kernel" configure_allmod
	step base.compile "drivers/vfio of the base compiles without a warning" check_base_compiles
	needed_step base.w1 "drivers/vfio of the base with W=1" compile_base_w1
	check_patches
	step noiov "CONFIG_PCI_IOV=n: nothing of it is built" check_noiov

	needed_step kernel.base "building the base kernel" build_kernel base
	step boot.base "sriov_numvfs on the base: no support" boot_base
	needed_step kernel.stock "building the unpatched kernel" build_kernel stock
	build_series_kernel plain
	build_series_kernel debug
	needed_step selftests "building the selftests" build_selftests
	run_check_documentation

	run_all_tests tip plain "" -t 1800
	run_vm_tests cost "what opens and VFs cost, counted in instructions" "$(image_of series plain)" -i
	step bench "no call costs more than was recorded" check_instructions
	run_all_tests debug debug "vfio_fault_test $not_with_lockdep" -t 3600 -a "VFIO_ROUNDS=$debug_rounds"
	run_machines "${all_machines[@]}"
	run_stock_tests
	run_howto
	run_nvme
	finish
}

main
