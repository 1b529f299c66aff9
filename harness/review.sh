#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of the other parts
#
# review.sh [CHECK]...: run what kernel maintainers and their bots run, on the base
# and after each patch. A message counts if the tree before the patch does not give
# it. Writes a table and the details to out/review.txt; last line: N passed, N
# failed, N skipped. Results are kept, so that an interrupted run goes on; FRESH=1
# ignores them.
#
# review.sh --self-test [FAULT]...: can the checks fail? Each file in
# harness/review/faults is a patch on top of the series with a fault in it and
# names the checks that must see it: "Red: CHECK CHECK ...".
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
. "$parts/compile.sh"

# NAME|ON|READS|WHAT IT IS|CONFIGURATION
#   ON: "patch", the patch alone: each message counts; "each", the tree after each
#   patch; "tip", the tree after the last patch, compared with the base.
#   READS: the paths that the result depends on, or "commit".
#   CONFIGURATION: architecture, compiler and make target to build drivers/vfio;
#   all drivers or the core only; options. A patch may add the symbol of an option.
#   "=n" turns off what selects the symbol, too.
code="arch block crypto drivers include init kernel lib mm net scripts security"
checks="
checkpatch|patch|commit|scripts/checkpatch.pl --strict --codespell
maintainers|patch|commit|get_maintainer.pl finds the new entry for new files
kernel-doc|each|drivers include tools|scripts/kernel-doc of the touched files
includes|each|drivers include tools|make includecheck versioncheck of the touched files
coccicheck|each|drivers include tools|reports of scripts/coccinelle on the touched files
documents|each|.|documents name files that exist; get_abi.pl validate
sphinx|each|Documentation drivers/vfio include|sphinx-build of the touched documents
uapi|each|include/uapi|uAPI headers alone: C89 and C++, gcc and clang, pedantic
layout|each|include/uapi|uAPI structures are alike on 32 and 64 bit
gcc|each|$code|gcc with sparse, W=1, all as modules, with KUnit|x86_64 gcc allmodconfig all VFIO=m VFIO_PCI=m KUNIT=m VFIO_PCI_SRIOV_KUNIT_TEST=y
clang|each|$code|clang, W=1, all as modules|x86_64 clang allmodconfig all VFIO=m VFIO_PCI=m KUNIT=m VFIO_PCI_SRIOV_KUNIT_TEST=y
builtin|each|$code|all built in|x86_64 gcc allyesconfig all VFIO=y VFIO_PCI=y KUNIT=y VFIO_PCI_SRIOV_KUNIT_TEST=y
pci-iov-n|each|$code|PCI_IOV=n|x86_64 gcc allmodconfig core VFIO=m VFIO_PCI=m PCI_IOV=n
vfio-group-n|each|$code|VFIO_GROUP=n|x86_64 gcc allmodconfig core VFIO=m VFIO_PCI=m VFIO_GROUP=n VFIO_DEVICE_CDEV=y
vfio-cdev-n|each|$code|VFIO_DEVICE_CDEV=n|x86_64 gcc allmodconfig core VFIO=m VFIO_PCI=m VFIO_GROUP=y VFIO_DEVICE_CDEV=n
iommufd-n|each|$code|IOMMUFD=n|x86_64 gcc allmodconfig core VFIO=m VFIO_PCI=m IOMMUFD=n
kunit-n|each|$code|KUNIT=n|x86_64 gcc allmodconfig core VFIO=m VFIO_PCI=m KUNIT=n
i386|each|$code|i386|i386 gcc allmodconfig all VFIO_PCI=m PCI_IOV=y
arm64|each|$code|arm64|arm64 aarch64-linux-gnu-gcc allmodconfig all VFIO_PCI=m PCI_IOV=y
s390x|each|$code|s390x|s390 s390x-linux-gnu-gcc allmodconfig all VFIO_PCI=m PCI_IOV=y
selftests|each|include/uapi tools|selftests: gcc, clang, arm64, s390x
rand1|tip|$code|randconfig around VFIO|x86_64 gcc randconfig core PCI=y MODULES=y VFIO=m VFIO_PCI=m PCI_IOV=y
rand2|tip|$code|randconfig around VFIO|x86_64 gcc randconfig core PCI=y VFIO=y VFIO_PCI=y
rand3|tip|$code|randconfig around VFIO|x86_64 gcc randconfig core PCI=y MODULES=y VFIO=y VFIO_PCI=m PCI_IOV=y
rand4|tip|$code|randconfig around VFIO|x86_64 gcc randconfig core PCI=y VFIO=y VFIO_PCI=y PCI_IOV=y SMP=n"

