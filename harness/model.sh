#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of the other parts
#
# Checks docs/model/token.pml with spin, in every state it has: the series' protocol must
# hold, and each of docs/model/changes, which takes a part of it away, must be refuted,
# for the right reason. See docs/model/README.md.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

changes=$top/docs/model/changes

# search NAME OPTION...: all of the model with the change NAME, if it is one. Leaves
# what spin says in "result" and the story of an error in "story". No partial order
# reduction: every state. The depth is more than the longest path.
search() {
	local options

	# shellcheck disable=SC2016 # fields of awk
	read_lines options awk -F '|' -v name="$1" '!/^#/ { print "-D" $1 "=" ($1 == name) }' "$changes"
	mkdir -p "$work/model/$1"
	cd "$work/model/$1"
	cp "$top/docs/model/token.pml" .
	rm -f token.pml.trail
	spin "${options[@]}" -search "${@:2}" -safety -noreduce -O2 -m4000000 -w22 token.pml >result 2>&1 || true
	spin "${options[@]}" -T -B -t token.pml >replay 2>&1 || true
	sed -nE '/^(PF|VF) driver|^T1 is set/{s/T0/no token/; p}' replay >story
}

lock
# It needs less than the other commands do.
{ command -v spin && command -v gcc; } >/dev/null || ensure_packages base
search series
cat story
# Lines of a whole search, for deadlocks too, that found no error and reached all code
good='^(.*errors: 0|.assertion violations.\+|.invalid end states.\+|unreached in .*|.\(0 of [0-9]+ states\))$'
if grep -qiE 'too small|not completed|out of memory|resource' result || [ "$(grep -cE "$good" result)" != 9 ]; then
	die "the series' protocol does not hold, or the search is not complete ($PWD/result)"
fi
states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' result)
say "the series' protocol: P1 and P4 hold, no deadlock, all code reached" ""
read_lines rows without_comments "$changes"
for row in "${rows[@]}"; do
	IFS='|' read -r change property what pattern <<<"$row"
	search "$change" -bfs
	grep -q "^pan:1: assertion violated $property " result ||
		die "$change: not refuted for $property ($PWD/result)"
	say "$what: $property is refuted:"
	sed 's/^/    /' story
	say ""
	grep -Pzq "$pattern" story || die "$change: refuted by a different counterexample"
done
say "model: $states states of the series' protocol, 0 errors; ${#rows[@]} changes refuted; $(elapsed $SECONDS)"
