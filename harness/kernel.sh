#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel.sh series|stock: a kernel image for the test VM, with the series or from the
# unpatched source, of the flavour that FLAVOUR names; prints its path last.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

flavour=${FLAVOUR:-plain}

[[ $# = 1 && $1 = @(series|stock) ]] || die "usage: kernel.sh series|stock"
[ "$flavour" = plain ] || [ -f "$basedir/config.$flavour" ] ||
	die "FLAVOUR=$flavour: no such flavour; each has a file bases/$base/config.FLAVOUR"
lock
# shellcheck disable=SC2046 # none, or one
ensure_packages base $([ "$flavour" != arm64 ] || echo arm64)
need "kernel:$1.$flavour"
say "" "the image, for vmtest.sh -k:"
path_kernel "$1.$flavour"
