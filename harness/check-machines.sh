#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-machines.sh MACHINE...: KUnit and the selftests on other machines than
# "make check" begins with. Counts like check.sh, and ends with the same line.
set -euo pipefail

# shellcheck source=harness/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/parts.sh"
# shellcheck source=harness/steps.sh
. "$parts/steps.sh"
# shellcheck source=harness/machines.sh
. "$parts/machines.sh"

add_machine_packages "$@"
begin_count
get_base 10000
needed_step base "preparing the base" prepare_base
needed_step applied "the series applies" prepare_applied
if [ "$*" != arm64 ]; then
	needed_step selftests "building the selftests" build_selftests
	build_series_kernel plain
fi
run_machines "$@"
finish
