# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# What the bases share, seen from patches/ alone. Sourced by check.sh.

# "PATCH FILE" of each file that a patch of a base changes
files_by_patch() {
	awk '/^diff --git / { name = FILENAME; sub(/.*[/]/, "", name); print substr(name, 1, 4), substr($4, 3) }' \
		"$top/patches/$1"/000[1-9]-*.patch | sort
}

# The files that the series adds are the same bytes on each base, and no patch changes
# a file that the same patch of 6.12 does not.
check_copies() {
	local name names more added dir=$work/copies

	read_lines names find "$top/patches" -maxdepth 1 -name 'linux-*' -printf '%f\n'
	for name in "${names[@]}"; do
		say "$name"
		more=$(comm -13 <(files_by_patch linux-6.12) <(files_by_patch "$name"))
		[ -z "$more" ] || die "only on $name: $more"
		# The files that the series adds, as the last patch leaves them
		# shellcheck disable=SC2016 # fields of awk
		read_lines added awk '/^diff --git / { file = substr($4, 3) }
			/^new file mode / { print "--include=" file }' "$top/patches/$name"/000[1-9]-*.patch
		rm -rf "$dir"
		mkdir -p "$dir"
		cat "$top/patches/$name"/000[1-9]-*.patch | GIT_CEILING_DIRECTORIES=$work git -C "$dir" apply "${added[@]}"
		diff <(cd "$top" && copied_files | not_owned "$name" | xargs sha256sum) \
			<(cd "$dir" && find . -type f -printf '%P\n' | sort | xargs sha256sum) ||
			die "in-tree copies and patches/$name differ; what $name has itself belongs in bases/$name/owned"
		diff "$top/MAINTAINERS" <(added_entry "$name") ||
			die "MAINTAINERS and the entry of patches/$name differ"
	done
	rm -rf "$dir"
}
