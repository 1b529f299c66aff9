#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# packages.sh [LIST]...: installs the Debian packages that the commands need and
# that are missing, those of packages.list and of other lists beside it. Run as
# root, or sourced by a command, which then uses sudo if that needs no password.
# The machine's own package sources are read, never changed.
set -euo pipefail

# shellcheck source=harness/lib.sh
[ -n "${top:-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A command that needs more adds to this before it asks.
package_lists=(packages.list)

missing_packages()
{
	local list package

	for list in "${package_lists[@]}"; do
		[ -f "$top/harness/$list" ] || die "harness/$list: no such list of packages"
	done
	while read -r package; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -qx installed || echo "$package"
	done < <(cd "$top/harness" && grep -hv '^#' "${package_lists[@]}")
}

# The emulators that go with the lists, and their packages.
qemus()
{
	echo qemu-system-x86_64 qemu-system-x86
	[[ " ${package_lists[*]} " != *" packages.arm64 "* ]] || echo qemu-system-aarch64 qemu-system-arm
}

# QEMU counts by what it can do, whoever packaged it: igb came with 8.0.
have_qemu()
{
	command -v "$1" >/dev/null &&
		[[ $("$1" -machine none -device help 2>/dev/null) = *'name "igb"'* ]]
}

missing_qemus()
{
	local program package

	qemus | while read -r program package; do
		have_qemu "$program" || echo "$package"
	done
}

# The newest version of a QEMU package that the index offers, if it has igb.
qemu_in_index()
{
	local version

	while read -r version; do
		if dpkg --compare-versions "$version" ge 1:8.0; then
			echo "$version"
			return
		fi
	done < <(apt-cache madison "$1" 2>/dev/null | awk -F ' *[|] *' '{ print $2 }')
}

# Debian 12 has a QEMU with igb only in backports. Most machines do not list
# them, so they get a list of their own, next to each mirror that the machine
# uses for its release. Prints apt's options.
backports_index()
{
	local dir=$1 codename

	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	mkdir -p "$dir/lists/partial"
	# shellcheck disable=SC2016 # apt fills these in
	apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
		awk -v c="$codename" '$2 == c && $3 == "main" && !seen[$1]++ {
			print "deb", $1, c, "main"
			print "deb", $1, c "-backports", "main"
		}' >"$dir/sources.list"
	[ -s "$dir/sources.list" ] ||
		die "no Debian release among the package sources of this machine: a QEMU with igb (8.0 or newer) has to be installed by hand"
	printf '%s\n' -o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o "Dir::State::Lists=$dir/lists" -t "$codename-backports"
}

refresh_index()
{
	apt-get "$@" -o Acquire::Retries=2 -o APT::Update::Error-Mode=any update ||
		die "the package index cannot be fetched: is there a network?"
}

install_packages()
{
	DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends \
		-o DPkg::Lock::Timeout=300 "$@" ||
		die "packages cannot be installed"
}

install_qemu()
{
	local package=$1 version dir options

	version=$(qemu_in_index "$package")
	if [ -n "$version" ]; then
		install_packages install "$package=$version"
		return
	fi
	dir=$(mktemp -d)
	mapfile -t options < <(backports_index "$dir")
	[ "${#options[@]}" -gt 0 ] || exit 1
	refresh_index "${options[@]}"
	install_packages "${options[@]}" install "$package"
	rm -rf "$dir"
}

install_all()
{
	local missing package

	refresh_index
	mapfile -t missing < <(missing_packages)
	[ "${#missing[@]}" = 0 ] || install_packages install "${missing[@]}"
	for package in $(missing_qemus); do
		install_qemu "$package"
	done
	[ -z "$(missing_qemus)" ] || die "this QEMU has no igb device: version 8.0 or newer is needed"
}

wanted()
{
	missing_packages
	missing_qemus | sed 's/$/ (8.0 or newer)/'
}

# For the commands: nothing to do, do it, or say what to do.
ensure_packages()
{
	local list root=()

	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
		die "this is no Debian system: the packages in harness/packages.list have to be installed by hand"
	fi
	list=$(wanted | paste -sd ' ')
	[ -n "$list" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		root=(sudo -n)
		if ! sudo -n true 2>/dev/null; then
			say "packages are missing: $list"
			die "run as root: $top/harness/packages.sh ${package_lists[*]:1}"
		fi
	fi
	say "packages to install: $list"
	phase packages "installing packages" "${root[@]}" "$top/harness/packages.sh" "${package_lists[@]:1}"
}

# The same, with what runs in the guest as it does on the host.
ensure_guest_packages()
{
	package_lists+=(clients/packages.list)
	ensure_packages
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	[ "$(id -u)" = 0 ] || die "run as root: $top/harness/packages.sh"
	package_lists+=("$@")
	install_all
fi
