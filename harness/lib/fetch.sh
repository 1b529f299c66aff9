# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034,SC2153 # variables of the other parts
#
# The Debian source package of the base, in the cache: no root needed, nothing
# installed. Sourced after run.sh.

# The machine's index may be old, or not list the package at all (a fresh
# system has none): then one is fetched into the cache, from the same mirrors, or,
# if the base is of other suites, of these.
own_index=()

use_own_index()
{
	if [ -n "${SUITES:-}" ]; then
		# shellcheck disable=SC2086 # words
		use_suites "$base" $SUITES
		own_index=("${apt_options[@]}")
		return
	fi
	mkdir -p "$cache/index/lists/partial" "$cache/index/archives/partial"
	own_index=(-o "Dir::State::Lists=$cache/index/lists" -o "Dir::Cache=$cache/index"
		-o "Dir::Cache::Archives=$cache/index/archives")
	apt-get "${own_index[@]}" -o Acquire::Retries=2 -o APT::Update::Error-Mode=any -q update
}

newest_version()
{
	apt-cache "${own_index[@]}" madison "$PACKAGE" 2>/dev/null |
		awk -F ' *[|] *' '/ Packages$/ { print $2 }' | sort -Vr | sed -n 1p
}

package_file()
{
	echo "$cache/${PACKAGE}_${1//:/%3a}_all.deb"
}

package_sum()
{
	apt-cache "${own_index[@]}" show "$PACKAGE=$1" 2>/dev/null |
		awk '$1 == "SHA256:" { print $2; exit }'
}

package_is_good()
{
	local file

	file=$(package_file "$1")
	[ -f "$file" ] && [ "$(sha256sum <"$file" | cut -d' ' -f1)" = "$(package_sum "$1")" ]
}

# apt checks what it downloads against the signed index.
download_package()
{
	local dir

	dir=$(mktemp -d "$cache/partial.XXXXXX")
	(cd "$dir" &&
		apt-get "${own_index[@]}" -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=2 \
			-q download "$PACKAGE=$1") || { rm -rf "$dir"; return 1; }
	mv "$dir/${PACKAGE}_"*.deb "$(package_file "$1")"
	rmdir "$dir"
}

fetch_source()
{
	local version

	version=$(newest_version)
	if [ -z "$version" ]; then
		echo "the machine's package index does not list $PACKAGE; fetching an index"
		use_own_index || die "no package index can be fetched: is there a network?"
		version=$(newest_version)
		[ -n "$version" ] || die "no package $PACKAGE in the package index of this machine"
	fi
	if package_is_good "$version"; then
		echo "$version" >"$cache/$PACKAGE.version"
		up_to_date
		return
	fi
	need_disk 400 "$cache"
	# shellcheck disable=SC2310 # it says itself whether it failed
	if ! download_package "$version"; then
		use_own_index || die "$PACKAGE $version cannot be downloaded: is there a network?"
		version=$(newest_version)
		download_package "$version" || die "$PACKAGE $version cannot be downloaded"
	fi
	package_is_good "$version" || die "$(package_file "$version") is damaged: remove it and try again"
	echo "$version" >"$cache/$PACKAGE.version"
}

# fetch_program PACKAGE ARCHITECTURE PATH: a program for another machine goes
# into the cache as $cache/ARCHITECTURE/NAME; nothing of it is installed.
fetch_program()
{
	local package=$1 dir=$cache/$2 path=$3 options

	if [ -x "$dir/${path##*/}" ]; then
		up_to_date
		return
	fi
	rm -rf "$dir"/{archives,package}
	mkdir -p "$dir"/{lists,archives,package}/partial
	options=(-o "APT::Architecture=$2" -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir"
		-o "Dir::Cache::Archives=$dir/archives" -o "APT::Sandbox::User=$(id -un)"
		-o Acquire::Retries=2 -o APT::Update::Error-Mode=any -q)
	apt-get "${options[@]}" update || die "no package index for $2 can be fetched: is there a network?"
	(cd "$dir/package" && apt-get "${options[@]}" download "$package") ||
		die "$package for $2 cannot be downloaded"
	dpkg-deb --fsys-tarfile "$dir/package/$package"_*.deb | tar -xO "./$path" >"$dir/program"
	chmod +x "$dir/program"
	mv "$dir/program" "$dir/${path##*/}"
	rm -rf "$dir"/{archives,package}
}

source_version()
{
	cat "$cache/$PACKAGE.version"
}
