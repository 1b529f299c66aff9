#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks docs/model/token.pml with spin, in every state it has: the series'
# protocol must hold, and each change that takes a part of it away must be
# refuted, for the right reason. See docs/model/README.md.
set -euo pipefail

# shellcheck source=harness/lib/all.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

changes=(SEPARATE LEAK EARLY BARE)
refuted=0
# More than the longest path: a search that comes to an end of it is no proof.
max_depth=4000000

# The model needs less than the other commands do.
need_spin()
{
	if ! command -v spin >/dev/null || ! command -v gcc >/dev/null; then
		ensure_packages base
	fi
}

# What spin is told: CHANGE is there, the others are not.
defines()
{
	local change=$1 name

	for name in "${changes[@]}"; do
		printf -- '-D%s=%d\n' "$name" "$([ "$name" = "$change" ] && echo 1 || echo 0)"
	done
}

# check NAME OPTION...: all of the model with the change NAME, if it is one.
# Leaves the output in $dir/result. No partial order reduction: every state.
check()
{
	local name=$1 options

	shift
	dir=$work/model/$name
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$top/docs/model/token.pml" "$dir"
	read_lines options defines "$name"
	(
		cd "$dir"
		spin "${options[@]}" -a token.pml
		gcc -O2 -w -DSAFETY -DNOREDUCE "$@" -o pan pan.c
		./pan "-m$max_depth" -w22 >result 2>&1 || true
	)
}

# Of the last check: the reason why, then the story, as the model tells it.
story()
{
	local name=$1 options

	read_lines options defines "$name"
	(cd "$dir" && spin "${options[@]}" -T -B -t token.pml) | grep -E '^(PF|VF) driver|^T1 is set' |
		sed 's/T0/no token/'
}

figure()
{
	sed -n "s/^ *\([0-9]*\) $1.*/\1/p" "$dir/result"
}

unreached_code()
{
	grep -A1 '^unreached in' "$dir/result" | grep -E '^\s' | grep -vE '^\s+\(0 of [0-9]+ states\)' || true
}

check_series()
{
	check series
	if ! grep -q 'errors: 0$' "$dir/result"; then
		# shellcheck disable=SC2310 # it has failed already
		story series || true
		die "the series' protocol does not hold ($dir/result)"
	fi
	if grep -qE 'max search depth too small|Search not completed|out of memory|resource' "$dir/result"; then
		die "the search came to no end ($dir/result)"
	fi
	grep -q 'invalid end states.*+' "$dir/result" || die "deadlocks were not looked for ($dir/result)"
	[ "$(grep -c '^unreached in' "$dir/result")" = 3 ] || die "spin does not say what code it reached ($dir/result)"
	unreached=$(unreached_code)
	[ -z "$unreached" ] || die "code that was never reached ($dir/result)"
	say "the series' protocol: P1 and P4 hold, no deadlock, all code reached"
	states=$(figure 'states, stored')
}

# check_refuted CHANGE PROPERTY TELLS WHAT: by the shortest counterexample, of
# which TELLS must approve.
check_refuted()
{
	local name=$1 property=$2 tells=$3 what=$4

	check "$name" -DBFS
	grep -q "^pan:1: assertion violated $property " "$dir/result" ||
		die "$name: not refuted for $property ($dir/result)"
	story "$name" >"$dir/story"
	say ""
	say "$what: $property is refuted:"
	sed 's/^/    /' "$dir/story"
	"$tells" "$dir/story" || die "$name: that is another story than the one it must be"
	refuted=$((refuted + 1))
}

# The race, in the order in which the cover letter tells it: a VF driver's token is
# found right; a PF driver with another opens the PF, as no VF counts as used; the
# VF is also open. Nothing else is opened, and no token is set by feature.
tells_race()
{
	awk '
		NR == 1 { ok = /^T1 is set, and nothing is open$/ }
		NR == 2 { ok = ok && /^VF driver . gives T1: it is right$/ }
		NR == 3 { ok = ok && /^PF driver . gives T2: let in, VFs in use: 0$/ }
		NR == 4 { ok = ok && /^PF driver .: the PF is open$/ }
		NR == 5 { ok = ok && /^VF driver .: the VF is open$/ }
		END { exit !(ok && NR == 5) }' "$1"
}

# A VF failed to open, all VF drivers are done, and it still counts.
tells_leak()
{
	[ "$(tail -n 1 "$1" | sed 's/^VF driver .: //')" = "the VF does not open" ]
}

# tells_let_in STORY TOKEN IN_USE: a VF is open, and in the end a PF driver is let in
# that gives TOKEN, which is not the VF's, with IN_USE VFs counted.
tells_let_in()
{
	awk -v token="$2" -v in_use="$3" '
		/^VF driver .*: it is right/ { its = $5 }
		/^VF driver .*: the VF is open/ { vf_open = 1 }
		/^VF driver .*: the VF is closed/ { vf_open = 0 }
		{ last = $0 }
		END {
			end = "gives " token ": let in, VFs in use: " in_use "$"
			exit !(vf_open && its == "T1:" && last ~ "^PF driver . " end)
		}' "$1"
}

tells_early()
{
	tells_let_in "$1" T2 0
}

tells_bare()
{
	tells_let_in "$1" "no token" 1
}

need_spin
check_series
check_refuted SEPARATE p1 tells_race "check and count apart, as in unpatched kernels"
check_refuted LEAK p4 tells_leak "an open that fails is not given back"
check_refuted EARLY p1 tells_early "an open is given back before the device is closed"
check_refuted BARE p1 tells_bare "a PF driver without a token is let in while a VF is in use"
say ""
say "model: $states states of the series' protocol, 0 errors;" \
	"${#changes[@]} changes, $refuted refuted; $(elapsed $SECONDS)"
