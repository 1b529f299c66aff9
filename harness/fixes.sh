#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fixes.sh [--debug]: shows what patches/fixes-7.3 fixes in an unmodified Linux 7.3:
# checkpatch and warnings of each patch; racing rounds, mainline's selftest and that
# of the patches on Debian's own kernel, with vfio as modules, before, with single
# patches, and after. With --debug the same on a kernel with KASAN and lockdep,
# whose build takes long. Prints and keeps a table.
# shellcheck disable=SC2310,SC2154 # questions; variables of the other parts
set -euo pipefail

export BASE=linux-7.3
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
. "$parts/compile.sh"

fixes=$top/patches/fixes-7.3
logs=$out/logs/fixes
state=$work/fixes
tests=(vfio_pci_sriov_uapi_test vfio_pci_vf_token_test)
# Each patch of code alone, and all.
sets=(alone1 alone2 alone3 alone4 all)

# patches_of SET
patches_of()
{
	case $1 in
	stock) ;;
	alone*) find "$fixes" -name "000${1#alone}-*.patch" ;;
	all) find "$fixes" -name '000[1-9]-*.patch' | sort ;;
	esac
}

ref_of_set()
{
	if [ "$1" = stock ]; then
		echo stock
	else
		echo "refs/vfio-sriov/fixes/$1"
	fi
}

prepare_source()
{
	local name files

	need stock
	in_src am --abort 2>/dev/null || true
	for name in "${sets[@]}"; do
		read_lines files patches_of "$name"
		checkout_src stock
		in_src am -q "${files[@]}"
		in_git update-ref "$(ref_of_set "$name")" "$(in_src rev-parse HEAD)"
	done
}

# ---- other kernels as Debian ships them

# newest_release PATTERN: of the kernels that the index has images of
newest_release()
{
	apt-cache "${apt_options[@]}" pkgnames linux-image- |
		sed -nE "s/^linux-image-($1-amd64)$/\1/p" | sort -V | tail -n 1
}

# Each in a folder of its release, as vmtest.sh wants modules.
fetch_shipped()
{
	local release package dir pattern

	need_disk 3000 "$state"
	# shellcheck disable=SC2086 # words
	use_suites fixes $SUITES bookworm
	mkdir -p "$state/shipped"
	for pattern in '6\.12\.[0-9]+[+]deb13' '6\.1\.0-[0-9]+'; do
		release=$(newest_release "$pattern")
		[ -n "$release" ] || die "no kernel $pattern in the package index"
		dir=$state/shipped/$release
		[ ! -d "$dir" ] || continue
		rm -rf "$dir.new"
		package=$(with_cache fetch_deb "linux-image-$release")
		dpkg-deb -x "${package#*  }" "$dir.new"
		[ ! -d "$dir.new/usr/lib/modules" ] || mv "$dir.new/usr/lib" "$dir.new/"
		depmod -b "$dir.new" "$release"
		mv "$dir.new" "$dir"
	done
}

# ---- lint

# The tree has no history, the test is a new file below an F: line of MAINTAINERS,
# and the macro is libvfio's way to name the modes of the IOMMU.
lint_patches()
{
	local files

	checkout_src stock
	read_lines files patches_of all
	env -C "$src" GIT_DIR=none scripts/checkpatch.pl --strict --no-summary \
		--ignore UNKNOWN_COMMIT_ID,FILE_PATH_CHANGES,COMPLEX_MACRO "${files[@]}"
}

configure_fixes()
{
	local dir=$1 fragment=$basedir/fixes.config line

	mkdir -p "$dir"
	shift
	kmake "$dir" "$@" KCONFIG_ALLCONFIG="$fragment" allnoconfig
	while read -r line; do
		grep -qxF "$line" "$dir/.config" || die "the configuration did not take $line"
	done <<<"$(without_comments "$fragment")"
}

# Debian 13's sparse does not know the attributes of 7.3.
fetch_sparse()
{
	local package

	use_suites sparse sid
	package=$(with_cache fetch_deb sparse)
	dpkg-deb --fsys-tarfile "${package#*  }" | tar -xO ./usr/bin/sparse >"$state/sparse"
	chmod +x "$state/sparse"
}

# Warnings of gcc and clang with W=1, and of sparse, for one set.
compile_set()
{
	local compiler dir

	checkout_src "$(ref_of_set "$1")"
	for compiler in gcc clang; do
		dir=$src/build-fixes-$compiler
		kmake "$dir" CC="ccache $compiler" W=1 C="$([ "$compiler" = clang ] || echo 1)" CHECK="$state/sparse" \
			drivers/vfio/ drivers/pci/iov.o
	done 2>&1 | tee "$state/compile.log"
	warnings_in "$state/compile.log" >"$state/warnings.$1"
}

