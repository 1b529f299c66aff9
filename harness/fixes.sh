#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fixes.sh: shows what patches/fixes-7.3 fixes in an unmodified Linux 7.3: the
# patches are linted and compiled; racing rounds, mainline's selftests and those
# of the patches run before and after on Debian's own kernel, with vfio as
# modules, and on a kernel with KASAN and lockdep. Prints and keeps a table.
# shellcheck disable=SC2310,SC2154,SC2034 # questions; variables of the other parts
set -euo pipefail

export BASE=linux-7.3
# shellcheck source=harness/lib/all.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
# shellcheck source=harness/lib/apt.sh
. "$parts/apt.sh"
# shellcheck source=harness/lib/trixie.sh
. "$parts/trixie.sh"

fixes=$top/patches/fixes-7.3
work=$work/fixes
logs=$out/logs/fixes
table=$out/fixes.txt
src=$work/src
jobs=$(nproc)
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_USER=vfio-sriov KBUILD_BUILD_HOST=vfio-sriov

# ---- what Debian ships

# newest_release PATTERN: of the kernels that the index has headers for
newest_release()
{
	apt-cache "${apt_options[@]}" pkgnames linux-headers- |
		sed -nE "s/^linux-headers-($1)-amd64$/\1-amd64/p" | sort -V | tail -n 1
}

# Debian splits images since 6.19: vmlinuz and modules.
fetch_shipped()
{
	local dir=$work/shipped/$1 package version

	[ ! -d "$dir/usr" ] || return 0
	rm -rf "$dir.new"
	for package in linux-binary-"$1" linux-modules-"$1" linux-image-"$1"; do
		version=$(package_version "$package")
		[ -n "$version" ] || continue
		dpkg-deb -x "$(fetch_package "$package" "$version")" "$dir.new"
	done
	[ -d "$dir.new/usr" ] || mkdir "$dir.new/usr"
	mv "$dir.new" "$dir"
}

fetch_all()
{
	local version release package

	need_disk 12000 "$work"
	# shellcheck disable=SC2086 # words
	use_suites "$base" $SUITES bookworm
	version=$(package_version "$PACKAGE")
	[ -n "$version" ] || die "$PACKAGE is not in the archive any more: nothing can be shown"
	release=$(newest_release "${version%%-*}[+]deb13")
	[ -n "$release" ] || die "no headers for $PACKAGE $version in the archive"
	echo "$release" >"$work/release"
	newest_release '6\.12\.[0-9]+[+]deb13' >"$work/shipped.list"
	newest_release '6\.1\.0-[0-9]+' >>"$work/shipped.list"
	fetch_package "$PACKAGE" "$version" >"$work/source-package"
	while read -r release; do
		fetch_shipped "$release"
	done <<<"$(cat "$work/release" "$work/shipped.list")"
	for package in "linux-headers-$(cat "$work/release")" \
		"linux-headers-$(sed 's/-amd64$/-common/' "$work/release")" \
		"linux-kbuild-$(sed 's/-amd64$//' "$work/release")"; do
		fetch_package "$package" "$version"
	done >"$work/headers"
	unpack_headers
}

# Into the root directory to build in, at the paths that they expect.
unpack_headers()
{
	local package

	exec 7>"$cache/trixie.lock"
	flock 7
	while read -r package; do
		grep -qsxF "$package" "$trixie/unpacked" || dpkg-deb -x "$package" "$trixie"
		echo "$package" >>"$trixie/unpacked"
	done <"$work/headers"
	exec 7>&-
}

# ---- source: tag "stock", and a branch for each set of patches

prepare_source()
{
	local package

	package=$(cat "$work/source-package")
	if [ "$(cat "$src/.git/package" 2>/dev/null)" != "$package" ]; then
		rm -rf "$src" "$work"/{build,mod,initrd}-*
		mkdir -p "$src"
		dpkg-deb --fsys-tarfile "$package" | tar -xO "./$TARBALL" | tar -xJ --strip-components=1 -C "$src"
		git -C "$src" init -q
		git -C "$src" config user.name vfio-sriov
		git -C "$src" config user.email vfio-sriov@invalid
		git -C "$src" add -f -A .
		git -C "$src" commit -q -m "$(basename "$package" .deb)"
		git -C "$src" tag stock
		echo "$package" >"$src/.git/package"
	fi
	git -C "$src" am --abort 2>/dev/null || true
	branch_with alone1 "$fixes"/0001-*.patch
	branch_with alone2 "$fixes"/0002-*.patch
	branch_with alone3 "$fixes"/0003-*.patch
	branch_with alone4 "$fixes"/0004-*.patch
	branch_with fixes "$fixes"/000[1-9]-*.patch
}

