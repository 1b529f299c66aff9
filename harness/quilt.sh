#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# quilt.sh: the series for the packaging of a distribution's kernel, in out/quilt/BASE:
# the removal of the older code as patch 0, DEP-3 headers, a file "series". Applies them
# to the source, without fuzz, to show that they fit.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

quilt_dir=$top/out/quilt/$base
tree=$work/quilt

# The removal as a patch, made from the part of the source that it changes.
write_removal()
{
	local removal=$1

	rm -rf "$tree"
	mkdir -p "$tree"
	cp -r "$debian_dir/source" "$tree/a"
	cp -r "$debian_dir/source" "$tree/b"
	"$basedir/prepare" "$tree/b"
	cat >"$removal" <<-END
		Description: vfio: Remove the older VF token code
		 The series that follows replaces it. Made from this source by
		 bases/$base/prepare of the series' repository.
		Origin: vendor
		Forwarded: no

	END
	(cd "$tree" && diff -urN a b >>"$removal") || [ $? = 1 ]
}

# The fields go to the end of the header of git format-patch.
write_quilt()
{
	local patch

	rm -rf "$quilt_dir"
	mkdir -p "$quilt_dir"
	write_removal "$quilt_dir/0000-vfio-Remove-the-older-VF-token-code.patch"
	for patch in "$patches"/000[1-9]-*.patch; do
		awk '!done && /^$/ { print "Origin: vendor\nForwarded: no"; done = 1 } { print }' \
			"$patch" >"$quilt_dir/${patch##*/}"
	done
	(cd "$quilt_dir" && printf '%s\n' 000*.patch >series)
}

# Those of the source: a patch may change what an earlier one has added.
changed_files()
{
	awk '/^--- / { old = $2 }
		/^\+\+\+ / { if (old == "/dev/null") added[substr($2, 3)]; else changed[substr(old, 3)] }
		END { for (name in changed) if (!(name in added)) print name }' "$quilt_dir"/*.patch
}

# To the files that they change, as the kernel package has them.
apply_quilt()
{
	local names

	read_lines names changed_files
	unpack_source "$tree" "$(deb_of "$PACKAGE")" "${names[@]}"
	(cd "$tree" && QUILT_PATCHES=$quilt_dir quilt push -a --fuzz=0)
	cmp "$tree/drivers/vfio/pci/vfio_pci_sriov.c" "$top/drivers/vfio/pci/vfio_pci_sriov.c"
	rm -rf "$tree"
}

lock
ensure_packages modules package
need debian
phase quilt "writing the quilt series" write_quilt
phase quilt-applies "applying it with quilt" apply_quilt
echo "$quilt_dir"
