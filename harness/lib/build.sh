# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# Kernels for the test VM, named SOURCE.FLAVOUR: of "series", "base" or "stock", and
# "plain" or any other flavour for which there is a config.FLAVOUR.

jobs=$(nproc)

# The same input gives the same image, and ccache is worth something. A
# compiler that was upgraded to the same version string is told by content; what
# the compiler says it read saves ccache a run of the preprocessor.
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970'
export KBUILD_BUILD_USER=vfio-sriov KBUILD_BUILD_HOST=vfio-sriov
export CCACHE_COMPILERCHECK=content CCACHE_DEPEND=1
unset ARCH CROSS_COMPILE LLVM KBUILD_OUTPUT MAKEFLAGS MAKEOVERRIDES O V W C
unset CFLAGS CPPFLAGS LDFLAGS KCFLAGS KCPPFLAGS KAFLAGS

# What make has to know for a flavour, and the image that it makes
use_flavour() {
	compiler=gcc cross=() boot_image=arch/x86/boot/bzImage
	if [ "$1" = arm64 ]; then
		compiler=aarch64-linux-gnu-gcc boot_image=arch/arm64/boot/Image
		cross=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC="ccache $compiler")
	fi
}

use_flavour plain

kmake() {
	in_build make -C "$src" O="$1" -j"$jobs" CC="ccache gcc" HOSTCC="ccache gcc" "${cross[@]}" "${@:2}"
}

ref_of() {
	local ref=${1%.*}

	echo "${ref/#series/$applied}"
}

# The fragments of a configuration, of which the last line for a symbol counts. Lines
# after "patched only" are for the series.
fragments_of() {
	local file

	for file in "$basedir/config" "$basedir/config.${1#*.}"; do
		[ ! -f "$file" ] || awk -v source="${1%.*}" '/^# patched only/ { only = 1 }
			/^(CONFIG_|# CONFIG_.* is not set)/ && (!only || source == "series")' "$file"
	done
}

# compile_kernel KERNEL IMAGE: of what is checked out, and its .config. Each flavour
# has its own directory; sources share it, as few files differ.
compile_kernel() {
	local dir=$src/build-${1#*.} fragment=$src/build-${1#*.}/fragment dropped

	mkdir -p "$dir"
	use_flavour "${1#*.}"
	fragments_of "$1" >"$fragment"
	if [ ! -f "$dir/.config" ] || ! cmp -s "$fragment" "$fragment.done"; then
		kmake "$dir" KCONFIG_ALLCONFIG="$fragment" allnoconfig
		cp "$fragment" "$fragment.done"
	fi
	kmake "$dir" olddefconfig
	# What only .config has, and what is off in both, does not matter.
	dropped=$("$src/scripts/diffconfig" "$fragment" "$dir/.config" | sed '/^+/d; /^-.* n$/d; s/^[- ]/CONFIG_/')
	[ -z "$dropped" ] || die "the kernel configuration did not take, of bases/$base/config*: ${dropped//$'\n'/, }"
	kmake "$dir" "${boot_image##*/}"
	cp "$dir/.config" "$2.config"
	cp "$dir/$boot_image" "$2"
}

# Such as bzImage.debug of the series, and bzImage.stock
path_kernel() {
	local suffix=.$1

	suffix=${suffix/#.series/}
	echo "$out/bzImage${suffix%.plain}"
}

# Documents and selftests are not in an image.
key_kernel() {
	use_flavour "${1#*.}"
	{
		cat "$top/harness/lib/build.sh"
		in_git ls-tree "$(ref_of "$1")" | grep -vE '	(Documentation|MAINTAINERS|tools)$'
		fragments_of "$1"
		in_build "$compiler" --version | sed -n 1p
	} | hash_of
}

# Images are worth keeping: a new checkout finds them in the cache by their key,
# the newest of each kind.
cached_kernel() {
	local image

	image=$(path_kernel "$1")
	echo "$cache/images/$base.${image##*/}-$(key_kernel "$1")"
}

keep_image() {
	mkdir -p "${2%/*}"
	find "${2%/*}" -name "$base.${1##*/}-*" -delete
	cp "$1.config" "$2.new.config"
	cp "$1" "$2.new"
	mv "$2.new.config" "$2.config"
	mv "$2.new" "$2"
}

make_kernel() {
	local image cached

	image=$(path_kernel "$1")
	cached=$(cached_kernel "$1")
	mkdir -p "$out"
	if cp "$cached.config" "$image.config" 2>/dev/null && cp "$cached" "$image"; then
		say "found in the cache"
	else
		need_disk 3000 "$work"
		checkout_src "$(ref_of "$1")"
		compile_kernel "$1" "$image"
		with_cache keep_image "$image" "$cached"
	fi
}
