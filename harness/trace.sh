#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # phases are called by name
#
# The traces of docs/design.md, from the kernel's function graph tracer: the race on
# unpatched modules and on those of the series, and the path of an open.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

# trace NAME SOURCE: into $out, a file for each trace
trace() {
	# On one CPU the tracer prints a call that sleeps as one in which others are made.
	vm "trace.$1" "modules:$2" warp -a maxcpus=1 -f "$vfio_open" -f "$top/harness/trace/guest.sh" \
		-c "sh guest.sh" |
		awk -v dir="$out" -v name="$1" '/^== / { file = dir "/" $2 "." name ".txt"; next }
			{ print >file }'
	grep -Pzq 'pf-\d+ (.*\n)+ *vf-\d+' "$out/race.$1.txt" || die "the two opens did not overlap"
}

lock
ensure_packages base demo
need vfio-open modules:stock
phase trace.debian-stock "tracing opens, the unpatched kernel" trace debian-stock stock
phase trace.debian "tracing opens, with the series" trace debian series
for name in race.debian-stock race.debian path-type1.debian path-cdev.debian; do
	publish "$out/$name.txt" "$top/docs/design.md"
done
