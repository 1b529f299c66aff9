# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# Kernels for the test VM, and the parts of an allmodconfig kernel that
# "make check" looks at. Sourced after lib.sh and prepare.sh.

jobs=$(nproc)

# The same input gives the same image, and ccache is worth something. A
# compiler that was upgraded to the same version string is told by content; what
# the compiler says it read saves ccache a run of the preprocessor.
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970'
export KBUILD_BUILD_USER=vfio-sriov KBUILD_BUILD_HOST=vfio-sriov
export CCACHE_COMPILERCHECK=content CCACHE_DEPEND=1
unset ARCH CROSS_COMPILE LLVM KBUILD_OUTPUT MAKEFLAGS MAKEOVERRIDES O V W C
unset CFLAGS CPPFLAGS LDFLAGS KCFLAGS KCPPFLAGS KAFLAGS

kmake()
{
	local dir=$1

	shift
	make -C "$src" O="$dir" -j"$jobs" CC="ccache gcc" HOSTCC="ccache gcc" "$@"
}

# Lines of the fragment that every kernel takes, and those that only a patched
# one knows.
config_lines()
{
	awk -v patched="$1" '/^# patched only/ { only = 1 }
		/^(CONFIG_|# CONFIG_.* is not set)/ && (!only || patched == "patched")' "$basedir/config"
}

check_config()
{
	local line dropped=()

	while read -r line; do
		case $line in
		'# '*) ! grep -q "^${line:2:-11}=" "$1/.config" || dropped+=("$line") ;;
		*) grep -qxF "$line" "$1/.config" || dropped+=("$line") ;;
		esac
	done < <(config_lines "$2")
	[ "${#dropped[@]}" = 0 ] ||
		die "$(printf 'the kernel configuration did not take %s; ' "${dropped[@]}")see bases/$base/config"
}

configure_kernel()
{
	local dir=$1 flavour=$2

	config_lines "$flavour" >"$work/fragment.$flavour"
	if [ ! -f "$dir/.config" ] || ! cmp -s "$work/fragment.$flavour" "$dir/.fragment"; then
		kmake "$dir" KCONFIG_ALLCONFIG="$work/fragment.$flavour" allnoconfig
		cp "$work/fragment.$flavour" "$dir/.fragment"
	fi
	kmake "$dir" olddefconfig
	check_config "$dir" "$flavour"
}

kernel_key()
{
	{
		in_git rev-parse "$1"
		config_lines "$2"
		gcc --version | head -n 1
	} | hash_of
}

# compile_kernel FLAVOUR IMAGE: of what is checked out
compile_kernel()
{
	mkdir -p "$src/build"
	configure_kernel "$src/build" "$1"
	kmake "$src/build" bzImage
	cp "$src/build/arch/x86/boot/bzImage" "$2"
}

# build_kernel REF FLAVOUR SUFFIX: out/<base>/bzImage<SUFFIX> and .config<SUFFIX>
build_kernel()
{
	local ref=$1 flavour=$2 suffix=$3 key

	key=$(kernel_key "$ref" "$flavour")
	if [ -f "$out/bzImage$suffix" ] && stamp_matches "bzImage$suffix" "$key"; then
		up_to_date
		return
	fi
	checkout_src "$ref"
	mkdir -p "$out"
	compile_kernel "$flavour" "$out/bzImage$suffix"
	cp "$src/build/.config" "$out/.config$suffix"
	set_stamp "bzImage$suffix" "$key"
}

# The tests, static, against the headers of the patched kernel.
build_selftests()
{
	local dir=$work/selftests key

	key=$(in_git rev-parse "$applied")
	if [ -d "$dir" ] && stamp_matches selftests "$key"; then
		up_to_date
		return
	fi
	checkout_src "$applied"
	rm -rf "$dir"
	mkdir -p "$dir" "$src/build-headers"
	kmake "$src/build-headers" headers
	make -C "$src/tools/testing/selftests/vfio" OUTPUT="$dir" \
		KHDR_INCLUDES="-isystem $src/build-headers/usr/include" USERLDFLAGS=-static
	set_stamp selftests "$key"
}
