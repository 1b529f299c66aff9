#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# modules.sh [series|stock]: vfio as modules for Debian's own kernel of the base,
# with the series (the default) or from the unpatched source, and what the test VM
# needs besides. KVER=RELEASE: for that kernel, whose headers are installed on this
# machine. Prints their folder last.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

source=${1:-series}

[[ $source = @(series|stock) ]] || die "usage: modules.sh [series|stock]"
lock
ensure_packages modules
need "modules:$source"
say "" "built for Linux $(kernel_release), in:"
path_modules "$source"
