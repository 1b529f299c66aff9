#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# What VF tokens do, step by step, on the network card of the virtual machine.
# Every answer is the kernel's; one that is not as told ends the show.
set -u

devices=/sys/bus/pci/devices
drivers=/sys/bus/pci/drivers
token=$(cat /proc/sys/kernel/random/uuid)
other_token=$(cat /proc/sys/kernel/random/uuid)
answer=/tmp/answer
log_seen=0

say()
{
	printf '%s\n' "$@"
}

step()
{
	number=$((${number:-0} + 1))
	printf '\n%s. ' "$number"
	say "$@"
}

wrong()
{
	say "" "UNEXPECTED: $1"
	exit 1
}

# A shell command, shown and run; its answer is shown and kept in $answer.
run()
{
	say "   \$ $1"
	sh -c "$1" >$answer 2>&1
	status=$?
	sed 's/^/     /' $answer
}

expect()
{
	grep -q -- "$1" $answer || wrong "the answer should be \"$1\""
}

expect_success()
{
	[ "$status" = 0 ] || wrong "the command failed"
}

driver_of()
{
	[ -e "$devices/$1/driver" ] && basename "$(readlink "$devices/$1/driver")"
}

# All of the kernel's log that came since the last look, and has this in it.
kernel_says()
{
	dmesg | sed 's/^\[[^]]*\] *//' >/tmp/dmesg
	tail -n +$((log_seen + 1)) /tmp/dmesg | grep -- "$1" >/tmp/said ||
		wrong "the kernel's log should say \"$1\""
	log_seen=$(wc -l </tmp/dmesg)
	sed 's/^/   kernel: /' /tmp/said
}

# A driver in userspace that stays: start_driver NAME ADDRESS
start_driver()
{
	rm -f "/tmp/$1"
	say "   \$ vfio_open -w -t $token $2 &"
	vfio_open -w -t "$token" "$2" >"/tmp/$1" 2>&1 <&8 &
	pid=$!
	tries=100
	until [ -s "/tmp/$1" ] || [ $tries = 0 ]; do
		sleep 0.1
		tries=$((tries - 1))
	done
	sed 's/^/     /' "/tmp/$1"
	grep -q ': open$' "/tmp/$1" || wrong "it should be open"
}

find_pf()
{
	for dev in "$devices"/*; do
		[ -e "$dev/sriov_totalvfs" ] || continue
		[ "$(cat "$dev/class")" = 0x020000 ] && basename "$dev" && return
	done
}

# The story begins with the host's own driver.
give_to_host()
{
	[ "$(driver_of "$1")" = vfio-pci ] || return 0
	echo "$1" >"$drivers/vfio-pci/unbind"
	echo >"$devices/$1/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
}

vf()
{
	basename "$(readlink "$devices/$pf/virtfn$1")"
}

bind_pf()
{
	step "The network card $pf is driven by $(driver_of "$pf"), a driver of this host." \
		"   The administrator gives it to userspace, by vfio-pci, and allows SR-IOV:"
	run "echo $pf >$devices/$pf/driver/unbind"
	expect_success
	run "echo vfio-pci >$devices/$pf/driver_override"
	expect_success
	run "echo $pf >/sys/bus/pci/drivers_probe"
	expect_success
	run "echo Y >/sys/module/vfio_pci/parameters/enable_sriov"
	expect_success
	run "basename \$(readlink $devices/$pf/driver)"
	expect '^vfio-pci$'
}

start_pf_driver()
{
	step "A driver in userspace opens it. It sets a VF token, a secret it shares with programs" \
		"   it trusts to use the card's virtual functions (VFs):"
	start_driver pf "$pf"
	pf_pid=$pid
}

make_vfs()
{
	local i=0 addr

	step "The administrator enables 7 VFs. The kernel captures each before a host driver can bind:"
	run "echo 7 >$devices/$pf/sriov_numvfs"
	expect_success
	kernel_says captured
	while [ $i -lt 7 ]; do
		addr=$(vf $i)
		[ "$(driver_of "$addr")" = vfio-pci ] ||
			wrong "$addr should be on vfio-pci"
		i=$((i + 1))
	done
	say "   Each of them is bound to vfio-pci."
}

open_vf()
{
	step "A program without the token opens the VF $(vf 0). The kernel refuses:"
	run "vfio_open $(vf 0)"
	expect 'refused, EACCES'
	kernel_says 'open refused: VF token required'

	step "A program given the token by the PF driver can open the VF:"
	start_driver vf "$(vf 0)"
	vf_pid=$pid
}

second_pf_driver()
{
	step "The PF driver is killed while the VF is in use:"
	run "kill -9 $pf_pid"
	expect_success
	wait "$pf_pid" 2>/dev/null

	step "Another program opens the PF with a different token. As the PF driver it would" \
		"   control the VF. The kernel refuses:"
	run "vfio_open -t $other_token $pf"
	expect 'refused, EACCES'
	kernel_says 'open refused: wrong VF token'

	step "The PF driver is restarted and opens the PF with the token:"
	start_driver pf "$pf"
	pf_pid=$pid
}

vf_to_host()
{
	local addr

	addr=$(vf 1)
	step "The administrator gives the VF $addr to a host driver:"
	run "echo $addr >$devices/$addr/driver/unbind"
	expect_success
	run "echo >$devices/$addr/driver_override"
	expect_success
	run "echo $addr >/sys/bus/pci/drivers_probe"
	expect_success
	run "basename \$(readlink $devices/$addr/driver)"
	expect '^igbvf$'
	say "   The kernel logs it:"
	kernel_says "VF $addr is now bound to host driver igbvf"
}

pf=$(find_pf)
[ -n "$pf" ] || wrong "there should be a network card with SR-IOV"
give_to_host "$pf"
mkfifo /tmp/never
exec 8<>/tmp/never
log_seen=$(dmesg | wc -l)

say "A virtual machine with Debian's own kernel, Linux $(uname -r), and vfio with the series."
bind_pf
start_pf_driver
make_vfs
open_vf
second_pf_driver
vf_to_host
kill "$pf_pid" "$vf_pid"
say "" "All steps behaved as expected."
