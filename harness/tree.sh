#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A git tree with the prepared base and the series on it: work/<base>/tree. For a git
# tree of one's own, "make series" writes an mbox.
# shellcheck disable=SC2310 # git by another name
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

tree=$work/tree
exported=refs/vfio-sriov/exported

lock
ensure_packages base
need applied
# Commits of the user are never lost: the branch moves only if everything on it
# is in patches/, or on demand, and then the old one stays under another name.
series=$(in_git rev-parse -q --verify refs/heads/series || true)
tip=$(in_git rev-parse "$applied")
if [[ -n $series && $series != "$tip" &&
	$series != "$(in_git rev-parse -q --verify "$exported" || true)" ]]; then
	[ "${FORCE:-}" = 1 ] || die "branch \"series\" in ${tree#"$top"/} has commits that are not in patches/: \"make export\" puts them there, \"make tree FORCE=1\" starts again and keeps this branch as series-DATE"
	keep="series-$(date +%Y%m%d-%H%M%S)"
	in_git branch "$keep" "$series"
	say "the previous branch is kept as \"$keep\""
fi
if [ ! -d "$tree" ]; then
	in_git worktree add -q -f -B series "$tree" "$tip"
elif [ -z "$(git -C "$tree" status --porcelain)" ]; then
	git -C "$tree" checkout -q -B series "$tip"
else
	die "${tree#"$top"/} has changes that are not committed"
fi
in_git update-ref "$exported" "$tip"
say "$tree: branch \"series\", $(in_git rev-list --count "base..series") patches on branch \"base\""
