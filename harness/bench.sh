#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # phases are called by name
#
# What the series costs beside the kernel it replaces: the same machine, source
# and configuration, with and without the patches.
#
# bench.sh [PART]...  instructions, size, locks; all of them if none is named.
#		      Writes out/bench.txt, out/size.txt, out/locks.txt, and puts
#		      them into docs/results.md; instructions also out/bench.json
#		      and docs/bench.svg
# bench.sh --record   counts instructions, and writes what "make check" compares
#		      with: bases/BASE/costs
set -euo pipefail

# shellcheck source=harness/lib/all.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
# shellcheck source=harness/lib/bench-instructions.sh
. "$parts/bench-instructions.sh"
# shellcheck source=harness/lib/bench-size.sh
. "$parts/bench-size.sh"
# shellcheck source=harness/lib/bench-locks.sh
. "$parts/bench-locks.sh"

build_kernels()
{
	local suffix=${1#plain}

	phase "kernel${suffix:+.$suffix}" "building the ${suffix:+$suffix }kernel" build_kernel series "$1"
	phase "kernel.stock${suffix:+.$suffix}" "building the unpatched ${suffix:+$suffix }kernel" build_kernel stock "$1"
}

# publish FILE: show what was measured, and write it where docs/results.md names
# the file, too.
publish()
{
	local page=$top/docs/results.md mark="<!-- out/${1##*/} -->"

	grep -qxF -e "$mark" "$page" || die "${page#"$top"/} has no place for ${1##*/}"
	awk -v result="$1" -v mark="$mark" '
		$0 == mark { print; print "```"; while ((getline line < result) > 0) print line; on = 1; next }
		on && /^```/ { if (++fences == 1) next; on = fences = 0 }
		!on { print }' "$page" >"$page.new"
	mv "$page.new" "$page"
	say ""
	cat "$1"
	say ""
}

measure_instructions()
{
	build_kernels plain
	phase bench.compile "building the program that counts" compile_for_guest bench
	phase bench.1 "counting instructions" both plain count_instructions 1
	phase bench.2 "counting them once more" both plain count_instructions 2
	report json "$counts" >"$top/out/bench.json"
	report chart "$counts" >"$top/docs/bench.svg"
	[ -z "$record" ] || report record "$counts" "$(compiler)" >"$recorded"
	report table "$counts" >"$top/out/bench.txt"
	publish "$top/out/bench.txt"
}

measure_size()
{
	phase size.untraced "building the modules without trace events" measure_modules modules-untraced
	phase size.modules "building the modules" measure_modules modules
	build_kernels plain
	phase size.memory "looking at what is allocated" both plain count_memory
	report_size >"$top/out/size.txt"
	publish "$top/out/size.txt"
}

measure_locks()
{
	build_kernels lockstat
	phase locks.compile "building the program that opens VFs" compile_for_guest contend
	phase locks "looking at who waits for locks" both lockstat count_locks
	phase locks.check "nobody waits for the locks of another PF" check_waits
	report_locks >"$top/out/locks.txt"
	publish "$top/out/locks.txt"
}

record=
if [ "${1:-}" = --record ]; then
	record=1
	set -- instructions
fi
[ $# -gt 0 ] || set -- instructions size locks
for part in "$@"; do
	case $part in
	instructions | size | locks) ;;
	*) die "usage: bench.sh [--record | [instructions] [size] [locks]]" ;;
	esac
done
lock
ensure_packages base demo
prepare_all
phase programs "building the test programs" build_programs
for part in "$@"; do
	"measure_$part"
done
