# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2153 # variables of the other parts
#
# Debian packages in the cache: the source of the base, kernels, programs. No root
# needed, nothing is installed, and the machine's package sources stay as they are.

debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# For any index, and for the one that is used: at first the machine's own
any_index=(-o "APT::Sandbox::User=$(id -un)" -o Acquire::Retries=2 -q)
apt_options=("${any_index[@]}")

# index_options DIR [OPTION]...: an index in DIR
index_options() {
	local dir=$1

	mkdir -p "$dir"/{lists,archives}/partial
	apt_options=("${any_index[@]}" "${@:2}" -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir"
		-o "Dir::Cache::Archives=$dir/archives")
}

# The mirrors that serve main of the machine's own release
debian_mirrors() {
	local codename targets

	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # apt fills these in
	targets=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages') ||
		die "apt cannot read the package sources of this machine (above)"
	awk -v c="$codename" '$2 == c && $3 == "main" && !seen[$1]++ { print $1; n++ } END { exit !n }' <<<"$targets" ||
		die "no Debian release among the package sources of this machine"
}

debian_mirror() { debian_mirrors | sed -n 1p; }

# use_suites NAME SUITE...: an index of these, from the machine's mirror, verified
# with the distribution's keyring. Checkouts share it, which with_cache guards.
use_suites() {
	local dir=$cache/apt/$1 mirror

	shift
	[ -f "$debian_keyring" ] || die "$debian_keyring is missing: install debian-archive-keyring"
	mirror=$(debian_mirror)
	index_options "$dir" -o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o APT::Architecture=amd64 -o Acquire::Languages=none
	printf "deb [signed-by=$debian_keyring] $mirror %s main\n" "$@" >"$dir/sources.list"
	# An index of today is good enough, and a run without a network can use it.
	if ! find "$dir/updated" -mmin -720 2>/dev/null | grep -q .; then
		if apt-get "${apt_options[@]}" -o APT::Update::Error-Mode=any update; then
			touch "$dir/updated"
		else
			[ -f "$dir/updated" ] || die "no package index of $* can be fetched: is there a network?"
			say "the package index of $* cannot be updated; the last one is used"
		fi
	fi
}

# The machine's index may be old, or not list a package at all (a fresh system has
# none): fetch one from the same mirrors or, if the base names suites, of these.
use_own_index() {
	# shellcheck disable=SC2086 # words
	if [ -n "${SUITES:-}" ]; then
		use_suites "$base" $SUITES
	else
		# A source that fails need not matter, nor that all do.
		index_options "$cache/index"
		(refresh_index "${apt_options[@]}")
	fi
}

# The state of the machine's index, and the day, as one of our own is updated daily
index_key() {
	local lists

	eval "$(apt-config shell lists Dir::State::Lists/d)"
	{
		find "$lists" -maxdepth 1 -type f -printf '%p %s %T@\n' | sort
		date +%F
		cat "$basedir/source"
	} | hash_of
}

# fetch_deb PACKAGE[=VERSION]: downloads it if the cache lacks it, and prints "SUM  FILE",
# as the signed index has it, for sha256sum. Fails if the index does not have it.
fetch_deb() {
	local dir name sum

	name=$(apt-get "${apt_options[@]}" download --print-uris "$1" 2>/dev/null) || return 1
	read -r _ name _ sum <<<"$name"
	sum="${sum#SHA256:}  $cache/$name"
	if ! sha256sum --check --status <<<"$sum" 2>/dev/null; then
		need_disk 300 "$cache"
		dir=$(mktemp -d "$cache/partial.XXXXXX")
		(cd "$dir" && apt-get "${apt_options[@]}" download "$1" >&2) && mv "$dir"/*.deb "$cache/" ||
			echo "note: $1 cannot be downloaded; if the cache has an older one, that is used" >&2
		rm -rf "$dir"
		sha256sum --check --quiet <<<"$sum" >&2 || return 1
	fi
	echo "$sum"
}

# fetch FIND SUMS: the function FIND prints the lines of the file SUMS, from the machine's
# index or else from one of our own. While the index and the files are the same, nothing
# is looked up, which takes seconds. Without a network, what the cache has is used.
fetch() {
	local index cached=$cache/$1-$base${KVER:+-$KVER}

	index=$(index_key)
	# shellcheck disable=SC2310 # questions
	if stamp_matches "$1" "$index" && files_of "$2" | xargs -d '\n' stat >/dev/null 2>&1; then
		up_to_date
	elif "$1" >"$2.new" || { say "it is not in this package index; fetching one" && use_own_index && "$1" >"$2.new"; }; then
		mv "$2.new" "$2"
		cp "$2" "$cached"
		set_stamp "$1" "$index"
	elif sha256sum --check --quiet "$cached"; then
		cp "$cached" "$2"
		say "note: no network, or no package source has it: what is in the cache is used"
	else
		die "$PACKAGE and its kernel are not in the cache and cannot be downloaded: no network, or no package source has them${SUITES:+ of $SUITES} (Debian 12: bookworm-security)"
	fi
}

files_of() { sed 's/^[^ ]*  //' "$1"; }

# ---- the source package of the base

source_sums=$work/source.sums

find_source() { fetch_deb "$PACKAGE"; }

get_source_package() {
	mkdir -p "$work"
	with_cache fetch find_source "$source_sums"
}

key_source_package() { source_version; }
source_version() { files_of "$source_sums" | sed 's/.*source-[^_]*_//; s/_all.deb$//; s/%3a/:/'; }

# ---- a program for another machine

# fetch_program PACKAGE ARCHITECTURE PATH: as $cache/ARCHITECTURE/NAME
fetch_program() {
	local program=$cache/$2/${3##*/} sum

	[ ! -x "$program" ] || { up_to_date; return; }
	index_options "$cache/$2" -o "APT::Architecture=$2"
	refresh_index "${apt_options[@]}"
	sum=$(fetch_deb "$1") || die "$1 for $2 cannot be fetched: is there a network?"
	dpkg-deb --fsys-tarfile "${sum#*  }" | tar -xO "./$3" >"$program.new"
	chmod +x "$program.new"
	mv "$program.new" "$program"
}
