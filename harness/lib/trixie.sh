# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# A Debian 13 in the cache to build in: the headers' build tools of its backports
# kernels need its C library. Needs root. Sourced after apt.sh.

trixie=$cache/trixie
trixie_packages=(bc bison ccache clang cpio dwarves flex gcc kmod libc6-dev libelf-dev libssl-dev
	make patch perl python3 python3-ply rsync sparse uuid-dev xz-utils)

# Made aside and moved into place when complete; checkouts share it.
make_trixie()
{
	[ "$(id -u)" = 0 ] || die "run as root: the kernel is built in a Debian 13 root directory"
	mkdir -p "$cache"
	exec 7>"$cache/trixie.lock"
	flock 7
	if [ "$(cat "$trixie/packages" 2>/dev/null)" = "${trixie_packages[*]}" ]; then
		up_to_date
		return
	fi
	rm -rf "$trixie" "$trixie.new"
	debootstrap --variant=minbase --keyring="$debian_keyring" trixie "$trixie.new" "$(debian_mirror)"
	in_root "$trixie.new" apt-get -q -y --no-install-recommends install "${trixie_packages[@]}"
	rm -rf "$trixie.new"/var/cache/apt/archives/*.deb
	echo "${trixie_packages[*]}" >"$trixie.new/packages"
	mv "$trixie.new" "$trixie"
	exec 7>&-
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