# For any configuration: options that only make compiling slow, and warnings
# instead of errors. For those of the core: the drivers that no patch touches.
common_options='WERROR=n DEBUG_INFO_NONE=y KASAN=n KCSAN=n KMSAN=n UBSAN=n KCOV=n GCOV_KERNEL=n
	PROVE_LOCKING=n LOCK_STAT=n DEBUG_LOCK_ALLOC=n'
core_options='VFIO_PLATFORM=n VFIO_AMBA=n VFIO_FSL_MC=n VFIO_CDX=n VFIO_MDEV=n MLX5_VFIO_PCI=n
	HISI_ACC_VFIO_PCI=n PDS_VFIO_PCI=n VIRTIO_VFIO_PCI=n NVGRACE_GPU_VFIO_PCI=n QAT_VFIO_PCI=n'
selftests=tools/testing/selftests/vfio
scratch=$work/review.scratch
rows=$work/review.rows
details=$work/review.details
report=$top/out/review.txt

field_of()
{
	awk -F '|' -v check="$1" -v n="$2" '$1 == check { print $n }' <<<"$checks"
}

# The touched files of what is checked out, by name
touched()
{
	in_git diff --no-renames --name-only base "$to" | grep -E "$1" | while read -r file; do
		[ ! -e "$src/$file" ] || echo "$file"
	done
}

in_tree() { env -C "$src" "$@"; }

# ---- the checks: say_CHECK COMMIT, which is checked out, prints a line a message

say_checkpatch()
{
	in_git format-patch -1 --stdout "$1" >"$scratch/patch"
	style_of "$scratch/patch" --codespell | sed 's/^[^:]*:/line /'
}

# The entry is in MAINTAINERS after the last patch.
say_maintainers()
{
	local file files sections

	checkout_src "$to"
	in_git diff base "$to" -- MAINTAINERS | sed -nE 's/^\+([^+:]+)$/\1/p' >"$scratch/entries"
	# Newer kernels have one for these.
	echo "VFIO SELFTESTS" >>"$scratch/entries"
	read_lines files added_files "$gitdir" "$1^" "$1"
	for file in "${files[@]}"; do
		sections=$(in_tree scripts/get_maintainer.pl --nogit --nogit-fallback --sections -f "$file")
		grep -qxFf "$scratch/entries" <<<"$sections" || echo "$file: in no new entry of MAINTAINERS"
	done
}

# It exits with the number of errors.
say_kernel_doc()
{
	touched '[.][ch]$' | { env -C "$src" xargs scripts/kernel-doc -none -Wall 2>&1 || true; }
}

say_includes()
{
	touched '[.][hcS]$' | in_tree xargs perl scripts/checkincludes.pl | sed '/^No duplicate/d'
	touched '[.][hcS]$' | in_tree xargs perl scripts/checkversion.pl
}

# As scripts/coccicheck runs each rule, but for some files only, and without
# remarks about the rule itself. What a rule says is written at once.
say_coccicheck()
{
	local files

	read_lines files touched '[.]c$'
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_tree find scripts/coccinelle -name '*.cocci' | in_tree xargs -P "$jobs" -I RULE sh -c '
		said=$(spatch -D report --very-quiet --no-show-diff --cocci-file RULE \
			$(sed -n "s/.*Options://p" RULE) -I include "$@" 2>&1) ||
			said="$said
RULE: error: cannot be applied"
		printf "%s\n" "$said"' - "${files[@]}" | sed -nE '/^warning: /d; /^[^ ]+:/p'
}

# Newer kernels have the scripts in another place.
say_documents()
{
	local dir=scripts abi=get_abi.pl

	[ ! -e "$src/tools/docs/get_abi.py" ] || dir=tools/docs abi=get_abi.py
	env -C "$src" "$dir/documentation-file-ref-check" 2>&1 || true
	in_tree "$dir/$abi" --dir Documentation/ABI validate 2>&1
}

