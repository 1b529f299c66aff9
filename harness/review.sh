#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of the other parts
#
# review.sh [CHECK]...: run what kernel maintainers and their bots run, as the table
# harness/review/checks has it, on the base and after each patch. A message counts if
# the tree before the patch does not give it. Writes a table and the details to
# out/review.txt; last line: N passed, N failed, N skipped. Results are kept, so that
# an interrupted run goes on; FRESH=1 ignores them. SERIES=fixes-7.3: the patches of
# that folder, for the unpatched source of BASE.
#
# review.sh --self-test [FAULT]...: can the checks fail? Each file in
# harness/review/faults is a patch on top of the series with a fault in it and
# names the checks that must see it: "Red: CHECK CHECK ...".
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

table=$top/harness/review/checks
code=(arch block crypto drivers include init kernel lib mm net scripts security)
scratch=$work/review.scratch
rows=$work/review.rows
details=$work/review.details
sparse=sparse

# touched PATTERN: the files of what is checked out that a patch touches
touched() {
	in_git diff --no-renames --name-only "$parent" "$to" | env -C "$src" xargs git ls-files -- |
		{ grep -E "$1" || [ $? = 1 ]; }
}

# ---- the checks: say_CHECK COMMIT, which is checked out, prints a line a message

say_checkpatch() {
	in_git format-patch -1 --stdout "$1" | style_of --codespell - | sed 's/^[^:]*:/line /'
}

# The entry is in MAINTAINERS after the last patch; newer kernels have one for selftests.
say_maintainers() {
	local file entries sections

	checkout_src "$to"
	entries=$(in_git diff "$parent" "$to" -- MAINTAINERS | sed -nE 's/^\+([^+:]+)$/\1/p')
	added_files "$gitdir" "$1^" "$1" | while read -r file; do
		sections=$(env -C "$src" scripts/get_maintainer.pl --nogit --nogit-fallback --sections -f "$file")
		grep -qxF -e "VFIO SELFTESTS" ${entries:+-e "$entries"} <<<"$sections" ||
			echo "$file: in no new entry of MAINTAINERS"
	done
}

# It exits with the number of errors.
say_kernel_doc() {
	touched '[.][ch]$' | { env -C "$src" xargs scripts/kernel-doc -none -Wall 2>&1 || true; }
}

say_includes() {
	touched '[.][hcS]$' | env -C "$src" xargs perl scripts/checkincludes.pl | sed '/^No duplicate/d'
	touched '[.][hcS]$' | env -C "$src" xargs perl scripts/checkversion.pl
}

# As scripts/coccicheck runs each rule, but for some files only, and without
# remarks about the rule itself. What a rule says is written at once.
say_coccicheck() {
	local files

	read_lines files touched '[.]c$'
	# shellcheck disable=SC2016 # expanded by the inner shell
	env -C "$src" find scripts/coccinelle -name '*.cocci' | env -C "$src" xargs -P "$jobs" -I RULE sh -c '
		said=$(spatch -D report --very-quiet --no-show-diff --cocci-file RULE \
			$(sed -n "s/.*Options://p" RULE) -I include "$@" 2>&1) ||
			said="$said
RULE: error: cannot be applied"
		printf "%s\n" "$said"' - "${files[@]}" | sed -nE '/^warning: /d; /^[^ ]+:/p'
}

# Newer kernels have the scripts in another place.
say_documents() {
	local dir=scripts abi=get_abi.pl

	[ ! -e "$src/tools/docs/get_abi.py" ] || dir=tools/docs abi=get_abi.py
	env -C "$src" "$dir/documentation-file-ref-check" 2>&1 || true
	env -C "$src" "$dir/$abi" --dir Documentation/ABI validate 2>&1
}

# A book of the touched documents only; make htmldocs takes 15 minutes. Messages
# about missing documents are the same before the patch. Newer kernels look for
# MAINTAINERS beside a folder of this name.
say_sphinx() {
	local book=$scratch/book files

	read_lines files touched '^Documentation/.*[.]rst$'
	rm -rf "$book"
	mkdir -p "$book/Documentation"
	env -C "$src" cp --parents MAINTAINERS "${files[@]}" "$book"
	printf '%s\n' Touched ======= '' '.. toctree::' '' "${files[@]/#Documentation\//   }" \
		>"$book/Documentation/index.rst"
	srctree=$src sphinx-build -q -b html -c "$src/Documentation" -D kerneldoc_srctree="$src" \
		-D kerneldoc_bin="$src/scripts/kernel-doc" "$book/Documentation" "$book/out" 2>&1 >/dev/null |
		sed "s|$book/||; s|$src/||"
}

