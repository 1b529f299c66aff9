# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# The Debian package in Debian 12 and 13: installed with apt next to a kernel, which is
# then booted with that tree of modules; removed, and booted again. Sourced by check.sh.

# shellcheck source=harness/lib/apt.sh
. "$parts/apt.sh"
# shellcheck source=harness/lib/deb.sh
. "$parts/deb.sh"

# ---- needs

make_deb()
{
	unless_done deb "$(key_deb)" make_both_debs
}

make_both_debs()
{
	rm -rf "$deb_dir" "$top"/out/*.deb
	mkdir -p "$deb_dir/dkms"
	patched_vfio "$deb_dir/dkms"
	build_deb '~old'
	build_deb
}

key_deb()
{
	{
		modules_key series
		hash_files "$top/package" "$top/harness/lib/deb.sh"
	} | hash_of
}

# A root directory for each suite, with what dkms needs; the checks write to an
# overlay on it.
make_roots()
{
	local suite root

	[ "$(id -u)" = 0 ] || die "run as root: the package is installed in root directories"
	for suite in bookworm trixie; do
		root=$cache/package-$suite
		[ ! -d "$root" ] || continue
		rm -rf "$root.new"
		debootstrap --variant=minbase --keyring="$debian_keyring" "$suite" "$root.new" "$(debian_mirror)"
		[ "$suite" != bookworm ] ||
			sed -n 's,^deb \(.*\)/debian/* bookworm main$,deb \1/debian-security bookworm-security main,p' \
				"$root.new/etc/apt/sources.list" >"$root.new/etc/apt/sources.list.d/security.list"
		in_root_dir "$root.new" sh -c "apt-get -q update && apt-get -q -y --no-install-recommends \
			install dkms initramfs-tools iproute2 kmod cpio zstd && apt-get clean"
		mv "$root.new" "$root"
	done
}

key_roots()
{
	ls -d "$cache"/package-{bookworm,trixie}
}

# in_root_dir DIR COMMAND...: with this checkout in /mnt. The mounts end with it.
in_root_dir()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	DEBIAN_FRONTEND=noninteractive unshare --mount --propagation private bash -euc '
		root=$1 top=$2
		shift 2
		if [ -d "$root.upper" ]; then
			mount -t overlay overlay -o "lowerdir=$root.lower,upperdir=$root.upper,workdir=$root.work" "$root"
		fi
		mount -t proc proc "$root/proc"
		mount --bind /dev "$root/dev"
		mount --bind "$top" "$root/mnt"
		exec chroot "$root" /usr/bin/env -C / PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"' - "$1" "$top" "${@:2}"
}

# ---- the check

# module_tree DIR NAME: the modules as they are now, for vmtest.sh -d
module_tree()
{
	local dir=$1 release

	release=$(cat "$dir.upper/release")
	mkdir -p "$dir.$2/lib/modules"
	cp -al "$dir.upper/usr/lib/modules/$release" "$dir.$2/lib/modules/"
}

# package_vm CHECK DIR NAME OPTION...: Debian's kernel with that tree
package_vm()
{
	local name=$1 dir=$2 tree=$3

	shift 3
	vmtest -k "$dir.upper/boot/vmlinuz-$(cat "$dir.upper/release")" -d "$dir.$tree" -o "$logs/vm.$name.$tree" "$@"
}

# tools CHECK DIR NAME refused|loads: a foreign module, and the command vfio-sriov
tools()
{
	local dir=$2 release file n=10 into=$2.$3/foreign

	release=$(cat "$dir.upper/release")
	mkdir "$into"
	modprobe -d "$dir.$3" -S "$release" --show-depends kvmgt | sed -n 's/^insmod \([^ ]*\).*/\1/p' >"$into/list"
	while read -r file; do
		n=$((n + 1))
		if [ "${file%.xz}" = "$file" ]; then cat "$file"; else xz -dc "$file"; fi \
			>"$into/$n-$(basename "${file%.xz}")"
	done <"$into/list"
	objcopy --remove-section=__versions "$into/$n-kvmgt.ko"
	package_vm "$1.tool" "$dir" "$3" -m "$machine_dir/host-root.sh" -n -f "$into" -f "$top/tests/package/foreign.sh" -f "$top/tests/package/tool.sh" \
		-f "$top/package/vfio-sriov" -f "$programs/vfio_open" -c "sh foreign.sh $4 && sh tool.sh $3" | tee "$work/cases/$1.$3"
}

# check_package SUITE
check_package()
{
	local suite=$1 name=package-$1 dir=$work/package-$1 case race=vfio_pci_vf_token_race_test

	rm -rf "$dir" "$dir".*
	mkdir -p "$dir" "$dir.upper" "$dir.work"
	ln -s "$cache/package-$suite" "$dir.lower"
	in_root_dir "$dir" /mnt/tests/package/steps.sh install
	module_tree "$dir" ours
	tools "$name" "$dir" ours refused
	in_root_dir "$dir" /mnt/tests/package/steps.sh remove
	module_tree "$dir" stock
	tools "$name" "$dir" stock loads
	# Once it is removed, the race is back.
	# shellcheck disable=SC2310 # it must fail
	package_vm "$name" "$dir" stock -b "$programs" -m "$machine_dir/warp.sh" -t 600 -a "VFIO_PATHS=group VFIO_ROUNDS=100" "$race" \
		>"$work/cases/$name.red" || true
	ktap_cases "$work/cases/$name.red" >"$work/cases/$name.red.list"
	case=race.type1.pf_opened_during_vf_open
	[ "$(grep -c "^fail	$race .*: $case\$" "$work/cases/$name.red.list")" = 2 ] ||
		die "$case did not fail on both devices with Debian's own modules"
	package_vm "$name.page" "$dir" ours -m "$machine_dir/host-root.sh" -n -f "$clients/page.py" -f "$top/docs/howto/install.md" \
		-f "$top/package/vfio-sriov" -c "python3 page.py install.md" >"$work/cases/$name.page"
	package_vm "$name" "$dir" ours -b "$programs" -m "$machine_dir/warp.sh" -t 1200 "${rule_tests[@]}" >"$work/cases/$name.tests"
	cat "$work/cases/$name".{ours,stock,page,tests} | tee "$(ktap_of "$name")"
	must_have_run "$name" "${rule_tests[@]}"
	rm -rf "$dir" "$dir".*
}

check_package_bookworm()
{
	check_package bookworm
}

check_package_trixie()
{
	check_package trixie
}
