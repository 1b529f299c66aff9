#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel.sh series|stock: a kernel image for the test VM, with the series or
# from the unpatched source, of the flavour that FLAVOUR names; prints its path
# last.
set -euo pipefail

# shellcheck source=harness/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/parts.sh"

flavour=${FLAVOUR:-plain}

check_flavour "$flavour"
case ${1:-} in
series | stock) ;;
*) die "usage: kernel.sh series|stock" ;;
esac
lock
[ "$flavour" != arm64 ] || package_lists+=(packages.arm64)
ensure_packages
prepare_all
if [ "$1" = series ]; then
	phase applied "applying the series" prepare_applied
	title="building the kernel"
else
	title="building the unpatched kernel"
fi
phase "kernel$(suffix_of "$1" "$flavour")" "$title" build_kernel "$1" "$flavour"
image_of "$1" "$flavour"