# make_headers ARCH: sets headers and names, such as linux/vfio.h
make_headers() {
	headers=$src/build-review-headers-$1/usr/include
	kmake "${headers%/usr/*}" ARCH="$1" headers >&2
	read_lines names touched '^include/uapi/.*[.]h$'
	names=("${names[@]#include/uapi/}")
}

# Included twice, with nothing before it
say_uapi() {
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

# Structures as each compiler lays them out, a line each; only the names of those
# that differ from x86_64's
say_layout() {
	local name compiler layout=$scratch/layout

	make_headers x86
	for name in "${names[@]}"; do
		for compiler in gcc 'gcc -m32' aarch64-linux-gnu-gcc s390x-linux-gnu-gcc; do
			# shellcheck disable=SC2086 # a compiler with its options
			$compiler -g -fno-eliminate-unused-debug-types -I "$headers" -include "$name" -x c -c /dev/null \
				-o "$scratch/object"
			pahole --suppress_packed --hex "$scratch/object" | sed 's|/\* --- cacheline .*||' |
				awk -v RS='\n};\n|\n}[^\n]*;\n' '{ gsub(/[ \t\n]+/, " "); print }' | sort >"$layout.$compiler"
			grep -q 'struct vfio_' "$layout.$compiler" || die "pahole finds no structure in $name"
			comm -13 "$layout.gcc" "$layout.$compiler" |
				sed -nE "s,^ ?(struct|union) ([^ ]+) .*,$name: \1 \2 has a different layout with $compiler,p"
		done
	done
}

# What a build leaves in the source that is not in .gitignore, and what "make
# clean" does not remove, counts, too. The library of newer kernels does not compile
# until patch 4, as it names the older code.
say_selftests() {
	local arguments make dir=$src/tools/testing/selftests/vfio

	[ -d "$dir" ] || return 0
	for arguments in 'arm64 CC=aarch64-linux-gnu-gcc' 's390 CC=s390x-linux-gnu-gcc' 'x86 LLVM=1' x86; do
		make_headers "${arguments%% *}"
		git -C "$dir" clean -qfdx
		# Debian has no libuuid to cross-compile with; a linker script takes its place.
		[[ $arguments != *CC=* ]] || echo "uuid_parse = 0;" >"$headers/libuuid.a"
		# shellcheck disable=SC2206 # words
		make=(make -k -C "$dir" -j"$jobs" KHDR_INCLUDES="-isystem $headers"
			USERLDFLAGS="-static -L$headers" ARCH=$arguments)
		{ "${make[@]}" 2>&1 || echo "make: Error"; } |
			tee >(cat >&2) | sed -nE "/([Ww]arning|error):|Error/s,^,$arguments: ,p"
		[ -x "$dir/vfio_pci_vf_token_test" ] || echo "$arguments: vfio_pci_vf_token_test was not built"
		git -C "$dir" ls-files --others --exclude-from="$dir/.gitignore" | sed 's/$/: not in .gitignore/'
		"${make[@]}" clean >&2
		git -C "$dir" ls-files --others | sed 's/$/: left by make clean/'
	done
}

# ---- builds

# configure COMMIT: what is random depends on all symbols, so it is made from the
# last tree for the base, too. An option that exists must be as the table says.
configure() {
	local option

	{ without_comments "${table%/*}/config"; echo "$options"; } | xargs printf 'CONFIG_%s\n' >"$scratch/config"
	[ "$target" != randconfig ] || checkout_src "$to"
	kmake "$build" "${arguments[@]}" KCONFIG_ALLCONFIG="$scratch/config" "$target"
	checkout_src "$1"
	kmake "$build" "${arguments[@]}" olddefconfig
	for option in $options; do
		case $option in
		*=n) ! grep -q "^CONFIG_${option%=n}=" "$build/.config" ;;
		*) grep -qxF "CONFIG_$option" "$build/.config" || ! grep -rqE --include='Kconfig*' \
			"^(menu)?config ${option%=*}\$" "$src"/{arch,drivers,init,kernel,lib,virt} ;;
		esac || die "the configuration did not take $option"
	done
}

# Names made by macros: what defines or exports them is not visible here.
made_by_macros='^(__(pfx|k?cfi|tracepoint|traceiter|probestub|SCK|SCT|ksym|mod|x86)_|bpf_trace_run[0-9]'
made_by_macros+='|(init|cleanup)_module$|__this_module$|_dev_[a-z]*$|param_ops_|atomic64_.*_cx8$)'

