#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# KUnit and the selftests on an arm64 machine with an SMMUv3 that QEMU emulates.
# Counts like check.sh, and ends with the same line.
set -euo pipefail

# shellcheck source=harness/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/parts.sh"
# shellcheck source=harness/steps.sh
. "$parts/steps.sh"

selftests=$(selftests_dir arm64)
machine=(-m arm64)
export BUSYBOX=$cache/arm64/busybox

package_lists+=(packages.arm64)
begin_count
get_base 10000
needed_step base "preparing the base" prepare_base
needed_step applied "the series applies" prepare_applied
needed_step busybox.arm64 "fetching a shell for arm64" fetch_program busybox-static arm64 bin/busybox
needed_step selftests.arm64 "building the selftests for arm64" build_selftests arm64
build_series_kernel arm64
run_all_tests arm64 arm64 "" -t 3600
finish
