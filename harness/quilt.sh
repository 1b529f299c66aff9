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

# The fields go to the end of the header of git format-patch. The removal is made from
# the part of the source that it changes.
write_quilt() {
	rm -rf "$quilt_dir" "$tree"
	mkdir -p "$quilt_dir" "$tree"
	cp "$patches"/000[1-9]-*.patch "$quilt_dir/"
	sed -i '0,/^$/s/^$/Origin: vendor\nForwarded: no\n/' "$quilt_dir"/*
	cp -r "$debian_dir/source" "$tree/a"
	cp -r "$debian_dir/source" "$tree/b"
	"$basedir/prepare" "$tree/b"
	{
		sed 1d "$top/bases/common/removal-header"
		env -C "$tree" diff -urN a b || [ $? = 1 ]
	} >"$quilt_dir/0000-vfio-Remove-the-older-VF-token-code.patch"
	(cd "$quilt_dir" && printf '%s\n' *.patch >series)
}

# To what they change, such as drivers/vfio and MAINTAINERS, as the kernel package has it
apply_quilt() {
	local names

	# shellcheck disable=SC2016 # fields of awk
	read_lines names awk -F / '/^--- a/ && !seen[$2, $3]++ { print $2 ($3 ? "/" : "") $3 }' "$quilt_dir"/*.patch
	unpack_source "$tree" "$(source_deb)" "${names[@]}"
	(cd "$tree" && QUILT_PATCHES=$quilt_dir quilt push -a --fuzz=0)
	cmp "$tree/drivers/vfio/pci/vfio_pci_sriov.c" "$top/drivers/vfio/pci/vfio_pci_sriov.c"
	rm -rf "$tree"
}

lock
ensure_packages modules package
need debian
phase quilt-series "writing the quilt series" write_quilt
phase quilt-applies "applying it with quilt" apply_quilt
echo "$quilt_dir"