# Global symbols that no other object uses, and those that a module needs and no
# code of this architecture exports
check_symbols() {
	local list=$build/drivers/vfio/modules.order arch=$arch

	[ -d "$src/arch/$arch" ] || arch=x86
	in_src grep -hoE 'EXPORT_[A-Z_]*SYMBOL[A-Z_]*\([a-zA-Z0-9_]+' -- "${code[@]/#arch/arch/$arch}" \
		fs io_uring ipc rust sound virt | sed 's/.*(//' | sort -u >"$scratch/exported"
	find "$build/drivers/vfio" -name '*.o' ! -name '*.mod.o' -exec nm -A {} + |
		awk 'NF > 1 { print $(NF - 1), $NF }' | sort -u >"$scratch/symbols"
	sed -n 's/^U //p' "$scratch/symbols" | sort -u - "$scratch/exported" >"$scratch/used"
	sed -n 's/^[A-TV-Z] //p' "$scratch/symbols" | sort -u | comm -23 - "$scratch/used" |
		sed -E "/$made_by_macros/d; s/^/symbol used nowhere else and not exported: /"
	[ ! -s "$list" ] || env -C "$build" xargs nm -u <"$list" | sed -n 's/^ *U //p' | sort -u |
		comm -23 - "$scratch/exported" | sed -E "/$made_by_macros/d; s/^/symbol used by a module and not exported: /"
}

# P8, with PCI_IOV=n: the size is that of the base as long as no patch makes it grow.
check_text() {
	local object=drivers/vfio/pci/vfio-pci-core.o text most

	[ ! -e "$build/drivers/vfio/pci/vfio_pci_sriov.o" ] || echo "vfio_pci_sriov.o was built"
	text=$(size "$build/$object" | awk 'NR == 2 { print $1 }')
	most=$(sed -nE 's/.*: at most ([0-9]+) bytes of text/\1/p' "$1")
	echo "$object: at most $((text > ${most:-0} ? text : most)) bytes of text"
}

