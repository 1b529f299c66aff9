# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2153 # variables of the other parts
#
# Debian packages in the cache: the source of the base, kernels, programs. No root
# needed, nothing is installed, and the machine's package sources stay as they are.
# Sourced after packages.sh.

debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Options for the index that is used: none for the machine's own
apt_options=()

# index_options DIR [OPTION]...: an index in DIR
index_options()
{
	local dir=$1

	mkdir -p "$dir"/{lists,archives}/partial
	apt_options=("${@:2}" -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir"
		-o "Dir::Cache::Archives=$dir/archives" -o "APT::Sandbox::User=$(id -un)"
		-o Acquire::Retries=2 -o APT::Update::Error-Mode=any -q)
}

# The mirrors that serve main of the machine's own release
debian_mirrors()
{
	local codename

	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # apt fills these in
	apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
		awk -v c="$codename" '$2 == c && $3 == "main" && !seen[$1]++ { print $1; n++ } END { exit !n }' ||
		die "no Debian release among the package sources of this machine"
}

debian_mirror()
{
	local mirrors

	read_lines mirrors debian_mirrors
	echo "${mirrors[0]}"
}

# use_suites NAME SUITE...: an index of these, from the machine's mirror, verified
# with the distribution's keyring. Checkouts share it: a lock guards the update.
use_suites()
{
	local dir=$cache/apt/$1 mirror

	shift
	[ -f "$debian_keyring" ] || die "$debian_keyring is missing: install debian-archive-keyring"
	mirror=$(debian_mirror)
	index_options "$dir" -o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o APT::Architecture=amd64 -o Acquire::Languages=none
	exec 6>"$dir/lock"
	flock 6
	printf "deb [signed-by=$debian_keyring] $mirror %s main\n" "$@" >"$dir/sources.list"
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

# The machine's index may be old, or not list a package at all (a fresh system has
# none): fetch one from the same mirrors or, if the base names suites, of these.
use_own_index()
{
	if [ -n "${SUITES:-}" ]; then
		# shellcheck disable=SC2086 # words
		use_suites "$base" $SUITES
		return
	fi
	index_options "$cache/index"
	apt-get "${apt_options[@]}" update
}

# "PACKAGE VERSION" of all versions of these packages that the index offers
offered()
{
	{ apt-cache "${apt_options[@]}" madison "$@" 2>/dev/null || true; } |
		awk -F ' *[|] *' '/ Packages$/ { sub(/^ */, "", $1); print $1, $2 }' | sort -u
}

# package_version PACKAGE: the newest version, or nothing
package_version() { offered "$1" | cut -d' ' -f2 | sort -V | tail -n 1; }

# The state of the machine's index, and the day, as one of our own is updated daily
index_key()
{
	local lists

	eval "$(apt-config shell lists Dir::State::Lists/d)"
	{
		find "$lists" -maxdepth 1 -type f -printf '%p %s %T@\n' | sort
		date +%F
		cat "$basedir/source"
	} | hash_of
}

# is_fetched STAMP SUMS: with this index, these files, which are still there. To look
# that up in the index takes seconds.
is_fetched()
{
	stamp_matches "$1" "$(index_key)" && sed 's/^[^ ]*  //' "$2" | xargs -d '\n' stat >/dev/null 2>&1 && up_to_date
}

# fetch_debs SUMS PACKAGE=VERSION...: what the cache lacks; the file SUMS is for
# sha256sum. apt checks what it downloads against the signed index.
fetch_debs()
{
	local sums=$1 dir sum file wanted=()

	shift
	# The names that apt gives to the files
	apt-cache "${apt_options[@]}" show "$@" | awk -v cache="$cache" '
		{ field[$1] = $2 }
		$1 == "SHA256:" {
			name = field["Package:"] "_" field["Version:"] "_" field["Architecture:"] ".deb"
			gsub(/:/, "%3a", name)
			if (!seen[name]++)
				print $2 "  " cache "/" name
		}' >"$sums"
	[ "$(wc -l <"$sums")" = $# ] || { say "not all of these are in the package index: $*"; return 1; }
	while read -r sum file; do
		sha256sum --check --status <<<"$sum  $file" 2>/dev/null && continue
		file=${file##*/}
		wanted+=("${file%%_*}=$(sed 's/^[^_]*_//; s/_.*//; s/%3a/:/' <<<"$file")")
	done <"$sums"
	[ "${#wanted[@]}" != 0 ] || { up_to_date; return; }
	need_disk 400 "$cache"
	dir=$(mktemp -d "$cache/partial.XXXXXX")
	(cd "$dir" && apt-get "${apt_options[@]}" -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=2 -q \
		download "${wanted[@]}") || { rm -rf "$dir"; return 1; }
	mv "$dir"/*.deb "$cache/"
	rmdir "$dir"
	sha256sum --check --quiet "$sums"
}

# fetch_package PACKAGE VERSION: prints the file in the cache
fetch_package()
{
	with_cache fetch_debs "$work/fetched.sums" "$1=$2" >&2
	sed 's/^[^ ]*  //' "$work/fetched.sums"
}

# ---- the source package of the base

fetch_newest_source()
{
	local version

	! is_fetched fetched-source "$cache/$PACKAGE.sums" || return 0
	version=$(package_version "$PACKAGE")
	[ -n "$version" ] || return 1
	fetch_debs "$cache/$PACKAGE.sums" "$PACKAGE=$version" || return 1
	echo "$version" >"$cache/$PACKAGE.version"
	set_stamp fetched-source "$(index_key)"
}

fetch_source()
{
	# shellcheck disable=SC2310 # questions
	if ! fetch_newest_source; then
		say "the machine's package index does not have $PACKAGE; fetching an index"
		if ! use_own_index || ! fetch_newest_source; then
			die "$PACKAGE cannot be downloaded: no network, or no suite has it${SUITES:+ of $SUITES} (SUITES in bases/$base/source)"
		fi
	fi
}

source_version() { cat "$cache/$PACKAGE.version"; }

package_file() { echo "$cache/${PACKAGE}_${1//:/%3a}_all.deb"; }

# ---- a program for another machine

# fetch_program PACKAGE ARCHITECTURE PATH: as $cache/ARCHITECTURE/NAME
fetch_program()
{
	local dir=$cache/$2 program=$cache/$2/${3##*/}

	[ ! -x "$program" ] || { up_to_date; return; }
	index_options "$dir" -o "APT::Architecture=$2"
	apt-get "${apt_options[@]}" update || die "no package index for $2 can be fetched: is there a network?"
	(cd "$dir/archives" && apt-get "${apt_options[@]}" download "$1") || die "$1 for $2 cannot be downloaded"
	dpkg-deb --fsys-tarfile "$dir/archives/$1"_*.deb | tar -xO "./$3" >"$program.new"
	rm -r "$dir/archives"
	chmod +x "$program.new"
	mv "$program.new" "$program"
}
