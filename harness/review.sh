#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of the other parts
#
# review.sh [CHECK]...: what kernel maintainers and their bots look at, on the
# base and on each patch, so that only what a patch adds counts. Writes a table
# and the details to out/review.txt; last line: N passed, N failed, N skipped.
#
# review.sh --self-test [FAULT]...: can the checks fail? Each file in
# harness/review/faults is a patch on top of the series with a fault in it and
# names the checks that must see it: "Red: CHECK CHECK ...".
#
# What was found is kept for as long as all that a check reads is the same, so
# an interrupted run goes on, and after a change only what it touches is done.
set -euo pipefail

# shellcheck source=harness/lib/all.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
# shellcheck source=harness/lib/compile.sh
. "$parts/compile.sh"
# shellcheck source=harness/lib/review/text.sh
. "$parts/review/text.sh"
# shellcheck source=harness/lib/review/docs.sh
. "$parts/review/docs.sh"
# shellcheck source=harness/lib/review/builds.sh
. "$parts/review/builds.sh"
# shellcheck source=harness/lib/review/uapi.sh
. "$parts/review/uapi.sh"

# Each check: its name, what it is run on, its kind, and what it is. It is run on
#   patch   the patch itself: whatever it says counts
#   each    the tree after each patch: what it does not say before the patch counts
#   tip     the tree after the last patch: what it does not say of the base counts
# For each kind K there are two functions, which get the check's name and a
# commit: inputs_K prints what names all that the result depends on, say_K
# prints what there is to say of that commit, a line each.
checks='
checkpatch|patch|checkpatch|scripts/checkpatch.pl --strict
maintainers|patch|maintainers|get_maintainer finds the new entry for new files
kernel-doc|each|kerneldoc|scripts/kernel-doc on the touched files
includecheck|each|includecheck|no header is included twice
versioncheck|each|versioncheck|linux/version.h is included where it is needed
coccicheck|each|coccicheck|reports of scripts/coccinelle on the touched files
references|each|references|documents name no file that is not there
abi|each|abi|scripts/get_abi.pl validate
sphinx|each|sphinx|sphinx-build of the touched documents
uapi|each|uapi|uAPI headers alone: C89 and C++, gcc and clang, pedantic
layout|each|layout|uAPI structures are alike on 32 and 64 bit
gcc|each|build|x86_64, gcc, W=1, all as modules, with KUnit
clang|each|build|x86_64, clang, W=1, all as modules
sparse|each|sparse|sparse, C=2
builtin|each|build|x86_64, all built in
pci-iov-n|each|build|PCI_IOV=n
vfio-group-n|each|build|VFIO_GROUP=n
vfio-cdev-n|each|build|VFIO_DEVICE_CDEV=n
iommufd-n|each|build|IOMMUFD=n
i386|each|build|i386, W=1
arm64|each|build|arm64, W=1
s390x|each|build|s390x, W=1
selftests|each|selftests|selftests: gcc, clang, arm64, s390x
rand1|tip|build|randconfig around VFIO, seed 1
rand2|tip|build|randconfig around VFIO, seed 2
rand3|tip|build|randconfig around VFIO, seed 3
rand4|tip|build|randconfig around VFIO, seed 4'

said_dir=$work/review
cells=$work/review.cells
report=$top/out/review.txt

check_names()
{
	cut -d '|' -f 1 <<<"${checks#$'\n'}"
}

# field_of CHECK N
field_of()
{
	awk -F '|' -v check="$1" -v n="$2" '$1 == check { print $n }' <<<"$checks"
}

# The file that FUNCTION is in.
file_of()
{
	(shopt -s extdebug; declare -F "$1") | cut -d ' ' -f 3-
}

# What CHECK says of COMMIT is in the file $said afterwards.
get_said()
{
	local check=$1 commit=$2 kind key

	kind=$(field_of "$check" 3)
	{
		"inputs_$kind" "$check" "$commit"
		cat "$(file_of "say_$kind")"
		declare -f symbol_and_selectors kmake
	} >"$work/review.inputs"
	key=$(hash_of <"$work/review.inputs")
	said=$said_dir/$check/$key
	[ ! -f "$said" ] || return 0
	mkdir -p "${said%/*}"
	did_something=1
	"say_$kind" "$check" "$commit" >"$said.new"
	sort -u "$said.new" >"$said.kept"
	rm "$said.new"
	mv "$said.kept" "$said"
}

