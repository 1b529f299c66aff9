#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The first process of the virtual machine that vmtest.sh boots.  It does what
# /vmtest.conf says and prints to the second serial port; the kernel's log has
# the first one.
set -u

PATH=/bin:/tests:/extra
export PATH

driver_of()
{
	[ -e "$1/driver" ] && basename "$(readlink "$1/driver")"
}

bind_to_vfio_pci()
{
	local dev="/sys/bus/pci/devices/$1"

	[ -e "$dev/driver" ] && echo "$1" >"$dev/driver/unbind"
	echo vfio-pci >"$dev/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
	[ "$(driver_of "$dev")" = vfio-pci ] || echo "# $1: not bound to vfio-pci"
}

# In the order of their addresses
list_pfs()
{
	local dev

	for dev in /sys/bus/pci/devices/*; do
		[ -e "$dev/sriov_totalvfs" ] && basename "$dev"
	done
}

# Ethernet without SR-IOV
list_plain_devices()
{
	local dev

	for dev in /sys/bus/pci/devices/*; do
		[ -e "$dev/sriov_totalvfs" ] && continue
		[ "$(cat "$dev/class")" = 0x020000 ] && basename "$dev"
	done
}

bind_devices()
{
	local addr

	for addr in $(list_pfs) $(list_plain_devices); do
		bind_to_vfio_pci "$addr"
	done
	if [ -e /sys/module/vfio_pci/parameters/enable_sriov ]; then
		echo Y >/sys/module/vfio_pci/parameters/enable_sriov
	fi
	# For tests that need a device that is neither PF nor VF
	VFIO_PLAIN=$(list_plain_devices | head -n 1)
	[ -z "$VFIO_PLAIN" ] || export VFIO_PLAIN
}

# run_program NUMBER PROGRAM PF: busybox's timeout leaves a signal as exit status
run_program()
{
	local start seconds code line

	start=$(cut -d. -f1 /proc/uptime)
	echo "    # Subtest: $2 $3"
	{
		timeout "$CONF_LIMIT" "/tests/$2" "$3" 2>&1
		echo $? >/tmp/exit
	} | while IFS= read -r line; do
		echo "    $line"
	done
	code=$(cat /tmp/exit)
	seconds=$(($(cut -d. -f1 /proc/uptime) - start))
	echo "    # took $seconds s"
	[ "$code" -lt 128 ] || [ "$seconds" -lt "$CONF_LIMIT" ] ||
		echo "    # ended by its limit of $CONF_LIMIT s"
	case "$code" in
	0) echo "ok $1 $2 $3" ;;
	4) echo "ok $1 $2 $3 # SKIP" ;;
	*) echo "not ok $1 $2 $3"; status=1 ;;
	esac
}

# On the CONF_PFth of CONF_PFS PFs that are tested, in as many machines: the first
# one prints the plan for all of them.
run_tests()
{
	local pf program count number

	pf=$(list_pfs | sed -n "${CONF_PF}p")
	if [ -z "$pf" ]; then
		echo "Bail out! only $(list_pfs | wc -l) PFs in this machine"
		status=1
		return
	fi
	count=$(echo "$CONF_TESTS" | wc -w)
	number=$(((CONF_PF - 1) * count))
	if [ "$CONF_PF" = 1 ]; then
		echo "KTAP version 1"
		echo "1..$((CONF_PFS * count))"
	fi
	for program in $CONF_TESTS; do
		number=$((number + 1))
		run_program $number "$program" "$pf"
	done
}

/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
[ -c /dev/null ] || mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
mount -t debugfs none /sys/kernel/debug 2>/dev/null
mount -t tracefs none /sys/kernel/tracing 2>/dev/null
limit=${CONF_LIMIT:-}
# shellcheck source=/dev/null
. /vmtest.conf
CONF_LIMIT=${limit:-$CONF_LIMIT}
stty -F "$CONF_RESULTS" raw
exec >"$CONF_RESULTS" 2>&1 </dev/null
status=0
for module in $CONF_MODULES; do
	modprobe "$module" 2>/dev/null || echo "# no module $module"
done
[ "$CONF_BIND" = 0 ] || bind_devices
if [ -n "$CONF_COMMAND" ]; then
	cd /extra || exit 1
	# shellcheck disable=SC2086 # "sh -c", or a program
	$CONF_RUN "$CONF_COMMAND"
	status=$?
else
	run_tests
fi
echo "vmtest-guest: exit $status"
# All output must have left before the machine does.
stty -F "$CONF_RESULTS" drain 2>/dev/null
reboot -f
