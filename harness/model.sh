#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks docs/model/token.pml with spin, in every state it has: the series'
# protocol must hold, and each change that takes a part of it away must be
# refuted, for the right reason. See docs/model/README.md.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

changes=(SEPARATE LEAK EARLY BARE LATE)

# search NAME OPTION...: all of the model with the change NAME, if it is one. Leaves
# what spin says in "result" and the story of an error in "story". No partial order
# reduction: every state. The depth is more than the longest path.
search() {
	local name=$1 options=("${changes[@]/#/-D}")

	shift
	options=("${options[@]/%/=0}")
	options=("${options[@]/$name=0/$name=1}")
	mkdir -p "$work/model/$name"
	cd "$work/model/$name"
	cp "$top/docs/model/token.pml" .
	rm -f token.pml.trail
	spin "${options[@]}" -search "$@" -safety -noreduce -O2 -m4000000 -w22 token.pml >result 2>&1 || true
	spin "${options[@]}" -T -B -t token.pml >replay 2>&1 || true
	sed -nE '/^(PF|VF) driver|^T1 is set/{s/T0/no token/; p}' replay >story
}

# refuted CHANGE PROPERTY WHAT PATTERN: by the shortest counterexample, whose story
# must match PATTERN
refuted() {
	search "$1" -bfs
	grep -q "^pan:1: assertion violated $2 " result || die "$1: not refuted for $2 ($PWD/result)"
	say "$3: $2 is refuted:"
	sed 's/^/    /' story
	say ""
	grep -Pzq "$4" story || die "$1: refuted by a different counterexample"
}

# The model needs less than the other commands do.
if ! command -v spin >/dev/null || ! command -v gcc >/dev/null; then
	ensure_packages base
fi
search series
cat story
# Lines of a whole search, for deadlocks too, that found no error and reached all code
good='^(.*errors: 0|.assertion violations.\+|.invalid end states.\+|unreached in .*|.\(0 of [0-9]+ states\))$'
if grep -qiE 'too small|not completed|out of memory|resource' result || [ "$(grep -cE "$good" result)" != 9 ]; then
	die "the series' protocol does not hold, or the search is not complete ($PWD/result)"
fi
states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' result)
say "the series' protocol: P1 and P4 hold, no deadlock, all code reached" ""
# The race, in the order in which the cover letter tells it, and nothing else
refuted SEPARATE p1 "check and count apart, as in unpatched kernels" \
	'\AT1 is set, and nothing is open\nVF driver . presents T1: match\n'\
'PF driver . presents T2: admitted, VFs in use: 0\nPF driver .: the PF is open\nVF driver .: the VF is open\n\Z'
refuted LEAK p4 "an open that fails is not put" 'VF driver .: the VF does not open\n\Z'
# A VF is open, and a PF driver is admitted that does not present the VF's token.
vf_open='VF driver (.) presents T1: match\n(.*\n)*VF driver \1: the VF is open\n((?!VF driver \1: the VF is closed).*\n)*'
refuted EARLY p1 "an open is put before the device is closed" \
	"${vf_open}PF driver . presents T2: admitted, VFs in use: 0\n\Z"
refuted BARE p1 "a PF driver without a token is admitted while a VF is in use" \
	"${vf_open}PF driver . presents no token: admitted, VFs in use: 1\n\Z"
refuted LATE p1 "the lock is released while the PF opens" \
	'\AT1 is set, and nothing is open\nPF driver . presents T2: admitted, VFs in use: 0\n'\
'PF driver .: the PF is open\nVF driver . presents T1: match\nVF driver .: the VF is open\n\Z'
say "model: $states states of the series' protocol, 0 errors; ${#changes[@]} changes refuted; $(elapsed $SECONDS)"
