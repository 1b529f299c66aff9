#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# tool.sh ours|stock: vfio-sriov and its systemd unit in the VM, on an igb, an
# nvme and a device without SR-IOV, each refusal included. With Debian's own modules only "stock" is shown.
set -u

igb=0000:01:00.0
nvme=0000:02:00.0
plain=0000:03:00.0
pci=/sys/bus/pci/devices
token=$(cat /proc/sys/kernel/random/uuid)
number=0

# expect NAME STATUS PATTERN COMMAND...: what the command says has the pattern
expect()
{
	name=$1 want=$2 pattern=$3
	shift 3
	number=$((number + 1))
	echo "# $*"
	status=0
	timeout 60 "$@" >/tmp/said 2>&1 || status=$?
	sed 's/^/# /' /tmp/said
	if [ "$status" = "$want" ] && grep -qE -e "$pattern" /tmp/said; then
		echo "ok $number $name"
	else
		echo "not ok $number $name # status $status"
	fi
}

refuses()
{
	expect "$1" 1 "refused: .*$2" vfio-sriov start "$3" --vfs "$4" ${5:+--owner "$5"}
}

vf()
{
	basename "$(readlink "$pci/$1/virtfn0")"
}

# in_use DEVICE COMMAND...: while a program has the device open
in_use()
{
	mkfifo /tmp/in
	vfio_open -p type1 -w -t "$token" "$1" </tmp/in >/tmp/opened &
	exec 3>/tmp/in
	until grep -q : /tmp/opened; do sleep 0.1; done
	shift
	"$@"
	exec 3>&-
	rm /tmp/in
	wait
}

# A refusal that the devices of this VM cannot show: other files over those of sysfs
pretend_shared_group()
{
	group=$(readlink -f "$pci/$igb/iommu_group")/devices
	mkdir -p /tmp/group
	ln -s "$(readlink -f "$pci/$igb")" "/tmp/group/$igb"
	ln -s "$(readlink -f "$pci/$plain")" "/tmp/group/$plain"
	mount --bind /tmp/group "$group"
	refuses shared_group "IOMMU group: $plain" "$igb" 1
	umount "$group"
}

pretend_no_iommu()
{
	mkdir -p "/tmp/devices/$igb"
	echo 7 >"/tmp/devices/$igb/sriov_totalvfs"
	mount --bind /tmp/devices $pci
	refuses no_iommu "no IOMMU" "$igb" 1
	umount $pci
}

used_interfaces()
{
	ip link add link "$net" name vlan5 type vlan id 5
	refuses used_by_vlan "$net is used by vlan5" "$igb" 1
	ip link delete vlan5
	for kind in bridge bond; do
		ip link add "${kind}5" type "$kind"
		ip link set "$net" master "${kind}5"
		refuses "used_by_$kind" "$net is used by ${kind}5" "$igb" 1
		ip link delete "${kind}5"
	done
}

host_refusals()
{
	net=$(ls "$pci/$igb/net")
	disk=/dev/nvme0n1
	refuses not_a_pf "not a PF" "$plain" 1
	refuses no_such_device "not a PF" 0000:7f:00.0 1
	refuses no_vfs "from 1 to 7" "$igb" 0
	refuses too_many_vfs "from 1 to 7" "$igb" 8
	refuses vfs_not_a_number "from 1 to 7" "$igb" two
	refuses unknown_owner "no such owner" "$igb" 1 no_such_user
	expect not_root 1 "run as root" setpriv --reuid nobody --clear-groups vfio-sriov start "$igb" --vfs 1
	expect usage 2 "^Usage" vfio-sriov begin "$igb"
	pretend_shared_group
	pretend_no_iommu
	ip addr add 192.0.2.1/24 dev "$net"
	refuses address "$net has an address" "$igb" 1
	expect forced 0 "VF .* vfio-pci" vfio-sriov start "$igb" --vfs 1 --force
	expect stop_forced 0 "driver igb" vfio-sriov stop "$igb"
	net=$(ls "$pci/$igb/net")
	ip link set "$net" up
	ip route add default dev "$net" scope link
	refuses default_route "$net has the default route" "$igb" 1
	ip link set "$net" down
	used_interfaces
	mkswap "$disk" >/dev/null
	swapon "$disk"
	refuses mounted_disk "$disk is mounted or swap" "$nvme" 1
	swapoff "$disk"
	echo 1 >"$pci/$igb/sriov_numvfs"
	refuses vfs_of_host "has VFs already" "$igb" 1
	expect stop_host_driver 1 "refused: .*bound to igb" vfio-sriov stop "$igb"
	echo 0 >"$pci/$igb/sriov_numvfs"
}

