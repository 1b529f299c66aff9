# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2153 # variables of the other parts
#
# Debian's own kernel of the base, and vfio and iommufd built as modules for it.
# Nothing is installed: packages are downloaded into the cache and unpacked.
#
#   work/<base>/debian/packages  headers, kbuild tools and image, unpacked
#   work/<base>/debian/source    the part of the unpatched source that is needed
#   work/<base>/debian/SOURCE    the tree that the modules are built in
#   out/<release>/vmlinuz        Debian's image
#   out/<release>/SOURCE         modules, as modules_install would leave them
#
# SOURCE is one of
#   series  the base with patches 1 to 5
#   stock   Debian's source as it is, in the same configuration
#   debian  nothing is built: Debian's own modules
#
# Sourced after apt.sh.

# With KVER, the modules are for a kernel that is installed on this machine: in
# its own configuration, with its headers.
debian_dir=$work/debian${KVER:+-$KVER}

# ---- which kernel

# "RELEASE VERSION", as fetch_kernel has found them
kernel_file=$debian_dir/kernel

kernel_release() { cut -d' ' -f1 "$kernel_file"; }

# kernel_packages RELEASE: the source and what else there is to fetch
kernel_packages()
{
	local release=$1

	echo "$PACKAGE"
	[ -z "${KVER:-}" ] || return 0
	printf '%s\n' "linux-headers-$release" "linux-headers-${release%-*}-common" \
		"${KBUILD:-linux-kbuild-${release%-*}}"
	# shellcheck disable=SC2086 # words
	printf "linux-%s-$release\n" ${IMAGE:-image}
}

# The newest kernel whose packages are all in the index: "RELEASE VERSION".
# Debian's security archive has the source before it has the signed image. With
# KVER, the newest source.
newest_kernel()
{
	local pattern="${RELEASES:-${KERNEL_VERSION//./\\.}\.[0-9]+\+[a-z]+[0-9]+-amd64}" releases version release package

	if [ -n "${KVER:-}" ]; then
		package_version "$PACKAGE" | sed -n "s/^./$KVER &/p"
		return
	fi
	read_lines releases apt-cache "${apt_options[@]}" pkgnames "linux-image-$KERNEL_VERSION."
	printf '%s\n' "${releases[@]}" | sed -nE "s/^linux-image-($pattern)\$/\1/p" | while read -r release; do
		kernel_packages "$release"
	done | sort -u >"$kernel_file.names"
	# All at once, as each call of apt-cache may take seconds
	# shellcheck disable=SC2046 # names of packages
	offered $(cat "$kernel_file.names") >"$kernel_file.offered"
	sed -n 's/^linux-image-\([^ ]*\) \([^ ]*\)$/\2 \1/p' "$kernel_file.offered" | sort -Vr |
		while read -r version release; do
			for package in $(kernel_packages "$release"); do
				grep -qxF "$package $version" "$kernel_file.offered" || continue 2
			done
			echo "$release $version"
			break
		done
}

# deb_of PACKAGE: the file in the cache of the kernel that fetch_kernel has found
deb_of() { sed -n "s,^[0-9a-f]*  \(.*/${1}_[^/]*\)\$,\1,p" "$kernel_file.sums"; }

