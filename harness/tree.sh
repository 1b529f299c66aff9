#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A git tree with the prepared base and the series on it: work/<base>/tree, or,
# with KERNEL=DIR, a new branch of a clean git tree of one's own.
# shellcheck disable=SC2310,SC2100 # git by another name, and questions
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

tree=$work/tree
exported=refs/vfio-sriov/exported
new_branch=vfio-sriov

commit_of() { in_git rev-parse -q --verify "$1" || true; }

# ---- work/<base>/tree

# Commits of the user are never lost: the branch moves only if everything on it
# is in patches/, or on demand, and then the old one stays under another name.
refresh_series()
{
	local series tip keep

	series=$(commit_of refs/heads/series)
	tip=$(commit_of "$applied")
	if [ -n "$series" ] && [ "$series" != "$tip" ] && [ "$series" != "$(commit_of "$exported")" ]; then
		[ "${FORCE:-}" = 1 ] || die "branch \"series\" in ${tree#"$top"/} has commits that are not in patches/: \"make export\" puts them there, \"make tree FORCE=1\" starts again and keeps this branch as series-DATE"
		keep=series-$(date +%Y%m%d-%H%M%S)
		in_git branch "$keep" "$series"
		say "the previous branch is kept as \"$keep\""
	fi
	if [ -d "$tree" ]; then
		[ -z "$(git -C "$tree" status --porcelain)" ] ||
			die "${tree#"$top"/} has changes that are not committed"
		git -C "$tree" checkout -q -B series "$tip"
	else
		in_git worktree prune
		in_git branch -f series "$tip"
		in_git worktree add -q "$tree" series
	fi
	in_git update-ref "$exported" "$tip"
}

make_tree()
{
	need applied
	refresh_series
	say "$tree: branch \"series\", $(in_git rev-list --count "base..series") patches on branch \"base\""
}

# ---- KERNEL=DIR

in_kernel() { git -C "$kernel" "$@"; }

check_kernel()
{
	local version

	[ -d "$kernel" ] || die "KERNEL=$kernel: no such directory"
	version=$(kernel_version_of "$kernel")
	[ -n "$version" ] || die "KERNEL=$kernel: no Linux source there"
	[ "$version" = "$KERNEL_VERSION" ] ||
		die "KERNEL=$kernel: this is Linux $version, the patches are for $KERNEL_VERSION"
	[ "$(in_kernel rev-parse --show-toplevel 2>/dev/null)" = "$(cd "$kernel" && pwd -P)" ] ||
		die "KERNEL=$kernel: not the top directory of a git tree"
	in_kernel rev-parse -q --verify HEAD >/dev/null || die "KERNEL=$kernel: no commit there yet"
	[ -z "$(in_kernel status --porcelain)" ] ||
		die "KERNEL=$kernel: there are changes that are not committed"
	! in_kernel rev-parse -q --verify "refs/heads/$new_branch" >/dev/null ||
		die "KERNEL=$kernel: it has a branch \"$new_branch\" already"
}

identity()
{
	in_kernel var GIT_COMMITTER_IDENT >/dev/null 2>&1 ||
		export GIT_AUTHOR_NAME=vfio-sriov GIT_AUTHOR_EMAIL=vfio-sriov@localhost \
			GIT_COMMITTER_NAME=vfio-sriov GIT_COMMITTER_EMAIL=vfio-sriov@localhost
}

fill_branch()
{
	in_kernel checkout -q -b "$new_branch"
	"$basedir/prepare" "$kernel"
	in_kernel add -u .
	in_kernel commit -q -m "vfio/pci: Remove the older VF token code"
	apply_patches "$kernel"
}

# Back to where the user was, whatever happened.
undo_branch()
{
	[ -n "$undo" ] || return 0
	in_kernel am --abort 2>/dev/null || true
	in_kernel checkout -q --force "$undo"
	in_kernel branch -q -D "$new_branch" 2>/dev/null || true
	undo=
}

patch_kernel()
{
	kernel=$(cd "$kernel" && pwd -P)
	identity
	undo=$(in_kernel symbolic-ref -q --short HEAD || in_kernel rev-parse HEAD)
	trap 'end_phase; undo_branch' EXIT
	phase kernel-tree "patching $kernel" fill_branch
	undo=
	say "$kernel: branch \"$new_branch\", the older VF token code removed, $(patch_files | wc -l) patches applied"
}

lock
if [ -n "${KERNEL:-}" ]; then
	kernel=$KERNEL
	check_kernel
	ensure_packages base
	patch_kernel
else
	ensure_packages base
	make_tree
fi