# A book of the touched documents only; make htmldocs takes 15 minutes. Messages
# about missing documents are the same before the patch. Newer kernels look for
# MAINTAINERS beside a folder of this name.
say_sphinx()
{
	local book=$scratch/book/Documentation files

	read_lines files touched '^Documentation/.*[.]rst$'
	rm -rf "${book%/*}"
	mkdir -p "$book"
	cp "$src/MAINTAINERS" "${book%/*}"
	(cd "$src/Documentation" && cp --parents "${files[@]#Documentation/}" "$book")
	printf '%s\n' Touched ======= '' '.. toctree::' '' "${files[@]/#Documentation\//   }" >"$book/index.rst"
	srctree=$src sphinx-build -q -b html -c "$src/Documentation" -D kerneldoc_srctree="$src" \
		-D kerneldoc_bin="$src/scripts/kernel-doc" "$book" "${book%/*}/out" 2>&1 >/dev/null |
		sed "s|${book%/*}/||; s|$src/||"
}

# make_headers ARCH: sets headers and names, such as linux/vfio.h
make_headers()
{
	headers=$src/build-review-headers-$1/usr/include
	mkdir -p "$src/build-review-headers-$1"
	kmake "$src/build-review-headers-$1" ARCH="$1" headers >&2
	read_lines names touched '^include/uapi/.*[.]h$'
	names=("${names[@]#include/uapi/}")
}

# Included twice, with nothing before it
say_uapi()
{
	local name compiler

	make_headers x86
	for name in "${names[@]}"; do
		for compiler in 'gcc -x c -std=c90' 'gcc -m32 -x c -std=c90' 'clang -x c -std=c90' \
			'g++ -x c++ -std=c++98' 'g++ -x c++ -std=c++20' 'clang++ -x c++ -std=c++17'; do
			# shellcheck disable=SC2086 # a compiler with its options
			{ $compiler -Wall -Wextra -pedantic -fsyntax-only -fno-diagnostics-color -I "$headers" \
				-include "$name" -include "$name" /dev/null 2>&1 || true; } |
				sed -nE "s,^$headers/,,; /(warning|error):/s,^,$compiler: ,p"
		done
	done
}

# layout_of HEADER COMPILER...: its structures as the compiler lays them out, a line each
layout_of()
{
	"${@:2}" -g -fno-eliminate-unused-debug-types -I "$headers" -include "$1" -x c -c /dev/null -o "$scratch/object"
	pahole --suppress_packed --hex "$scratch/object" | sed 's|/\* --- cacheline .*||' |
		awk -v RS='\n};\n|\n}[^\n]*;\n' '{ gsub(/[ \t\n]+/, " "); print }' | sort
}

# Only the names of structures that differ from x86_64's
say_layout()
{
	local name compiler

	make_headers x86
	for name in "${names[@]}"; do
		layout_of "$name" gcc >"$scratch/layout"
		grep -q 'struct vfio_' "$scratch/layout" || die "pahole finds no structure in $name"
		for compiler in 'gcc -m32' aarch64-linux-gnu-gcc s390x-linux-gnu-gcc; do
			# shellcheck disable=SC2086 # a compiler with its options
			layout_of "$name" $compiler >"$scratch/layout.other"
			comm -13 "$scratch/layout" "$scratch/layout.other" |
				sed -nE "s,^ ?(struct|union) ([^ ]+) .*,$name: \1 \2 has a different layout with $compiler,p"
		done
	done
}