# Leaves the kernel's name in $kernel_file, and in the cache for a run without network.
fetch_newest_kernel()
{
	local found release version packages stamp=fetched-${debian_dir##*/}

	! is_fetched "$stamp" "$kernel_file.sums" || return 0
	found=$(newest_kernel)
	[ -n "$found" ] || return 1
	read -r release version <<<"$found"
	read_lines packages kernel_packages "$release"
	fetch_debs "$kernel_file.sums" "${packages[@]/%/=$version}" || return 1
	echo "$found" >"$kernel_file"
	cp "$kernel_file.sums" "$cached_kernel.sums"
	cp "$kernel_file" "$cached_kernel"
	set_stamp "$stamp" "$(index_key)"
}

fetch_kernel()
{
	local cached_kernel=$cache/kernel-$base${KVER:+-$KVER}

	mkdir -p "$debian_dir"
	# shellcheck disable=SC2310 # questions
	if ! fetch_newest_kernel; then
		say "the machine's package index does not have Linux $KERNEL_VERSION; fetching an index"
		if ! use_own_index || ! fetch_newest_kernel; then
			use_cached_kernel
		fi
	fi
}

use_cached_kernel()
{
	sha256sum --check --quiet "$cached_kernel.sums" ||
		die "Linux $KERNEL_VERSION is not in the cache and cannot be downloaded: no network, or no package source has it (Debian 12: bookworm-security)"
	say "note: no network; the cached kernel is used: $(cat "$cached_kernel")"
	cp "$cached_kernel.sums" "$kernel_file.sums"
	cp "$cached_kernel" "$kernel_file"
}

# ---- unpacking

# modules_file WORD: what follows this word in bases/<base>/modules
modules_file() { sed -n "s/^$1 //p" "$basedir/modules"; }

unpack_part_of_source()
{
	local dir=$debian_dir/source names

	read_lines names modules_file source
	names=("${names[@]/#/linux-source-$KERNEL_VERSION/}")
	rm -rf "$dir" "$dir.new"
	mkdir -p "$dir.new"
	dpkg-deb --fsys-tarfile "$(deb_of "$PACKAGE")" | tar -xO "./$TARBALL" | xz -dc -T0 |
		tar -x --strip-components=1 -C "$dir.new" --wildcards "${names[@]}"
	mv "$dir.new" "$dir"
}

# Their Makefile names the folder that they would be installed in.
unpack_headers()
{
	local release package

	release=$(kernel_release)
	for package in $(kernel_packages "$release" | grep -E '^linux-(headers|kbuild)-'); do
		dpkg-deb -x "$(deb_of "$package")" "$debian_dir/packages"
	done
	sed -i "s,/usr/src/,$debian_dir/packages&," \
		"$debian_dir/packages/usr/src/linux-headers-$release/Makefile"
}

unpack_image()
{
	local release names part

	release=$(kernel_release)
	read_lines names modules_file debian
	names=("${names[@]/#/*/modules/$release/kernel/}")
	for part in ${IMAGE:-image}; do
		dpkg-deb --fsys-tarfile "$(deb_of "linux-$part-$release")"
	done | tar -x --ignore-zeros -C "$debian_dir/packages" --wildcards '*/vmlinuz*' \
		"*/modules/$release/modules.*" "*/modules/$release/kernel/drivers/vfio" "${names[@]}"
}

unpack_key()
{
	{
		cat "$kernel_file" "$kernel_file.sums" "$basedir/modules"
		echo "$top"
	} | hash_of
}

unpack_all()
{
	local pids=() pid

	need_disk 1000 "$work"
	rm -rf "$debian_dir/packages"
	mkdir -p "$debian_dir/packages"
	unpack_part_of_source &
	pids=($!)
	if [ -z "${KVER:-}" ]; then
		unpack_headers
		unpack_image
	fi
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
}

unpack_kernel()
{
	local key

	key=$(unpack_key)
	[ -d "$debian_dir/source" ] || remove_stamp "${debian_dir##*/}"
	unless_done "${debian_dir##*/}" "$key" unpack_all
}

# ---- the tree of the modules

# make_tree DIR SOURCE: the unpatched source, or the base with the patches, which is
# "series", or "mutant", of which more is changed afterwards
make_tree()
{
	local dir=$1 source=$2 file

	rm -rf "$dir"
	cp -r "$debian_dir/source" "$dir"
	if [ "$source" != stock ]; then
		"$basedir/prepare" "$dir"
		for file in "$patches"/000[1-5]-*.patch; do
			# Not the repository of the harness, in whose work/ this is.
			GIT_CEILING_DIRECTORIES=$(dirname "$dir") git -C "$dir" apply \
				--include='drivers/*' --include='include/*' "$file" ||
				die "${file##*/} does not apply"
		done
	fi
	add_kbuild "$dir"
}

# Both drivers in one build, so that each finds the other's symbols. Debian's
# kernel lacks those functions of lib/interval_tree.c that iommufd uses.
add_kbuild()
{
	local dir=$1

	# shellcheck disable=SC2016 # make expands it
	echo 'obj-$(CONFIG_VFIO) += vfio/' >"$dir/drivers/Kbuild"
	[ -d "$dir/drivers/iommu/iommufd" ] || return 0
	# shellcheck disable=SC2016
	echo 'obj-$(OWN_IOMMUFD) += iommu/iommufd/' >>"$dir/drivers/Kbuild"
	# shellcheck disable=SC2016
	echo 'iommufd-$(OWN_IOMMUFD) += interval_tree.o' >>"$dir/drivers/iommu/iommufd/Makefile"
	sed '/^EXPORT_SYMBOL/d' "$dir/lib/interval_tree.c" >"$dir/drivers/iommu/iommufd/interval_tree.c"
}

headers_dir()
{
	if [ -n "${KVER:-}" ]; then
		echo "/lib/modules/$KVER/build"
	else
		echo "$debian_dir/packages/usr/src/linux-headers-$(kernel_release)"
	fi
}

# compile_modules DIR ARGUMENT...: the build does not depend on where DIR is. Debug
# information is left out, and BTF with it, which would need pahole.
compile_modules()
{
	local dir=$1 option options=() defines=() names

	shift
	if [ -z "${KVER:-}" ]; then
		read_lines options modules_file config
		options+=(OWN_IOMMUFD=m)
	fi
	for option in "${options[@]}"; do
		case $option in
		CONFIG_*=m) defines+=("-D${option%=m}_MODULE=1") ;;
		CONFIG_*=y) defines+=("-D${option%=y}=1") ;;
		esac
	done
	read_lines names modules_file rename
	defines+=("${names[@]/#/-D}")
	! command -v ccache >/dev/null || options+=(DEBIAN_KERNEL_USE_CCACHE=1)
	in_build make -C "$(headers_dir)" M="$dir/drivers" -j"$(nproc)" "${options[@]}" \
		CONFIG_DEBUG_INFO= CONFIG_DEBUG_INFO_BTF_MODULES= \
		KCFLAGS="-ffile-prefix-map=$dir/= ${defines[*]}" \
		NOSTDINC_FLAGS="-nostdinc -I$dir/include -I$dir/include/uapi" "$@" modules
}

