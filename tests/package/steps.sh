#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# steps.sh install|install_backports|remove: in a Debian root directory with this
# repository in /mnt, what an administrator does, and what must then be there.
# "install" begins with an older package and no kernel, "install_backports" with
# nothing; "remove" ends with the package purged.
set -eu

die()
{
	echo "error: $*" >&2
	exit 1
}

run()
{
	echo "# $*" >&2
	"$@"
}

# page COMMAND [SUITE]: what docs/howto/install.md says to do in this release of Debian,
# or with this suite
page()
{
	awk -v suite="${2:-$(. /etc/os-release && echo "$VERSION_CODENAME")}" '
		/^```sh/ { on = NF == 1 || $2 == suite; next }
		/^```/ { on = 0 }
		on' /mnt/docs/howto/install.md | grep -e "$1" >/tmp/page || die "the page has no $1"
	cd /mnt/out
	sh -eux /tmp/page
}

# listed_kernel LINUX: the newest of its kernels that is in the package's list
listed_kernel()
{
	apt-cache pkgnames "linux-image-$1." | grep -E '^linux-image-[0-9.]+[+]deb[0-9]+-amd64$' |
		sort -Vr | while read -r package; do
		version=$(apt-cache madison "$package" | awk '{ print $3; exit }')
		! grep -q " $version\$" "$list" || { echo "${package#linux-image-}"; break; }
	done
}

# The initramfs has vfio-pci from this folder of the modules, and from no other.
initramfs_has()
{
	found=$(lsinitramfs "/boot/initrd.img-$release" | grep -E '/vfio-pci\.ko')
	[ "$(echo "$found" | grep -c .)" = 1 ] || die "initramfs: $found"
	case $found in
	*"/$release/$1/"*) echo "initramfs: $found" ;;
	*) die "initramfs has $found, not $1" ;;
	esac
}

# modinfo and depmod agree: all five modules come from this folder
modules_are_in()
{
	for module in vfio vfio_iommu_type1 mdev vfio-pci-core vfio-pci; do
		file=$(modinfo -k "$release" -n "$module")
		case $file in
		*"/$release/$1"*) echo "$module: $file" ;;
		*) die "$module is $file, not in $1" ;;
		esac
	done
}

# Only this version is installed, as it was built. DKMS of Debian 13 puts the modules of
# the kernel aside, and says so.
dkms_has()
{
	status=$(run dkms status)
	echo "$status"
	[ "${status% (Original modules exist)}" = "vfio-sriov/$1, $release, x86_64: installed" ] ||
		die "dkms has: $status"
}

# A kernel that the list lacks is skipped with a message, although all is there that is
# needed to build the modules; apt does not fail.
install_unlisted_kernel()
{
	mv "$list" /tmp/list
	: >"$list"
	mkfifo /tmp/pipe
	tee /tmp/log </tmp/pipe &
	run apt-get install "linux-image-$release" "linux-headers-$release" >/tmp/pipe 2>&1
	wait
	grep "vfio-sriov: skipping $release" /tmp/log || die "$release was not skipped with a message"
	status=0
	dkms install "vfio-sriov/$old_version" -k "$release" || status=$?
	[ "$status" = 77 ] || die "dkms install for $release: status $status"
	[ ! -e "/lib/modules/$release/updates" ] || die "there are modules for $release"
	mv /tmp/list "$list"
}

prepare_apt()
{
	# An initramfs with vfio, as many have who assign devices, and with nothing else.
	echo MODULES=list >/etc/initramfs-tools/conf.d/small
	echo vfio_pci >>/etc/initramfs-tools/modules
	printf '%s;\n' 'APT::Get::Assume-Yes "true"' 'APT::Install-Recommends "false"' 'Dpkg::Use-Pty "0"' \
		'DPkg::Options:: "--force-unsafe-io"' 'quiet "1"' >/etc/apt/apt.conf.d/test
	run apt-get update
}

# The hooks of a new kernel build the modules of the old version; the page upgrades it.
install()
{
	prepare_apt
	run apt-get install /mnt/out/vfio-sriov-dkms_*~old_all.deb
	list=$(echo /usr/src/vfio-sriov-*/kernels)
	old_version=$(dpkg-query -W -f '${Version}' vfio-sriov-dkms)
	release=$(listed_kernel 6.12)
	[ -n "$release" ] || die "apt offers no kernel that was compared"
	install_unlisted_kernel
	run apt-get install --reinstall "linux-headers-$release"
	modules_are_in updates/dkms/
	initramfs_has updates/dkms
	dkms_has "$old_version"
	page install
	dkms_has "${old_version%~old}"
	modules_are_in updates/dkms/
	initramfs_has updates/dkms
	[ -z "$(find /usr/src /var/lib/dkms -name '*~old')" ] || die "the old version is still there"
	check_units
	echo "$release" >/release
}

# Without an older version: package and kernel at once
install_backports()
{
	prepare_apt
	page install trixie-backports
	list=$(echo /usr/src/vfio-sriov-*/kernels)
	release=$(listed_kernel 7.3)
	[ -n "$release" ] || die "apt offers no kernel of backports that was compared"
	dkms_has "$(dpkg-query -W -f '${Version}' vfio-sriov-dkms)"
	modules_are_in updates/dkms/
	initramfs_has updates/dkms
	echo "$release" >/release
}

# The template of the package and the example of a PF driver
check_units()
{
	cp /usr/share/doc/vfio-sriov-dkms/examples/pf-driver.service /etc/systemd/system/
	run systemd-analyze verify --man=no /usr/lib/systemd/system/vfio-sriov@.service /etc/systemd/system/pf-driver.service
	rm /etc/systemd/system/pf-driver.service
}

remove()
{
	release=$(cat /release)
	echo VFS=1 >/etc/vfio-sriov/0000:01:00.0.conf
	run apt-get remove vfio-sriov-dkms
	modules_are_in kernel/drivers/vfio/
	initramfs_has kernel/drivers/vfio
	page purge
	left=$(find / -xdev \( -path /proc -o -path /mnt \) -prune -o \
		\( -name '*vfio-sriov*' -o -path '/*/modules/*/updates*' \) -print)
	[ -z "$left" ] || die "left behind: $left"
	echo "nothing is left behind"
}

case $1 in
install | install_backports | remove) "$1" ;;
*) die "usage: steps.sh install|install_backports|remove" ;;
esac