# The lines of AFTER that are not in BEFORE: a line number makes no difference.
added_lines()
{
	awk 'function plain(s) { gsub(/:[0-9]+(:[0-9]+)?:/, ":", s); return s }
		FILENAME == ARGV[1] { seen[plain($0)] = 1; next }
		!(plain($0) in seen)' "$1" "$2"
}

# cell CHECK COLUMN RESULT [FILE]: with the file that has the details
cell()
{
	printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${4:-}" >>"$cells"
}

# What the step from commit PARENT to COMMIT adds to what a check says.
review_step()
{
	local check=$1 column=$2 parent=$3 commit=$4 before=/dev/null new=$work/review.new/$1.$2

	if [ -n "$parent" ]; then
		get_said "$check" "$parent"
		before=$said
	fi
	get_said "$check" "$commit"
	if [ "$said" = "$before" ]; then
		cell "$check" "$column" =
		return
	fi
	without_ignored "$check" <"$before" >"$work/review.before"
	without_ignored "$check" <"$said" >"$work/review.after"
	added_lines "$work/review.before" "$work/review.after" >"$new"
	if [ -s "$new" ]; then
		cell "$check" "$column" FAIL "$new"
		sed "s/^/error: $column: /" "$new"
	else
		cell "$check" "$column" ok
	fi
}

review_patches()
{
	local check=$1 scope=$2 before=$from commits commit n=0

	read_lines commits in_git rev-list --reverse "$from..$to"
	[ "${#commits[@]}" != 0 ] || die "no patches between $from and $to"
	for commit in "${commits[@]}"; do
		n=$((n + 1))
		say "$check: patch $n"
		[ "$scope" != patch ] || before=
		review_step "$check" "$n" "$before" "$commit"
		before=$commit
	done
}

# One line of the table. The phase fails if a cell of it does.
review_check()
{
	local check=$1 scope

	did_something=
	scope=$(field_of "$check" 2)
	if [ "$scope" = tip ]; then
		review_step "$check" tip "$from" "$to"
	else
		if [ "$scope" = each ]; then
			get_said "$check" "$from"
			cell "$check" base "$(without_ignored "$check" <"$said" | wc -l)"
		fi
		review_patches "$check" "$scope"
	fi
	if grep -qP "^$check\t.*\tFAIL" "$cells"; then
		return 1
	fi
	[ -n "$did_something" ] || up_to_date
}

# A check that died has said nothing, which is not good news.
review_checks()
{
	local check

	rm -rf "$work/review.new"
	mkdir -p "$work/review.new"
	: >"$cells"
	for check; do
		try_phase "review.$check" "$check: $(field_of "$check" 4)" review_check "$check"
		if [ "$phase_status" != 0 ] && ! grep -qP "^$check\t.*\tFAIL" "$cells"; then
			cell "$check" "the check itself" FAIL "$logs/review.$check.log"
		fi
	done
}

# ---- the report

count_cells()
{
	awk -F '\t' -v result="$1" '$3 == result { n++ } END { print n + 0 }' "$cells"
}

table()
{
	awk -F '\t' -v last="$(in_git rev-list --count "$from..$to")" '
		$2 == "the check itself" { $2 = "tip" }
		!($1 in row) { row[$1] = ++rows; name[rows] = $1 }
		{ result[$1, $2] = $3 }
		END {
			columns = split("base", column)
			for (i = 1; i <= last; i++)
				column[++columns] = i
			column[++columns] = "tip"
			printf "%-14s", ""
			for (i = 1; i <= columns; i++)
				printf "%-6s", column[i]
			print ""
			for (r = 1; r <= rows; r++) {
				line = sprintf("%-14s", name[r])
				for (i = 1; i <= columns; i++) {
					key = name[r] SUBSEP column[i]
					line = line sprintf("%-6s", key in result ? result[key] : ".")
				}
				sub(/ +$/, "", line)
				print line
			}
		}' "$cells"
}

