# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# One git repository per base, work/<base>/git:
#   stock                    the unpatched source, a commit without parent
#   base                     the prepared source, a commit without parent
#   refs/vfio-sriov/applied  the series as it stands in patches/, on base
#   series                   the user's branch, made by "make tree"
# and its work tree work/<base>/src, which belongs to the harness: what is
# built is checked out there. Builds are in subdirectories of it, so that every
# path the compiler sees is relative and ccache hits wherever the checkout is.

gitdir=$work/git
src=$work/src
# What $patches are for, and where they are applied
parent=base
applied=refs/vfio-sriov/applied

# Commit ids depend on nothing but the content.
in_git() {
	GIT_AUTHOR_NAME=vfio-sriov GIT_AUTHOR_EMAIL=vfio-sriov@localhost \
	GIT_COMMITTER_NAME=vfio-sriov GIT_COMMITTER_EMAIL=vfio-sriov@localhost \
	GIT_AUTHOR_DATE='2020-02-01T00:00:00Z' GIT_COMMITTER_DATE='2020-02-01T00:00:00Z' \
		git --git-dir="$gitdir" "$@"
}

in_src() { git -C "$src" "$@"; }

checkout_src() {
	local rev

	rev=$(in_git rev-parse --verify -q "$1^{commit}") || die "no commit $1 in $gitdir"
	# A killed run may have left it; the lock keeps other runs out.
	rm -f "$(in_src rev-parse --path-format=absolute --git-path index.lock)"
	in_src checkout -q --force --detach "$rev"
}

# ---- stock

# unpack_source DIR DEB [NAME]...: these files of it, or all
unpack_source() {
	local names=("${@:3}")

	rm -rf "$1"
	mkdir -p "$1"
	dpkg-deb --fsys-tarfile "$2" | tar -xO "./$TARBALL" | xz -dc -T0 |
		tar -x --strip-components=1 -C "$1" --wildcards "${names[@]/#/linux-source-$KERNEL_VERSION/}"
}

make_stock() {
	local dir=$work/incoming index=$gitdir/index.incoming tree

	if [ ! -d "$gitdir" ]; then
		rm -rf "$gitdir.new" "$src"
		git init -q --bare "$gitdir.new"
		printf '%s\n' '[core]' looseCompression=1 '[gc]' auto=0 '[user]' name=vfio-sriov email=vfio-sriov@localhost \
			>>"$gitdir.new/config"
		printf '/build\n/build-*\n' >>"$gitdir.new/info/exclude"
		mv "$gitdir.new" "$gitdir"
	fi
	need_disk 7000 "$work"
	unpack_source "$dir" "$(files_of "$source_sums")"
	[[ $(make -s -C "$dir" kernelversion) = "$KERNEL_VERSION".* ]] ||
		die "$PACKAGE $(source_version) is not the source of Linux $KERNEL_VERSION"
	# Added without touching any work tree
	rm -f "$index"
	GIT_INDEX_FILE=$index in_git --work-tree="$dir" add -A -f .
	tree=$(GIT_INDEX_FILE=$index in_git write-tree)
	in_git update-ref refs/heads/stock \
		"$(in_git commit-tree -m "Debian $PACKAGE $(source_version), unpatched" "$tree")"
	# The first time, what was unpacked becomes the work tree. If this is interrupted, the
	# next checkout writes what is missing.
	if [ ! -e "$src/.git" ]; then
		rm -rf "$src"
		in_git worktree prune
		in_git worktree add -q --no-checkout --detach "$src" stock
		find "$dir" -mindepth 1 -maxdepth 1 -exec mv -t "$src" {} +
		mv "$index" "$(in_src rev-parse --path-format=absolute --git-path index)"
		in_src update-index -q --refresh
	fi
	rm -rf "$dir"
}

key_stock() { source_version; }
path_stock() { echo "$src"; }

# ---- base

key_base() {
	{
		in_git rev-parse stock
		cat "$basedir"/{prepare,removals,forbidden-words} "$basedir"/remove-*
		spatch --version | sed -n 1p
	} | hash_of
}

make_base() {
	local tree

	checkout_src stock
	"$basedir/prepare" "$src"
	in_src add -u .
	tree=$(in_src write-tree)
	in_git update-ref refs/heads/base "$(in_git commit-tree \
		-m "base: Debian $PACKAGE $(source_version) without the older VF token code" "$tree")"
}

# ---- the series

# All but the cover letter.
patch_files() { find "$patches" -name '[0-9]*.patch' ! -name '0000-*' | sort; }

key_applied() {
	local files

	read_lines files patch_files
	[ "${#files[@]}" != 0 ] || die "no patches in $patches"
	in_git rev-parse "$parent" | cat - "${files[@]}" | hash_of
}

# apply_patches REF: on $parent
apply_patches() {
	local file files

	in_src am --abort 2>/dev/null || true
	checkout_src "$parent"
	read_lines files patch_files
	for file in "${files[@]}"; do
		in_src -c core.hooksPath=/dev/null am -q --no-3way --committer-date-is-author-date "$file" ||
			die "${file##*/} does not apply"
	done
	in_git update-ref "$1" "$(in_src rev-parse HEAD)"
}

make_applied() { apply_patches "$applied"; }
