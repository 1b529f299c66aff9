#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# What VF tokens do, step by step, on the network card of the virtual machine.
# Every answer is the kernel's; an unexpected answer ends the demo.
set -u

devices=/sys/bus/pci/devices
token=$(cat /proc/sys/kernel/random/uuid)
other_token=$(cat /proc/sys/kernel/random/uuid)
answer=/tmp/answer
number=0

say() { printf '%s\n' "$@"; }

step()
{
	number=$((number + 1))
	say "" "$number. $1"
	shift
	[ $# = 0 ] || say "$@"
}

wrong()
{
	say "" "UNEXPECTED: $1"
	exit 1
}

# show COMMAND: with its answer, which is also in $answer
show()
{
	say "   \$ $1"
	sh -c "$1" >$answer 2>&1
	status=$?
	sed 's/^/     /' $answer
}

run()
{
	show "$1"
	[ "$status" = 0 ] || wrong "the command failed"
}

# answers COMMAND PATTERN
answers()
{
	show "$1"
	grep -q -- "$2" $answer || wrong "the answer should be \"$2\""
}

# What is new in the kernel's log, and has this in it
kernel_says()
{
	dmesg | sed 's/^\[[^]]*\] *//' >/tmp/dmesg
	tail -n +$((log_seen + 1)) /tmp/dmesg | grep -- "$1" >/tmp/said ||
		wrong "the kernel's log should say \"$1\""
	log_seen=$(wc -l </tmp/dmesg)
	sed 's/^/   kernel: /' /tmp/said
}

# start_driver ADDRESS: a driver in userspace that stays
start_driver()
{
	rm -f /tmp/opened
	say "   \$ vfio_open -w -t $token $1 &"
	vfio_open -w -t "$token" "$1" >/tmp/opened 2>&1 <&8 &
	pid=$!
	tries=100
	until [ -s /tmp/opened ] || [ $tries = 0 ]; do
		sleep 0.1
		tries=$((tries - 1))
	done
	sed 's/^/     /' /tmp/opened
	grep -q ': open$' /tmp/opened || wrong "it should be open"
}

driver_of()
{
	[ -e "$devices/$1/driver" ] && basename "$(readlink "$devices/$1/driver")"
}

vf() { basename "$(readlink "$devices/$pf/virtfn$1")"; }

pf=
for dev in "$devices"/*; do
	[ ! -e "$dev/sriov_totalvfs" ] || [ "$(cat "$dev/class")" != 0x020000 ] || pf=$(basename "$dev")
done
[ -n "$pf" ] || wrong "there should be a network card with SR-IOV"
mkfifo /tmp/never
exec 8<>/tmp/never
log_seen=$(dmesg | wc -l)
say "A virtual machine with Debian's own kernel, Linux $(uname -r), and vfio with the series."

step "The network card $pf is bound to $(driver_of "$pf"), a host driver." \
	"   The administrator gives it to userspace, through vfio-pci, and allows SR-IOV:"
run "echo $pf >$devices/$pf/driver/unbind"
run "echo vfio-pci >$devices/$pf/driver_override"
run "echo $pf >/sys/bus/pci/drivers_probe"
run "echo Y >/sys/module/vfio_pci/parameters/enable_sriov"
answers "basename \$(readlink $devices/$pf/driver)" '^vfio-pci$'

step "A driver in userspace opens it. It sets a VF token, a secret it shares with programs" \
	"   it trusts to use the card's virtual functions (VFs):"
start_driver "$pf"
pf_pid=$pid

step "The administrator enables 7 VFs. The kernel captures each before a host driver can bind:"
run "echo 7 >$devices/$pf/sriov_numvfs"
kernel_says captured
for i in 0 1 2 3 4 5 6; do
	[ "$(driver_of "$(vf $i)")" = vfio-pci ] || wrong "$(vf $i) should be bound to vfio-pci"
done
say "   Each of them is bound to vfio-pci."

step "A program without the token opens the VF $(vf 0). The kernel refuses:"
answers "vfio_open $(vf 0)" 'refused, EACCES'
kernel_says 'open refused: VF token required'

step "A program given the token by the PF driver can open the VF:"
start_driver "$(vf 0)"
vf_pid=$pid

step "The PF driver is killed while the VF is in use:"
run "kill -9 $pf_pid"
wait "$pf_pid" 2>/dev/null

step "Another program opens the PF with a different token. As the PF driver it would" \
	"   control the VF. The kernel refuses:"
answers "vfio_open -t $other_token $pf" 'refused, EACCES'
kernel_says 'open refused: wrong VF token'

step "The PF driver is restarted and opens the PF with the token:"
start_driver "$pf"

addr=$(vf 1)
step "The administrator gives the VF $addr to a host driver:"
run "echo $addr >$devices/$addr/driver/unbind"
run "echo >$devices/$addr/driver_override"
run "echo $addr >/sys/bus/pci/drivers_probe"
answers "basename \$(readlink $devices/$addr/driver)" '^igbvf$'
say "   The kernel logs it:"
kernel_says "VF $addr is now bound to host driver igbvf"
kill "$pid" "$vf_pid"
say "" "All steps behaved as expected."
