# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# From commits to patch files, the same bytes each time. Sourced after base.sh.

# The user's settings of git must not change what is written.
plain_git() { GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git "$@"; }

# The files that the series adds; copies of them stand in this repository.
added_files()
{
	plain_git --git-dir="$1" diff --no-renames --diff-filter=A --name-only "$2" "$3"
}

# added_entry BASE: what the documentation patch adds to MAINTAINERS; MAINTAINERS in
# this repository holds just this entry.
added_entry()
{
	sed -n '/^+++ b.MAINTAINERS/,/^diff/{ /^+++/d; s/^+\(.\)/\1/p }' "$top/patches/$1"/0006-*.patch
}

# The text of a cover letter
cover_text()
{
	awk 'body && /^[^ \t].* \([0-9]+\):$/ { exit }
		body { print }
		/^$/ { body = 1 }' "$1"
}

# write_patches GITDIR FROM TO DIR: the subject and the text of the cover letter are
# those of the present one; git writes what is below them anew.
write_patches()
{
	local gitdir=$1 from=$2 to=$3 dir=$4 cover=$patches/0000-cover-letter.patch branch=vfio-sriov-export subject text

	[ -f "$cover" ] || die "no cover letter in patches/$base: write its subject and text to ${cover#"$top"/}"
	rm -rf "$dir"
	mkdir -p "$dir"
	subject=$(plain_git mailinfo -b /dev/null /dev/null <"$cover" | sed -n 's/^Subject: \(\[PATCH[^]]*\] *\)\?//p')
	text=$(cover_text "$cover")
	plain_git --git-dir="$gitdir" update-ref "refs/heads/$branch" "$to"
	GIT_COMMITTER_NAME=$(plain_git --git-dir="$gitdir" log -1 --format=%an "$to") \
	GIT_COMMITTER_EMAIL=$(plain_git --git-dir="$gitdir" log -1 --format=%ae "$to") \
	GIT_COMMITTER_DATE=$(plain_git --git-dir="$gitdir" log -1 --format=%aI "$to") \
		plain_git --git-dir="$gitdir" -c "branch.$branch.description=$subject

$text" format-patch -q -n --cover-letter --cover-from-description=subject --zero-commit --no-signature \
		--no-thread --no-base --abbrev=12 -o "$dir" "$from..$branch"
	plain_git --git-dir="$gitdir" update-ref -d "refs/heads/$branch"
}

# Patches without what moves when only the lines around them do.
without_positions()
{
	sed -E 's/^@@ -[0-9,]+ \+[0-9,]+ @@.*/@@/; /^index [0-9a-f]+\.\.[0-9a-f]+/d' "$1"
}

same_patches()
{
	local file

	diff <(cd "$1" && ls -- *.patch) <(cd "$2" && ls -- *.patch) || return 1
	for file in "$1"/*.patch; do
		diff -u <(without_positions "$file") <(without_positions "$2/${file##*/}") || return 1
	done
}