# A file that is not compiled again has the warnings that it had.
compile_each()
{
	local name compiler

	checkout_src stock
	for compiler in gcc clang; do
		configure_fixes "$src/build-fixes-$compiler" CC="ccache $compiler"
		kmake "$src/build-fixes-$compiler" CC="ccache $compiler" prepare
		rm -rf "$src/build-fixes-$compiler"/drivers/{vfio,pci/iov.o}
	done
	compile_set stock
	for name in "${sets[@]}"; do
		compile_set "$name"
		[ -z "$(comm -13 "$state/warnings.stock" "$state/warnings.$name")" ] ||
			die "$name: $(comm -13 "$state/warnings.stock" "$state/warnings.$name")"
	done
}

# ---- modules for Debian's kernel, and programs

# build_set SET: in $state/SET. The core of PCI is built into Debian's kernel.
build_set()
{
	local dir=$debian_dir/fixes-$1 release file files

	release=$(kernel_release)
	make_tree "$dir" stock
	read_lines files patches_of "$1"
	for file in "${files[@]}"; do
		GIT_CEILING_DIRECTORIES=$debian_dir git -C "$dir" apply --include='drivers/vfio/*' \
			--include='include/*' --include='tools/testing/selftests/vfio/*' "$file"
	done
	compile_modules "$dir"
	rm -rf "${state:?}/$1"
	collect_modules "fixes-$1" "$state/$1/lib/modules/$release"
	depmod -b "$state/$1" "$release"
}

set_key()
{
	local files

	read_lines files patches_of "$1"
	{
		key_modules stock
		cat /dev/null "${files[@]}"
	} | hash_of
}

# Debian's own modules of 7.3
collect_shipped()
{
	local release

	release=$(kernel_release)
	rm -rf "$state/debian"
	collect_modules debian "$state/debian/lib/modules/$release"
	depmod -b "$state/debian" "$release"
}

build_tests()
{
	local tree=$debian_dir/fixes-all file

	mkdir -p "$tree/usr/include/linux" "$state/tests"
	for file in vfio iommufd; do
		sed 's/\b__user\b//' "$tree/include/uapi/linux/$file.h" >"$tree/usr/include/linux/$file.h"
	done
	in_build make -C "$tree/tools/testing/selftests/vfio" -j"$jobs" OUTPUT="$state/tests" LDFLAGS=-static \
		KHDR_INCLUDES="-isystem $tree/usr/include" "${tests[@]/#/$state/tests/}"
	gcc -O2 -Wall -Wextra -static -pthread -o "$state/tests/race" "$top/harness/fixes/race.c"
}

build_debug()
{
	checkout_src "$(ref_of_set "$1")"
	kmake "$src/build-fixes-gcc" bzImage
	cp "$src/build-fixes-gcc/arch/x86/boot/bzImage" "$state/bzImage.$1"
}

# ---- in the VM

# run NAME WHAT OPTION...: what guest.sh does there
run()
{
	local name=$1 what=$2

	shift 2
	vmtest -t 3600 -o "$logs/vm.$name" -f "$top/harness/fixes/guest.sh" -f "$state/tests/race" \
		-f "$state/tests/${tests[0]}" -f "$state/tests/${tests[1]}" -c "sh guest.sh $what" "$@" |
		tee "$state/$name.log"
	! grep '^error: ' "$state/$name.log" || die "an error in the VM"
}

# Instructions: each PF on a separate machine.
run_costs()
{
	local pfs

	for pfs in igb:1 nvme:4; do
		PFS=$pfs run "cost-$1-${pfs%:*}" cost -k "$(kernel_image)" -d "$state/$1" -m "$machine_dir/count.sh"
	done
}

# ---- what must be seen

# These cases of the selftests fail, in each mode and on each PF, and no others.
must_fail()
{
	local log=$state/$1.log name

	shift
	grep -q '^ok .*\.init_token_match' "$log" || die "mainline's selftest did not run"
	grep -qE '^(not )?ok .*\.open_race' "$log" || die "the race test did not run"
	diff <(printf '%s\n' "$@" | sed '/^$/d' | sort) \
		<(sed -nE 's/^not ok .*\.([a-z_]+).*/\1/p' "$log" | sort -u) || die "the failed cases differ from those expected, see above"
	for name; do
		! grep "^ok .*\.$name\$" "$log" || die "$name passed, but must fail"
	done
	echo "as expected: ${*:-none} fail"
}

illegal()
{
	sed -nE 's/^rounds .*: ([0-9]+) of ([0-9]+) illegal.*/\1 \2/p' "$state/$1.log" |
		awk '{ a = a (NR > 1 ? " + " : "") $1; n += $2 } END { print a " of " n }'
}

no_illegal()
{
	[[ $(illegal "$1") = "0 + 0 of "* ]] || die "illegal rounds: $(illegal "$1")"
}

passed()
{
	awk '/^# program / { name = $3 } /^ok .*\./ && !/# SKIP/ { ok[name]++ } /^not ok .*\./ { bad[name]++ }
		END { for (name in ok) printf "%s %d of %d; ", name, ok[name], ok[name] + bad[name] }' "$state/$1.log"
}