# Only if the patches changed: files that are not touched are not compiled again.
branch_with()
{
	local name=$1 sum

	shift
	sum=$(cat "$@" | hash_of)
	[ "$(cat "$src/.git/patches.$name" 2>/dev/null)" != "$sum" ] || return 0
	git -C "$src" checkout -q -f -B "with-$name" stock
	git -C "$src" am -q "$@"
	echo "$sum" >"$src/.git/patches.$name"
}

checkout()
{
	local ref=with-$1

	[ "$1" != stock ] || ref=stock
	git -C "$src" checkout -q -f --detach "$ref"
}

# ---- lint

# The tree has no history, the test is a new file below an F: line of MAINTAINERS,
# and the macro is libvfio's way to name the modes of the IOMMU.
lint_patches()
{
	local patch

	checkout stock
	for patch in "$fixes"/000[1-9]-*.patch; do
		in_trixie "$src/scripts/checkpatch.pl" --root="$src" --strict --no-summary \
			--ignore UNKNOWN_COMMIT_ID,FILE_PATH_CHANGES,COMPLEX_MACRO "$patch"
	done
}

config_lines()
{
	grep -E '^(CONFIG_|# CONFIG_.* is not set)' "$basedir/config.fixes"
}

# kmake DIR ARGUMENT...: in the root directory with Debian 13's compilers
kmake()
{
	local dir=$1

	shift
	in_trixie env CCACHE_COMPILERCHECK=content make -C "$src" O="$dir" -j"$jobs" HOSTCC="ccache gcc" "$@"
}

configure()
{
	local dir=$1 line

	mkdir -p "$dir"
	shift
	config_lines | cmp -s - "$dir/fragment" && return 0
	config_lines >"$dir/fragment"
	kmake "$dir" "$@" KCONFIG_ALLCONFIG="$dir/fragment" allnoconfig
	while read -r line; do
		grep -qxF "$line" "$dir/.config" || die "the configuration did not take $line"
	done <"$dir/fragment"
}

# Warnings of gcc and clang, without line numbers, for one branch.
warnings_of()
{
	local branch=$1 compiler dir

	checkout "$branch"
	for compiler in gcc clang; do
		dir=$work/build-lint-$compiler
		configure "$dir" CC="ccache $compiler"
		kmake "$dir" CC="ccache $compiler" prepare
		rm -rf "$dir"/drivers/vfio "$dir"/drivers/pci/iov.o
		kmake "$dir" CC="ccache $compiler" W=1 drivers/vfio/ drivers/pci/iov.o
	done 2>&1 | tee /dev/stderr | sed -nE 's/^(.*[^0-9]):[0-9]+:[0-9]+: (warning|error): /\1: \2: /p' |
		sort >"$work/warnings.$branch"
}

compile_each()
{
	local branch

	warnings_of stock
	for branch in alone1 alone2 alone3 alone4 fixes; do
		warnings_of "$branch"
		diff "$work/warnings.stock" "$work/warnings.$branch" || die "new warnings with $branch"
	done
}

# ---- modules for Debian's kernel

# Not among Debian's modules: iommufd, and with it vfio's cdev. The functions of
# lib/ that iommufd needs become part of it. The allocation of a vfio_device gets
# another name, so that no module of Debian can be mixed with these.
build_modules()
{
	local branch=$1 m=$work/mod-$1 headers

	headers=/usr/src/linux-headers-$(cat "$work/release")
	checkout "$branch"
	mkdir -p "$m"/include/{linux,uapi/linux}
	rsync -rc --include='*/' --include='*.[ch]' --include=Makefile --exclude='*' "$src/drivers/vfio" "$m/"
	rsync -rc --include='*.[ch]' --exclude='*' "$src/drivers/iommu/iommufd" "$m/"
	cp -u "$src/drivers/iommu/iommu-priv.h" "$m/"
	rsync -c "$src"/include/linux/{vfio*,iommufd}.h "$m/include/linux/"
	rsync -c "$src"/include/uapi/linux/{vfio*,iommufd}.h "$m/include/uapi/linux/"
	(printf '#include <linux/export.h>\n#undef EXPORT_SYMBOL_GPL\n#define EXPORT_SYMBOL_GPL(x)\n' &&
		grep -v 'linux/export.h' "$src/lib/interval_tree.c") >"$m/iommufd/interval_tree.c"
	(cat "$src/drivers/iommu/iommufd/Makefile" && echo 'iommufd-y += interval_tree.o') >"$m/iommufd/Makefile"
	echo 'obj-m += iommufd/ vfio/' >"$m/Kbuild"
	find "$work/shipped/$(cat "$work/release")" -name irqbypass.ko.xz -exec cp {} "$m/" ';'
	in_trixie make -C "$headers" M="$m" -j"$jobs" CC="ccache gcc" CONFIG_DEBUG_INFO_BTF_MODULES= \
		CONFIG_IOMMUFD=m CONFIG_VFIO_DEVICE_CDEV=y CONFIG_VFIO_MDEV= \
		KCFLAGS="-DCONFIG_IOMMUFD_MODULE=1 -DCONFIG_VFIO_DEVICE_CDEV=1 -DCONFIG_INTERVAL_TREE_SPAN_ITER=1 -D_vfio_alloc_device=_vfio_alloc_device_fixes" \
		NOSTDINC_FLAGS="-nostdinc -I$m/include -I$m/include/uapi" modules
}

