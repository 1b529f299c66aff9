#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# series.sh: one mbox for "git am" on the unmodified source of the base: the
# removal of the older form, made here, and the patches. Checks that it applies
# and gives the same source as "make tree". Prints the path of the mbox last.
# shellcheck disable=SC2310 # a question
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

mbox=$out/series.mbox

# The removal has the author of the patches.
write_mbox() {
	local files author commit

	read_lines files patch_files
	author=$(in_git log -1 --format='%an <%ae>' "$applied")
	commit=$({ sed 1d "$top/bases/common/removal-message" && say "" "Signed-off-by: $author"; } |
		in_git commit-tree -p stock -F - 'base^{tree}')
	{
		plain_git --git-dir="$gitdir" format-patch --stdout --no-signature --zero-commit -1 "$commit" |
			awk -v author="$author" '!from && /^From: / { from = 1; print "From: " author; next } { print }'
		cat "${files[@]}"
	} >"$mbox"
}

check_mbox() {
	in_src am --abort 2>/dev/null || true
	checkout_src stock
	in_src am -q --no-3way "$mbox"
	in_src diff --exit-code HEAD "$applied"
}

lock
ensure_packages base
need applied
phase series-mbox "writing ${mbox#"$top"/}" write_mbox
phase series-check "applying it to the unmodified source" check_mbox
say "$mbox"
