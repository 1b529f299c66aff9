# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# What is counted: checks and test cases, "pass|fail|skip<TAB>name" a line each

results=$work/results.${0##*/}

record() { printf '%s\t%s\n' "$1" "$2" >>"$results"; }
count_of() { grep -c "^$1" "${2:-$results}" || true; }

list_of() {
	[ "$(count_of "$1")" = 0 ] || say "" "$2"
	sed -n "s/^$1\t/  /p" "$results"
}

say_counts() { say "$(count_of pass) passed, $(count_of fail) failed, $(count_of skip) skipped"; }

# The last lines of each command that counts. Nothing counted is a failure.
finish() {
	finished=1
	list_of skip "skipped:"
	list_of fail "failed:"
	say "" "checked in $(elapsed $SECONDS)"
	say_counts
	[ "$(count_of fail)" = 0 ] && [ "$(count_of pass)" != 0 ]
	exit
}

# "pass|fail|skip<TAB>name" for each test case in a KTAP file
ktap_cases() { awk -f "$top/harness/lib/ktap.awk" "$1"; }

# ktap_of CHECK: where a check writes its KTAP, if it has cases
ktap_of() { printf '%s/cases/%s.ktap\n' "$work" "$1"; }

# A skip is tolerated where tests/skips names the case, the check, the reason and
# another check in which the case is not skipped. Any other one is a failure.
judge_skips() {
	awk -F '\t' -v check="$1" '
		FILENAME == ARGV[1] {
			split($0, f, ";")
			if (/^[^#]/ && check ~ "^(" f[2] ")$")
				why[f[1]] = f[3] "; runs in " f[4]
			next
		}
		$1 == "skip" {
			for (pattern in why)
				if ($2 ~ pattern) { print $1 "\t" $2 ": " why[pattern]; next }
			print "fail\t" $2 ": skipped, and tests/skips does not say why"
			next
		}
		{ print }' "$top/tests/skips" -
}

# count_check CHECK TITLE STATUS: its cases count, if it has any, and so does the run
# itself: it may have failed for another reason, such as a complaint of the kernel.
count_check() {
	local check=$1 title=$2 status=$3 cases=$work/cases/$1 itself=

	if [ -f "$(ktap_of "$check")" ]; then
		itself=": the run itself"
		ktap_cases "$(ktap_of "$check")" | judge_skips "$check" | sed "s/\t/\t$check: /" >"$cases"
		cat "$cases" >>"$results"
		say "    $(count_of pass "$cases") cases passed, $(count_of fail "$cases") failed, $(count_of skip "$cases") skipped"
		! grep -q '^fail' "$cases" || return 0
	fi
	if [ "$status" != 0 ]; then
		record fail "$title$itself (log: $logs/$check.log)"
	elif [ -n "$itself" ] && ! grep -q '^pass' "$cases"; then
		record fail "$title: no case passed"
	else
		record pass "$title"
	fi
}
