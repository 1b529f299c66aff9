#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks docs/model/token.pml with spin, in every state it has: the series'
# protocol must hold, and each change that takes a part of it away must be
# refuted, for the right reason. See docs/model/README.md.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

changes=(SEPARATE LEAK EARLY BARE LATE)
refuted=0

# check NAME OPTION...: all of the model with the change NAME, if it is one. Leaves
# spin's output in $dir/result and the story of an error in $dir/story. No partial
# order reduction: every state. The depth is more than the longest path.
check()
{
	local name=$1 change options=()

	shift
	dir=$work/model/$name
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$top/docs/model/token.pml" "$dir"
	for change in "${changes[@]}"; do
		if [ "$name" = "$change" ]; then options+=("-D$change=1"); else options+=("-D$change=0"); fi
	done
	(
		cd "$dir"
		spin "${options[@]}" -a token.pml
		gcc -O2 -w -DSAFETY -DNOREDUCE "$@" -o pan pan.c
		./pan -m4000000 -w22 >result 2>&1 || true
		spin "${options[@]}" -T -B -t token.pml | sed -nE '/^(PF|VF) driver|^T1 is set/{s/T0/no token/; p}' >story || true
	)
}

check_series()
{
	local unreached

	check series
	if ! grep -q 'errors: 0$' "$dir/result"; then
		cat "$dir/story"
		die "the series' protocol does not hold ($dir/result)"
	fi
	if grep -qE 'max search depth too small|Search not completed|out of memory|resource' "$dir/result"; then
		die "the search did not finish ($dir/result)"
	fi
	grep -q 'invalid end states.*+' "$dir/result" || die "spin did not search for deadlocks ($dir/result)"
	[ "$(grep -c '^unreached in' "$dir/result")" = 3 ] || die "spin does not say what code it reached ($dir/result)"
	unreached=$(grep -A1 '^unreached in' "$dir/result" | grep -E '^\s' | grep -vE '^\s+\(0 of [0-9]+ states\)' || true)
	[ -z "$unreached" ] || die "code that was never reached ($dir/result)"
	say "the series' protocol: P1 and P4 hold, no deadlock, all code reached"
	states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$dir/result")
}

# check_refuted CHANGE PROPERTY WHAT PATTERN: by the shortest counterexample, whose
# story must match PATTERN
check_refuted()
{
	local name=$1 property=$2

	check "$name" -DBFS
	grep -q "^pan:1: assertion violated $property " "$dir/result" ||
		die "$name: not refuted for $property ($dir/result)"
	say "" "$3: $property is refuted:"
	sed 's/^/    /' "$dir/story"
	grep -Pzq "$4" "$dir/story" || die "$name: refuted by a different counterexample"
	refuted=$((refuted + 1))
}

# The model needs less than the other commands do.
if ! command -v spin >/dev/null || ! command -v gcc >/dev/null; then
	ensure_packages base
fi
check_series
# The race, in the order in which the cover letter tells it, and nothing else
check_refuted SEPARATE p1 "check and count apart, as in unpatched kernels" \
	'\AT1 is set, and nothing is open\nVF driver . presents T1: match\n'\
'PF driver . presents T2: admitted, VFs in use: 0\nPF driver .: the PF is open\nVF driver .: the VF is open\n\Z'
check_refuted LEAK p4 "an open that fails is not put" 'VF driver .: the VF does not open\n\Z'
# A VF is open, and a PF driver is admitted that does not present the VF's token.
vf_open='VF driver (.) presents T1: match\n(.*\n)*VF driver \1: the VF is open\n((?!VF driver \1: the VF is closed).*\n)*'
check_refuted EARLY p1 "an open is put before the device is closed" \
	"${vf_open}PF driver . presents T2: admitted, VFs in use: 0\n\Z"
check_refuted BARE p1 "a PF driver without a token is admitted while a VF is in use" \
	"${vf_open}PF driver . presents no token: admitted, VFs in use: 1\n\Z"
check_refuted LATE p1 "the lock is released while the PF opens" \
	'\AT1 is set, and nothing is open\nPF driver . presents T2: admitted, VFs in use: 0\n'\
'PF driver .: the PF is open\nVF driver . presents T1: match\nVF driver .: the VF is open\n\Z'
say "" "model: $states states of the series' protocol, 0 errors; ${#changes[@]} changes, $refuted refuted; $(elapsed $SECONDS)"
