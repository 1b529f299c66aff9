#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fixes.sh [--debug]: shows what patches/fixes-7.3 and fixes-6.1 fix in unmodified
# kernels: checkpatch and warnings of each patch of 7.3; racing rounds, selftests and
# failing allocations on Debian's own kernels, with vfio as modules, before, with
# single patches, and after. With --debug also on kernels built here, for 7.3 with
# KASAN and lockdep, whose build takes long. Prints and keeps a table.
# shellcheck disable=SC2310,SC2154 # questions; variables of the other parts
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

tests=(vfio_pci_sriov_uapi_test vfio_pci_vf_token_test)
none='0 VFs not captured, 0 VFs enabled'
captured='^capture .* 0 VFs not captured, 2 VFs enabled'
kvm='^kvm .*: second bind: Invalid argument;'

# BASE|KERNEL|MACHINE|WHAT guest.sh DOES|CASES OF SELFTESTS THAT FAIL|LINES
#   BASE: a pattern for its name
#   KERNEL: "debian", as shipped; a set of patches, see patches_of: vfio as modules
#   with it, or SET.fail, where no driver_override can be allocated; FLAVOUR:SET, a
#   kernel built here, only with --debug
#   MACHINE: PFs to count instructions, or a file of harness/fixes
#   CASES: in each mode and on each PF, and no others, by name; "-" without selftests
#   LINES: patterns, with "/" between them, each of a line that each of two PFs prints
runs="
linux-.*|debian||rounds|-|^rounds
linux-7.3|stock||rounds ${tests[*]}|failing_bind group_sharers kill_numvfs_reader open_race|^rounds
linux-7.3|alone1||rounds ${tests[*]}|group_sharers kill_numvfs_reader open_race|^rounds
linux-7.3|alone2||rounds ${tests[*]}|failing_bind kill_numvfs_reader|^rounds
linux-7.3|alone3||rounds ${tests[*]}|failing_bind group_sharers kill_numvfs_reader open_race|^rounds
linux-7.3|all||rounds ${tests[*]}|kill_numvfs_reader|^rounds .*: 0 of
linux-7.3|stock|igb:1|cost|-|
linux-7.3|stock|nvme:4|cost|-|
linux-7.3|all|igb:1|cost|-|
linux-7.3|all|nvme:4|cost|-|
linux-7.3|debug:stock|vm|rounds ${tests[*]} fail|failing_bind group_sharers kill_numvfs_reader open_race|, 1 failures: [12] VFs not captured/, -1 failures: 2 VFs not captured
linux-7.3|debug:all||rounds ${tests[*]} fail||^rounds .*: 0 of/, 1 failures: $none/, -1 failures: $none
linux-6.12|stock|vm|rounds capture kvm|-|^rounds/$captured/$kvm [12] virtual machines left
linux-6.12|all|vm|rounds capture kvm|-|^rounds/$captured/$kvm 0 virtual machines left
linux-6.*|stock.fail|vm|capture|-|^capture .* 2 VFs not captured, 2 VFs enabled
linux-6.*|all.fail|vm|capture|-|^capture .* $none
linux-6.12|plain:stock||${tests[1]}|-|^not ok .*vfio_type1_iommu\.kill_numvfs_reader
linux-6.12|plain:core||${tests[1]}|-|^ok .*vfio_type1_iommu\.kill_numvfs_reader
linux-6.1|stock|vm|rounds capture|-|^rounds/$captured
linux-6.1|all|vm|rounds capture|-|^rounds/$captured"

state=$work/fixes
no_memory=$top/harness/fixes/no-memory.h
programs=$top/work/linux-7.3/fixes/programs

