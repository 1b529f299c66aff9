#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Branch "series" of a work tree -> patches/<base>/ and the in-tree copies of
# the files that the series adds. TREE names another git tree than the one that
# "make tree" made; it also needs a branch "base".
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

export_series()
{
	local dir=$1

	git -C "$dir" rev-parse -q --verify series >/dev/null ||
		die "no branch \"series\" in $dir (make tree makes one)"
	[ "$(git -C "$dir" merge-base base series)" = "$(git -C "$dir" rev-parse base)" ] ||
		die "branch \"series\" is not on top of branch \"base\" in $dir"
	write_patches "$(git -C "$dir" rev-parse --absolute-git-dir)" base series "$work/export"
	mkdir -p "$patches"
	rm -f "$patches"/*.patch
	cp "$work/export"/*.patch "$patches/"
	rm -rf "$work/export"
	write_copies "$dir"
}

write_copies()
{
	local dir=$1 gitdir file added copies

	gitdir=$(git -C "$dir" rev-parse --absolute-git-dir)
	read_lines added added_files "$gitdir" base series
	for file in "${added[@]}"; do
		mkdir -p "$top/$(dirname "$file")"
		git -C "$dir" cat-file blob "series:$file" >"$top/$file"
		case $(git -C "$dir" ls-tree series "$file") in
		100755*) chmod 755 "$top/$file" ;;
		*) chmod 644 "$top/$file" ;;
		esac
	done
	added_entry "$base" >"$top/MAINTAINERS"
	read_lines copies git -C "$top" ls-files drivers include tools Documentation
	for file in "${copies[@]}"; do
		if ! git -C "$dir" cat-file -e "series:$file" 2>/dev/null; then
			rm -f "$top/$file"
			say "removed $file, which is no longer in the series"
		fi
	done
}

main()
{
	local dir=${TREE:-$work/tree}

	[ -d "$dir" ] || die "no work tree ${dir#"$top"/}; \"make tree\" makes one"
	git -C "$dir" rev-parse --git-dir >/dev/null 2>&1 || die "$dir is not a git tree"
	mkdir -p "$work"
	lock
	export_series "$dir"
	if [ -z "${TREE:-}" ]; then
		in_git update-ref refs/vfio-sriov/exported series
	fi
	say "wrote $(find "$patches" -name '*.patch' | wc -l) files in patches/$base and the files that the series adds"
}

main
