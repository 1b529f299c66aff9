# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# All parts of the harness, in order. Sourced by every command.

parts=$(dirname "${BASH_SOURCE[0]}")

. "$parts/base.sh"
. "$parts/run.sh"
. "$parts/needs.sh"
. "$parts/packages.sh"
. "$parts/apt.sh"
. "$parts/trixie.sh"
. "$parts/source.sh"
. "$parts/build.sh"
. "$parts/series.sh"
. "$parts/debian-kernel.sh"
. "$parts/vm.sh"
