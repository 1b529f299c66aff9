#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What patches/$FROM gained since patches/$BASE was last committed -> branch
# "series" of work/$BASE/tree, patch by patch, and from there patches/$BASE. What
# does not apply is named; the rejected parts are in FILE.rej.
# shellcheck disable=SC2154 # read_lines sets them
set -euo pipefail

# What is sourced is about the other base.
to=${BASE:-linux-6.12}
BASE=${FROM:-linux-6.12}
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

dir=$work/carry
tree=$top/work/$to/tree
cover=0000-cover-letter.patch
left=0

not_carried() {
	say "$1: not carried over ($2)"
	left=$((left + 1))
}

# carry_text FILE OLD NEW NAME: the change from OLD to NEW
carry_text() {
	local rejects=$dir/${1##*/}.rej

	diff -u "$2" "$3" >"$dir/diff" || patch -s -N --no-backup-if-mismatch -r "$rejects" "$1" "$dir/diff" ||
		not_carried "$4" "${rejects#"$top"/}"
}

# carry_patch N OLD NEW HERE: a commit like HERE with the change from OLD to NEW. The next
# patches are whole trees too: a file left behind stays as it is there.
carry_patch() {
	local diff=${dir#"$top"/}/$1.diff message=$dir/message-$1 files file counts

	git -C "$tree" read-tree -u --reset "$4"
	in_git diff-tree -p --no-renames "$2" "$3" >"$dir/$1.diff"
	if ! git -C "$tree" apply -C1 --allow-empty --reject "$dir/$1.diff" 2>"$dir/$1.log"; then
		read_lines files sed -n '/^error: patch failed/d; s/^error: \(.*\): [^:]*$/\1/p
			s/^Applying patch \(.*\) with [0-9]* reject.*/\1/p' "$dir/$1.log"
		[ "${#files[@]}" != 0 ] || die "git apply: $(tail -n 1 "$dir/$1.log")"
		for file in "${files[@]}"; do
			counts=$(not_owned "$to" <<<"$file")
			if [ -n "$counts" ]; then
				not_carried "patch $1: $file" "$diff"
			else
				say "patch $1: $to has its own $file; the change: $diff"
			fi
		done
	fi
	in_git diff-tree -r -z --name-only "$2" "$3" | git -C "$tree" update-index -z --add --remove --stdin
	plain_git -C "$src" log -1 --format=%B "$2" >"$dir/old"
	plain_git -C "$src" log -1 --format=%B "$3" >"$dir/new"
	plain_git -C "$tree" log -1 --format=%B "$4" >"$message"
	carry_text "$message" "$dir/old" "$dir/new" "patch $1: its message"
	git -C "$tree" -c core.hooksPath=/dev/null commit -q --allow-empty -C "$4"
	git -C "$tree" -c core.hooksPath=/dev/null commit -q --allow-empty --amend -F "$message"
}

[ "$base" != "$to" ] || die "BASE=$to: the series comes from there; name the base to carry it to"
since=$(git -C "$top" log -1 --format=%H -- "patches/$to")
[ -n "$since" ] || die "patches/$to was never committed"
lock
BASE=$to locked=1 "$top/harness/tree.sh"
need applied
rm -rf "$dir"
mkdir -p "$dir"
git -C "$top" archive "$since" "patches/$base" | tar -x -C "$dir" --strip-components=2
patches=$dir apply_patches refs/vfio-sriov/old
read_lines old in_git rev-list --reverse base..refs/vfio-sriov/old
read_lines new in_git rev-list --reverse "base..$applied"
read_lines here git -C "$tree" rev-list --reverse base..series
[ "${#old[@]} ${#new[@]}" = "${#here[@]} ${#here[@]}" ] ||
	die "patches/$base had ${#old[@]} patches and has ${#new[@]}, patches/$to has ${#here[@]}; port this by hand"
git -C "$tree" checkout -q --detach base
for i in "${!here[@]}"; do
	carry_patch $((i + 1)) "${old[i]}" "${new[i]}" "${here[i]}"
done
git -C "$tree" checkout -q -B series
cover_text "$dir/$cover" >"$dir/old"
cover_text "$patches/$cover" >"$dir/new"
carry_text "$top/patches/$to/$cover" "$dir/old" "$dir/new" "the text of the cover letter"
BASE=$to locked=1 "$top/harness/export.sh"
[ "$left" = 0 ] || die "$left changes were not carried over: edit ${tree#"$top"/}, then make export BASE=$to"
