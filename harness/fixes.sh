#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fixes.sh [--debug]: shows what patches/fixes-7.3 and fixes-6.1 fix in unmodified
# kernels: checkpatch and warnings of each patch of 7.3, and harness/fixes/runs on
# Debian's own kernels with vfio as modules, once of the series. With --debug also on
# kernels built here, for 7.3 with KASAN and lockdep, whose build takes long. Prints and
# keeps a table.
# shellcheck disable=SC2310,SC2154 # questions; variables of the other parts
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

tests=(vfio_pci_sriov_uapi_test vfio_pci_vf_token_test)
state=$work/fixes
fixes_programs=$top/work/linux-7.3/fixes/programs

# apply_files DIR [OPTION]...: $files, if there are any
apply_files() {
	[ "${#files[@]}" = 0 ] || GIT_CEILING_DIRECTORIES=$debian_dir git -C "$1" apply "${@:2}" "${files[@]}"
}

# build_modules KERNEL: vfio with $files
build_modules() {
	local source=$1 options=()

	if [ "$source" != debian ]; then
		source=fixes-$1
		make_tree "$debian_dir/$source" stock
		apply_files "$debian_dir/$source" --include={drivers/vfio,include,tools/testing/selftests/vfio}'/*'
		[[ $1 != *.fail ]] || options=(CFLAGS_vfio_pci_core.o="-include $top/harness/fixes/no-memory.h")
		compile_modules "$debian_dir/$source" "${options[@]}"
	fi
	install_modules "$source" "$state/$1"
}

# build_image KERNEL: with $files
build_image() {
	checkout_src stock
	apply_files "$src" --include={drivers,include}'/*'
	compile_kernel "stock.${1%:*}" "$state/bzImage.${1#*:}"
}

build_programs_of_fixes() {
	local tree=$debian_dir/fixes-all headers="-isystem $debian_dir/fixes-all/include/uapi -D__user=" name

	rm -rf "$fixes_programs"
	mkdir -p "$fixes_programs"
	in_build make -C "$tree/tools/testing/selftests/vfio" -j"$jobs" OUTPUT="$fixes_programs" LDFLAGS=-static \
		KHDR_INCLUDES="$headers" "${tests[@]/#/$fixes_programs/}"
	for name in race kvm_bind; do
		# shellcheck disable=SC2086 # words
		in_build gcc -O2 -Wall -Wextra -static -pthread $headers -o "$fixes_programs/$name" \
			"$top/harness/fixes/$name.c"
	done
}

run() {
	local options=(-k "$(kernel_image)" -d "$state/$kernel") lines line failed

	# shellcheck disable=SC2086 # words
	[[ $kernel != *:* ]] || { machine ${MACHINES:-}; options+=(-k "$state/bzImage.${kernel#*:}"); }
	case $machine in
	*:*) options+=(-m "$machine_dir/count.sh") ;;
	?*) options+=(-m "$top/harness/fixes/$machine.sh") ;;
	esac
	PFS=$machine vmtest -t 3600 -o "$logs/vm.$name" -f "$top/harness/fixes/guest.sh" "${options[@]}" \
		-f"$fixes_programs"/{race,kvm_bind} "${tests[@]/#/-f$fixes_programs/}" -c "sh guest.sh $what" | tee "$printed"
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
		/^(not )?ok .*\./ && !/# SKIP/ { all[program]++; ok[program] += /^ok/ }
		/^(cost|capture|kvm) / { print run $0 }
		END {
			if (n)
				print run rounds " of " n " rounds illegal"
			for (program in all)
				print run ok[program] " of " all[program] " cases of " program " passed"
		}' "$printed"
}

if [ "${1:-}" != runs ]; then
	BASE=linux-7.3 SERIES=fixes-7.3 "$top/harness/review.sh" checkpatch gcc clang
	BASE=linux-7.3 "$0" runs "$@"
	BASE=linux-6.12 "$0" runs "$@"
	BASE=linux-6.1 BASES=harness/fixes "$0" runs "$@"
	cat "$top"/work/linux-{7.3,6.12,6.1}/fixes/results | tee "$top/out/linux-7.3/fixes.txt"
	exit
fi
rows=$(without_comments "$top/harness/fixes/runs" |
	awk -F '|' -v base="$base" -v debug="${2:-}" 'base ~ "^" $1 "$" && (debug || $2 !~ /:/)')
lock
ensure_packages base fixes
mkdir -p "$state"
need debian
while IFS='|' read -r kernel pattern; do
	files=()
	# shellcheck disable=SC2206 # a pattern
	[ -z "$pattern" ] || files=("$top/patches"/$pattern)
	if [[ $kernel = *:* ]]; then
		need stock
		phase "image-$kernel" "a kernel: $kernel" build_image "$kernel"
	elif [ "$kernel" = series ]; then
		need modules:series
		phase mod-series "vfio as modules: series" install_modules series "$state/series"
	else
		key=$({ key_modules stock; cat "$top/harness/fixes/no-memory.h" "${files[@]}"; } | hash_of)
		phase "mod-$kernel" "vfio as modules: $kernel" unless_done "fixes-$kernel" "$key" build_modules "$kernel"
	fi
done <<<"$(cut -d '|' -f 2,3 <<<"$rows" | sort -u)"
[ "$base" != linux-7.3 ] || phase programs "compiling the programs" build_programs_of_fixes
: >"$state/results"
while IFS='|' read -r _ kernel _ machine what cases must_print; do
	name=$kernel${machine:+.$machine}
	printed=$state/$name.log
	phase "$name" "$name: $what" run
	result >>"$state/results"
done <<<"$rows"
