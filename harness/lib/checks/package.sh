# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# The Debian package in Debian 12 and 13: installed with apt next to a kernel, which is
# then booted with that tree of modules; removed, and booted again. Sourced by check.sh.

# ---- needs

make_deb() { locked=1 "$top/harness/deb.sh" '~old' ''; }

key_deb() {
	{
		hash_files "$top"/{package,patches,bases} "$top/harness/deb.sh"
		cat "$cache"/find_kernel-linux-* 2>/dev/null || true
	} | hash_of
}

# A root directory for each suite, with what dkms and the checks need; they write to
# an overlay on it.
root_packages=(ccache cpio dkms initramfs-tools iproute2 kmod systemd zstd)

get_roots() {
	ROOT_TOP=/mnt make_root "$cache/package-bookworm" "bookworm bookworm-security" bookworm "${root_packages[@]}"
	ROOT_TOP=/mnt make_root "$cache/package-trixie" "trixie trixie-security trixie-backports" trixie "${root_packages[@]}"
}

key_roots() { echo "${root_packages[*]}"; }

# ---- the check, with $suite, $name and $dir of package_in

# in_debian PAGE: of tests/package, whose shell enters the root directory with in_root; it
# leaves in /vm what to boot
in_debian() {
	export -f in_root
	export top dir suite
	ROOT_TOP=/mnt DEBIAN_KERNEL_USE_CCACHE=1 python3 "$top/tests/clients/page.py" "$top/tests/package/$1.md" 1800
}

# package_vm LOG TREE OPTION...: Debian's kernel with this tree of modules
package_vm() {
	vmtest -o "$logs/vm.$name.$1" -k "$dir.upper/vm/vmlinuz" -d "$dir.upper/vm/$2" "${@:3}"
}

# in_vm PAGE TREE: with this machine's programs and modules that the pages use
in_vm() {
	package_vm "${1##*/}" "$2" -n -t 900 -m "$machine_dir/host-root.sh" -m <(echo 'modules+=(8021q bonding bridge kvmgt)') \
		"${howto_programs[@]}" -f "$top/package/debian/vfio-sriov-dkms.vfio-sriov@.service" \
		-f "$top/tests/clients/page.py" -f "$top/$1.md" -c "python3 page.py ${1##*/}.md 300"
}

package_steps() {
	local race=vfio_pci_vf_token_race_test case=race.type1.pf_opened_during_vf_open red=$work/cases/$name.red

	case $suite in
	*-backports) in_debian backports ;;
	*) in_debian upgrade ;;
	esac
	in_vm tests/package/tool ours
	package_vm tests ours -b "$programs" -m "$machine_dir/warp.sh" -t 1200 "${rule_tests[@]}"
	[ "${suite%-backports}" = "$suite" ] || return 0
	in_vm docs/howto/install ours
	in_debian remove
	in_vm tests/package/tool-stock stock
	must_fail package_vm race stock -b "$programs" -m "$machine_dir/warp.sh" -t 600 -a VFIO_PATHS=group "$race" >"$red"
	ktap_cases "$red" >"$red.list"
	[ "$(grep -c "^fail	$race .*: $case\$" "$red.list")" = 2 ] ||
		die "$case did not fail on both devices with Debian's own modules"
}

package_in() {
	local suite=$1 name=package-${1#trixie-} dir=$work/package-${1#trixie-}

	rm -rf "$dir" "$dir".*
	mkdir -p "$dir" "$dir.upper" "$dir.work"
	ln -s "$cache/package-${suite%-backports}" "$dir.lower"
	package_steps | tee "$(ktap_of "$name")"
	must_have_run "$name" "${rule_tests[@]}"
	rm -rf "$dir" "$dir".*
}

# Both at once: a VM keeps one CPU busy.
check_package() {
	all_at_once package_in bookworm trixie
	cat "$(ktap_of package-bookworm)" "$(ktap_of package-trixie)" >"$(ktap_of package)"
	[ "$failed" = 0 ]
}

# The kernel of Debian 13's backports, another base
check_package_backports() { package_in trixie-backports; }

# Each base in a process, as it has its own variables
check_quilt() {
	local name

	for name in $(known_bases); do BASE=$name locked=1 "$top/harness/quilt.sh"; done
}
