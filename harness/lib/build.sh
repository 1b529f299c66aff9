# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# Kernels for the test VM. Sourced after source.sh.

jobs=$(nproc)

# The same input gives the same image, and ccache is worth something. A
# compiler that was upgraded to the same version string is told by content; what
# the compiler says it read saves ccache a run of the preprocessor.
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970'
export KBUILD_BUILD_USER=vfio-sriov KBUILD_BUILD_HOST=vfio-sriov
export CCACHE_COMPILERCHECK=content CCACHE_DEPEND=1
unset ARCH CROSS_COMPILE LLVM KBUILD_OUTPUT MAKEFLAGS MAKEOVERRIDES O V W C
unset CFLAGS CPPFLAGS LDFLAGS KCFLAGS KCPPFLAGS KAFLAGS

# The flavour "arm64" is for another machine.
compiler_of()
{
	case $1 in
	arm64) echo aarch64-linux-gnu-gcc ;;
	*) echo gcc ;;
	esac
}

# What make has to know for a flavour, and the image that it makes.
use_architecture()
{
	case $1 in
	arm64)
		cross=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC="ccache $(compiler_of arm64)")
		boot_image=arch/arm64/boot/Image
		;;
	*)
		cross=()
		boot_image=arch/x86/boot/bzImage
		;;
	esac
}

use_architecture plain

kmake()
{
	local dir=$1

	shift
	in_build make -C "$src" O="$dir" -j"$jobs" CC="ccache gcc" HOSTCC="ccache gcc" "${cross[@]}" "$@"
}

# A kernel is made from a source, "series", "base" or "stock", in a flavour:
# "plain", or any other for which there is a config.FLAVOUR.
ref_of()
{
	case $1 in
	series) echo "$applied" ;;
	*) echo "$1" ;;
	esac
}

# image_of SOURCE FLAVOUR; its .config has the same suffix.
suffix_of()
{
	[ "$1" = series ] || printf '.%s' "$1"
	[ "$2" = plain ] || printf '.%s' "$2"
}

image_of() { printf '%s/bzImage%s\n' "$out" "$(suffix_of "$1" "$2")"; }

known_flavours()
{
	local file

	printf plain
	for file in "$basedir"/config.*; do
		printf ' %s' "${file##*/config.}"
	done
}

check_flavour()
{
	[[ " $(known_flavours) " == *" $1 "* ]] ||
		die "FLAVOUR=$1: no such flavour (known: $(known_flavours))"
}

# The lines of a fragment that are for a source: those after "patched only" are
# for the series.
lines_of()
{
	awk -v source="$1" '/^# patched only/ { only = 1 }
		/^(CONFIG_|# CONFIG_.* is not set)/ && (!only || source == "series")' "$2"
}

# config_lines SOURCE FLAVOUR: the flavour's lines take the place of others for
# the same symbol.
config_lines()
{
	{
		lines_of "$1" "$basedir/config"
		[ "$2" = plain ] || lines_of "$1" "$basedir/config.$2"
	} | awk '{
			symbol = $0
			sub(/^# /, "", symbol)
			sub(/[= ].*/, "", symbol)
			if (!(symbol in line))
				order[++n] = symbol
			line[symbol] = $0
		}
		END { for (i = 1; i <= n; i++) print line[order[i]] }'
}

# check_config DIR SOURCE FLAVOUR
check_config()
{
	local line lines dropped=()

	read_lines lines config_lines "$2" "$3"
	for line in "${lines[@]}"; do
		case $line in
		'# '*) ! grep -q "^${line:2:-11}=" "$1/.config" || dropped+=("$line") ;;
		*) grep -qxF "$line" "$1/.config" || dropped+=("$line") ;;
		esac
	done
	[ "${#dropped[@]}" = 0 ] ||
		die "$(printf 'the kernel configuration did not take %s; ' "${dropped[@]}")see bases/$base/config*"
}

configure_kernel()
{
	local dir=$1 source=$2 flavour=$3 fragment

	fragment=$work/fragment$(suffix_of "$source" "$flavour")
	config_lines "$source" "$flavour" >"$fragment"
	if [ ! -f "$dir/.config" ] || ! cmp -s "$fragment" "$dir/.fragment"; then
		kmake "$dir" KCONFIG_ALLCONFIG="$fragment" allnoconfig
		cp "$fragment" "$dir/.fragment"
	fi
	kmake "$dir" olddefconfig
	check_config "$dir" "$source" "$flavour"
}

# Documents and selftests are not in an image.
kernel_key()
{
	{
		in_git ls-tree "$(ref_of "$1")" | grep -vE '	(Documentation|MAINTAINERS|tools)$'
		config_lines "$1" "$2"
		in_build "$(compiler_of "$2")" --version | sed -n 1p
	} | hash_of
}

# Each flavour has its own directory; sources share it, as few files
# differ.
build_dir()
{
	if [ "$1" = plain ]; then
		printf '%s/build\n' "$src"
	else
		printf '%s/build-%s\n' "$src" "$1"
	fi
}

# compile_kernel SOURCE FLAVOUR IMAGE: of what is checked out
compile_kernel()
{
	local dir

	dir=$(build_dir "$2")
	mkdir -p "$dir"
	use_architecture "$2"
	configure_kernel "$dir" "$1" "$2"
	kmake "$dir" "${boot_image##*/}"
	cp "$dir/$boot_image" "$3"
}

# Images are worth keeping: a new checkout finds them in the cache by their key,
# the newest of each kind.
cached_image() { printf '%s/images/bzImage%s-%s\n' "$cache" "$1" "$2"; }

make_image()
{
	local source=$1 flavour=$2 suffix=$3 cached

	cached=$(cached_image "$suffix" "$4")
	mkdir -p "$out" "$cache/images"
	if [ -f "$cached" ] && [ -f "$cached.config" ]; then
		cp "$cached" "$out/bzImage$suffix"
		cp "$cached.config" "$out/.config$suffix"
		say "found in the cache"
		return
	fi
	need_disk 3000 "$work"
	checkout_src "$(ref_of "$source")"
	compile_kernel "$source" "$flavour" "$out/bzImage$suffix"
	cp "$(build_dir "$flavour")/.config" "$out/.config$suffix"
	find "$cache/images" -name "bzImage$suffix-*" -delete
	cp "$out/.config$suffix" "$cached.config"
	cp "$out/bzImage$suffix" "$cached.new"
	mv "$cached.new" "$cached"
}

# build_kernel SOURCE [FLAVOUR]: image_of and its .config
build_kernel()
{
	local source=$1 flavour=${2:-plain} suffix key

	suffix=$(suffix_of "$source" "$flavour")
	key=$(kernel_key "$source" "$flavour")
	[ -f "$out/bzImage$suffix" ] || remove_stamp "bzImage$suffix"
	unless_done "bzImage$suffix" "$key" make_image "$source" "$flavour" "$suffix" "$key"
}
