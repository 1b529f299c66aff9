#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel.sh series|stock: a kernel image for the test VM, with the series or
# from the unpatched source, of the flavour that FLAVOUR names; prints its path
# last.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

flavour=${FLAVOUR:-plain}

check_flavour "$flavour"
case ${1:-} in
series | stock) ;;
*) die "usage: kernel.sh series|stock" ;;
esac
lock
lists=(base)
[ "$flavour" != arm64 ] || lists+=(arm64)
ensure_packages "${lists[@]}"
prepare_all
if [ "$1" = series ]; then
	title="building the kernel"
else
	title="building the unpatched kernel"
fi
phase "kernel$(suffix_of "$1" "$flavour")" "$title" build_kernel "$1" "$flavour"
say "" "the image, for vmtest.sh -k:"
image_of "$1" "$flavour"