# say_build COMMIT BEFORE: all is compiled; ccache has the warnings of what it has
# compiled before. Of other code, patches touch the PCI core only.
say_build() {
	local arch compiler argument target part options arguments objects build=$src/build-review-$check

	read -r arch compiler argument target part options <<<"$configuration"
	[ "$part" != core ] || options+=" $(without_comments "${table%/*}/config.core" | xargs)"
	arguments=(-k W=1 "$argument" ARCH="$arch" CC="ccache $compiler" KCONFIG_SEED="${check#rand}"
		CHECK="$sparse -fdiagnostic-prefix=sparse")
	configure "$1" >&2
	read_lines objects touched '^drivers/pci/.*[.]c$'
	[ "$part" = all ] || objects=()
	objects=(drivers/vfio/ "${objects[@]/%.c/.o}")
	rm -rf "${objects[@]/#/$build/}"
	# shellcheck disable=SC2310 # a question
	if ! kmake "$build" "${arguments[@]}" "${objects[@]}" 2>&1 | tee >(cat >&2) |
		sed -nE 's|^\.\./||; /(^|[^-])[Ww]arning:|(^|[ :])error:| sparse: /p'; then
		[ "$1" != "$from" ] || die "the base does not compile"
		echo "drivers/vfio does not compile"
	fi
	check_symbols
	[[ $options != *PCI_IOV=n* ]] || check_text "$2"
}

# ---- messages, and what a patch adds to them

# messages COMMIT BEFORE: in the file $said, named for all that they depend on
messages() {
	local say=say_${check//-/_} paths

	[ "$(type -t "$say")" = function ] || say=say_build
	read -ra paths <<<"${reads/#code/${code[*]}}"
	said=$(
		if [ "$reads" = commit ]; then in_git rev-parse "$1"; else in_git ls-tree "$1" -- "${paths[@]}"; fi
		in_git rev-parse "$parent" "$to:MAINTAINERS"
		in_git diff --no-renames --name-only "$parent" "$to"
		grep 'bytes of text$' "$2" || true
		cat "$top/harness/review.sh" "$parts/series.sh" "${table%/*}"/{checks,config*,ignored}
		package_versions base review)
	said=$work/review/$check.$(hash_of <<<"$said")
	[ -n "${FRESH:-}" ] || [ ! -f "$said" ] || return 0
	checkout_src "$1"
	"$say" "$1" "$2" | sort -u | without_ignored "$check" >"$said.new"
	mv "$said.new" "$said"
}

# One row of the table, of which review_checks has read the fields. The phase fails if
# a patch adds a message.
review_check() {
	local commits n before=/dev/null said new row cell

	row=$(printf '%-14s' "$check")
	read_lines commits in_git rev-list --reverse "$from..$to"
	commits=("$from" "${commits[@]}")
	for n in "${!commits[@]}"; do
		cell=.
		if [[ $on-$n = @(each-*|patch-[1-9]*|tip-0|tip-$((${#commits[@]} - 1))) ]]; then
			say "$check: patch $n"
			messages "${commits[n]}" "$before"
			# Line numbers may differ.
			new=$(awk 'function plain(s) { gsub(/:[0-9]+(:[0-9]+)?[: ]/, ":", s); return s }
				FILENAME == ARGV[1] { seen[plain($0)] = 1; next }
				!(plain($0) in seen)' "$before" "$said")
			cell=ok
			[ "$before" != "$said" ] || cell="="
			[ -z "$new" ] || cell=FAIL
			[ "$n" != 0 ] || cell=$(wc -l <"$said")
			[ "$cell" != FAIL ] || say "$check, patch $n:" "$new" "" | tee -a "$details"
			[ "$on" = patch ] || before=$said
		fi
		row+=$(printf '%-6s' "$cell")
	done
	say "$row" >>"$rows"
	[[ $row != *FAIL* ]]
}

# review_checks [CHECK]...: all if none is named. One that dies has not looked.
review_checks() {
	local check on reads title configuration selected=""

	rm -rf "$scratch"
	mkdir -p "$scratch" "$work/review"
	: >"$details"
	[ $# != 0 ] || selected=$(without_comments "$table")
	for check; do
		selected+=$(grep "^$check|" "$table")$'\n' || die "$check: no such check"
	done
	{ printf '%-14s%-6s' "" base; seq -s "" -f %-6g "$(in_git rev-list --count "$from..$to")"; } >"$rows"
	while IFS='|' read -r check on reads title configuration; do
		try_phase "review.$check" "$check: $title" review_check
		grep -q "^$check " "$rows" || say "$check  DIED, see $logs/review.$check.log" >>"$rows"
	done <<<"${selected%$'\n'}"
}

commit_fault() {
	checkout_src "$applied"
	in_src apply -C1 --index "$1"
	in_src -c core.hooksPath=/dev/null commit -qs -m "vfio: a fault" -m "$(sed -n '/^Red:/q; /^SPDX/d; p' "$1")"
	in_git update-ref "$to" "$(in_src rev-parse HEAD)"
}

# self_test [FAULT]...: all if none is named
self_test() {
	local dir=${table%/*}/faults fault faults=("${@%.diff}") red blind failed=0

	[ $# != 0 ] || read_lines faults basename -s .diff "$dir"/*
	from=$applied to=refs/vfio-sriov/fault
	for fault in "${faults[@]}"; do
		say "" "$fault"
		phase "review.fault" "a commit with the fault" commit_fault "$dir/$fault.diff"
		read -ra red <<<"$(sed -n 's/^Red: //p' "$dir/$fault.diff")"
		review_checks "${red[@]}" 2>/dev/null
		blind=$(awk 'NR > 1 && !/ FAIL/ { print $1 }' "$rows")
		[ -z "$blind" ] ||
			{ say "error: the fault $fault is not reported by" "$blind"; failed=$((failed + 1)); }
	done
	say "$((${#faults[@]} - failed)) passed, $failed failed, 0 skipped"
	[ "$failed" = 0 ]
}

# Debian 13's sparse gives up in the headers of 7.3.
fetch_sparse() {
	with_cache use_suites sparse sid
	with_cache fetch_deb sparse | files_of - | xargs -I {} dpkg-deb -x {} "$work/sparse"
}

[ -z "${SERIES:-}" ] || parent=stock patches=$top/patches/$SERIES applied=refs/vfio-sriov/$SERIES
from=$parent to=$applied
# To compile in Debian 13, it needs more there.
if [ -n "${BUILD_ROOT:-}" ]; then
	trixie+=-review sparse=$work/sparse/usr/bin/sparse
	trixie_packages+=(gcc-aarch64-linux-gnu gcc-s390x-linux-gnu lld llvm)
fi
lock
ensure_packages base review
need applied
[ -z "${BUILD_ROOT:-}" ] || phase sparse "fetching sparse" fetch_sparse
if [ "${1:-}" = --self-test ]; then
	self_test "${@:2}"
	exit
fi
review_checks "$@"
{
	say "The patches of ${patches#"$top/"}, on $PACKAGE $(source_version)" ""
	cat "$rows"
	say "" "base   number of messages before the first patch (not counted)" \
		"ok     the patch adds none        FAIL   the patch adds messages, see below" \
		"=      nothing that the check reads differs from the patch before (not counted)" \
		"harness/review/ignored has messages that are not counted, with the reason." ""
	without_comments "$table" | awk -F '|' '{ printf "  %-14s %s\n", $1, $4 }'
	say ""
	cat "$details"
	say "$(grep -ow ok "$rows" | wc -l) passed, $(grep -owE 'FAIL|DIED' "$rows" | wc -l) failed, 0 skipped"
} | tee "$top/out/review${SERIES:+.$SERIES}.txt"
! grep -qwE 'FAIL|DIED' "$rows"
