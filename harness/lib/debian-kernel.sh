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

kernel_sums=$debian_dir/sums

# deb_of PACKAGE: the file in the cache of the kernel that find_kernel has found
deb_of() { files_of "$kernel_sums" | grep "/${1}_"; }

kernel_release() {
	[ -z "${KVER:-}" ] || { echo "$KVER"; return; }
	files_of "$kernel_sums" | sed -n 's,.*/linux-image-\([^_]*\)_.*,\1,p'
}

# kernel_packages RELEASE: what there is to fetch besides the source
kernel_packages() {
	printf '%s\n' "linux-headers-$1" "linux-headers-${1%-*}-common" "${KBUILD:-linux-kbuild-${1%-*}}"
	# shellcheck disable=SC2086 # words
	printf "linux-%s-$1\n" ${IMAGE:-image}
}

# The newest kernel whose packages are all in the index, of one version, with its source:
# Debian's security archive has the source before it has the signed image. With KVER,
# the newest source.
find_kernel() {
	local pattern="${RELEASES:-${KERNEL_VERSION//./\\.}\.[0-9]+\+[a-z]+[0-9]+-amd64}" releases release version package sums

	[ -z "${KVER:-}" ] || { fetch_deb "$PACKAGE"; return; }
	releases=$(apt-cache "${apt_options[@]}" pkgnames "linux-image-$KERNEL_VERSION." |
		sed -nE "s/^linux-image-($pattern)\$/\1/p" | sort -Vr)
	for release in $releases; do
		version=$(apt-cache "${apt_options[@]}" show --no-all-versions "linux-image-$release" | sed -n 's/^Version: //p')
		sums=
		for package in $(kernel_packages "$release") "$PACKAGE"; do
			# shellcheck disable=SC2310 # a question
			sums+=$(fetch_deb "$package=$version")$'\n' || continue 2
		done
		printf %s "$sums"
		return
	done
	return 1
}

get_kernel_packages() {
	if [ -n "${KVER:-}" ]; then
		[[ $KVER = "$KERNEL_VERSION"[.+-]* ]] ||
			die "KVER=$KVER: not a Linux $KERNEL_VERSION, which this base is for"
		[ -e "/lib/modules/$KVER/build" ] || die "KVER=$KVER: no headers; install linux-headers-$KVER"
	fi
	mkdir -p "$debian_dir"
	with_cache fetch find_kernel "$kernel_sums"
}

key_kernel_packages() { cat "$kernel_sums"; }

# ---- unpacking

# modules_file WORD: what follows this word in bases/<base>/modules
modules_file() { sed -n "s/^$1 //p" "$basedir/modules"; }

unpack_part_of_source() {
	local names

	read_lines names modules_file source
	unpack_source "$debian_dir/source" "$(deb_of "$PACKAGE")" "${names[@]}"
}

# Their Makefile names the folder that they would be installed in.
unpack_headers() {
	local release package

	release=$(kernel_release)
	for package in $(kernel_packages "$release" | grep -E '^linux-(headers|kbuild)-'); do
		dpkg-deb -x "$(deb_of "$package")" "$debian_dir/packages"
	done
	sed -i "s,/usr/src/,$debian_dir/packages&," \
		"$debian_dir/packages/usr/src/linux-headers-$release/Makefile"
}

unpack_image() {
	local release names part

	release=$(kernel_release)
	read_lines names modules_file debian
	names=("${names[@]/#/*/modules/$release/kernel/}")
	for part in ${IMAGE:-image}; do
		dpkg-deb --fsys-tarfile "$(deb_of "linux-$part-$release")"
	done | tar -x --ignore-zeros -C "$debian_dir/packages" --wildcards '*/vmlinuz*' \
		"*/modules/$release/modules.*" "*/modules/$release/kernel/drivers/vfio" "${names[@]}"
}

key_debian() {
	{
		cat "$kernel_sums" "$basedir/modules"
		echo "$top"
	} | hash_of
}

path_debian() { echo "$debian_dir/source"; }

make_debian() {
	need_disk 1000 "$work"
	rm -rf "$debian_dir/packages"
	mkdir -p "$debian_dir/packages"
	unpack_part_of_source &
	if [ -z "${KVER:-}" ]; then
		unpack_headers
		unpack_image
	fi
	wait $!
}

# ---- the tree of the modules

