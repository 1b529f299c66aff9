# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# All parts of the harness, in order. Sourced by every command.

parts=$(dirname "${BASH_SOURCE[0]}")

# shellcheck source=harness/lib/base.sh
. "$parts/base.sh"
# shellcheck source=harness/lib/run.sh
. "$parts/run.sh"
# shellcheck source=harness/lib/packages.sh
. "$parts/packages.sh"
# shellcheck source=harness/lib/apt.sh
. "$parts/apt.sh"
# shellcheck source=harness/lib/trixie.sh
. "$parts/trixie.sh"
# shellcheck source=harness/lib/source.sh
. "$parts/source.sh"
# shellcheck source=harness/lib/build.sh
. "$parts/build.sh"
# shellcheck source=harness/lib/series.sh
. "$parts/series.sh"
# shellcheck source=harness/lib/debian-kernel.sh
. "$parts/debian-kernel.sh"
# shellcheck source=harness/lib/vm.sh
. "$parts/vm.sh"

load_base
