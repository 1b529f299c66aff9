# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# What the bases share, seen from patches/ alone. Sourced by check.sh.

# "FILE BLOB" of each file that the series adds on a base, as it is after the last
# patch; the blob as git abbreviates it.
added_blobs()
{
	awk '
		/^diff --git / { file = substr($4, 3) }
		/^new file mode / { added[file] = 1 }
		/^index / { split($2, blob, "[.][.]"); last[file] = blob[2] }
		END { for (file in added) print file, last[file] }' "$top/patches/$1"/000[1-9]-*.patch | sort
}

# "FILE BLOB" of each in-tree copy, but for those that the base has itself: what
# bases/BASE/owned names, files or the beginnings of their names
copied_blobs()
{
	local file files owned=$top/bases/$1/owned

	[ -f "$owned" ] || owned=/dev/null
	read_lines files git -C "$top" ls-files drivers include tools Documentation
	printf '%s\n' "${files[@]}" | awk -v list="$owned" '
		BEGIN { while ((getline own < list) > 0) if (own !~ /^#/) owned[own] }
		{ for (own in owned) if (index($0, own) == 1) next; print }' |
		while read -r file; do
			printf '%s %.12s\n' "$file" "$(git -C "$top" hash-object "$top/$file")"
		done | sort
}

# "PATCH FILE" of each file that a patch changes
files_by_patch()
{
	awk '/^diff --git / { name = FILENAME; sub(/.*[/]/, "", name); print substr(name, 1, 4), substr($4, 3) }' \
		"$top/patches/$1"/000[1-9]-*.patch | sort
}

# The files that the series adds are the same bytes on each base, and no patch changes
# a file that the same patch of 6.12 does not.
check_same_files()
{
	local name names more

	read_lines names find "$top/patches" -maxdepth 1 -name 'linux-*' -printf '%f\n'
	for name in "${names[@]}"; do
		say "$name"
		more=$(comm -13 <(files_by_patch linux-6.12) <(files_by_patch "$name"))
		[ -z "$more" ] || die "only on $name: $more"
		diff <(copied_blobs "$name") <(added_blobs "$name") ||
			die "in-tree copies and patches/$name differ; what $name has itself belongs in bases/$name/owned"
		diff "$top/MAINTAINERS" <(added_entry "$name") ||
			die "MAINTAINERS and the entry of patches/$name differ"
	done
}
