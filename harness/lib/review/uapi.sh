# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2317 # variables of the other parts
#
# The checks of what programs see: uAPI headers and selftests. Sourced by
# review.sh.

# install_headers ARCH [ARGUMENT]...: of what is checked out; sets headers.
install_headers()
{
	headers=$src/build-review-headers-$1/usr/include
	mkdir -p "$src/build-review-headers-$1"
	kmake "$src/build-review-headers-$1" ARCH="$1" headers >&2
}

# As programs include them: linux/vfio.h
touched_headers()
{
	touched_files "$1" '^include/uapi/.*[.]h$' | sed 's|^include/uapi/||'
}

# ---- the headers alone

inputs_uapi()
{
	inputs_of_files uapi "$2" '^include/uapi/'
	gcc --version | sed -n 1p
	clang --version | sed -n 1p
}

# Included twice, as the kernel's own test of headers does it, with nothing
# before it. Programs in C++ also include these headers.
say_uapi()
{
	local header compiler

	checkout_src "$2"
	install_headers x86
	while read -r header; do
		[ -n "$header" ] || continue
		for compiler in 'gcc -x c -std=c90' 'gcc -m32 -x c -std=c90' 'clang -x c -std=c90' \
			'g++ -x c++ -std=c++98' 'g++ -x c++ -std=c++20' 'clang++ -x c++ -std=c++17'; do
			# shellcheck disable=SC2086 # a compiler with its options
			$compiler -Wall -Wextra -pedantic -fsyntax-only -fno-diagnostics-color \
				-I "$headers" -include "$header" -include "$header" /dev/null 2>&1 |
				grep -E '(warning|error):' | sed "s|^$headers/||; s|^|$compiler: |" || true
		done
	done <<<"$(touched_headers "$2")"
}

# ---- sizes and offsets

inputs_layout()
{
	inputs_of_files layout "$2" '^include/uapi/'
	pahole --version
}

# layout_of HEADER COMPILER...: its structures as the compiler lays them out
layout_of()
{
	local header=$1 object=$work/review.layout.o name

	shift
	"$@" -g -fno-eliminate-unused-debug-types -I "$headers" -include "$header" \
		-x c -c /dev/null -o "$object"
	while read -r name; do
		echo "struct $name:"
		pahole --suppress_packed --hex -C "$name" "$object"
	done <<<"$(sed -n 's/^struct \([a-z0-9_]*\) {.*/\1/p' "$headers/$header" | sort -u)"
}

# Only the names of those that differ from x86_64's: what differed before is
# for others.
say_layout()
{
	local header compiler

	checkout_src "$2"
	install_headers x86
	while read -r header; do
		[ -n "$header" ] || continue
		layout_of "$header" gcc >"$work/review.layout.64"
		[ -s "$work/review.layout.64" ] || die "pahole finds no structure in $header"
		for compiler in 'gcc -m32' aarch64-linux-gnu-gcc s390x-linux-gnu-gcc; do
			# shellcheck disable=SC2086 # a compiler with its options
			layout_of "$header" $compiler >"$work/review.layout.other"
			different_structures "$work/review.layout.64" "$work/review.layout.other" |
				sed "s|.*|$header: struct & is another with $compiler|"
		done
	done <<<"$(touched_headers "$2")"
}

different_structures()
{
	comm -3 <(structure_a_line "$1") <(structure_a_line "$2") |
		sed -E 's/^\t?struct ([^:]*):.*/\1/' | sort -u
}

structure_a_line()
{
	awk '/^struct .*:$/ { if (line) print line; line = $0; next }
		{ sub(/[ \t]*\/\* --- cacheline .*/, ""); line = line " " $0 }
		END { print line }' "$1" | sort
}

# ---- selftests

inputs_selftests()
{
	echo selftests
	in_git rev-parse base "$2:include/uapi"
	in_git rev-parse -q --verify "$2:tools/testing/selftests/vfio" || true
	gcc --version | sed -n 1p
	clang --version | sed -n 1p
}

# make_selftests ARCH ARGUMENT...: what the build has to say
make_selftests()
{
	local arch=$1 dir=$work/review.selftests

	shift
	install_headers "$arch"
	rm -rf "$dir"
	mkdir -p "$dir"
	{
		make -C "$src/tools/testing/selftests/vfio" OUTPUT="$dir" -j"$jobs" \
			KHDR_INCLUDES="-isystem $headers" USERLDFLAGS=-static "$@" 2>&1 ||
			echo "make: Error $?"
	} | tee >(cat >&2) | { grep -E '([Ww]arning|error):|Error ' || [ $? = 1 ]; } |
		sed "s|^|$arch $*: |"
	[ -x "$dir/vfio_open" ] || echo "$arch $*: vfio_open was not built"
}

# What a build leaves in the source that is not in .gitignore, and what "make
# clean" does not remove. Debian's .gitignore at the top ignores everything.
selftests_left()
{
	local dir=tools/testing/selftests/vfio

	make -C "$src/$dir" -j"$jobs" KHDR_INCLUDES="-isystem $headers" >&2
	git -C "$src/$dir" ls-files --others --exclude-from="$src/$dir/.gitignore" |
		sed 's/$/: not in .gitignore/'
	make -C "$src/$dir" KHDR_INCLUDES="-isystem $headers" clean >&2
	git -C "$src/$dir" ls-files --others | sed 's/$/: left by make clean/'
	in_src clean -qfdx -- "$dir"
}

say_selftests()
{
	checkout_src "$2"
	[ -d "$src/tools/testing/selftests/vfio" ] || return 0
	make_selftests arm64 CC=aarch64-linux-gnu-gcc
	make_selftests s390 CC=s390x-linux-gnu-gcc
	make_selftests x86 LLVM=1
	make_selftests x86
	selftests_left
}