build_debug()
{
	checkout "$1"
	configure "$work/build-debug" CC="ccache gcc"
	kmake "$work/build-debug" CC="ccache gcc" bzImage
	cp "$work/build-debug/arch/x86/boot/bzImage" "$work/bzImage.$1"
}

build_tests()
{
	checkout fixes
	rm -rf "$work/tests"
	mkdir -p "$work/tests"
	in_trixie make -s -C "$src" O="$work/headers-build" headers
	in_trixie make -C "$src/tools/testing/selftests/vfio" -j"$jobs" OUTPUT="$work/tests" LDFLAGS=-static \
		KHDR_INCLUDES="-isystem $work/headers-build/usr/include" \
		"$work"/tests/vfio_pci_{sriov_uapi,vf_token}_test
	gcc -O2 -Wall -Wextra -static -pthread -o "$work/tests/race" "$top/harness/fixes/race.c"
}

# ---- the VM

# initrd NAME DIR: with the modules below DIR, in the order of their needs
initrd()
{
	local dir=$work/initrd-$1 name file n=10

	rm -rf "$dir"
	mkdir -p "$dir"/{bin,modules,proc,sys,dev}
	cp "$(command -v busybox)" "$work"/tests/{race,vfio_pci_sriov_uapi_test,vfio_pci_vf_token_test} "$dir/bin/"
	ln -s busybox "$dir/bin/sh"
	install -m 755 "$top/harness/fixes/guest.sh" "$dir/init"
	for name in irqbypass iommufd vfio vfio_virqfd vfio_iommu_type1 vfio-pci-core vfio-pci; do
		((++n))
		file=$(find "$2" -name "$name.ko*" -type f | sed -n 1p)
		case $file in
		*.xz) xz -dc "$file" >"$dir/modules/$n-$name.ko" ;;
		*.ko) cp "$file" "$dir/modules/$n-$name.ko" ;;
		esac
	done
	(cd "$dir" && find . | cpio -o -H newc --quiet | gzip -1) >"$dir.img"
	rm -rf "$dir"
}

# boot NAME KERNEL INITRD DO QEMU-OPTION...: output in $work/NAME.log
boot()
{
	local log=$work/$1.log kernel=$2 image=$3 do=$4 cpus=2

	shift 4
	[[ $* != *icount* ]] || cpus=1
	timeout "${VM_SECONDS:-1800}" qemu-system-x86_64 -machine q35,kernel-irqchip=split -accel tcg,thread=single -cpu max \
		-smp "$cpus" -m 1500M -nodefaults -no-reboot -display none -serial stdio -device intel-iommu,intremap=on,caching-mode=on \
		-device pcie-root-port,id=r0,chassis=1 -device igb,bus=r0,netdev=n0,romfile= -netdev hubport,id=n0,hubid=0 \
		-device pcie-root-port,id=r1,chassis=2 -device nvme-subsys,id=ss0 \
		-device nvme,bus=r1,serial=x,subsys=ss0,sriov_max_vfs=4,sriov_vq_flexible=8,sriov_vi_flexible=4 \
		-kernel "$kernel" -initrd "$image" \
		-append "console=ttyS0 quiet no_timer_check panic=-1 intel_iommu=on do=$do" "$@" </dev/null 2>&1 |
		tr -d '\r' | tee "$log"
	grep -qx 'guest is through' "$log" || die "the VM did not come to its end"
	! grep '^error: ' "$log" || die "an error in the VM"
}

# one_boot NAME KERNEL MODULES DO QEMU-OPTION...
one_boot()
{
	initrd "$1" "$3"
	boot "$1" "$2" "$work/initrd-$1.img" "${@:4}"
}

# ---- what must be seen

# These cases of the selftests fail, in each mode and on each PF, and no others.
must_fail()
{
	local log=$work/$1.log name

	shift
	grep -q '^ok .*\.init_token_match' "$log" || die "mainline's selftest did not run"
	grep -q '^ok .*\.open_race\|^not ok .*\.open_race' "$log" || die "the race test did not run"
	diff <(printf '%s\n' "$@" | sed '/^$/d' | sort) \
		<(sed -nE 's/^not ok .*\.([a-z_]+).*/\1/p' "$log" | sort -u) || die "other cases failed"
	for name; do
		! grep "^ok .*\.$name\$" "$log" || die "$name passed, which must fail"
	done
	echo "as expected: ${*:-none} fail"
}

