# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# Debian 13 root directories in the cache: one to build in, as the headers' build
# tools of its backports kernels need its C library; one with a newer QEMU. Need
# root. Sourced after apt.sh.

trixie=$cache/trixie
trixie_packages=(bc bison ccache clang cpio dwarves flex gcc kmod libc6-dev libelf-dev libssl-dev
	make patch perl python3 python3-ply rsync sparse uuid-dev xz-utils)

# make_root DIR SUITE PACKAGE...: a Debian 13 with these packages of SUITE. Made
# aside and moved into place when complete; checkouts share it.
make_root()
{
	local dir=$1 suite=$2

	shift 2
	[ "$(id -u)" = 0 ] || die "run as root: this needs a Debian 13 root directory"
	mkdir -p "$cache"
	exec 7>"$dir.lock"
	flock 7
	if [ "$(cat "$dir/packages" 2>/dev/null)" = "$*" ]; then
		up_to_date
		return
	fi
	rm -rf "$dir" "$dir.new"
	debootstrap --variant=minbase --keyring="$debian_keyring" trixie "$dir.new" "$(debian_mirror)"
	if [ "$suite" != trixie ]; then
		echo "deb $(debian_mirror) $suite main" >"$dir.new/etc/apt/sources.list.d/$suite.list"
		# The mirror may be as of an earlier day, and testing is valid for a week only.
		in_root "$dir.new" apt-get -q -o Acquire::Check-Valid-Until=false update
	fi
	in_root "$dir.new" apt-get -q -y --no-install-recommends -t "$suite" install "$@"
	rm -rf "$dir.new"/var/cache/apt/archives/*.deb
	echo "$*" >"$dir.new/packages"
	mv "$dir.new" "$dir"
	exec 7>&-
}

make_trixie()
{
	make_root "$trixie" trixie "${trixie_packages[@]}"
}

# A newer QEMU than Debian 12's, started with its own C library: it needs neither
# root nor mounts. Prints nothing; $qemu_new is the program.
qemu_root=$cache/qemu
qemu_new=$qemu_root/qemu

make_qemu()
{
	make_root "$qemu_root" trixie-backports qemu-system-x86
	cat >"$qemu_new" <<-'END'
		#!/bin/sh
		root=${0%/qemu}
		lib=$root/usr/lib/x86_64-linux-gnu
		exec "$lib/ld-linux-x86-64.so.2" --library-path "$lib" \
			"$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" "$@"
	END
	chmod 755 "$qemu_new"
}

key_qemu()
{
	"$qemu_new" --version
}

# in_root ROOT COMMAND...: there, with this checkout and ccache at their paths. The
# mounts end with the command.
in_root()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	DEBIAN_FRONTEND=noninteractive unshare --mount --propagation private bash -euc '
		root=$1 top=$2 ccache=$3
		shift 3
		mkdir -p "$root$top" "$root$ccache"
		mount -t proc proc "$root/proc"
		mount --bind /dev "$root/dev"
		mount --bind "$top" "$root$top"
		mount --bind "$ccache" "$root$ccache"
		exec chroot "$root" /usr/bin/env -C "$top" HOME="${HOME:-/root}" "$@"' \
		- "$1" "$top" "${CCACHE_DIR:-$HOME/.cache/ccache}" "${@:2}"
}

in_trixie() { in_root "$trixie" "$@"; }

# in_build COMMAND...: where this base is built; its "source" says so
in_build() { ${BUILD_ROOT:+in_$BUILD_ROOT} "$@"; }

make_build_root() { [ -z "${BUILD_ROOT:-}" ] || "make_$BUILD_ROOT"; }
