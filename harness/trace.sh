#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # phases are called by name
#
# The drawings of docs/design.md, from what the kernel's function graph tracer sees
# while the race test runs, on unpatched modules and on those of the series.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

case=pf_opened_during_vf_open

# trace_guest KERNEL: whether the case passes is what the drawing shows.
trace_guest()
{
	local kernel_options

	use_kernel "$1"
	vmtest "${kernel_options[@]}" -o "$logs/vm.trace.$1" -f "$programs/vfio_pci_vf_token_race_test" \
		-f "$top/harness/trace/guest.sh" \
		-c "sh guest.sh 0000:01:00.0 race.type1.$case race.cdev.$case" >"$work/trace.$1"
}

draw()
{
	python3 "$top/harness/trace/draw.py" "$@"
}

draw_all()
{
	local vfio=$debian_dir/series/drivers/vfio

	draw race "race.type1.$case" "$work/trace.debian-stock" >"$out/race-stock.txt"
	draw race "race.type1.$case" "$work/trace.debian" >"$out/race-series.txt"
	draw path "race.type1.$case" "$work/trace.debian" "$vfio" >"$out/path-group.txt"
	draw path "race.cdev.$case" "$work/trace.debian" "$vfio" >"$out/path-cdev.txt"
}

lock
ensure_packages base demo
need programs modules:stock
phase trace.stock "tracing the race test on unpatched modules" trace_guest debian-stock
phase trace.series "tracing it on modules with the series" trace_guest debian
phase draw "drawing" draw_all
for name in race-stock race-series path-group path-cdev; do
	publish "$out/$name.txt" "$top/docs/design.md"
done
