# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# The Debian package in Debian 12 and 13: installed with apt next to a kernel, which is
# then booted with that tree of modules; removed, and booted again. Sourced by check.sh.

# ---- needs

make_deb()
{
	locked=1 "$top/harness/deb.sh" '~old' ''
}

key_deb()
{
	{
		hash_files "$top"/{package,patches,bases} "$top/harness/deb.sh"
		cat "$cache"/find_kernel-linux-* 2>/dev/null || true
	} | hash_of
}

# A root directory for each suite, with what dkms and the checks need; they write to
# an overlay on it.
root_packages=(ccache cpio dkms initramfs-tools iproute2 kmod systemd zstd)

get_roots()
{
	ROOT_TOP=/mnt make_root "$cache/package-bookworm" "bookworm bookworm-security" bookworm "${root_packages[@]}"
	ROOT_TOP=/mnt make_root "$cache/package-trixie" "trixie trixie-security trixie-backports" trixie "${root_packages[@]}"
}

key_roots()
{
	echo "${root_packages[*]}"
}

# ---- the check

# begin_package DIR SUITE: a root directory to write to
begin_package()
{
	rm -rf "$1" "$1".*
	mkdir -p "$1" "$1.upper" "$1.work"
	ln -s "$cache/package-$2" "$1.lower"
}

# step DIR STEP: of tests/package/steps.sh
step()
{
	ROOT_TOP=/mnt DEBIAN_KERNEL_USE_CCACHE=1 in_root "$1" /mnt/tests/package/steps.sh "$2"
}

# module_tree DIR NAME: the modules as they are now, for vmtest.sh -d
module_tree()
{
	local dir=$1 release

	release=$(cat "$dir.upper/release")
	mkdir -p "$dir.$2/lib/modules"
	cp -al "$dir.upper/usr/lib/modules/$release" "$dir.$2/lib/modules/"
}

# package_vm NAME DIR TREE OPTION...: Debian's kernel with that tree
package_vm()
{
	local name=$1 dir=$2 tree=$3

	shift 3
	vmtest -k "$dir.upper/boot/vmlinuz-$(cat "$dir.upper/release")" -d "$dir.$tree" -o "$logs/vm.$name.$tree" "$@"
}

# page_vm NAME DIR TREE OPTION...: the same with this machine's programs
page_vm()
{
	package_vm "$@" -m "$machine_dir/host-root.sh" -n "${howto_programs[@]}"
}

# foreign_modules DIR TREE: kvmgt of Debian and what it needs, in DIR.TREE/foreign, in
# the order of loading, without symbol versions
foreign_modules()
{
	local release file n=10 into=$1.$2/foreign

	release=$(cat "$1.upper/release")
	mkdir "$into"
	modprobe -d "$1.$2" -S "$release" --show-depends kvmgt | sed -n 's/^insmod \([^ ]*\).*/\1/p' >"$into/list"
	while read -r file; do
		n=$((n + 1))
		if [ "${file%.xz}" = "$file" ]; then cat "$file"; else xz -dc "$file"; fi \
			>"$into/$n-$(basename "${file%.xz}")"
	done <"$into/list"
	objcopy --remove-section=__versions "$into/$n-kvmgt.ko"
}

# tools NAME DIR TREE refused|loads: a foreign module, and the command vfio-sriov
tools()
{
	local scripts=$top/tests/package

	foreign_modules "$2" "$3"
	page_vm "$1.tool" "$2" "$3" -m "$scripts/machine.sh" -f "$2.$3/foreign" -f "$scripts/foreign.sh" -f "$scripts/tool.sh" \
		-f "$top/package/debian/vfio-sriov-dkms.vfio-sriov@.service" -c "sh foreign.sh $4 && sh tool.sh $3" |
		tee "$work/cases/$1.$3"
}

# rules NAME DIR: the selftests on the package's modules
rules()
{
	package_vm "$1" "$2" ours -b "$programs" -m "$machine_dir/warp.sh" -t 1200 "${rule_tests[@]}" |
		tee "$work/cases/$1.tests"
}

# race_is_back NAME DIR: with Debian's own modules, on both devices
race_is_back()
{
	local race=vfio_pci_vf_token_race_test case=race.type1.pf_opened_during_vf_open red=$work/cases/$1.red

	must_fail package_vm "$1" "$2" stock -b "$programs" -m "$machine_dir/warp.sh" -t 600 -a VFIO_PATHS=group "$race" >"$red"
	ktap_cases "$red" >"$red.list"
	[ "$(grep -c "^fail	$race .*: $case\$" "$red.list")" = 2 ] ||
		die "$case did not fail on both devices with Debian's own modules"
}

# end_package NAME DIR: what the VMs have said, as the result
end_package()
{
	cat "$work/cases/$1".{ours,stock,page,tests} 2>/dev/null >"$(ktap_of "$1")" || true
	must_have_run "$1" "${rule_tests[@]}"
	rm -rf "$2" "$2".*
}

# package_in SUITE
package_in()
{
	local name=package-$1 dir=$work/package-$1

	rm -f "$work/cases/$name".* "$(ktap_of "$name")"
	begin_package "$dir" "$1"
	step "$dir" install
	module_tree "$dir" ours
	tools "$name" "$dir" ours refused
	step "$dir" remove
	module_tree "$dir" stock
	tools "$name" "$dir" stock loads
	race_is_back "$name" "$dir"
	page_vm "$name.page" "$dir" ours -f "$clients/page.py" -f "$top/docs/howto/install.md" \
		-c "python3 page.py install.md" | tee "$work/cases/$name.page"
	rules "$name" "$dir"
	end_package "$name" "$dir"
}

# Both at once: a VM keeps one CPU busy.
check_package()
{
	all_at_once package_in bookworm trixie
	# One that failed may have left no cases.
	[ "$failed" = 0 ] || return 1
	cat "$(ktap_of package-bookworm)" "$(ktap_of package-trixie)" >"$(ktap_of package)"
}

# Each base in a process, as it has its own variables
check_quilt()
{
	local name

	for name in $(known_bases); do
		BASE=$name locked=1 "$top/harness/quilt.sh"
	done
}

# The kernel of Debian 13's backports, another base
check_package_backports()
{
	local name=package-backports dir=$work/package-backports

	rm -f "$work/cases/$name".*
	begin_package "$dir" trixie
	step "$dir" install_backports
	module_tree "$dir" ours
	tools "$name" "$dir" ours refused
	rules "$name" "$dir"
	end_package "$name" "$dir"
}
