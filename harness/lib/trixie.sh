# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# Root directories of a newer Debian in the cache: one to build in, as the headers'
# build tools of the backports kernels need its C library; others for their programs.
# Need root.

trixie=$cache/trixie
trixie_packages=(bc bison ccache clang cpio dwarves flex gcc kmod libc6-dev libelf-dev libssl-dev
	make patch perl python3 python3-ply rsync sparse uuid-dev xz-utils)

# make_root DIR "SUITE..." TARGET PACKAGE...: the first suite with what the others
# offer, and these packages of TARGET. Made aside and moved into place when complete;
# checkouts share it.
make_root() {
	local dir=$1 suites=$2 target=$3 packages=("${@:4}") mirror suite

	[ "$(id -u)" = 0 ] || die "run as root: this needs a root directory of Debian"
	mkdir -p "$cache"
	exec 7>>"$dir.lock"
	take_lock 7 "$dir.lock" "another run that makes $dir"
	if [ "$(cat "$dir/packages" 2>/dev/null)" = "${packages[*]}" ]; then
		exec 7>&-
		up_to_date
		return
	fi
	rm -rf "$dir" "$dir.new"
	mirror=$(debian_mirror)
	debootstrap --variant=minbase --keyring="$debian_keyring" "${suites%% *}" "$dir.new" "$mirror"
	for suite in $suites; do
		case $suite in
		*-security) echo "deb ${mirror%/debian*}/debian-security $suite main" ;;
		# The mirror may be as of an earlier day, and testing is valid for a week only.
		forky) echo "deb [check-valid-until=no] $mirror $suite main" ;;
		*) echo "deb $mirror $suite main" ;;
		esac
	done >"$dir.new/etc/apt/sources.list"
	in_root "$dir.new" sh -c 'apt-get -q update && apt-get -q -y --no-install-recommends -t "$@" && apt-get clean' \
		- "$target" install "${packages[@]}"
	echo "${packages[*]}" >"$dir.new/packages"
	mv "$dir.new" "$dir"
	exec 7>&-
}

# starter FILE ROOT PROGRAM [OPTION]...: a script that starts PROGRAM with the C
# library of ROOT, which needs neither root nor mounts
starter() {
	cat >"$1" <<-END
		#!/bin/sh
		lib=$2/usr/lib/x86_64-linux-gnu
		exec "\$lib/ld-linux-x86-64.so.2" --library-path "\$lib" "$3" ${*:4} "\$@"
	END
	chmod 755 "$1"
}

# A newer QEMU than Debian 12's. Prints nothing; $qemu_new is the program.
qemu_root=$cache/qemu
qemu_new=$qemu_root/qemu

get_qemu() {
	make_root "$qemu_root" "trixie trixie-backports" trixie-backports qemu-system-x86
	starter "$qemu_new" "$qemu_root" "$qemu_root/usr/bin/qemu-system-x86_64" \
		-L "$qemu_root/usr/share/qemu" -L "$qemu_root/usr/share/seabios"
}

key_qemu() { "$qemu_new" --version; }

# Debian 13's QEMU with the patch of patches/qemu-10.0, built in a Debian 13, as
# Debian 12's meson is too old. $qemu_patched is the program; its firmware is that
# of this machine's QEMU.
qemu_patch=$(echo "$top"/patches/qemu-10.0/*.patch)
qemu_patched=$top/work/q/qemu-system-x86_64
qemu_build_root=$cache/qemu-build
qemu_build_packages=(ccache dpkg-dev gcc libc6-dev libfdt-dev libglib2.0-dev meson ninja-build
	patch perl pkgconf python3 python3-venv xz-utils)

fetch_qemu_source() {
	[ ! -f "$qemu_build_root/usr/src/fetched" ] || return 0
	echo "deb-src $(debian_mirror) trixie main" >"$qemu_build_root/etc/apt/sources.list.d/source.list"
	in_root "$qemu_build_root" apt-get -q update
	in_root "$qemu_build_root" env -C /usr/src apt-get -q source --download-only qemu
	touch "$qemu_build_root/usr/src/fetched"
}

# Only what a VM with a vfio-pci device needs
build_qemu_patched() {
	local dir=${qemu_patched%/*}

	need_disk 1500 "$top/work"
	rm -rf "$dir"
	mkdir -p "$dir"
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_root "$qemu_build_root" sh -euc '
		cd "$1"
		dpkg-source -x /usr/src/qemu_10.0*.dsc source
		patch -d source -p1 <"$2"
		printf "CONFIG_%s=y\n" I440FX IOMMUFD VFIO_PCI >source/configs/devices/x86_64-softmmu/vfio.mak
		mkdir build
		cd build
		../source/configure --cc="ccache gcc" --target-list=x86_64-softmmu --without-default-features \
			--without-default-devices --with-devices-x86_64=vfio --disable-docs --disable-install-blobs \
			--audio-drv-list=
		ninja -j"$3" qemu-system-x86_64' - "$dir" "$qemu_patch" "$jobs"
	starter "$qemu_patched" "$qemu_build_root" "$dir/build/qemu-system-x86_64" \
		-L /usr/share/qemu -L /usr/share/seabios
}

path_qemu_patched() { echo "$qemu_patched"; }

make_qemu_patched() {
	case $top in
	/tmp/* | /run/*) die "use a checkout outside of /tmp and /run, which the VM does not see" ;;
	esac
	make_root "$qemu_build_root" trixie trixie "${qemu_build_packages[@]}"
	with_cache fetch_qemu_source
	build_qemu_patched
}

key_qemu_patched() { { cat "$qemu_patch"; declare -f build_qemu_patched; } | hash_of; }

# in_root ROOT COMMAND...: there, with this checkout at its path or at $ROOT_TOP, and
# ccache at its path. Where there is a ROOT.upper, ROOT is an overlay that writes to it.
# The mounts end with the command.
in_root() {
	local ccache=${CCACHE_DIR:-$HOME/.cache/ccache}

	[ -d "$1/usr" ] || [ -d "$1.upper" ] || die "$1 is no root directory"
	mkdir -p "$ccache"
	# shellcheck disable=SC2016 # expanded by the inner shell
	DEBIAN_FRONTEND=noninteractive unshare --mount --propagation private bash -euc '
		root=$1 top=$2 at=$3 ccache=$4
		shift 4
		[ ! -d "$root.upper" ] ||
			mount -t overlay overlay -o "lowerdir=$root.lower,upperdir=$root.upper,workdir=$root.work" "$root"
		mkdir -p "$root$at" "$root$ccache"
		mount -t proc proc "$root/proc"
		mount --bind /dev "$root/dev"
		mount --bind "$top" "$root$at"
		mount --bind "$ccache" "$root$ccache"
		exec chroot "$root" /usr/bin/env -C "$at" HOME="${HOME:-/root}" \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"' \
		- "$1" "$top" "${ROOT_TOP:-$top}" "$ccache" "${@:2}"
}

# in_build COMMAND...: where this base is built; its "source" says so
in_build() { ${BUILD_ROOT:+in_root "$trixie"} "$@"; }
