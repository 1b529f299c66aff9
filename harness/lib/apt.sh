# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# Debian packages of another suite than the machine's: an apt index in the
# cache, from the mirror that the machine uses for its own release, verified
# with the distribution's keyring. Nothing is installed on the machine and its
# package sources stay as they are. Sourced after packages.sh.

debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The mirror that serves main of the machine's own release.
debian_mirror()
{
	local codename mirror

	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # apt fills these in
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
		awk -v c="$codename" '$2 == c && $3 == "main" { print $1; exit }')
	[ -n "$mirror" ] || die "no Debian release among the package sources of this machine"
	echo "$mirror"
}

# use_suites NAME SUITE...: apt_options for an index of these suites. Checkouts
# share it: a lock guards the update.
use_suites()
{
	local dir=$cache/apt/$1 mirror suite

	shift
	mkdir -p "$dir"/{lists,archives}/partial
	[ -f "$debian_keyring" ] || die "$debian_keyring is missing: install debian-archive-keyring"
	mirror=$(debian_mirror)
	exec 6>"$dir/lock"
	flock 6
	for suite; do
		echo "deb [signed-by=$debian_keyring] $mirror $suite main"
	done >"$dir/sources.list"
	apt_options=(-o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir" -o "Dir::Cache::Archives=$dir/archives"
		-o "APT::Sandbox::User=$(id -un)" -o APT::Architecture=amd64 -o Acquire::Languages=none
		-o Acquire::Retries=2 -o APT::Update::Error-Mode=any -q)
	# An index of today is good enough, and a run without a network can use it.
	if ! find "$dir/updated" -mmin -720 2>/dev/null | grep -q .; then
		if apt-get "${apt_options[@]}" update; then
			touch "$dir/updated"
		else
			[ -f "$dir/updated" ] || die "no package index of $* can be fetched: is there a network?"
			say "the package index of $* cannot be updated; the last one is used"
		fi
	fi
	exec 6>&-
}

# package_version PACKAGE: the newest that the index offers, or nothing
package_version()
{
	apt-cache "${apt_options[@]}" madison "$1" 2>/dev/null |
		awk -F ' *[|] *' '/ Packages$/ && !n++ { print $2 }'
}

# fetch_package PACKAGE VERSION: a .deb in the cache, verified by apt; prints it
fetch_package()
{
	local package=$1 version=$2 dir=$cache/debs file

	mkdir -p "$dir"
	exec 8>"$dir/lock"
	flock 8
	file=$(find "$dir" -maxdepth 1 -name "${package}_${version//:/%3a}_*.deb" | sed -n 1p)
	if [ -z "$file" ]; then
		rm -rf "$dir/partial"
		mkdir "$dir/partial"
		(cd "$dir/partial" && apt-get "${apt_options[@]}" download "$package=$version" >&2) ||
			die "$package $version cannot be downloaded"
		file=$(basename "$dir"/partial/*.deb)
		mv "$dir/partial/$file" "$dir/$file"
		file=$dir/$file
	fi
	exec 8>&-
	echo "$file"
}
