# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# The Debian packages that a command needs: lists of harness/packages, and QEMU.
# The machine's own package sources are read, never changed.

missing_packages() {
	without_comments "${@/#/$top/harness/packages/}" | sort -u |
		comm -23 - <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u)
}

# Not all packages of a list need be installed.
package_versions() { without_comments "${@/#/$top/harness/packages/}" | xargs dpkg-query -W 'gcc-[0-9][0-9]' 2>/dev/null || true; }

# Any package of QEMU is accepted if it has igb, which came with 8.0.
has_igb() { [[ $("$1" -machine none -device help 2>/dev/null) = *'name "igb"'* ]]; }

# The packages of the emulators that go with the lists. Without a list of what runs in
# a VM, such as to build the package, none is needed.
missing_qemus() {
	# shellcheck disable=SC2310 # questions
	[[ " $* " != *" "@(demo|fixes)" "* ]] || has_igb qemu-system-x86_64 || echo qemu-system-x86
	# shellcheck disable=SC2310
	[[ " $* " != *" arm64 "* ]] || has_igb qemu-system-aarch64 || echo qemu-system-arm
}

# A source that fails need not matter: what is missing may be in the others. apt-get update
# does not wait for a lock.
refresh_index() {
	local said failed until=$((SECONDS + 300))

	while said=$(apt-get "$@" -o Acquire::Retries=2 update 2>&1 || true) && grep -q '^E: Could not get lock' <<<"$said"; do
		[ $SECONDS -lt $until ] || die "another package manager is running and did not end within 5 minutes"
		say "waiting for another package manager to end ..."
		sleep 5
	done
	printf '%s\n' "$said"
	! grep -q '^E: .*list of sources could not be read' <<<"$said" || die "apt cannot read the package sources of this machine"
	if failed=$(grep -E '^(Err:|W: Failed to fetch|E: )' <<<"$said"); then
		say "these package sources cannot be fetched; going on with the others:" "$failed"
	fi
}

install_packages() {
	DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
}

# Debian 12 has a QEMU with igb only in backports. Most machines do not list them:
# then they get an index of their own, of each mirror of the machine's release.
install_qemu() {
	local package=$1 version dir codename mirrors

	version=$(apt-cache madison "$package" | awk '{ print $3 }' | sort -V | tail -n 1)
	if dpkg --compare-versions "$version" ge 1:8.0; then
		install_packages install "$package=$version"
		return
	fi
	dir=$(mktemp -d)
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	read_lines mirrors debian_mirrors
	printf "deb %s main\n" "${mirrors[@]/%/ $codename}" "${mirrors[@]/%/ $codename-backports}" \
		>"$dir/sources.list"
	index_options "$dir" -o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o "Dir::Etc::Preferences=$dir/preferences"
	# Only these: libraries of backports would not go with the release's -dev packages.
	printf 'Package: %s\nPin: release n=%s\nPin-Priority: 990\n' 'qemu-system* seabios ipxe-qemu' \
		"$codename-backports" >"$dir/preferences"
	refresh_index "${apt_options[@]}"
	install_packages "${apt_options[@]}" install "$package"
	rm -rf "$dir"
}

# install_missing LIST...: as root
install_missing() {
	local missing package packages

	refresh_index
	read_lines missing missing_packages "$@"
	[ "${#missing[@]}" = 0 ] || install_packages install "${missing[@]}"
	read_lines packages missing_qemus "$@"
	for package in "${packages[@]}"; do
		install_qemu "$package"
	done
	read_lines packages missing_qemus "$@"
	[ "${#packages[@]}" = 0 ] || die "this QEMU has no igb device: version 8.0 or newer is needed"
}

# ensure_packages LIST...: on this machine and, if the base is built in a root directory of
# another Debian, there
ensure_packages() {
	local missing qemu root=()

	# What makes a root directory to build in
	[ -z "${BUILD_ROOT:-}" ] || set -- "$@" roots
	[ -f /etc/debian_version ] ||
		die "not a Debian system: install the packages listed in harness/packages/ ($*) by hand"
	read_lines missing missing_packages "$@"
	read_lines qemu missing_qemus "$@"
	missing+=("${qemu[@]/%/ (8.0 or newer)}")
	if [ "${#missing[@]}" != 0 ]; then
		say "packages are missing: ${missing[*]}"
		if [ "$(id -u)" != 0 ]; then
			root=(sudo -n)
			sudo -n true 2>/dev/null || die "run as root: $top/harness/packages.sh $*"
		fi
		phase_must_end=1
		phase packages "installing packages" "${root[@]}" "$top/harness/packages.sh" "$@"
	fi
	[ -z "${BUILD_ROOT:-}" ] || phase root "making a Debian 13 root directory to build in" \
		make_root "$trixie" trixie trixie "${trixie_packages[@]}"
}
