#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# packages.sh LIST...: install what is missing of these lists of harness/packages,
# and QEMU. Run as root; the other commands call it themselves where they may.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

[ "$(id -u)" = 0 ] || die "run as root: $0"
[ $# -gt 0 ] || set -- base
install_missing "$@"
