#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC2317 # cases are called by name
#
# In the VM: an NVMe device whose PF is driven by a process, one VF by the host,
# and one by another process that has the token, doing I/O at the same time. Who
# has no token is refused meanwhile. Says in KTAP what went well.
set -u

devices=/sys/bus/pci/devices
token=$(cat /proc/sys/kernel/random/uuid)
wrong_token=$(cat /proc/sys/kernel/random/uuid)
said=/tmp/said
# Where the host and the VF's driver write: so many bytes, from these blocks on.
bytes=1048576
blocks=$((bytes / 512))
host_block=0
user_block=65536
disk='' pf_pid='' vf_pid=''

# A driver that died must not take this script with it.
trap '' PIPE

# ---- cases

# check NAME COMMAND...: what it says is shown.
check()
{
	number=$((number + 1))
	name=$1
	shift
	if "$@" >$said 2>&1; then
		echo "    ok $number $name"
	else
		echo "    not ok $number $name"
		failed=1
	fi
	sed 's/^/    # /' $said
}

# refused PATH ADDRESS [OPTION]...: by the kernel, as it should be for a token
refused()
{
	local path=$1 addr=$2 status=0

	shift 2
	vfio_open -p "$path" "$@" "$addr" >/tmp/answer 2>&1 || status=$?
	cat /tmp/answer
	[ "$status" = 1 ] && grep -q 'refused, EACCES' /tmp/answer
}

check_refusals()
{
	local path

	for path in type1 compat cdev; do
		check "$1 is refused without a token, $path" refused $path "$2"
		check "$1 is refused with a wrong token, $path" refused $path "$2" -t "$wrong_token"
	done
}

# ---- drivers in userspace: the PF's talks over 3 and 4, the VF's over 5 and 6

# start_driver NAME ADDRESS IN OUT: with these file descriptors
start_driver()
{
	rm -f "/tmp/$1.in" "/tmp/$1.out"
	mkfifo "/tmp/$1.in" "/tmp/$1.out"
	nvme_driver -p "$path" -t "$token" "$2" <"/tmp/$1.in" >"/tmp/$1.out" 2>&1 3>&- 4<&- 5>&- 6<&- &
	eval "$1_pid=$!; exec $3>/tmp/$1.in $4</tmp/$1.out"
	hear "$4"
}

# hear FD [COMMAND]: what a driver answers
hear()
{
	local line

	read -r line <&"$1" || line="it is gone"
	echo "${2:+$2: }$line"
	[ "${line%% *}" = ok ]
}

tell_pf()
{
	echo "$*" >&3
	hear 4 "$*"
}

tell_vf()
{
	echo "$*" >&5
	hear 6 "$*"
}

kill_pf_driver()
{
	local status=0

	kill -9 "$pf_pid"
	wait "$pf_pid" || status=$?
	exec 3>&- 4<&-
	[ "$status" = 137 ]
}

# The PF's last: it takes the VFs' controllers with it.
end_drivers()
{
	exec 5>&- 6<&-
	wait "$vf_pid" || return 1
	exec 3>&- 4<&-
	wait "$pf_pid"
}

# ---- functions of the device

driver_of()
{
	[ -e "$devices/$1/driver" ] && basename "$(readlink "$devices/$1/driver")"
}

# vf NUMBER: from 1, as the device counts
vf() { basename "$(readlink "$devices/$pf/virtfn$(($1 - 1))")"; }

make_vfs()
{
	echo 3 >"$devices/$pf/sriov_numvfs" || return 1
	for i in 1 2 3; do
		addr=$(vf "$i")
		echo "$addr: $(driver_of "$addr")"
		[ "$(driver_of "$addr")" = vfio-pci ] || return 1
	done
}

set_online() { tell_pf online 1 && tell_pf online 2 && tell_pf online 3; }

take_from_driver() { echo "$1" >"$devices/$1/driver/unbind"; }

# The disk is there when the driver has it.
give_to_host()
{
	[ ! -e "$devices/$1/driver" ] || take_from_driver "$1" || return 1
	echo nvme >"$devices/$1/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
	disk=$(basename "$(find "$devices/$1/nvme/" -name 'nvme*n1')")
	echo "$1: $(driver_of "$1"), $disk"
	[ "$(driver_of "$1")" = nvme ] && [ -b "/dev/$disk" ]
}

# ---- I/O

# What was written and read, in blocks, as the kernel counts.
host_count() { awk '{ print $3 + $7 }' "/sys/block/$disk/stat"; }

# host_reads BLOCK FILE: and it is what FILE has
host_reads()
{
	dd if="/dev/$disk" of=/tmp/host.read bs=64k skip=$(($1 / 128)) count=$((blocks / 128)) iflag=direct &&
		cmp "$2" /tmp/host.read
}