# What a build leaves in the source that is not in .gitignore, and what "make
# clean" does not remove, counts, too. The library of newer kernels does not compile
# until patch 4, as it names the older code.
say_selftests()
{
	local arch arguments dir=$scratch/selftests

	[ -d "$src/$selftests" ] || return 0
	while read -r arch arguments; do
		make_headers "$arch"
		rm -rf "$dir"
		mkdir -p "$dir"
		# Debian has no libuuid to cross-compile with; a linker script takes its place.
		[[ $arguments != CC=* ]] || echo "uuid_parse = 0;" >"$dir/libuuid.a"
		# shellcheck disable=SC2086 # words
		{ make -k -C "$src/$selftests" OUTPUT="$dir" -j"$jobs" ARCH="$arch" KHDR_INCLUDES="-isystem $headers" \
			USERLDFLAGS="-static -L$dir" $arguments 2>&1 || echo "make: Error"; } |
			tee >(cat >&2) | sed -nE "/([Ww]arning|error):|Error/s,^,$arch $arguments: ,p"
		[ -x "$dir/vfio_pci_vf_token_test" ] || echo "$arch $arguments: vfio_pci_vf_token_test was not built"
	done <<-END
		arm64 CC=aarch64-linux-gnu-gcc
		s390 CC=s390x-linux-gnu-gcc
		x86 LLVM=1
		x86
	END
	make -C "$src/$selftests" -j"$jobs" KHDR_INCLUDES="-isystem $headers" >&2 || echo "make: Error"
	git -C "$src/$selftests" ls-files --others --exclude-from=.gitignore | sed 's/$/: not in .gitignore/'
	make -C "$src/$selftests" KHDR_INCLUDES="-isystem $headers" clean >&2
	git -C "$src/$selftests" ls-files --others | sed 's/$/: left by make clean/'
	in_src clean -qfdx -- "$selftests"
}

# ---- builds

# configure COMMIT: what is random depends on all symbols, so it is made from the
# last tree for the base, too. An option that exists must be as the table says.
configure()
{
	local option

	mkdir -p "$build"
	for option in $common_options "${options[@]}"; do
		[[ $option != *=n ]] || symbol_and_selectors "${option%=n}" | sed 's/.*/CONFIG_&=n/'
	done >"$build/lines"
	# The last line counts: VFIO selects VFIO_GROUP in some cases only.
	# shellcheck disable=SC2086 # words
	printf 'CONFIG_%s\n' $common_options "${options[@]}" >>"$build/lines"
	[ "$target" != randconfig ] || checkout_src "$to"
	kmake "$build" "${arguments[@]}" KCONFIG_ALLCONFIG="$build/lines" "$target"
	checkout_src "$1"
	kmake "$build" "${arguments[@]}" olddefconfig
	for option in "${options[@]}"; do
		if [[ $option = *=n ]]; then
			! grep -q "^CONFIG_${option%=n}=" "$build/.config" || die "the configuration did not take $option"
		elif ! grep -qxF "CONFIG_$option" "$build/.config"; then
			! grep -rqE --include='Kconfig*' "^(menu)?config ${option%=*}\$" "$src"/{arch,drivers,init,kernel,lib,virt} ||
				die "the configuration did not take $option"
		fi
	done
}

# Names made by macros: what defines or exports them is not visible here.
made_by_macros='^(__(pfx|k?cfi|tracepoint|traceiter|probestub|SCK|SCT|ksym|mod|x86)_|bpf_trace_run[0-9]'
made_by_macros+='|(init|cleanup)_module$|__this_module$|_dev_[a-z]*$|param_ops_|atomic64_.*_cx8$)'

# Global symbols that no other object uses, and those that a module needs and no
# code of this architecture exports
check_symbols()
{
	local list tree dir=$arch

	[[ $arch != @(i386|x86_64) ]] || dir=x86
	for tree in ':!arch' "arch/$dir"; do
		in_src grep -hoE 'EXPORT_[A-Z_]*SYMBOL[A-Z_]*\([a-zA-Z0-9_]+' -- "$tree"
	done | sed 's/.*(//' | sort -u >"$scratch/exported"
	find "$build/drivers/vfio" -name '*.o' ! -name '*.mod.o' -print0 >"$scratch/objects"
	xargs -0 nm -A <"$scratch/objects" | awk 'NF > 1 { print $(NF - 1), $NF }' | sort -u >"$scratch/symbols"
	sed -n 's/^U //p' "$scratch/symbols" | sort -u - "$scratch/exported" >"$scratch/used"
	sed -n 's/^[A-TV-Z] //p' "$scratch/symbols" | sort -u | comm -23 - "$scratch/used" |
		sed -E "/$made_by_macros/d; s/^/symbol used nowhere else and not exported: /"
	list=$build/drivers/vfio/modules.order
	[ -s "$list" ] || return 0
	env -C "$build" xargs nm -u <"$list" | sed -n 's/^ *U //p' | sort -u | comm -23 - "$scratch/exported" |
		sed -E "/$made_by_macros/d; s/^/symbol used by a module and not exported: /"
}

