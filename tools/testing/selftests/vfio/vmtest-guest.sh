#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The first process of the virtual machine that vmtest.sh boots.  It runs what
# /vmtest.conf says; what it prints goes to the second serial line, and the
# kernel's log has the first one for itself.
set -u

PATH=/bin:/tests:/extra
export PATH

mount_all()
{
	mount -t proc none /proc
	mount -t sysfs none /sys
	[ -c /dev/null ] || mount -t devtmpfs none /dev
	mount -t tmpfs none /tmp
	mount -t debugfs none /sys/kernel/debug 2>/dev/null
	mount -t tracefs none /sys/kernel/tracing 2>/dev/null
}

# The host drivers find their devices, then bind_devices does.
load_modules()
{
	local name

	for name in $CONF_MODULES; do
		modprobe "$name" 2>/dev/null || echo "# no module $name"
	done
}

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

# All that have SR-IOV, in the order of their addresses.
list_pfs()
{
	local dev

	for dev in /sys/bus/pci/devices/*; do
		[ -e "$dev/sriov_totalvfs" ] && basename "$dev"
	done
}

# Ethernet without SR-IOV: one device that is neither PF nor VF.
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
}

# KUnit ran at boot: its part of the kernel's log, without what came between.
kunit_log()
{
	dmesg | sed 's/^\[[^]]*\] \{0,1\}//' | awk '
	/^KTAP version/ && !on { on = 1 }
	!on { next }
	/^ *(KTAP version|1\.\.|ok |not ok |#)/ { print }
	/^1\.\./ { plan = substr($0, 4) + 0 }
	/^(ok|not ok) / { if (++seen == plan) exit }'
}

# Red if a case failed, if a suite is missing, or if there is none.
kunit_passed()
{
	awk '
	/^ *not ok / { bad = 1 }
	/^1\.\./ { plan = substr($0, 4) + 0 }
	/^ok / { seen++ }
	END { exit bad || !plan || seen != plan }' "$1"
}

indent()
{
	while IFS= read -r line; do
		echo "    $line"
	done
}

# result NUMBER STATUS NAME
result()
{
	case "$2" in
	0) echo "ok $1 $3" ;;
	4) echo "ok $1 $3 # SKIP" ;;
	*) echo "not ok $1 $3"; status=1 ;;
	esac
}

run_kunit()
{
	kunit_log >/tmp/kunit
	indent </tmp/kunit
	kunit_passed /tmp/kunit
	result "$1" $? kunit
}

# run_program NUMBER PROGRAM PF
run_program()
{
	local start

	start=$(cut -d. -f1 /proc/uptime)
	echo "    # Subtest: $2 $3"
	{
		"/tests/$2" "$3" 2>&1
		echo $? >/tmp/exit
	} | indent
	echo "    # took $(($(cut -d. -f1 /proc/uptime) - start)) s"
	result "$1" "$(cat /tmp/exit)" "$2 $3"
}

# On one PF, which is the CONF_PFth of CONF_PFS that are tested in as many
# machines: the first one says how many results there will be of them all.
run_tests()
{
	local pf program count number

	pf=$(list_pfs | sed -n "${CONF_PF}p")
	if [ -z "$pf" ]; then
		echo "Bail out! only $(list_pfs | wc -l) PFs in this machine"
		return 1
	fi
	count=$(echo "$CONF_TESTS" | wc -w)
	number=$((${CONF_KUNIT:-0} + (CONF_PF - 1) * count))
	if [ "$CONF_PF" = 1 ]; then
		echo "KTAP version 1"
		echo "1..$((${CONF_KUNIT:-0} + CONF_PFS * count))"
		[ -n "$CONF_KUNIT" ] && run_kunit 1
	fi
	for program in $CONF_TESTS; do
		number=$((number + 1))
		run_program $number "$program" "$pf"
	done
}

# Nothing is taken for a leak before it is 5 s old, nor the first time only: a
# pointer may have been in a register.  The first report is of the whole run.
# VFIO_LEAKS=no: of a run in which Linux itself is known to leak.
find_leaks()
{
	local leaks=/sys/kernel/debug/kmemleak

	[ -e "$leaks" ] && [ "${VFIO_LEAKS:-}" != no ] || return 0
	sleep 6
	# It refuses once it has given up, for want of memory or after an error.
	if ! echo scan >"$leaks" || ! sleep 1 || ! echo scan >"$leaks"; then
		echo "# kmemleak has switched itself off, nobody looked for leaks"
		return 1
	fi
	cat "$leaks" >/tmp/leaks
	[ -s /tmp/leaks ] || return 0
	echo "# memory was leaked:"
	sed 's/^/# /' /tmp/leaks
	return 1
}

# For the host's programs: its files, which nobody here can write to, under an
# overlay in memory.  A chroot will do, and leaves this script where it is: it has
# to end the machine, whatever they do.
mount_host_root()
{
	local dir

	mkdir -p /host /overlay "$root"
	mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=262144 host /host &&
	mount -t tmpfs none /overlay &&
	mkdir /overlay/upper /overlay/work &&
	mount -t overlay -o lowerdir=/host,upperdir=/overlay/upper,workdir=/overlay/work \
		none "$root" || return 1
	mkdir -p /dev/pts /dev/shm
	mount -t devpts -o mode=620,ptmxmode=666 none /dev/pts
	mount -t tmpfs none /dev/shm
	for dir in /dev /proc /sys /tests /extra; do
		mkdir -p "$root$dir"
		mount --rbind "$dir" "$root$dir" || return 1
	done
	mount -t tmpfs none "$root/tmp" && mount -t tmpfs none "$root/run"
}

# in_host_root COMMAND [ARGUMENT]...: its exit status is the command's
in_host_root()
{
	# shellcheck disable=SC2016 # $@ is for the shell in there
	HOME=/root TERM="${CONF_TERMINAL%% *}" \
		PATH=/tests:/extra:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		chroot "$root" /bin/sh -c 'cd /extra && exec "$@"' sh "$@"
}

run_command()
{
	if [ -n "$CONF_HOST_ROOT" ]; then
		in_host_root /bin/sh -c "$CONF_COMMAND"
	else
		cd /extra && sh -c "$CONF_COMMAND"
	fi
	status=$?
}

# The kernel's log goes on where the shell is, for as long as there is one.  The
# size of a terminal is forgotten when nobody has it open.  The shell gets another
# terminal, from script: tmux, for one, draws nothing on a serial line.
run_shell()
{
	local size="${CONF_TERMINAL#* }"

	dmesg -n 7
	{
		[ "$size" = "0 0" ] || stty rows "${size% *}" cols "${size#* }"
		PS1='guest:\w# ' in_host_root script -qec 'bash --norc -i' /dev/null
		status=$?
	} </dev/ttyS0 >/dev/ttyS0 2>&1
	dmesg -n 4
}

/bin/busybox --install -s /bin
mount_all
# shellcheck source=/dev/null
. /vmtest.conf
stty -F "$CONF_RESULTS" raw
exec >"$CONF_RESULTS" 2>&1 </dev/null
: "${CONF_PF:=1}" "${CONF_PFS:=1}"
# For vfio_cost_test: CPU time counts instructions.
[ -n "$VFIO_ICOUNT" ] && export VFIO_ICOUNT
# For vfio_hotplug_test: vmtest.sh reads there what shall be plugged.
[ -n "${VFIO_HOTPLUG:-}" ] && export VFIO_HOTPLUG
status=0
root=/root
load_modules
if [ -z "$CONF_HOST_DRIVERS" ]; then
	bind_devices
	# For tests that want to see what is not for it: a device without SR-IOV.
	VFIO_PLAIN=$(list_plain_devices | head -n 1)
	[ -z "$VFIO_PLAIN" ] || export VFIO_PLAIN
fi
if [ -n "$CONF_HOST_ROOT" ] && ! mount_host_root; then
	echo "# the host's root can't be mounted; does the kernel have 9P and overlayfs?"
	status=1
elif [ -n "$CONF_TERMINAL" ]; then
	run_shell
elif [ -n "$CONF_COMMAND" ]; then
	run_command
else
	run_tests || status=1
	find_leaks || status=1
fi
echo "vmtest-guest: exit $status"
# Everything must have left before the machine does.
stty -F "$CONF_RESULTS" drain 2>/dev/null
reboot -f
