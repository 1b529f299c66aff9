# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of vmtest.sh
#
# The guest's files: tests, modules and /vmtest.conf.  Sourced by vmtest.sh.

top=$(cd "$here/../../../.." && pwd)

# A kernel tree that was built elsewhere stays clean.
build_tests()
{
	local headers=$scratch/headers

	[[ ! -e $top/.config ]] || headers=$top
	tests_dir=$scratch/tests
	mkdir -p "$tests_dir" "$headers"
	{
		make -C "$top" O="$headers" headers &&
			make -C "$here" OUTPUT="$tests_dir" USERLDFLAGS=-static \
				KHDR_INCLUDES="-isystem $headers/usr/include"
	} >"$logs/build.log" 2>&1 || die "the tests do not build, see $logs/build.log"
}

choose_tests()
{
	local test

	[[ -n $tests_dir ]] || build_tests
	((${#tests[@]})) || tests=("$tests_dir"/*_test)
	tests=("${tests[@]##*/}")
	for test in "${tests[@]}"; do
		[[ -x $tests_dir/$test ]] || die "$tests_dir: no test $test"
	done
}

# Modules and their dependencies; those not found are built in or not available.
add_modules()
{
	local release name file files

	release=$(basename "$modules_dir"/lib/modules/*)
	files=$(for name in "${modules[@]}"; do
		modprobe -d "$modules_dir" -S "$release" --show-depends "$name" 2>/dev/null |
			sed -n 's/^insmod \([^ ]*\).*/\1/p' || true
	done | sort -u)
	[[ -n $files ]] || die "$modules_dir: no modules"
	mkdir -p "$1/lib/modules/$release"
	cp "$modules_dir/lib/modules/$release"/modules.{order,builtin*} "$1/lib/modules/$release/"
	while read -r file; do
		case $file in
		*.xz) xz -dc "$file" ;;
		*.zst) zstd -dc "$file" ;;
		*) cat "$file" ;;
		esac >"$1/lib/modules/$release/$(basename "${file%.ko*}").ko"
	done <<<"$files"
	depmod -b "$1" "$release"
}

build_initramfs()
{
	local root=$scratch/root

	mkdir -p "$root"/{bin,dev,proc,sys,tmp,tests,extra}
	cp "$(command -v "$BUSYBOX")" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	install "$here/vmtest-guest.sh" "$root/init"
	[[ -z $tests_dir ]] || find "$tests_dir" -maxdepth 1 -type f -name 'vfio_*' \
		-perm -u+x -exec cp -t "$root/tests" {} +
	((${#extra[@]} == 0)) || cp -r "${extra[@]}" "$root/extra/"
	[[ -z $modules_dir ]] || add_modules "$root"
	{
		printf 'CONF_TESTS=%q\n' "${tests[*]}"
		printf 'CONF_MODULES=%q\n' "${modules_dir:+${modules[*]}}"
		printf 'CONF_COMMAND=%s\n' "'${command//\'/\'\\\'\'}'"
		printf 'CONF_%s\n' "BIND=$bind" "RESULTS=/dev/${serial}1" "RUN='$run'" \
			"LIMIT=$(sed -n 's/^timeout=//p' "$here/settings")"
	} >"$root/vmtest.conf"
	(cd "$root" && find . -print0 | cpio -0 -o -H newc --quiet) >"$scratch/initramfs"
}
