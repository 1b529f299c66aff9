#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # phases are called by name
#
# bench.sh [--record]: what the series costs compared with the unpatched modules,
# in guest instructions and in text size. Writes out/BASE/bench.txt and size.txt, and
# for 6.12 the tables of docs/results.md; with --record also what "make check-cost"
# compares with, bases/BASE/costs.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
. "$parts/bench.sh"

lock
ensure_packages base demo
need modules:series modules:stock
phase bench "counting instructions, twice" count_costs 2
report "$counts" >"$out/bench.txt"
report_size >"$out/size.txt"
[ "${1:-}" != --record ] || recorded_costs <"$out/bench.txt" >"$basedir/costs"
publish "$out/bench.txt" "$top/docs/results.md"
publish "$out/size.txt" "$top/docs/results.md"
