#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Branch "series" of a work tree -> patches/<base>/ and the in-tree copies of
# the files that the series adds. TREE names another git tree than the one that
# "make tree" made; it also needs a branch "base".
# shellcheck disable=SC2154 # read_lines sets them
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

tree=${TREE:-$work/tree}

lock
dir=$(git -C "$tree" rev-parse --absolute-git-dir) || die "no git tree $tree; \"make tree\" makes one"
git -C "$tree" merge-base --is-ancestor base series || die "no branch \"series\" on top of a branch \"base\" in $tree"
write_patches "$dir" base series "$work/export"
rm -f "$patches"/*.patch
mv "$work/export"/*.patch "$patches/"
rmdir "$work/export"
read_lines added added_files "$dir" base series
plain_git --git-dir="$dir" archive series -- "${added[@]}" |
	tar -xm --no-same-owner --no-same-permissions -C "$top"
added_entry "$base" >"$top/MAINTAINERS"
read_lines kept git --git-dir="$dir" ls-tree -r --name-only series drivers include tools Documentation
read_lines gone comm -23 <(copied_files) <(printf '%s\n' "${kept[@]}")
[ "${#gone[@]}" = 0 ] || (cd "$top" && rm -fv -- "${gone[@]}")
[ -n "${TREE:-}" ] || in_git update-ref refs/vfio-sriov/exported series
say "wrote $(find "$patches" -name '*.patch' | wc -l) files in patches/$base and the files that the series adds"