# Until /tmp/stop is there; one more round follows each number in /tmp/rounds.
host_io()
{
	rounds=0
	until [ -e /tmp/stop ]; do
		echo "$rounds" >/tmp/rounds
		dd if=/tmp/host of="/dev/$disk" bs=64k seek=$((host_block / 128)) oflag=direct || return 1
		host_reads "$host_block" /tmp/host || return 1
		rounds=$((rounds + 1))
	done
	echo "$rounds" >/tmp/rounds
}

# Returns after the first round.
start_host_io()
{
	rm -f /tmp/stop
	echo 0 >/tmp/rounds
	host_before=$(host_count)
	host_io >/tmp/host_io 2>&1 &
	host_pid=$!
	while kill -0 "$host_pid" 2>/dev/null; do
		! grep -q '[1-9]' /tmp/rounds || return 0
		sleep 0.1
	done
	cat /tmp/host_io
	return 1
}

end_host_io()
{
	touch /tmp/stop
	wait "$host_pid" || { tail -n 3 /tmp/host_io; return 1; }
	rounds=$(cat /tmp/rounds)
	counted=$(($(host_count) - host_before))
	echo "$rounds rounds, each of $blocks blocks written, read, compared: $counted blocks counted"
	[ "$rounds" -gt 1 ] && [ "$counted" = $((rounds * 2 * blocks)) ]
}

# vf_moves COMMAND...: the VF's driver counts the blocks
vf_moves()
{
	tell_vf "$@" >/tmp/answer
	cat /tmp/answer
	grep -q ": ok $blocks blocks$" /tmp/answer
}

# vf_reads BLOCK FILE: and it is what FILE has
vf_reads() { vf_moves read "$1" "$bytes" /tmp/vf.read && cmp "$2" /tmp/vf.read; }

vf_io() { vf_moves write "$user_block" /tmp/user && vf_reads "$user_block" /tmp/user; }

# ---- the whole of it, PATH being that of both drivers

# Whatever the PF's driver is, a second one does not get in beside it.
second_pf_driver() { ! vfio_open -p cdev "$pf" && ! vfio_open -p type1 "$pf"; }

remove_vfs() { echo 0 >"$devices/$pf/sriov_numvfs" && [ ! -e "$devices/$pf/virtfn0" ]; }

story()
{
	path=$1
	number=0
	failed=0
	head -c $bytes /dev/urandom >/tmp/host
	head -c $bytes /dev/urandom >/tmp/user

	echo "    KTAP version 1"
	echo "    # Subtest: $path"
	check "the PF's driver brings a token" start_driver pf "$pf" 3 4
	check "the PF has queues and interrupts for VFs" tell_pf release
	check "three VFs come, all of them on vfio-pci" make_vfs
	check "the PF's driver sets them online" set_online
	check "the administrator gives VF 1 to the host's nvme" give_to_host "$(vf 1)"
	check "the host begins to write, read and compare" start_host_io
	check "the driver of VF 2 has the token" start_driver vf "$(vf 2)" 5 6
	check "VF 2 says which controller it is" tell_vf identify
	check_refusals "VF 3" "$(vf 3)"
	check "what VF 2 wrote is what it reads" vf_io
	check "the PF is not opened beside its driver" second_pf_driver
	check "the host's blocks are right, and as many as counted" end_host_io
	check "VF 2 reads what the host wrote" vf_reads $host_block /tmp/host
	check "the host reads what VF 2 wrote" host_reads $user_block /tmp/user

	check "the host lets go of VF 1" take_from_driver "$(vf 1)"
	check "the PF's driver is killed" kill_pf_driver
	check_refusals "the PF, while VF 2 is in use," "$pf"
	check "the PF's driver comes back with the token" start_driver pf "$pf" 3 4
	check "it sets the VFs online again" set_online
	check "VF 2 goes on after a reset" tell_vf reset
	check "what VF 2 wrote before is still there" vf_reads $user_block /tmp/user
	check "the host gets VF 1 again" give_to_host "$(vf 1)"
	check "what the host wrote before is still there" host_reads $host_block /tmp/host

	check "the host lets go of VF 1 again" take_from_driver "$(vf 1)"
	check "both drivers end" end_drivers
	check "the VFs go" remove_vfs
	echo "    1..$number"
	[ $failed = 0 ]
}

for file in "$devices"/*/sriov_totalvfs; do
	pf=$(basename "${file%/*}")
	[ "$(cat "$devices/$pf/class")" != 0x010802 ] || break
done
count=0
status=0
echo "KTAP version 1"
echo "1..$#"
for how in "$@"; do
	count=$((count + 1))
	if story "$how"; then
		echo "ok $count $how"
	else
		echo "not ok $count $how"
		status=1
	fi
done
exit $status