# make_tree DIR SOURCE: the unpatched source, or the base with the patches, which is
# "series", or "mutant", of which more is changed afterwards
make_tree() {
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
add_kbuild() {
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

headers_dir() {
	if [ -n "${KVER:-}" ]; then
		echo "/lib/modules/$KVER/build"
	else
		echo "$debian_dir/packages/usr/src/linux-headers-$(kernel_release)"
	fi
}

# compile_modules DIR ARGUMENT...: the build does not depend on where DIR is. Debug
# information is left out, and BTF with it, which would need pahole.
compile_modules() {
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

key_modules() {
	local source=$1

	{
		key_debian
		cat "$top/harness/lib/debian-kernel.sh"
		if [ "$source" = series ]; then
			cat "$basedir"/{prepare,removals,forbidden-words} "$basedir"/remove-*
			cat "$patches"/000[1-5]-*.patch
		fi
		in_build gcc --version | sed -n 1p
	} | hash_of
}

# Debian's modules for the VM; its vfio only if there is none of ours.
collect_modules() {
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
install_modules() {
	local release

	release=$(kernel_release)
	rm -rf "$2"
	collect_modules "$1" "$2/lib/modules/$release"
	[ -n "${KVER:-}" ] || depmod -b "$2" "$release"
}

path_modules() { modules_dir "$1"; }

# make_modules SOURCE: modules_dir and kernel_image
make_modules() {
	local source=$1 dir

	dir=$(modules_dir "$source")
	if [ "$source" != debian ]; then
		make_tree "$debian_dir/$source" "$source"
		compile_modules "$debian_dir/$source"
	fi
	rm -rf "$dir"
	install_modules "$source" "$dir.new"
	mv "$dir.new" "$dir"
}

# ---- programs for the VM

programs=$work/programs
kselftest=$debian_dir/series/tools/testing/selftests/vfio

headers=$debian_dir/series/usr/include

# As "make headers" would leave them, but for these two only.
install_headers() {
	local file

	mkdir -p "$headers/linux"
	for file in vfio iommufd; do
		sed 's/\b__user\b//' "$debian_dir/series/include/uapi/linux/$file.h" >"$headers/linux/$file.h"
	done
}

# What the base has of them, with those of the series. They include what the kernel
# tree has above them.
copy_selftests() {
	install_headers
	rm -rf "$kselftest"
	[ ! -d "$debian_dir/source/${kselftest##*/series/}" ] ||
		cp -r "$debian_dir/source/${kselftest##*/series/}" "$kselftest"
	GIT_CEILING_DIRECTORIES=$debian_dir git -C "$debian_dir/series" apply \
		--include='tools/testing/selftests/vfio/*' "$patches"/0007-*.patch
}

# compile_programs DIR [ARGUMENT]...: the selftests and what is in tests/, static,
# with the headers of the patched source
compile_programs() {
	local dir=$1

	shift
	rm -rf "$dir"
	mkdir -p "$dir"
	copy_selftests
	in_build make -C "$kselftest" -j"$(nproc)" OUTPUT="$dir" KHDR_INCLUDES="-isystem $headers" USERLDFLAGS=-static "$@"
	in_build make -C "$top/tests" -j"$(nproc)" OUTPUT="$dir" KSELFTEST="$kselftest" KHDR_INCLUDES="-isystem $headers" "$@"
}

key_programs() {
	{
		hash_files "$patches"/0007-*.patch "$top/tests/lib" "$top/tests"/vfio_* "$top/tests/Makefile"
		key_modules series
	} | hash_of
}

path_programs() { echo "$programs${1:+.$1}"; }

# make_programs [arm64]
make_programs() {
	compile_programs "$(path_programs "$1")" ${1:+CROSS_COMPILE=aarch64-linux-gnu-}
	[ -z "$1" ] || with_cache fetch_program busybox-static "$1" bin/busybox
}

# compile_program PROGRAM FILE...: static, with the headers of the patched source
# and the libraries of the test programs
compile_program() {
	local program=$1

	shift
	mkdir -p "$program.objects"
	copy_selftests
	in_build make -C "$top/tests" -j"$(nproc)" OUTPUT="$program.objects" KSELFTEST="$kselftest" \
		KHDR_INCLUDES="-isystem $headers" PROGRAM="$program" SOURCES="$*" "$program"
}

# The one program of the demo and of the traces
vfio_open=$work/vfio_open/vfio_open

make_vfio_open() { compile_program "$vfio_open" "$top/tests/vfio_open.c"; }

key_vfio_open() { key_programs; }

path_vfio_open() { echo "$vfio_open"; }
