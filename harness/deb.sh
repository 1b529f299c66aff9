#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deb.sh [SUFFIX]...: the Debian package with the modules' source and the command
# vfio-sriov, out/vfio-sriov-dkms_VERSION_all.deb; with these suffixes of the version,
# for a package to upgrade from. Prints its name last.
# deb.sh --vfio DIR: only the patched vfio of BASE, to DIR.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

deb_dir=$top/work/deb

version() { dpkg-parsechangelog -l "$top/package/debian/changelog" -S Version; }

# add_vfio DIR: of this base, and the kernels of package/kernels whose vfio is the same
add_vfio() {
	local into=$1/$base tree=$work/package hash

	need debian
	make_tree "$tree" series
	hash=$("$top/package/compare" "$base" "$debian_dir/source")
	awk -v base="$base" -v hash="$hash" '$1 == base && $2 == hash { print $1, $3; n++ } END { exit !n }' \
		"$top/package/kernels" >>"$1/kernels" ||
		die "vfio of $(source_deb) differs from all of package/kernels; add it with package/compare, and look at what has changed"
	mkdir -p "$into"
	(cd "$tree" && cp -r --parents drivers/vfio include/linux/vfio*.h include/uapi/linux/vfio*.h "$into/")
	# DKMS does not replace a module whose version is the same, or that has none.
	grep -rl '^MODULE_LICENSE' "$into/drivers" | xargs sed -i \
		-e '/^MODULE_VERSION/d' -e "s/^MODULE_LICENSE.*/&\nMODULE_VERSION(\"$(version)\");/"
	rm -r "$tree"
}

# Of the bases of package/kernels, in processes of their own, as each has its own variables
collect_vfio() {
	local name names

	names=$(without_comments "$top/package/kernels" | cut -d' ' -f1 | sort -u)
	rm -rf "$deb_dir"
	mkdir -p "$deb_dir/dkms"
	for name in $names; do
		BASE=$name "$top/harness/deb.sh" --vfio "$deb_dir/dkms"
	done
}

# build SUFFIX
build() {
	local dir=$deb_dir/vfio-sriov file

	file=vfio-sriov-dkms_$(version)$1_all.deb
	rm -rf "$dir" "$top/out/$file"
	cp -r "$top/package" "$dir"
	cp -r "$deb_dir/dkms" "$dir/"
	sed -i "1s/)/$1)/" "$dir/debian/changelog"
	(cd "$dir" && dpkg-buildpackage -b -us -uc)
	[ -n "$1" ] || lintian --fail-on error,warning --no-tag-display-limit "$deb_dir/$file"
	mv "$deb_dir/$file" "$top/out/"
}

if [ "${1:-}" = --vfio ]; then
	add_vfio "$2"
	exit
fi
[ $# != 0 ] || set -- ""
lock
ensure_packages modules package
phase deb-source "the patched vfio of each kernel" collect_vfio
for suffix; do
	phase deb-build "building the package" build "$suffix"
done
echo "$top/out/vfio-sriov-dkms_$(version)_all.deb"
