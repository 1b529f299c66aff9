#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# shell.sh [--built]: a shell, or the one command CMD, in the test VM: this
# machine's programs on the patched kernel, and all devices with their host
# drivers. Exit status: that of the shell or of CMD; make says 2 for each that is
# not 0. With --built nothing is built, and no other run is waited for.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

if [ "${1:-}" != --built ]; then
	lock
	ensure_packages modules demo clients
	need programs
	# An open shell does not block other commands.
	exec 9>&-
fi
if [ -n "${CMD:-}" ]; then
	vmtest_host_root "shell.$$" modules:series -t 3600 -c "$CMD"
else
	say ""
	say "A virtual machine with the patched vfio. It sees the files of this machine; changes to"
	say "them stay in the VM and are lost when it ends."
	say "vfio_open opens a device (vfio_open -h); docs/howto has more to try. tmux gives several"
	say "terminals. To leave: exit or Ctrl-D. If it hangs: Ctrl-A x."
	[ ! -t 0 ] || trap 'stty "$terminal"' EXIT
	terminal=$(stty -g 2>/dev/null || true)
	vmtest_host_root "shell.$$" modules:series -t 0 -m "$machine_dir/terminal.sh" -c shell
fi
