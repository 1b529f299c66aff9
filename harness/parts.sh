# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# All parts of the harness, in order. Sourced by every command.

parts=$(dirname "${BASH_SOURCE[0]}")

# shellcheck source=harness/lib.sh
. "$parts/lib.sh"
# shellcheck source=harness/packages.sh
. "$parts/packages.sh"
# shellcheck source=harness/fetch.sh
. "$parts/fetch.sh"
# shellcheck source=harness/prepare.sh
. "$parts/prepare.sh"
# shellcheck source=harness/build.sh
. "$parts/build.sh"
# shellcheck source=harness/series.sh
. "$parts/series.sh"
# shellcheck source=harness/lib/debian-kernel.sh
. "$parts/lib/debian-kernel.sh"
# shellcheck source=harness/boot.sh
. "$parts/boot.sh"

load_base
