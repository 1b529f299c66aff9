#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # phases are called by name
#
# Who waits for which of vfio's locks while four VFs, of two PFs, are opened and
# closed and a fifth is flooded with wrong tokens: with the series, and on the
# unpatched kernel. Writes out/locks.txt. SERIES=IMAGE STOCK=IMAGE: with these
# kernels, which have CONFIG_LOCK_STAT.
set -euo pipefail

# shellcheck source=harness/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/../parts.sh"

locks=$work/locks
lib=$top/tools/testing/selftests/vfio/lib

compile_contend()
{
	mkdir -p "$locks"
	gcc -O2 -Wall -Wextra -D_GNU_SOURCE -static \
		-isystem "$src/build-headers/usr/include" -I "$lib" -o "$locks/contend" \
		"$top/harness/bench/contend.c" "$lib"/{pci,user,token}.c
}

count_locks()
{
	vmtest -w -k "$1" -o "$logs/vm.locks.$2" -f "$locks/contend" -f "$work/selftests/vfio_open" \
		-f "$top/harness/bench/locks-guest.sh" -c 'sh locks-guest.sh' >"$locks/$2"
	grep -q '^lock_stat: .*&.*lock' "$locks/$2" || die "no lock was counted"
}

# Locks of vfio and those of files that opens share; times in us.
report_locks()
{
	printf '\n%s\n' "$1"
	grep '^contend:' "$locks/$1"
	printf '%-34s %11s %9s %11s %9s %9s\n' lock contentions wait-max acquisitions hold-max hold-avg
	awk '$1 == "lock_stat:" && /:  / {
			sub(/^lock_stat: +/, "")
			n = match($0, /: +[0-9]/)
			if (!n) next
			name = substr($0, 1, n - 1)
			if (name !~ /pf->lock|vf_token|vfio|dev_set|group|device->|df->|iommufd/) next
			split(substr($0, n + 1), f, " ")
			printf "%-34s %11d %9.1f %11d %9.1f %9.1f\n", name, f[2], f[4], f[8], f[10], f[12]
		}' "$locks/$1"
}

report()
{
	printf 'four VFs of two PFs opened and closed, a fifth flooded with wrong tokens; us\n'
	report_locks series
	report_locks stock
}

lock
ensure_packages
prepare_all
phase applied "applying the series" prepare_applied
series=${SERIES:-$(image_of series lockstat)}
stock=${STOCK:-$(image_of stock lockstat)}
[ -n "${SERIES:-}" ] || phase kernel.lockstat "building the kernel" build_kernel series lockstat
[ -n "${STOCK:-}" ] || phase kernel.stock.lockstat "building the unpatched kernel" build_kernel stock lockstat
phase selftests "building the selftests" build_selftests
phase contend.compile "building the program that opens VFs" compile_contend
phase locks.series "counting with the series" count_locks "$series" series
phase locks.stock "counting on the unpatched kernel" count_locks "$stock" stock
report | tee "$top/out/locks.txt"
