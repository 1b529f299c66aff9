#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# guest.sh PAGE: in the VM, the steps of PAGE, docs/demo.md. A line that begins with "$" is
# a command, which runs in this shell. The answer must be the one that the page shows,
# and the kernel must log the lines that the page shows; else the demo ends.
set -u

answer=/tmp/answer
shown=/tmp/shown

say() { printf '%s\n' "$@"; }

wrong() {
	say "" "UNEXPECTED: $1"
	exit 1
}

# Is the answer as shown? A program in the background may need time for it.
judge() {
	tries=100
	until cmp -s $answer $shown || [ $tries = 0 ]; do
		sleep 0.1
		tries=$((tries - 1))
	done
	sed 's/^/     /' $answer
	[ $tries != 0 ] || wrong "the answer should be \"$(cat $shown)\""
	: >$answer
	: >$shown
}

mkfifo /tmp/never
exec 8<>/tmp/never
: >$answer
: >$shown
sed -n '/^1\. /,/^All steps/p' "$1" >/tmp/steps
grep -q '^   \$ ' /tmp/steps || wrong "the page has no steps"
say "A virtual machine with Debian's own kernel, Linux $(uname -r), and vfio with the series." ""
while IFS= read -r line; do
	case $line in
	'     '*)
		say "${line#     }" >>$shown
		continue
		;;
	esac
	judge
	case $line in
	'   kernel: '*)
		dmesg | sed 's/^\[[^]]*\] */   kernel: /' | grep -qxF -e "$line" ||
			wrong "the log should have: $line"
		;;
	esac
	say "$line"
	command=${line#   $ }
	[ "$command" != "$line" ] || continue
	# The input of a program in the background does not end.
	[ "$command" = "${command%&}" ] || command="${command%&} <&8 &"
	dmesg -c >/dev/null
	eval "$command" >$answer 2>&1 </dev/null
done </tmp/steps