tools()
{
	local tool

	for tool in gcc clang sparse aarch64-linux-gnu-gcc s390x-linux-gnu-gcc pahole spatch sphinx-build; do
		printf '  %-22s %s\n' "$tool" "$($tool --version 2>&1 | sed -n 1p)"
	done
}

details()
{
	local check column result file

	while IFS=$'\t' read -r check column result file; do
		[ "$result" = FAIL ] || continue
		printf '\n%s, %s (%s):\n' "$check" "${column/#[0-9]/patch &}" "$(field_of "$check" 4)"
		tail -n 50 "$file" | sed 's/^/  /'
	done <"$cells"
}

write_report()
{
	mkdir -p "${report%/*}"
	{
		say "The series of patches/$base, on $PACKAGE $(source_version)"
		say ""
		table
		say ""
		say "base   how many messages there are before the first patch, which do not count"
		say "ok     the patch adds none        FAIL   it does, see below"
		say "=      nothing that the check reads differs from the patch before (not counted)"
		say ""
		check_names | while read -r check; do
			printf '  %-14s %s\n' "$check" "$(field_of "$check" 4)"
		done
		say ""
		say "Not counted, with the reason:"
		ignored | awk -F '\t' '{ printf "  %s %s: %s\n", $1, $2, $3 }'
		say ""
		say "Tools:"
		tools
		details
		say ""
		totals
	} >"$report"
}

totals()
{
	say "$(count_cells ok) passed, $(count_cells FAIL) failed, 0 skipped"
}

# ---- the two ways to run it

chosen_checks()
{
	local check

	if [ $# = 0 ]; then
		check_names
		return
	fi
	for check; do
		# shellcheck disable=SC2310 # a question
		[ -n "$(field_of "$check" 1)" ] || die "$check: no such check (known: $(check_names | paste -sd ' '))"
		echo "$check"
	done
}

review()
{
	local chosen

	chosen=$(chosen_checks "$@")
	from=base to=$applied
	# shellcheck disable=SC2086 # names, a word each
	review_checks $chosen
	write_report
	say ""
	table
	details
	say ""
	say "the report: ${report#"$top"/}"
	totals
	[ "$(count_cells FAIL)" = 0 ]
}

faults=$top/harness/review/faults

commit_fault()
{
	local file=$1

	checkout_src "$applied"
	in_src apply -C1 --index "$file"
	in_git update-ref refs/vfio-sriov/fault "$(in_git commit-tree -p "$applied" \
		-m "vfio: a fault" -m "$(sed -n '/^Red:/q; /^SPDX/d; p' "$file")" \
		-m "Signed-off-by: vfio-sriov <vfio-sriov@localhost>" "$(in_src write-tree)")"
	checkout_src "$applied"
}

# Every check that must see the fault has FAIL in the table.
must_be_red()
{
	local check bad=0

	for check; do
		grep -qP "^$check\t(1|tip)\tFAIL" "$cells" ||
			{ say "error: $check does not see it"; bad=1; }
	done
	[ "$bad" = 0 ]
}

self_test()
{
	local file name red passed=0 failed=0

	from=$applied to=refs/vfio-sriov/fault
	for name; do
		[ -f "$faults/$name.diff" ] || die "$name: no such file in harness/review/faults"
	done
	for file in "$faults"/*.diff; do
		name=$(basename "$file" .diff)
		[ $# = 0 ] || [[ " $* " = *" $name "* ]] || continue
		read -ra red <<<"$(sed -n 's/^Red: //p' "$file")"
		say ""
		say "$name"
		phase "review.fault" "a commit with the fault" commit_fault "$file"
		chosen_checks "${red[@]}" >/dev/null
		review_checks "${red[@]}" 2>/dev/null
		table
		# shellcheck disable=SC2310 # a question
		if must_be_red "${red[@]}"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
	done
	say "$passed passed, $failed failed, 0 skipped"
	[ "$failed" = 0 ]
}

lock
ensure_packages base review
prepare_all
if [ "${1:-}" = --self-test ]; then
	shift
	self_test "$@"
else
	review "$@"
fi
