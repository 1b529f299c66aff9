#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# steps.sh install|remove: in a Debian root directory with this repository in /mnt,
# what an administrator does, and what must then be there. "install" begins with an
# older package and no kernel; "remove" ends with the package purged.
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

# page COMMAND: what docs/howto/install.md says to do in this release of Debian
page()
{
	awk -v suite="$(. /etc/os-release && echo "$VERSION_CODENAME")" '
		/^```sh/ { on = NF == 1 || $2 == suite; next }
		/^```/ { on = 0 }
		on' /mnt/docs/howto/install.md | grep -e "$1" >/tmp/page || die "the page has no $1"
	cd /mnt/out
	sh -eux /tmp/page
}

# The kernels that apt offers, the newest first: "RELEASE VERSION"
offered()
{
	apt-cache pkgnames linux-image-6.12. | grep -E '^linux-image-6\.12\.[0-9]+[+]deb[0-9]+-amd64$' |
		sort -Vr | while read -r package; do
		echo "${package#linux-image-} $(apt-cache madison "$package" | awk '{ print $3; exit }')"
	done
}

# first 1|0: the newest kernel that is in the package's list, or is not
first()
{
	offered | while read -r name version; do
		[ "$(cat /usr/src/vfio-sriov-*/kernels | grep -c " $version\$")" != "$1" ] || { echo "$name"; break; }
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

install()
{
	# An initramfs with vfio, as many have who assign devices, and with nothing else.
	echo MODULES=list >/etc/initramfs-tools/conf.d/small
	echo vfio_pci >>/etc/initramfs-tools/modules
	printf '%s;\n' 'APT::Get::Assume-Yes "true"' 'APT::Install-Recommends "false"' 'Dpkg::Use-Pty "0"' \
		'DPkg::Options:: "--force-unsafe-io"' 'quiet "1"' >/etc/apt/apt.conf.d/test
	run apt-get update
	run apt-get install /mnt/out/vfio-sriov-dkms_*~old_all.deb
	# A new kernel comes: its hook builds the modules.
	release=$(first 1)
	[ -n "$release" ] || die "no kernel that was compared"
	run apt-get install "linux-image-$release" "linux-headers-$release"
	modules_are_in updates/dkms/
	initramfs_has updates/dkms
	old=$(run dkms status)
	page install
	new=$(run dkms status)
	echo "$old" "$new"
	case $old in *~old,*installed) ;; *) die "before the upgrade: $old" ;; esac
	case $new in *~old*) die "after the upgrade: $new" ;; *installed) ;; *) die "after the upgrade: $new" ;; esac
	modules_are_in updates/dkms/
	initramfs_has updates/dkms
	[ -z "$(find /usr/src /var/lib/dkms -name '*~old')" ] || die "the old version is still there"
	unlisted_kernel
	echo "$release" >/release
}

# Only the list keeps the modules from a kernel whose vfio differs: all that is needed to
# build them is there.
unlisted_kernel()
{
	other=$(first 0)
	[ -n "$other" ] || die "apt offers no kernel that was not compared"
	mkfifo /tmp/pipe
	tee /tmp/log </tmp/pipe &
	run apt-get install "linux-image-$other" "linux-headers-$other" >/tmp/pipe 2>&1
	wait
	grep "vfio-sriov: skipping $other" /tmp/log || die "$other was not skipped with a message"
	status=0
	dkms install "vfio-sriov/$(basename /usr/src/vfio-sriov-* | cut -d- -f3-)" -k "$other" || status=$?
	[ "$status" = 77 ] || die "dkms install for $other: status $status"
	[ ! -e "/lib/modules/$other/updates" ] || die "there are modules for $other"
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
install | remove) "$1" ;;
*) die "usage: steps.sh install|remove" ;;
esac