# ---- what a VM is started with

# modules_dir SOURCE, for vmtest.sh -d
modules_dir() { echo "$top/out/$(kernel_release)/$1"; }

kernel_image() { echo "$top/out/$(kernel_release)/vmlinuz"; }

modules_key()
{
	local source=$1 file

	{
		unpack_key
		cat "$top/harness/lib/debian-kernel.sh"
		if [ "$source" = series ]; then
			cat "$basedir"/{prepare,removals,forbidden-words} "$basedir"/remove-*
			cat "$patches"/000[1-5]-*.patch
		fi
		in_build gcc --version | sed -n 1p
	} | hash_of
}

# Debian's modules for the VM; its vfio only if there is none of ours.
collect_modules()
{
	local source=$1 into=$2 release lib

	release=$(kernel_release)
	mkdir -p "$into"
	if [ -z "${KVER:-}" ]; then
		lib=$(find "$debian_dir/packages" -type d -path "*/lib/modules/$release/kernel")
		cp -r "${lib%/kernel}"/{kernel,modules.*} "$into/"
		mkdir -p "$(dirname "$(kernel_image)")"
		cp "$(find "$debian_dir/packages" -name 'vmlinuz*')" "$(kernel_image).new"
		mv "$(kernel_image).new" "$(kernel_image)"
	fi
	if [ "$source" != debian ]; then
		rm -rf "$into/kernel/drivers/vfio"
		mkdir "$into/updates"
		find "$debian_dir/$source/drivers" -name '*.ko' -exec cp {} "$into/updates/" \;
	fi
}

# install_modules SOURCE DIR: for vmtest.sh -d
install_modules()
{
	local release

	release=$(kernel_release)
	rm -rf "$2"
	collect_modules "$1" "$2/lib/modules/$release"
	[ -n "${KVER:-}" ] || depmod -b "$2" "$release"
}

