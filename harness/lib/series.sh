# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# From commits to patch files, the same bytes each time; their style, and the unit
# tests. Sourced after base.sh.

# The user's settings of git must not change what is written.
plain_git() { GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git "$@"; }

# added_files GITDIR FROM TO: the files that the series adds
added_files() { git --git-dir="$1" diff-tree -r --no-renames --diff-filter=A --name-only "$2" "$3"; }

# The copies of them in this repository
copied_files() { git -C "$top" ls-files drivers include tools Documentation; }

# not_owned BASE: of the files that it reads, those that the base does not have itself, in
# its own form: bases/BASE/owned names these, or the beginnings of their names
not_owned() {
	awk -v list="$top/bases/$1/owned" '
		BEGIN { while ((getline own < list) > 0) if (own !~ /^#/) owned[own] }
		{ for (own in owned) if (index($0, own) == 1) next; print }'
}

# added_entry BASE: what the documentation patch adds to MAINTAINERS; MAINTAINERS in
# this repository holds just this entry.
added_entry() {
	sed -n '/^+++ b.MAINTAINERS/,/^diff/{ /^+++/d; s/^+\(.\)/\1/p }' "$top/patches/$1"/0006-*.patch
}

# The text of a cover letter
cover_text() { sed '1,/^$/d; /^[^ \t].* ([0-9]\+):$/,$d' "$1"; }

# write_patches GITDIR FROM TO DIR: the subject and the text of the cover letter are
# those of the present one; git writes what is below them anew.
write_patches() {
	local from=$2 to=$3 dir=$4 cover=$patches/0000-cover-letter.patch branch=vfio-sriov-export subject last
	local -x GIT_DIR=$1 GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_COMMITTER_DATE

	[ -f "$cover" ] || die "no cover letter in patches/$base: write its subject and text to ${cover#"$top"/}"
	rm -rf "$dir"
	subject=$(plain_git mailinfo -b /dev/null /dev/null <"$cover" | sed -n 's/^Subject: \(\[PATCH[^]]*\] *\)\?//p')
	last=$(plain_git log -1 --format='%an|%ae|%aI' "$to")
	IFS='|' read -r GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_COMMITTER_DATE <<<"$last"
	plain_git update-ref "refs/heads/$branch" "$to"
	plain_git -c "branch.$branch.description=$subject"$'\n\n'"$(cover_text "$cover")" \
		format-patch -q -n --cover-letter --cover-from-description=subject --zero-commit --no-signature \
		--no-thread --no-base --abbrev=12 -o "$dir" "$from..$branch"
	plain_git update-ref -d "refs/heads/$branch"
}

# style_of PATCH... [OPTION]...: checkpatch's messages, a line each, except those that
# harness/review/ignored names. GIT_DIR keeps it from tools that are not installed.
style_of() {
	{
		env -C "$src" GIT_DIR=none scripts/checkpatch.pl --strict --no-summary --terse \
			--show-types "$@" || [ $? = 1 ]
	} | without_ignored checkpatch
}

# without_ignored CHECK: its messages, but for those that are ignored with a reason,
# for any patches or those of $SERIES
without_ignored() {
	grep -vEf <(sed -nE "s/^(${SERIES:-}:)?$1[|](.*)[|][^|]*\$/\2/p" "$top/harness/review/ignored") || [ $? = 1 ]
}

# run_kunit KTAP [OPTION]: the unit tests of what is checked out, on UML, as a reviewer runs them
run_kunit() {
	in_build env -C "$src" python3 tools/testing/kunit/kunit.py run --kunitconfig=drivers/vfio/pci "${@:2}" \
		--build_dir="$src/build-uml" --jobs="$jobs" --make_options='CC=ccache gcc' --raw_output=kunit | tee "$1"
}
