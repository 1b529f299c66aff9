#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A git tree with the prepared base and the series on it: work/<base>/tree, or,
# with KERNEL=DIR, a new branch of a clean git tree of one's own.
# shellcheck disable=SC2310 # git by another name
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

tree=$work/tree
exported=refs/vfio-sriov/exported
kernel=${KERNEL:-}
new_branch=vfio-sriov

commit_of() { in_git rev-parse -q --verify "$1" || true; }

# Commits of the user are never lost: the branch moves only if everything on it
# is in patches/, or on demand, and then the old one stays under another name.
refresh_series()
{
	local series tip keep

	series=$(commit_of refs/heads/series)
	tip=$(commit_of "$applied")
	if [[ -n $series && $series != "$tip" && $series != "$(commit_of "$exported")" ]]; then
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
}

# ---- KERNEL=DIR

in_kernel() { git -C "$kernel" "$@"; }

check_kernel()
{
	local version

	version=$(kernel_version_of "$kernel")
	[ "$version" = "$KERNEL_VERSION" ] ||
		die "KERNEL=$kernel: ${version:-no Linux source} there, the patches are for Linux $KERNEL_VERSION"
	kernel=$(cd "$kernel" && pwd -P)
	[ "$(in_kernel rev-parse --show-toplevel 2>/dev/null)" = "$kernel" ] ||
		die "KERNEL=$kernel: not the top directory of a git tree"
	[ -z "$(in_kernel status --porcelain)" ] ||
		die "KERNEL=$kernel: there are changes that are not committed"
}

fill_branch()
{
	in_kernel var GIT_COMMITTER_IDENT >/dev/null 2>&1 ||
		export GIT_{AUTHOR,COMMITTER}_NAME=vfio-sriov GIT_{AUTHOR,COMMITTER}_EMAIL=vfio-sriov@localhost
	"$basedir/prepare" "$kernel"
	in_kernel commit -q -a -m "vfio/pci: Remove the older VF token code"
	apply_patches "$kernel"
}

# Back to where the user was, whatever happened.
undo_branch()
{
	in_kernel am --abort 2>/dev/null || true
	in_kernel checkout -q --force -
	in_kernel branch -q -D "$new_branch"
}

patch_kernel()
{
	in_kernel checkout -q -b "$new_branch"
	trap 'end_phase; undo_branch' EXIT
	phase kernel-tree "patching $kernel" fill_branch
	trap end_phase EXIT
	say "$kernel: branch \"$new_branch\", the older VF token code removed, $(patch_files | wc -l) patches applied"
}

lock
[ -z "$kernel" ] || check_kernel
ensure_packages base
if [ -n "$kernel" ]; then
	patch_kernel
else
	need applied
	refresh_series
fi
