# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2317 # variables of the other parts
#
# The checks that read the source and compile nothing. Sourced by review.sh.

# The files that the series touches, as they are in COMMIT, by their name.
touched()
{
	# shellcheck disable=SC2046 # names without blanks
	in_git ls-tree -r "$1" -- $(in_git diff --no-renames --name-only base "$to") |
		awk -F '\t' -v pattern="$2" '$2 ~ pattern'
}

touched_files()
{
	touched "$@" | cut -f 2
}

# Their content, and the tree that has what looks at them.
inputs_of_files()
{
	echo "$1"
	in_git rev-parse base
	touched "$2" "$3"
}

# ---- checkpatch

inputs_checkpatch()
{
	in_git rev-parse base "$2"
	cat "$top/harness/review/ignored"
}

say_checkpatch()
{
	in_git format-patch -1 --stdout "$2" >"$work/review.patch"
	style_of "$work/review.patch" | sed -E 's/^[^:]*review\.patch:/line /'
}

# ---- MAINTAINERS

inputs_maintainers()
{
	in_git rev-parse "$2" "$to:MAINTAINERS" base:MAINTAINERS
}

# The titles of entries that are in FILE1 and not in FILE2.
new_entries()
{
	comm -23 <(grep -E '^[A-Z0-9]' "$1" | grep -v '^[A-Z]:' | sort) \
		<(grep -E '^[A-Z0-9]' "$2" | grep -v '^[A-Z]:' | sort)
}

# The entries stand in MAINTAINERS as it is after the last patch.
say_maintainers()
{
	local file sections entries=$work/review.entries

	checkout_src "$to"
	new_entries <(in_git cat-file blob "$to:MAINTAINERS") <(in_git cat-file blob base:MAINTAINERS) >"$entries"
	added_files "$gitdir" "$2^" "$2" | while read -r file; do
		sections=$(cd "$src" && scripts/get_maintainer.pl --nogit --nogit-fallback --sections -f "$file")
		grep -qxF -f "$entries" <<<"$sections" || echo "$file: in no new entry of MAINTAINERS"
	done
}

# ---- scripts/kernel-doc: of headers, too, which a build does not look at

inputs_kerneldoc()
{
	inputs_of_files kernel-doc "$2" '[.][ch]$'
}

say_kerneldoc()
{
	checkout_src "$2"
	# It exits with the number of errors.
	(cd "$src" || exit 1; touched_files "$2" '[.][ch]$' | xargs -r scripts/kernel-doc -none -Wall 2>&1 || true)
}

# ---- make includecheck, make versioncheck

inputs_includecheck()
{
	inputs_of_files includecheck "$2" '[.][hcS]$'
}

say_includecheck()
{
	checkout_src "$2"
	(cd "$src" && touched_files "$2" '[.][hcS]$' | xargs perl -w scripts/checkincludes.pl) |
		{ grep -v '^No duplicate includes found\.$' || [ $? = 1 ]; }
}

inputs_versioncheck()
{
	inputs_of_files versioncheck "$2" '[.][hcS]$'
}

say_versioncheck()
{
	checkout_src "$2"
	(cd "$src" && touched_files "$2" '[.][hcS]$' | xargs perl -w scripts/checkversion.pl)
}

# ---- make coccicheck MODE=report

inputs_coccicheck()
{
	inputs_of_files coccicheck "$2" '[.]c$'
	spatch --version | sed -n 1p
}

# As scripts/coccicheck calls it, but for some files only. One write for all of a
# rule's words, as rules are tried side by side.
report_of()
{
	local rule=$1 options said

	shift
	read -ra options <<<"$(sed -n 's/.*Options://p' "$rule")"
	said=$(spatch -D report --very-quiet --no-show-diff --cocci-file "$rule" "${options[@]}" \
		-I include "$@" 2>&1) || said+=$'\n'"$rule: error: it can't be applied"
	printf '%s\n' "$said"
}

# Remarks about the rules themselves, such as "should x be a metavariable?",
# name no file.
say_coccicheck()
{
	local files

	checkout_src "$2"
	read_lines files touched_files "$2" '[.]c$'
	export -f report_of
	(cd "$src" && find scripts/coccinelle -name '*.cocci' | sort |
		xargs -P "$jobs" -I RULE bash -c 'report_of "$@"' _ RULE "${files[@]}") |
		{ grep -E '^[^ ]+:' || [ $? = 1 ]; } | { grep -v '^warning: ' || [ $? = 1 ]; }
}
