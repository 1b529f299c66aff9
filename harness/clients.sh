#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The part of "make check" in which real programs own PFs and VFs. Last line:
# "N passed, N failed, N skipped".
set -euo pipefail

# shellcheck source=harness/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/parts.sh"
# shellcheck source=harness/steps.sh
. "$parts/steps.sh"
# shellcheck source=harness/clients/howto-step.sh
. "$parts/clients/howto-step.sh"
# shellcheck source=harness/clients/nvme-step.sh
. "$parts/clients/nvme-step.sh"

begin_count
ensure_guest_packages
get_base 8000
needed_step base "preparing the base" prepare_base
needed_step applied "applying the series" prepare_applied
needed_step kernel.stock "building the unpatched kernel" build_kernel stock
build_series_kernel plain
needed_step selftests "building the programs for the VM" build_selftests
run_howto
run_nvme
finish
