#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel.sh series|stock: a kernel image for the test VM, with the series or
# from the unpatched source; prints its path last.
set -euo pipefail

# shellcheck source=harness/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/parts.sh"

lock
ensure_packages
prepare_all
case ${1:-} in
series)
	phase applied "applying the series" prepare_applied
	phase kernel "building the kernel" build_kernel "$applied" patched ""
	say "$out/bzImage"
	;;
stock)
	phase kernel.stock "building the unpatched kernel" build_kernel stock plain .stock
	say "$out/bzImage.stock"
	;;
*) die "usage: kernel.sh series|stock" ;;
esac
