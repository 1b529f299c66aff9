#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A shell, or the one command CMD, in the test VM: this machine's programs on the
# patched kernel, and all devices with their host drivers. Exit status: that of
# the shell or of CMD; make says 2 for each that is not 0.
set -euo pipefail

# shellcheck source=harness/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/parts.sh"

lock
ensure_guest_packages
prepare_all
phase applied "applying the series" prepare_applied
phase kernel "building the kernel" build_kernel series
phase selftests "building the programs for the VM" build_selftests
options=(-n -r -k "$(image_of series plain)" -o "$logs/vm.shell" -f "$work/selftests/vfio_open"
	-a kunit.enable=0)
if [ -z "${CMD:-}" ]; then
	say ""
	say "Linux with the patches, in a virtual machine; what this machine has is there to be"
	say "read. vfio_open opens a device, see vfio_open -h; docs/howto has more to try."
	say "To leave: exit, or Ctrl-D. If it hangs: Ctrl-A x."
	options+=(-s -t 0)
else
	options+=(-c "$CMD" -t 3600)
fi
# Whoever plays there does not keep others from working here.
exec 9>&-
exec "$top/tools/testing/selftests/vfio/vmtest.sh" "${options[@]}"
