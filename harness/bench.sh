#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # phases are called by name
#
# What the series costs beside the kernel it replaces, in instructions of a
# guest: the same machine, source and configuration, twice each.
#
# bench.sh           counts twice; writes out/bench.txt, out/bench.json and
#                    docs/bench.svg
# bench.sh --short   counts once, and fails if a ratio is more than 2 per cent
#                    above the one in harness/bench/recorded
# bench.sh --record  counts twice, and writes harness/bench/recorded, too
#
# SERIES=IMAGE STOCK=IMAGE in the environment are counted in place of the
# kernels that are built otherwise.
set -euo pipefail

# shellcheck source=harness/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/parts.sh"

counts=$work/bench
recorded=$top/harness/bench/recorded

compile_bench()
{
	compile_with_lib "$counts/bench" "$top/harness/bench/bench.c"
}

# count_kernel IMAGE SOURCE RUN: both machines, one after the other. The unit
# tests would take longer than all that is counted.
count_kernel()
{
	local image=$1 source=$2 run=$3 pfs

	for pfs in igb:14 nvme:120; do
		vmtest -k "$image" -i -p "$pfs" -a kunit.enable=0 -t 1200 -o "$logs/vm.bench.$source.${pfs%:*}" \
			-f "$counts/bench" -f "$top/harness/bench/guest.sh" \
			-c "sh guest.sh ${pfs%:*}" || exit 1
	done >"$counts/$source.$run"
}

# What else the host does has no influence on what a guest counts.
count_both()
{
	local pids=() pid bad=0

	count_kernel "$series" series "$1" &
	pids+=($!)
	count_kernel "$stock" stock "$1" &
	pids+=($!)
	for pid in "${pids[@]}"; do
		wait "$pid" || bad=1
	done
	[ "$bad" = 0 ] || { tail -n 3 "$counts"/*."$1"; return 1; }
}

report()
{
	python3 "$top/harness/bench/report.py" "$@"
}

use_images()
{
	series=${SERIES:-$(image_of series plain)}
	stock=${STOCK:-$(image_of stock plain)}
	[ -n "${SERIES:-}" ] || phase kernel "building the kernel" build_kernel series
	[ -n "${STOCK:-}" ] || phase kernel.stock "building the unpatched kernel" build_kernel stock
}

mode=${1:-}
case $mode in
'' | --short | --record) ;;
*) die "usage: bench.sh [--short | --record]" ;;
esac
lock
ensure_packages
prepare_all
phase applied "applying the series" prepare_applied
use_images
phase selftests "building the selftests" build_selftests
phase bench.compile "building the program that counts" compile_bench
phase bench.1 "counting instructions" count_both 1
if [ "$mode" = --short ]; then
	report check "$counts" "$recorded"
	exit
fi
phase bench.2 "counting them once more" count_both 2
report table "$counts" >"$top/out/bench.txt"
report json "$counts" >"$top/out/bench.json"
report chart "$counts" >"$top/docs/bench.svg"
if [ "$mode" = --record ]; then
	report record "$counts" >"$recorded"
fi
cat "$top/out/bench.txt"
