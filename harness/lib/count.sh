# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# What is counted: checks and test cases, "pass|fail|skip<TAB>name" a line each.
# Sourced after all.sh.

results=$work/results

record() { printf '%s\t%s\n' "$1" "$2" >>"$results"; }

count_of() { grep -c "^$1" "${2:-$results}" || true; }

list_of() {
	[ "$(count_of "$1")" = 0 ] || say "" "$2"
	sed -n "s/^$1\t/  /p" "$results"
}

# The last lines of each command that counts. Nothing counted is a failure.
finish() {
	local failed passed

	finished=1
	failed=$(count_of fail)
	passed=$(count_of pass)
	list_of skip "skipped:"
	list_of fail "failed:"
	say ""
	say "checked in $(elapsed $SECONDS)"
	say "$passed passed, $failed failed, $(count_of skip) skipped"
	[ "$failed" = 0 ] && [ "$passed" != 0 ] || exit 1
	exit 0
}

# ---- test cases, as KTAP has them

# "pass|fail|skip<TAB>name" for each case in a KTAP file.
ktap_cases() { awk -f "$top/harness/lib/ktap.awk" "$1"; }

# ktap_of CHECK: where a check writes its KTAP, if it has cases
ktap_of() { printf '%s/cases/%s.ktap\n' "$work" "$1"; }

# A skip is tolerated where tests/skips names the case, the check, the reason and
# another check in which the case is not skipped. Any other one is a failure.
judge_skips() {
	awk -F '\t' -v check="$1" -v list="$top/tests/skips" '
		BEGIN {
			while ((getline line < list) > 0)
				if (line !~ /^(#|$)/) {
					split(line, f, ";")
					if (check ~ "^(" f[2] ")$") { n++; pattern[n] = f[1]; why[n] = f[3] "; runs in " f[4] }
				}
		}
		$1 == "skip" {
			for (i = 1; i <= n; i++)
				if ($2 ~ pattern[i]) { print $1 "\t" $2 ": " why[i]; next }
			print "fail\t" $2 ": skipped, and tests/skips does not say why"
			next
		}
		{ print }'
}

# count_cases CHECK TITLE STATUS: the cases count, and so does the run itself: it
# may have failed for another reason, such as a complaint of the kernel.
count_cases() {
	local check=$1 title=$2 status=$3 cases=$work/cases/$1

	ktap_cases "$(ktap_of "$check")" | judge_skips "$check" | sed "s/\t/\t$check: /" >"$cases"
	cat "$cases" >>"$results"
	say "    $(count_of pass "$cases") cases passed, $(count_of fail "$cases") failed, $(count_of skip "$cases") skipped"
	if grep -q '^fail' "$cases"; then
		return
	elif [ "$status" != 0 ]; then
		record fail "$title: the run itself (log: $logs/$check.log)"
	elif ! grep -q '^pass' "$cases"; then
		record fail "$title: no case passed"
	else
		record pass "$title"
	fi
}