make_modules_dir()
{
	local source=$1 dir=$2

	if [ "$source" != debian ]; then
		make_tree "$debian_dir/$source" "$source"
		compile_modules "$debian_dir/$source"
	fi
	rm -rf "$dir"
	install_modules "$source" "$dir.new"
	mv "$dir.new" "$dir"
}

# build_modules SOURCE: modules_dir and kernel_image
build_modules()
{
	local source=$1 release dir key

	release=$(kernel_release)
	dir=$(modules_dir "$source")
	key=$(modules_key "$source")
	[ -d "$dir" ] || remove_stamp "modules-$release-$source"
	unless_done "modules-$release-$source" "$key" make_modules_dir "$source" "$dir"
}

# ---- programs for the VM

programs=$work/programs
kselftest=$debian_dir/series/tools/testing/selftests/vfio

headers=$debian_dir/series/usr/include

# As "make headers" would leave them, but for these two only.
install_headers()
{
	local file

	mkdir -p "$headers/linux"
	for file in vfio iommufd; do
		sed 's/\b__user\b//' "$debian_dir/series/include/uapi/linux/$file.h" >"$headers/linux/$file.h"
	done
}

# What the base has of them, with those of the series. They include what the kernel
# tree has above them.
copy_selftests()
{
	install_headers
	rm -rf "$kselftest"
	[ ! -d "$debian_dir/source/${kselftest##*/series/}" ] ||
		cp -r "$debian_dir/source/${kselftest##*/series/}" "$kselftest"
	GIT_CEILING_DIRECTORIES=$debian_dir git -C "$debian_dir/series" apply \
		--include='tools/testing/selftests/vfio/*' "$patches"/0007-*.patch
}

# compile_programs DIR [ARGUMENT]...: the selftests and what is in tests/, static,
# with the headers of the patched source
compile_programs()
{
	local dir=$1

	shift
	rm -rf "$dir"
	mkdir -p "$dir"
	copy_selftests
	in_build make -C "$kselftest" -j"$(nproc)" OUTPUT="$dir" KHDR_INCLUDES="-isystem $headers" USERLDFLAGS=-static "$@"
	in_build make -C "$top/tests" -j"$(nproc)" OUTPUT="$dir" KSELFTEST="$kselftest" KHDR_INCLUDES="-isystem $headers" "$@"
}

programs_key()
{
	{
		hash_files "$patches"/0007-*.patch "$top/tests/lib" "$top/tests"/vfio_* "$top/tests/Makefile"
		modules_key series
	} | hash_of
}

# build_programs [arm64]
build_programs()
{
	local dir=$programs${1:+.$1} key

	key=$(programs_key)
	[ -d "$dir" ] || remove_stamp "${dir##*/}"
	unless_done "${dir##*/}" "$key" compile_programs "$dir" ${1:+CROSS_COMPILE=aarch64-linux-gnu-}
}

# compile_program PROGRAM FILE...: static, with the headers of the patched source
# and the libraries of the test programs
compile_program()
{
	local program=$1

	shift
	mkdir -p "$program.objects"
	copy_selftests
	in_build make -C "$top/tests" -j"$(nproc)" OUTPUT="$program.objects" KSELFTEST="$kselftest" \
		KHDR_INCLUDES="-isystem $headers" PROGRAM="$program" SOURCES="$*" "$program"
}

# ---- for the commands

check_kver()
{
	[[ $KVER = "$KERNEL_VERSION"[.+-]* ]] ||
		die "KVER=$KVER: not a Linux $KERNEL_VERSION, which this base is for"
	[ -e "/lib/modules/$KVER/build" ] || die "KVER=$KVER: no headers; install linux-headers-$KVER"
}

get_kernel()
{
	[ -z "${KVER:-}" ] || check_kver
	get_build_root
	phase fetch-kernel "fetching Debian's kernel, headers and source" with_cache fetch_kernel
	phase unpack-kernel "unpacking Linux $(kernel_release)" unpack_kernel
}

# get_modules SOURCE
get_modules()
{
	get_kernel
	phase "modules-$1" "building vfio as modules, $1" build_modules "$1"
}