illegal()
{
	sed -nE 's/^rounds .*: ([0-9]+) of ([0-9]+) illegal.*/\1 \2/p' "$work/$1.log" |
		awk '{ a = a (NR > 1 ? " + " : "") $1; n += $2 } END { print a " of " n }'
}

no_illegal()
{
	[[ $(illegal "$1") = "0 + 0 of "* ]] || die "illegal rounds: $(illegal "$1")"
}

# On the other hand, without the patches VFs are lost, or the test is blind.
all_captured()
{
	grep '^capture ' "$work/$1.log"
	! grep '^capture ' "$work/$1.log" | grep -v ' 0 VFs not captured, 0 VFs enabled' || die "VFs were not captured"
	! grep '^complaint: ' "$work/$1.log" || die "the kernel complained"
}

lost_some()
{
	grep '^capture .* [1-9] VFs not captured' "$work/$1.log" || die "no VF was lost: the test is blind"
}

print_table()
{
	local release name

	echo "racing rounds, illegal on igb + nvme of all:"
	# shellcheck disable=SC2013 # words
	for name in $(cat "$work/release" "$work/shipped.list"); do
		printf '  %-34s %s\n' "Debian's $name as shipped" "$(illegal "shipped-$name")"
	done
	release=$(cat "$work/release")
	printf '  %-34s %s\n' "$release, vfio with the fixes" "$(illegal fixes)"
	printf '  %-34s %s\n' "KASAN and lockdep, with the fixes" "$(illegal debug-fixes)"
	echo "CPU time of an open under -icount, before and after:"
	paste -d '\n' <(sed -n 's/^cost /  before /p' "$work/cost-stock.log") <(sed -n 's/^cost /  after  /p' "$work/cost-fixes.log")
	grep -h '^capture ' "$work/debug-stock.log" | sed 's/^/before: /'
	grep -h '^capture ' "$work/debug-fixes.log" | sed 's/^/after:  /'
}

tests=vfio_pci_sriov_uapi_test,vfio_pci_vf_token_test

lock
ensure_packages base fixes
mkdir -p "$work/none"
phase root "a Debian 13 to build in" make_trixie
phase fetch "fetching Debian's source and kernels" fetch_all
phase source "the source, with and without the patches" prepare_source
phase lint "checkpatch" lint_patches
phase compile "compiling each patch: gcc, clang, W=1" compile_each
phase tests "compiling the tests" build_tests
release=$(cat "$work/release")
vmlinuz=$(find "$work/shipped/$release" -name 'vmlinuz*' -type f | sed -n 1p)
for name in "$release" $(cat "$work/shipped.list"); do
	phase "shipped-$name" "racing rounds on Debian's $name" one_boot "shipped-$name" \
		"$(find "$work/shipped/$name" -name 'vmlinuz*' -type f | sed -n 1p)" "$work/shipped/$name" rounds
done
for name in stock alone1 alone2 fixes; do
	phase "mod-$name" "vfio as modules: $name" build_modules "$name"
	phase "$name" "tests and rounds with them: $name" one_boot "$name" "$vmlinuz" "$work/mod-$name" "rounds,$tests"
done
# The PCI core of Debian's kernel is built in: no patch reaches it there.
phase red-stock "what must fail, fails: stock" must_fail stock open_race group_sharers failing_bind kill_numvfs_reader
phase red-alone1 "what must fail, fails: patch 1" must_fail alone1 open_race group_sharers kill_numvfs_reader
phase red-alone2 "what must fail, fails: patch 2" must_fail alone2 failing_bind kill_numvfs_reader
phase red-fixes "what must fail, fails: all patches" must_fail fixes kill_numvfs_reader
phase none-fixes "no round is illegal" no_illegal fixes
for name in stock fixes; do
	phase "cost-$name" "what an open costs: $name" one_boot "cost-$name" "$vmlinuz" "$work/mod-$name" cost \
		-icount shift=0,sleep=off
	phase "bzImage-$name" "a kernel with KASAN and lockdep: $name" build_debug "$name"
	phase "debug-$name" "tests, rounds, failing allocations on it" one_boot "debug-$name" "$work/bzImage.$name" \
		"$work/none" "rounds,$tests,capture"
done
phase red-debug-stock "what must fail, fails: stock" must_fail debug-stock open_race group_sharers failing_bind kill_numvfs_reader
phase red-debug-fixes "nothing fails with all patches" must_fail debug-fixes
phase lost-stock "stock loses a VF if an allocation fails" lost_some debug-stock
phase lost-fixes "with all patches, none is lost" all_captured debug-fixes
phase none-debug "no round is illegal" no_illegal debug-fixes
print_table | tee "$table"