# say_build COMMIT CHECK: all is compiled; ccache has the warnings of what it has
# compiled before.
say_build()
{
	local check=$2 arch compiler target part rest options arguments build=$src/build-review-$2 log=$scratch/$2.log

	read -r arch compiler target part rest <<<"$(field_of "$check" 5)"
	[ "$part" != core ] || rest+=" $core_options"
	# shellcheck disable=SC2206 # words
	options=($rest)
	arguments=(-k W=1 ARCH="$arch" KCONFIG_SEED="${check#rand}")
	[ "$compiler" != clang ] || arguments+=(LLVM=1)
	[ "$compiler" = "${compiler%-gcc}" ] || arguments+=(CROSS_COMPILE="${compiler%gcc}")
	arguments+=(CC="ccache $compiler")
	[ "$check" != gcc ] || arguments+=(C=2 CHECK="sparse -fdiagnostic-prefix=sparse")
	configure "$1" >&2
	rm -rf "$build/drivers/vfio"
	# shellcheck disable=SC2310 # a question
	if ! kmake "$build" "${arguments[@]}" drivers/vfio/ 2>&1 | tee "$log" >&2; then
		[ "$1" != "$from" ] || die "the base does not compile"
		echo "drivers/vfio does not compile"
	fi
	sed -nE 's|^\.\./||; /(^|[^-])[Ww]arning:|(^|[ :])error:| sparse: /p' "$log"
	check_symbols
}

# ---- messages, and what a patch adds to them

