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
# Sourced after apt.sh.

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

create_repository() {
	[ ! -f "$gitdir/complete" ] || return 0
	rm -rf "$gitdir" "$src"
	mkdir -p "$work"
	git init -q --bare "$gitdir"
	in_git config core.looseCompression 1
	in_git config gc.auto 0
	in_git config user.name vfio-sriov
	in_git config user.email vfio-sriov@localhost
	touch "$gitdir/complete"
}

# unpack_source DIR DEB [NAME]...: these files of it, or all
unpack_source() {
	local dir=$1 deb=$2

	shift 2
	rm -rf "$dir"
	mkdir -p "$dir"
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./$TARBALL" | xz -dc -T0 |
		tar -x --strip-components=1 -C "$dir" --wildcards "${@/#/linux-source-$KERNEL_VERSION/}"
}

# Added without touching any work tree
commit_stock() {
	local dir=$1 index=$gitdir/index.incoming tree

	rm -f "$index"
	GIT_INDEX_FILE=$index in_git --work-tree="$dir" add -A -f .
	tree=$(GIT_INDEX_FILE=$index in_git write-tree)
	in_git update-ref refs/heads/stock \
		"$(in_git commit-tree -m "Debian $PACKAGE $(source_version), unpatched" "$tree")"
}

# The first time, what was unpacked becomes the work tree.
create_src() {
	local dir=$1

	if [ -d "$src" ]; then
		rm -rf "$dir"
		return
	fi
	rm -rf "$src.new"
	in_git worktree prune
	in_git worktree add -q --no-checkout --detach "$src.new" stock
	find "$dir" -mindepth 1 -maxdepth 1 -exec mv -t "$src.new" {} +
	mv "$gitdir/index.incoming" "$(git -C "$src.new" rev-parse --path-format=absolute --git-path index)"
	in_git worktree move "$src.new" "$src"
	in_src update-index -q --refresh
	printf '/build\n/build-*\n' >>"$gitdir/info/exclude"
	rmdir "$dir"
}

make_stock() {
	local dir=$work/incoming

	create_repository
	need_disk 7000 "$work"
	unpack_source "$dir" "$(files_of "$source_sums")"
	[[ $(make -s -C "$dir" kernelversion) = "$KERNEL_VERSION".* ]] ||
		die "$PACKAGE $(source_version) is not the source of Linux $KERNEL_VERSION"
	commit_stock "$dir"
	create_src "$dir"
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
	{
		in_git rev-parse "$parent"
		cat "${files[@]}"
	} | hash_of
}

# apply_patches DIR [OPTION]...
apply_patches() {
	local dir=$1 file files

	shift
	read_lines files patch_files
	for file in "${files[@]}"; do
		if ! git -C "$dir" -c core.hooksPath=/dev/null am -q --no-3way "$@" "$file"; then
			git -C "$dir" am --abort || true
			die "${file##*/} does not apply"
		fi
	done
}

make_applied() {
	in_src am --abort 2>/dev/null || true
	checkout_src "$parent"
	apply_patches "$src" --committer-date-is-author-date
	in_git update-ref "$applied" "$(in_src rev-parse HEAD)"
}