# On the other hand, without the patches VFs are lost, or the test is blind.
all_captured()
{
	grep '^capture ' "$state/$1.log"
	! grep '^capture ' "$state/$1.log" | grep -v ' 0 VFs not captured, 0 VFs enabled' || die "a VF was not captured, or VFs stayed enabled"
}

lost_some()
{
	grep '^capture .* [1-9] VFs not captured' "$state/$1.log" || die "every VF was captured: the test cannot detect a failed capture"
}

print_table()
{
	local name kernels

	read_lines kernels ls "$state/shipped"
	echo "illegal rounds, igb + NVMe, of all rounds, and cases of selftests passed:"
	for name in "${kernels[@]}" "$(kernel_release)"; do
		printf '  %-40s %s\n' "Debian's $name as shipped" "$(illegal "shipped-$name")"
	done
	for name in stock "${sets[@]}"; do
		[ ! -f "$state/$name.log" ] ||
			printf '  %-40s %s  %s\n' "vfio as modules, $name" "$(illegal "$name")" "$(passed "$name")"
	done
	echo "CPU time of an open under -icount, before and after:"
	sed -n 's/^cost /  before /p' "$state"/cost-stock-*.log
	sed -n 's/^cost /  after  /p' "$state"/cost-all-*.log
	echo "on older kernels:"
	sed 's/^/  /' "$top"/work/linux-6.{1,12}/fixes/results
	[ -z "$debug" ] || {
		printf '  %-40s %s\n' "KASAN and lockdep, all patches" "$(illegal debug-all)"
		sed -n 's/^capture /  before: /p' "$state/debug-stock.log"
		sed -n 's/^capture /  after:  /p' "$state/debug-all.log"
	}
}

debug=
[ "${1:-}" != --debug ] || debug=1
lock
ensure_packages base fixes
mkdir -p "$state"
phase source "the source, with and without the patches" prepare_source
phase lint "checkpatch" lint_patches
need debian
phase shipped "fetching other kernels of Debian" fetch_shipped
for name in stock alone1 alone2 alone3 all; do
	phase "mod-$name" "vfio as modules: $name" unless_done "fixes-$name" "$(set_key "$name")" build_set "$name"
done
phase tests "compiling the tests" build_tests
phase debian "Debian's own modules" collect_shipped
read_lines kernels ls "$state/shipped"
for name in "${kernels[@]}"; do
	phase "shipped-$name" "racing rounds on Debian's $name" run "shipped-$name" rounds \
		-k "$state/shipped/$name/boot/vmlinuz-$name" -d "$state/shipped/$name"
done
phase "shipped-7.3" "racing rounds on Debian's $(kernel_release)" run "shipped-$(kernel_release)" rounds \
	-k "$(kernel_image)" -d "$state/debian"
for name in stock alone1 alone2 alone3 all; do
	phase "$name" "tests and rounds: $name" run "$name" "rounds ${tests[*]}" -k "$(kernel_image)" -d "$state/$name"
done
# The core of PCI in Debian's kernel has no patch.
phase red-stock "these cases must fail: stock" must_fail stock open_race group_sharers failing_bind kill_numvfs_reader
phase red-alone1 "these cases must fail: patch 1" must_fail alone1 open_race group_sharers kill_numvfs_reader
phase red-alone2 "these cases must fail: patch 2" must_fail alone2 failing_bind kill_numvfs_reader
phase red-alone3 "these cases must fail: patch 3" must_fail alone3 open_race group_sharers failing_bind kill_numvfs_reader
phase red-all "these cases must fail: all patches" must_fail all kill_numvfs_reader
phase none-all "no round is illegal" no_illegal all
for name in stock all; do
	phase "cost-$name" "what an open costs: $name" run_costs "$name"
done
phase sparse "fetching sparse" fetch_sparse
phase compile "compiling each patch: gcc, clang, W=1, sparse" compile_each
if [ -n "$debug" ]; then
	lost=(-m "$top/harness/fixes/lost-vf.sh")
	for name in stock all; do
		phase "bzImage-$name" "a kernel with KASAN and lockdep: $name" build_debug "$name"
		phase "debug-$name" "tests, rounds, failing allocations on it" run "debug-$name" \
			"rounds ${tests[*]} fail" -k "$state/bzImage.$name" "${lost[@]}"
		lost=()
	done
	phase red-debug-stock "these cases must fail: stock" must_fail debug-stock open_race group_sharers failing_bind kill_numvfs_reader
	phase red-debug-all "nothing fails with all patches" must_fail debug-all
	phase lost-stock "without patches, a VF is not captured if an allocation fails" lost_some debug-stock
	phase lost-all "with all patches, no VF is left without driver_override" all_captured debug-all
	phase none-debug "no round is illegal" no_illegal debug-all
fi
unlock
BASE=linux-6.12 "$top/harness/fixes/older.sh" ${debug:+--debug}
BASES=harness/fixes BASE=linux-6.1 "$top/harness/fixes/older.sh"
print_table | tee "$out/fixes.txt"