# messages CHECK COMMIT: in the file $said
messages()
{
	local check=$1 reads say=say_${1//-/_} helpers=(touched make_headers layout_of) packages

	reads=$(field_of "$check" 3)
	read_lines packages without_comments "$top"/harness/packages/{base,review}
	[ "$(type -t "$say")" = function ] || say=say_build helpers=(configure check_symbols)
	said=$(
		# shellcheck disable=SC2086 # paths
		if [ "$reads" = commit ]; then in_git rev-parse "$2"; else in_git ls-tree "$2" -- ${reads#.}; fi
		in_git rev-parse base
		in_git diff --no-renames --name-only base "$to"
		grep "^$check|" <<<"$checks"
		declare -f "$say" "${helpers[@]}"
		[ "$say" != say_build ] || declare -p common_options core_options made_by_macros
		cat "$parts/compile.sh" "$top/harness/review/ignored"
		dpkg-query -W "${packages[@]}")
	said=$work/review/$check.$(hash_of <<<"$said")
	[ -n "${FRESH:-}" ] || [ ! -f "$said" ] || return 0
	mkdir -p "$work/review"
	checkout_src "$2"
	"$say" "$2" "$check" >"$said.new"
	sort -u "$said.new" | without_ignored "$check" >"$said.sorted"
	rm "$said.new"
	mv "$said.sorted" "$said"
}

# The lines of AFTER that are not in BEFORE; line numbers may differ.
added_lines()
{
	awk 'function plain(s) { gsub(/:[0-9]+(:[0-9]+)?[: ]/, ":", s); return s }
		FILENAME == ARGV[1] { seen[plain($0)] = 1; next }
		!(plain($0) in seen)' "$1" "$2"
}

# One row of the table. The phase fails if a patch adds a message.
review_check()
{
	local check=$1 on commit commits before=/dev/null said n=0 new row cell

	on=$(field_of "$check" 2)
	row=$(printf '%-14s' "$check")
	if [ "$on" = patch ]; then
		row+=$(printf '%-6s' .)
	else
		messages "$check" "$from"
		before=$said
		row+=$(printf '%-6s' "$(wc -l <"$said")")
	fi
	read_lines commits in_git rev-list --reverse "$from..$to"
	for commit in "${commits[@]}"; do
		n=$((n + 1))
		cell=.
		if [ "$on" != tip ] || [ "$n" = "${#commits[@]}" ]; then
			say "$check: patch $n"
			messages "$check" "$commit"
			[ "$on" != patch ] || before=/dev/null
			new=$(added_lines "$before" "$said")
			cell=ok
			[ "$before" != "$said" ] || cell="="
			[ -z "$new" ] || { cell=FAIL; say "$check, patch $n:" "$new" "" | tee -a "$details"; }
			before=$said
		fi
		row+=$(printf '%-6s' "$cell")
	done
	say "$row" >>"$rows"
	[[ $row != *FAIL* ]]
}

# A check that dies has not looked.
review_checks()
{
	local check

	rm -rf "$scratch"
	mkdir -p "$scratch"
	: >"$details"
	# shellcheck disable=SC2046 # numbers
	printf '%-14s' "" >"$rows"
	# shellcheck disable=SC2046 # numbers
	printf '%-6s' base $(seq "$(in_git rev-list --count "$from..$to")") >>"$rows"
	echo >>"$rows"
	for check; do
		try_phase "review.$check" "$check: $(field_of "$check" 4)" review_check "$check"
		grep -q "^$check " "$rows" || say "$check  DIED, see $logs/review.$check.log" >>"$rows"
	done
}

# chosen_checks [CHECK]...: all if none is named
chosen_checks()
{
	local check

	[ $# != 0 ] || cut -d '|' -f 1 <<<"${checks#$'\n'}"
	for check; do
		grep -q "^$check|" <<<"$checks" || die "$check: no such check"
		echo "$check"
	done
}

totals()
{
	say "$(grep -ow ok "$rows" | wc -l) passed, $(grep -owE 'FAIL|DIED' "$rows" | wc -l) failed, 0 skipped"
}

review()
{
	local chosen

	read_lines chosen chosen_checks "$@"
	from=base to=$applied
	review_checks "${chosen[@]}"
	mkdir -p "$top/out"
	{
		say "The series of patches/$base, on $PACKAGE $(source_version)" ""
		cat "$rows"
		say "" "base   number of messages before the first patch (not counted)" \
			"ok     the patch adds none        FAIL   the patch adds messages, see below" \
			"=      nothing that the check reads differs from the patch before (not counted)" ""
		awk -F '|' 'NF { printf "  %-14s %s\n", $1, $4 }' <<<"$checks"
		say "" "Not counted, with the reason:"
		ignored | awk -F '\t' '{ printf "  %s %s: %s\n", $1, $2, $3 }'
		say ""
		cat "$details"
		totals
	} >"$report"
	say ""
	cat "$rows" "$details"
	say "the report: ${report#"$top"/}"
	totals
	! grep -qwE 'FAIL|DIED' "$rows"
}

commit_fault()
{
	checkout_src "$applied"
	in_src apply -C1 --index "$1"
	in_git update-ref refs/vfio-sriov/fault "$(in_git commit-tree -p "$applied" \
		-m "vfio: a fault" -m "$(sed -n '/^Red:/q; /^SPDX/d; p' "$1")" \
		-m "Signed-off-by: vfio-sriov <vfio-sriov@localhost>" "$(in_src write-tree)")"
}

self_test()
{
	local name names red check bad passed=0 failed=0 faults=$top/harness/review/faults

	from=$applied to=refs/vfio-sriov/fault
	[ $# != 0 ] || read_lines names find "$faults" -name '*.diff' -printf '%f\n'
	[ $# = 0 ] || names=("$@")
	for name in "${names[@]%.diff}"; do
		[ -f "$faults/$name.diff" ] || die "$name: no such file in harness/review/faults"
		say "" "$name"
		phase "review.fault" "a commit with the fault" commit_fault "$faults/$name.diff"
		# shellcheck disable=SC2046 # names
		read_lines red chosen_checks $(sed -n 's/^Red: //p' "$faults/$name.diff")
		review_checks "${red[@]}" 2>/dev/null
		bad=
		for check in "${red[@]}"; do
			grep -q "^$check .*FAIL" "$rows" || { bad=1; say "error: $check does not report the fault $name"; }
		done
		if [ -n "$bad" ]; then failed=$((failed + 1)); else passed=$((passed + 1)); fi
	done
	say "$passed passed, $failed failed, 0 skipped"
	[ "$failed" = 0 ]
}

# To compile in Debian 13, it needs more there.
if [ -n "${BUILD_ROOT:-}" ]; then
	trixie+=-review
	trixie_packages+=(gcc-aarch64-linux-gnu gcc-s390x-linux-gnu lld llvm)
fi
lock
ensure_packages base review
need applied
if [ "${1:-}" = --self-test ]; then
	self_test "${@:2}"
else
	review "$@"
fi
