#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# host-root-guest.sh COMMAND: run COMMAND, or a shell on the console if VMTEST_TERM
# is set, with the host's files as root. In a chroot, so that vmtest-guest.sh
# still can end the machine.

set -e
root=/root
trap 'echo "# the host'"'"'s root cannot be mounted; does the kernel have 9P and overlayfs?"; exit 1' EXIT
mkdir -p /host /overlay "$root" /dev/pts /dev/shm
mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=262144 host /host
mount -t tmpfs none /overlay
mkdir /overlay/upper /overlay/work
mount -t overlay -o lowerdir=/host,upperdir=/overlay/upper,workdir=/overlay/work none "$root"
mount -t devpts -o mode=620,ptmxmode=666 none /dev/pts
mount -t tmpfs none /dev/shm
for dir in /dev /proc /sys /tests /extra; do
	mkdir -p "$root$dir"
	mount --rbind "$dir" "$root$dir"
done
mount -t tmpfs none "$root/tmp"
mount -t tmpfs none "$root/run"
trap - EXIT

if [ -z "${VMTEST_TERM:-}" ]; then
	set -- /bin/sh -c "$1"
else
	# The kernel's log goes to the same terminal while the shell runs. The shell gets
	# its own terminal, from script: tmux, for one, draws nothing on a serial line.
	trap 'dmesg -n 4' EXIT
	dmesg -n 7
	exec </dev/ttyS0 >/dev/ttyS0 2>&1
	stty rows "$VMTEST_ROWS" cols "$VMTEST_COLUMNS"
	export PS1='guest:\w# '
	set -- script -qec 'bash --norc -i' /dev/null
fi
# shellcheck disable=SC2016 # $@ is for the shell in there
HOME=/root TERM="${VMTEST_TERM:-linux}" \
	PATH=/tests:/extra:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	chroot "$root" /bin/sh -c 'cd /extra && exec "$@"' sh "$@"