# patches_of SET. The PCI core is no module: only a kernel built here has patch 4.
patches_of() {
	case $base/$1 in
	*/debian | */stock) ;;
	linux-7.3/all) printf '%s\n' "$top"/patches/fixes-7.3/000[1-6]-*.patch ;;
	linux-7.3/alone*) printf '%s\n' "$top/patches/fixes-7.3/000${1#alone}"-*.patch ;;
	linux-6.12/all) printf '%s\n' "$top"/patches/fixes-7.3/000[13]-*.patch ;;
	linux-6.12/core) printf '%s\n' "$top"/patches/fixes-7.3/0004-*.patch ;;
	linux-6.1/all) printf '%s\n' "$top"/patches/fixes-6.1/*.patch ;;
	*) die "$base has no set $1" ;;
	esac
}

# apply_set SET DIR [PATH]...: to the files there that are below these
apply_set() {
	patches_of "$1" | GIT_CEILING_DIRECTORIES=$debian_dir xargs -rd '\n' git -C "$2" apply "${@:3}"
}

# build_set SET[.fail]: vfio as modules, in $state
build_set() {
	local source=$1 options=()

	if [ "$source" != debian ]; then
		source=fixes-$1
		make_tree "$debian_dir/$source" stock
		apply_set "${1%.fail}" "$debian_dir/$source" --include={drivers/vfio,include,tools/testing/selftests/vfio}'/*'
		[[ $1 != *.fail ]] || options=(CFLAGS_vfio_pci_core.o="-include $no_memory")
		compile_modules "$debian_dir/$source" "${options[@]}"
	fi
	install_modules "$source" "$state/$1"
}

# build_image FLAVOUR SET
build_image() {
	checkout_src stock
	apply_set "$2" "$src" --include={drivers,include}'/*'
	compile_kernel "stock.$1" "$state/bzImage.$2"
	checkout_src stock
}

build_programs_of_fixes() {
	local tree=$debian_dir/fixes-all name

	mkdir -p "$tree/usr/include/linux" "$programs"
	for name in vfio iommufd; do
		sed 's/\b__user\b//' "$tree/include/uapi/linux/$name.h" >"$tree/usr/include/linux/$name.h"
	done
	in_build make -C "$tree/tools/testing/selftests/vfio" -j"$jobs" OUTPUT="$programs" LDFLAGS=-static \
		KHDR_INCLUDES="-isystem $tree/usr/include" "${tests[@]/#/$programs/}"
	for name in race kvm_bind; do
		in_build gcc -O2 -Wall -Wextra -static -pthread -isystem "$tree/usr/include" -o "$programs/$name" \
			"$top/harness/fixes/$name.c"
	done
}

build() {
	local kernel kernels key

	kernels=$(cut -d '|' -f 2 <<<"$rows" | sort -u)
	for kernel in $kernels; do
		if [[ $kernel = *:* ]]; then
			need stock
			phase "image-$kernel" "a kernel: $kernel" build_image "${kernel%:*}" "${kernel#*:}"
		else
			key=$({ key_modules stock; patches_of "${kernel%.fail}" | xargs -d '\n' cat "$no_memory"; } | hash_of)
			phase "mod-$kernel" "vfio as modules: $kernel" unless_done "fixes-$kernel" "$key" build_set "$kernel"
		fi
	done
	[ "$base" != linux-7.3 ] || phase programs "compiling the programs" build_programs_of_fixes
}

run() {
	local options=(-k "$(kernel_image)" -d "$state/$kernel") lines line failed

	# shellcheck disable=SC2086 # words
	[[ $kernel != *:* ]] || { machine ${MACHINES:-}; options+=(-k "$state/bzImage.${kernel#*:}"); }
	case $machine in
	*:*) options+=(-m "$machine_dir/count.sh") ;;
	?*) options+=(-m "$top/harness/fixes/$machine.sh") ;;
	esac
	for line in race kvm_bind "${tests[@]}"; do
		options+=(-f "$programs/$line")
	done
	PFS=$machine vmtest -t 3600 -o "$logs/vm.$name" -f "$top/harness/fixes/guest.sh" "${options[@]}" \
		-c "sh guest.sh $what" | tee "$printed"
	! grep '^error: ' "$printed" || die "an error in the VM"
	if [ "$cases" != - ]; then
		failed=$(sed -nE 's/^not ok .*\.([a-z_]+).*/\1/p' "$printed" | sort -u | xargs)
		[ "$failed" = "$cases" ] || die "these cases failed: $failed; these must fail: $cases"
		! grep -E "^ok .*\.(${cases// /|})\$" "$printed" || die "passed, but must fail"
		grep -q '^ok .*\.init_token_match' "$printed" || die "mainline's selftest did not run"
		grep -qE '^(not )?ok .*\.open_race' "$printed" || die "the race test did not run"
	fi
	IFS=/ read -ra lines <<<"$must_print"
	for line in "${lines[@]}"; do
		[ "$(grep -cE -e "$line" "$printed")" = 2 ] || die "not printed for each of two PFs: $line"
	done
}

# What a run has shown, a line each
result() {
	awk -v run="Linux $(kernel_release), $name: " '
		/^rounds / { rounds = rounds (n ? " + " : "") $3; n += $5 }
		/^# program / { program = $3 }
		/^ok .*\./ && !/# SKIP/ { ok[program]++; all[program]++ }
		/^not ok .*\./ { all[program]++ }
		/^(cost|capture|kvm) / { print run $0 }
		END {
			if (n)
				print run rounds " of " n " rounds illegal"
			for (program in all)
				print run ok[program] + 0 " of " all[program] " cases of " program " passed"
		}' "$printed"
}

run_all() {
	local kernel machine what cases must_print name printed

	: >"$state/results"
	while IFS='|' read -r _ kernel machine what cases must_print; do
		name=$kernel${machine:+.$machine}
		printed=$state/$name.log
		phase "$name" "$name: $what" run
		result >>"$state/results"
	done <<<"$rows"
}

if [ "${1:-}" != runs ]; then
	BASE=linux-7.3 SERIES=fixes-7.3 "$top/harness/review.sh" checkpatch gcc clang
	BASE=linux-7.3 "$0" runs "$@"
	BASE=linux-6.12 "$0" runs "$@"
	BASE=linux-6.1 BASES=harness/fixes "$0" runs "$@"
	cat "$top"/work/linux-{7.3,6.12,6.1}/fixes/results | tee "$top/out/linux-7.3/fixes.txt"
	exit
fi
rows=$(awk -F '|' -v base="$base" -v debug="${2:-}" 'base ~ "^" $1 "$" && (debug || $2 !~ /:/)' <<<"$runs")
lock
ensure_packages base fixes
mkdir -p "$state"
need debian
build
run_all