run_igb()
{
	expect before 0 "^PF $igb  driver igb" vfio-sriov status
	expect start 0 "VF .*driver vfio-pci .*token required" vfio-sriov start "${igb#0000:}" --vfs 3 --owner nobody:nogroup
	vf=$(vf $igb)
	expect owner 0 "nobody:nogroup" stat -c "%U:%G" "/dev/vfio/$(basename "$(readlink "$pci/$vf/iommu_group")")"
	expect status 0 "possible users: none found" vfio-sriov status "$igb"
	expect no_token 1 EACCES vfio_open -p type1 "$vf"
	# The PF is opened first: it sets the token.
	vfio_open -p type1 -t "$token" "$igb" </dev/null
	in_use "$vf" while_in_use
	expect stop 0 "driver igb" vfio-sriov stop "$igb"
	expect bound_again 0 igb readlink "$pci/$igb/driver"
}

until_stop_waits()
{
	until grep -qs vfio_unregister_group_dev /proc/[0-9]*/stack; do sleep 0.1; done
}

while_in_use()
{
	expect user_shown 0 "possible users: .*[(]vfio_open[)]" vfio-sriov status "$igb"
	expect stop_in_use 1 "refused: .*vfio_open" vfio-sriov stop "$igb"
	refuses start_again "has VFs already" "$igb" 1
	expect forced_in_use 1 "refused: .*vfio_open" vfio-sriov start "$igb" --vfs 1 --force
	(until_stop_waits; exec 3>&-; pkill -x vfio_open) &
	expect stop_waits 0 "driver igb" vfio-sriov stop "$igb" --wait
	vfio-sriov start "$igb" --vfs 1 >/dev/null
}

# The unit is enabled, and systemd boots: the first process of a namespace, as in a
# container.
boot()
{
	units=/run/systemd/system
	mkdir -p $units/boot.target.wants /etc/vfio-sriov
	cp /extra/vfio-sriov*@.service $units/vfio-sriov@.service
	ln -s ../vfio-sriov@.service "$units/boot.target.wants/vfio-sriov@$nvme.service"
	printf 'VFS=2\nOPTIONS=--owner nobody\n' >"/etc/vfio-sriov/$nvme.conf"
	printf '[Unit]\nRequires=basic.target\nAfter=basic.target\n' >$units/boot.target
	# It empties /tmp.
	ln -s /dev/null $units/systemd-tmpfiles-setup.service
	mount -t cgroup2 none /sys/fs/cgroup
	container=other unshare --pid --fork --mount-proc /lib/systemd/systemd --unit=boot.target </dev/null >/tmp/boot 2>&1 &
	until systemctl="nsenter -t $(pgrep -x systemd) -m -p -r systemctl" &&
		$systemctl is-system-running --wait 2>/tmp/said | grep -qE 'running|degraded'; do sleep 1; done
}

ours()
{
	expect modules 0 "^modules: vfio-sriov" vfio-sriov status
	host_refusals
	run_igb
	boot
	# shellcheck disable=SC2086 # words
	expect unit_at_boot 0 "^active" $systemctl is-active "vfio-sriov@$nvme"
	expect status_nvme 0 "VF .*token required" vfio-sriov status "$nvme"
	$systemctl stop "vfio-sriov@$nvme"
	# shellcheck disable=SC2086 # words
	expect unit_stopped 3 "^inactive" $systemctl is-active "vfio-sriov@$nvme"
	expect device_given_back 0 "^PF $nvme  driver nvme" vfio-sriov status "$nvme"
	rmmod vfio_pci
	refuses no_module "cannot be loaded" "$igb" 1
}

stock()
{
	expect stock_modules 0 "^modules: not those of vfio-sriov" vfio-sriov status
	refuses stock_modules_refused "not those of vfio-sriov" "$igb" 1
}

mkdir -p /run/bin
cp /extra/vfio-sriov /run/bin/
cp /extra/vfio-sriov /usr/sbin/
PATH=/run/bin:$PATH
cd /run || exit 1
"$1" >/tmp/ktap
echo "KTAP version 1"
echo "1..$number"
cat /tmp/ktap
! grep -q '^not ok' /tmp/ktap
