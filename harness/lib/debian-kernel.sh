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
# SOURCE is "series", the base with patches 1 to 5, or "stock", Debian's source as it
# is, in the same configuration.

# With KVER, the modules are for a kernel that is installed on this machine: in
# its own configuration, with its headers.
debian_dir=$work/debian${KVER:+-$KVER}
kernel_sums=$debian_dir/sums

# ---- which kernel

# The source of the kernel that find_kernel has found, in the cache
source_deb() { files_of "$kernel_sums" | grep "/${PACKAGE}_"; }

kernel_release() {
	[ -z "${KVER:-}" ] || { echo "$KVER"; return; }
	files_of "$kernel_sums" | sed -n 's,.*/linux-image-\([^_]*\)_.*,\1,p'
}

# The newest kernel whose packages are all in the index, of one version, with its source:
# Debian's security archive has the source before it has the signed image. With KVER,
# the newest source.
find_kernel() {
	local releases release version package sums
	local pattern="${RELEASES:-${KERNEL_VERSION//./\\.}\.[0-9]+\+[a-z]+[0-9]+-amd64}"

	[ -z "${KVER:-}" ] || { fetch_deb "$PACKAGE"; return; }
	releases=$(apt-cache "${apt_options[@]}" pkgnames "linux-image-$KERNEL_VERSION." |
		sed -nE "s/^linux-image-($pattern)\$/\1/p" | sort -Vr)
	for release in $releases; do
		version=$(apt-cache "${apt_options[@]}" show --no-all-versions "linux-image-$release" | sed -n 's/^Version: //p')
		sums=
		# shellcheck disable=SC2046,SC2086 # words
		for package in linux-headers-{"$release","${release%-*}-common"} \
			"${KBUILD:-linux-kbuild-${release%-*}}" $(printf "linux-%s-$release " ${IMAGE:-image}) "$PACKAGE"; do
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
key_debian() { cat "$kernel_sums" "$basedir/modules" - <<<"$top" | hash_of; }
path_debian() { echo "$debian_dir/source"; }

make_debian() {
	local release names

	need_disk 300 "$work"
	rm -rf "$debian_dir/packages"
	mkdir -p "$debian_dir/packages"
	read_lines names modules_file source
	unpack_source "$debian_dir/source" "$(source_deb)" "${names[@]}" &
	if [ -z "${KVER:-}" ]; then
		release=$(kernel_release)
		files_of "$kernel_sums" | grep -E '/linux-(headers|kbuild)-[^/]*$' |
			xargs -d '\n' -I {} dpkg-deb -x {} "$debian_dir/packages"
		# The Makefile of the headers names the folder that they would be installed in.
		sed -i "s,/usr/src/,$debian_dir/packages&," \
			"$debian_dir/packages/usr/src/linux-headers-$release/Makefile"
		read_lines names modules_file debian
		names=("${names[@]/#/*/modules/$release/kernel/}")
		files_of "$kernel_sums" | grep -vE '/linux-(headers|kbuild|source)-[^/]*$' |
			xargs -d '\n' -n 1 dpkg-deb --fsys-tarfile |
			tar -x --ignore-zeros -C "$debian_dir/packages" --wildcards '*/vmlinuz*' \
				"*/modules/$release/modules.*" "*/modules/$release/kernel/drivers/vfio" "${names[@]}"
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
# shellcheck disable=SC2016 # make expands it
add_kbuild() {
	local iommufd=$1/drivers/iommu/iommufd

	echo 'obj-$(CONFIG_VFIO) += vfio/' >"$1/drivers/Kbuild"
	[ -d "$iommufd" ] || return 0
	echo 'obj-$(OWN_IOMMUFD) += iommu/iommufd/' >>"$1/drivers/Kbuild"
	echo 'iommufd-$(OWN_IOMMUFD) += interval_tree.o' >>"$iommufd/Makefile"
	sed '/^EXPORT_SYMBOL/d' "$1/lib/interval_tree.c" >"$iommufd/interval_tree.c"
}

# compile_modules DIR ARGUMENT...: the build does not depend on where DIR is. Debug
# information is left out, and BTF with it, which would need pahole.
compile_modules() {
	local dir=$1 build=/lib/modules/${KVER:-}/build options=() defines=() names

	if [ -z "${KVER:-}" ]; then
		build=$debian_dir/packages/usr/src/linux-headers-$(kernel_release)
		read_lines options modules_file config
		defines=("${options[@]/%=m/_MODULE=1}")
		defines=("${defines[@]/%=y/=1}")
		options+=(OWN_IOMMUFD=m)
	fi
	read_lines names modules_file rename
	defines+=("${names[@]}")
	! command -v ccache >/dev/null || options+=(DEBIAN_KERNEL_USE_CCACHE=1)
	in_build make -C "$build" M="$dir/drivers" -j"$jobs" "${options[@]}" \
		CONFIG_DEBUG_INFO= CONFIG_DEBUG_INFO_BTF_MODULES= \
		KCFLAGS="-ffile-prefix-map=$dir/= ${defines[*]/#/-D}" \
		NOSTDINC_FLAGS="-nostdinc -I$dir/include -I$dir/include/uapi" "${@:2}" modules
}

# ---- what a VM is started with

# path_modules SOURCE, for vmtest.sh -d
path_modules() { echo "$top/out/$(kernel_release)/$1"; }
kernel_image() { echo "$top/out/$(kernel_release)/vmlinuz"; }

key_modules() {
	{
		key_debian
		cat "$top/harness/lib/debian-kernel.sh"
		if [ "$1" = series ]; then
			cat "$basedir"/{prepare,removals,forbidden-words} "$basedir"/remove-*
			cat "$patches"/000[1-5]-*.patch
		fi
		in_build gcc --version | sed -n 1p
	} | hash_of
}

# install_modules SOURCE DIR, for vmtest.sh -d: Debian's modules for the VM, and ours of
# SOURCE in place of its vfio, unless that is "debian". Leaves kernel_image, too.
install_modules() {
	local source=$1 dir=$2 release into image lib

	release=$(kernel_release)
	into=$dir/lib/modules/$release
	rm -rf "$dir"
	mkdir -p "$into"
	if [ -z "${KVER:-}" ]; then
		lib=$(find "$debian_dir/packages" -type d -path "*/lib/modules/$release/kernel")
		cp -r "${lib%/kernel}"/{kernel,modules.*} "$into/"
		image=$(kernel_image)
		install -D -m 644 "$(find "$debian_dir/packages" -name 'vmlinuz*')" "$image.new"
		mv "$image.new" "$image"
	fi
	if [ "$source" != debian ]; then
		rm -rf "$into/kernel/drivers/vfio"
		mkdir "$into/updates"
		find "$debian_dir/$source/drivers" -name '*.ko' -exec cp -t "$into/updates" {} +
	fi
	[ -n "${KVER:-}" ] || depmod -b "$dir" "$release"
}

# make_modules SOURCE: path_modules and kernel_image
make_modules() {
	local dir

	make_tree "$debian_dir/$1" "$1"
	compile_modules "$debian_dir/$1"
	dir=$(path_modules "$1")
	install_modules "$1" "$dir.new"
	rm -rf "$dir"
	mv "$dir.new" "$dir"
}

# ---- programs for the VM

programs=$work/programs
kselftest=$debian_dir/series/tools/testing/selftests/vfio
headers=$debian_dir/series/usr/include

# The selftests of the base with those of the series, which include what the kernel tree
# has above them; headers as "make headers" would leave them, but for these two only.
copy_selftests() {
	local own=$debian_dir/source/tools/testing/selftests/vfio

	rm -rf "$kselftest"
	[ ! -d "$own" ] || cp -r "$own" "$kselftest"
	GIT_CEILING_DIRECTORIES=$debian_dir git -C "$debian_dir/series" apply \
		--include='tools/testing/selftests/vfio/*' "$patches"/0007-*.patch
	mkdir -p "$headers/linux"
	cp "$debian_dir/series/include/uapi/linux"/{vfio,iommufd}.h "$headers/linux/"
	sed -i 's/\b__user\b//' "$headers/linux"/{vfio,iommufd}.h
}

# compile_static DIR ARGUMENT...: the programs there, with the headers of the patched source
compile_static() {
	in_build make -C "$1" -j"$jobs" KSELFTEST="$kselftest" KHDR_INCLUDES="-isystem $headers" \
		USERLDFLAGS=-static "${@:2}"
}

key_programs() {
	{
		hash_files "$patches"/0007-*.patch "$top/tests/lib" "$top/tests"/vfio_* "$top/tests/Makefile"
		key_modules series
	} | hash_of
}

path_programs() { echo "$programs${1:+.$1}"; }

# make_programs [arm64]: the selftests and what is in tests/
make_programs() {
	local dir folder

	dir=$(path_programs "$1")
	rm -rf "$dir"
	mkdir -p "$dir"
	copy_selftests
	for folder in "$kselftest" "$top/tests"; do
		compile_static "$folder" OUTPUT="$dir" ${1:+CROSS_COMPILE=aarch64-linux-gnu-}
	done
	[ -z "$1" ] || with_cache fetch_program busybox-static "$1" bin/busybox
}

# compile_program PROGRAM FILE...: with the libraries of the test programs
compile_program() {
	copy_selftests
	compile_static "$top/tests" OUTPUT="$1.objects" PROGRAM="$1" SOURCES="${*:2}" "$1"
}

# The one program of the demo and of the traces
vfio_open=$work/vfio_open/vfio_open

make_vfio_open() { compile_program "$vfio_open" "$top/tests/vfio_open.c"; }
key_vfio_open() { key_programs; }
path_vfio_open() { echo "$vfio_open"; }
