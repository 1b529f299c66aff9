#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What patches/$FROM gained since patches/$BASE was last committed -> branch
# "series" of work/$BASE/tree, patch by patch and file by file, and from there
# patches/$BASE. Files that do not apply are named, and are left as they were.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
. "$parts/compile.sh"

from=${FROM:-linux-6.12}
changes=$work/carry

# write_changes: in the other base; N.diff and N.message for each patch that changed
write_changes()
{
	local since=$1 dir=$2 old new old_tip i

	need applied
	rm -rf "$dir"
	mkdir -p "$dir/patches"
	git -C "$top" archive "$since" "patches/$base" | tar -x --strip-components=2 -C "$dir/patches"
	checkout_src base
	patches=$dir/patches apply_patches "$src" --committer-date-is-author-date
	old_tip=$(in_src rev-parse HEAD)
	read_lines old commits "$old_tip"
	read_lines new commits
	[ "${#old[@]}" = "${#new[@]}" ] || die "patches/$base had ${#old[@]} patches and has ${#new[@]}; port this by hand"
	for i in "${!new[@]}"; do
		in_git diff --no-renames "${old[i]}" "${new[i]}" >"$dir/$((i + 1)).diff"
		in_git log -1 --format=%B "${old[i]}" >"$dir/$((i + 1)).message.old"
		in_git log -1 --format=%B "${new[i]}" >"$dir/$((i + 1)).message"
	done
	cover_text "$dir/patches/0000-cover-letter.patch" >"$dir/cover.old"
	cover_text "$top/patches/$base/0000-cover-letter.patch" >"$dir/cover"
}

# owns FILE: does this base have its own form of it?
owns()
{
	awk -v file="$1" '!/^#/ && NF && index(file, $0) == 1 { found = 1 }
		END { exit !found }' "$basedir/owned"
}

# carry_diff N: what applies of it, to the index and the work tree
carry_diff()
{
	local n=$1 files file

	read_lines files git -C "$tree" apply --numstat "$changes/$n.diff"
	for file in "${files[@]}"; do
		file=${file##*$'\t'}
		if git -C "$tree" apply -C1 --index --include="$file" "$changes/$n.diff" 2>>"$changes/log"; then
			continue
		fi
		# shellcheck disable=SC2310 # a question
		if owns "$file"; then
			say "patch $n: $base has its own $file; the change: ${changes#"$top"/}/$n.diff"
		else
			say "patch $n: not carried over: $file (${changes#"$top"/}/$n.diff)"
			left=$((left + 1))
		fi
	done
}

# carry_message N COMMIT: the new one if it was the same on both bases
carry_message()
{
	local n=$1 commit=$2

	plain_git -C "$tree" log -1 --format=%B "$commit" >"$changes/$n.message.here"
	if cmp -s "$changes/$n.message.old" "$changes/$n.message.here"; then
		cat "$changes/$n.message"
	else
		cmp -s "$changes/$n.message.old" "$changes/$n.message" ||
			say "patch $n: its message changed, but $base has its own: edit it by hand" >&2
		cat "$changes/$n.message.here"
	fi
}

carry()
{
	local commits i commit

	git -C "$tree" checkout -q --detach base
	read_lines commits commits series
	for i in "${!commits[@]}"; do
		commit=${commits[i]}
		git -C "$tree" read-tree -u --reset "$commit"
		[ ! -s "$changes/$((i + 1)).diff" ] || carry_diff $((i + 1))
		carry_message $((i + 1)) "$commit" >"$changes/message"
		# Later patches are whole trees; a file left behind stays as it is there.
		# The author stays.
		git -C "$tree" -c core.hooksPath=/dev/null commit -q --allow-empty -C "$commit"
		git -C "$tree" -c core.hooksPath=/dev/null commit -q --allow-empty --amend -F "$changes/message"
	done
	git -C "$tree" checkout -q -B series
	cmp -s "$changes/cover.old" "$changes/cover" || say "the cover letter of $from changed; patches/$base has its own"
}

main()
{
	local since left=0 tree=$work/tree

	if [ "${1:-}" = write ]; then
		write_changes "$2" "$3"
		return
	fi
	[ "$from" != "$base" ] || die "BASE=$base: the series comes from there; name the base to carry it to"
	since=$(git -C "$top" log -1 --format=%H -- "patches/$base")
	[ -n "$since" ] || die "patches/$base was never committed"
	BASE=$base "$top/harness/tree.sh"
	lock
	BASE=$from locked=1 "$top/harness/carry.sh" write "$since" "$changes"
	: >"$changes/log"
	carry
	unlock
	BASE=$base "$top/harness/export.sh"
	[ "$left" = 0 ] || die "$left files were not carried over: edit ${tree#"$top"/}, then make export BASE=$base"
}

main "$@"
