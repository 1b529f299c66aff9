#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# From nothing to a VM that shows what VF tokens do.
set -euo pipefail

# shellcheck source=harness/lib/all.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

show_story()
{
	# -n: the story begins with the host's own driver.
	vmtest -n -k "$(image_of series plain)" -o "$logs/vm.demo" -f "$work/vfio_open/vfio_open" \
		-f "$top/harness/demo/guest.sh" -c 'sh guest.sh'
}

lock
ensure_packages
prepare_all
phase applied "applying the series" prepare_applied
phase kernel "building the kernel" build_kernel series
phase vfio_open "building the program for the VM" build_selftests plain vfio_open
say ""
shown_phase demo show_story
say ""
say "done in $(elapsed $SECONDS); the kernel image:"
image_of series plain
