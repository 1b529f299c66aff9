# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# The package vfio-sriov-dkms: out/vfio-sriov-dkms_VERSION_all.deb. Its source is
# package/ with the patched vfio of each base. Sourced after all.sh.

deb_dir=$top/work/deb

# The bases of package/kernels
deb_bases()
{
	without_comments "$top/package/kernels" | cut -d' ' -f1 | sort -u
}

# vfio_of_bases DIR: the patched vfio of each, in processes of their own, as each has
# its own variables
vfio_of_bases()
{
	local dir=$1 bases name

	rm -rf "$deb_dir"
	mkdir -p "$dir"
	read_lines bases deb_bases
	for name in "${bases[@]}"; do
		BASE=$name "$top/harness/deb.sh" --vfio "$dir"
	done
}

# The kernels of package/kernels whose vfio is that of this base: "BASE VERSION"
compared_kernels()
{
	local hash

	hash=$("$top/package/compare" "$base" "$debian_dir/source")
	awk -v base="$base" -v hash="$hash" '$1 == base && $2 == hash { print $1, $3 }' "$top/package/kernels"
}

# patched_vfio DIR: of this base
patched_vfio()
{
	local dir=$1 tree=$work/package

	need debian
	make_tree "$tree" series
	compared_kernels >"$dir/kernels.$base"
	[ -s "$dir/kernels.$base" ] ||
		die "vfio of $(deb_of "$PACKAGE") differs from all of package/kernels; add it with package/compare, and look at what has changed"
	cat "$dir/kernels.$base" >>"$dir/kernels"
	rm "$dir/kernels.$base"
	mkdir -p "$dir/$base"/{drivers,include/linux,include/uapi/linux}
	cp -r "$tree/drivers/vfio" "$dir/$base/drivers/"
	# DKMS does not replace a module whose version is the same, or that has none.
	grep -rl '^MODULE_LICENSE' "$dir/$base/drivers" | xargs sed -i \
		-e '/^MODULE_VERSION/d' -e "s/^MODULE_LICENSE.*/&\nMODULE_VERSION(\"$(deb_version)\");/"
	cp "$tree"/include/linux/vfio*.h "$dir/$base/include/linux/"
	cp "$tree"/include/uapi/linux/vfio*.h "$dir/$base/include/uapi/linux/"
	rm -r "$tree"
}

deb_version()
{
	dpkg-parsechangelog -l "$top/package/debian/changelog" -S Version
}

deb_file()
{
	echo "$top/out/vfio-sriov-dkms_$(deb_version)${1:-}_all.deb"
}

# build_deb [SUFFIX]: of the version, for a package to upgrade from
build_deb()
{
	local suffix=${1:-} dir=$deb_dir/vfio-sriov file

	file=$(deb_file "$suffix")
	rm -rf "$dir" "$file"
	mkdir -p "$dir"
	cp -r "$top/package"/* "$dir/"
	cp -r "$deb_dir/dkms"/* "$dir/dkms/"
	sed -i "1s/)/$suffix)/" "$dir/debian/changelog"
	(cd "$dir" && dpkg-buildpackage -b -us -uc)
	[ -n "$suffix" ] || lintian --fail-on error,warning --no-tag-display-limit "$deb_dir/${file##*/}"
	mv "$deb_dir/${file##*/}" "$file"
}
