#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check.sh [--within MINUTES] TIER|CHECK...: run the checks of these tiers, or
# single ones, with what they need, as the table harness/checks has them. Those of a
# tier that boot no VM run in the background. With --within, a tier that would take longer
# than is left of that time, at the pace of the tiers before it, is left out, and named.
# Last line: N passed, N failed, N skipped.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
. "$parts/count.sh"
for file in "$parts"/checks/*.sh; do
	# shellcheck disable=SC1090 # the functions that the table names
	. "$file"
done

# The process that runs checks in the background, and the one that shows its output
background='' follower=''

end_background() {
	[ -n "$background" ] || return 0
	! jobs -rp | grep -qx "$background" || kill -TERM "$background" 2>/dev/null || true
	wait "$background" || true
	background=
	wait "$follower" 2>/dev/null || cat "$work/background"
}

tell_interrupted() {
	finished=1
	end_background
	say "" "interrupted after $(elapsed "$SECONDS"), while this ran: ${running:-nothing}"
	[ ! -f "$logs/$running.log" ] ||
		{ say "its log, $logs/$running.log, ends with:"; tail -n 20 "$logs/$running.log" | cut -c 1-200; }
	# Until this run has the lock, the results are those of another one.
	[ -n "${locked:-}" ] || { say "0 passed, 1 failed, 0 skipped"; return; }
	record fail "$running: interrupted"
	say_counts
}

# However the harness itself may fail, it must not end without a word.
ended() {
	local status=$?

	end_phase
	end_background
	[ -n "${finished:-}" ] || [ "$status" = 0 ] ||
		say "error: the harness failed (status $status) after: ${running:-nothing}" "0 passed, 1 failed, 0 skipped"
}

trap ended EXIT

# A need that fails is a failure, and what needs it is not run.
need_failed() { record fail "$2 (log: $logs/$1.log)"; }

# What the result of a check depends on: what it needs, the harness, and what
# the environment may set.
key_of_check() {
	local dep names

	for dep in $(field check "$1" 4); do
		echo "${need_key[$dep]}"
	done
	# Coarse, but then nothing that a check reads is forgotten. What rows of the table read
	# of patches, their needs have in their keys.
	# shellcheck disable=SC2310 # a question
	if has check "$1"; then
		hash_files "$top"/{harness,tests,drivers,tools,docs/model,bases,patches}
	else
		hash_files "$top"/{harness/checks,harness/lib,tests/clients,tests/machines,bases}
	fi
	# Other checks do not read these, and need not run again for them.
	case $1 in
	figures) hash_files "$top"/{README.md,docs/results.md} ;;
	copies) hash_files "$top"/{Documentation,MAINTAINERS} ;;
	demo) hash_files "$top/docs/demo.md" ;;
	shellcheck) hash_files "$top"/{.shellcheckrc,.ci,package} ;;
	esac
	echo "${ROUNDS:-} ${INPUTS:-} ${TIMES:-} ${KERNEL:-} ${MACHINES:-} ${SERIES:-}"
	read -ra names <<<"$(field tier "$(field check "$1" 3)" 5)"
	package_versions "${names[@]}"
}

run_check() {
	local name=$1 title function dep key

	title=$(field check "$name" 5)
	function=$(function_of check "$name")
	# shellcheck disable=SC2310 # a question
	has check "$name" || function=check_in_vm
	for dep in $(field check "$name" 4); do
		need "$dep"
		if [ -z "${need_key[$dep]}" ]; then
			say "$title" "    NOT RUN: $dep was not made"
			record fail "$title: not run, $dep was not made"
			return
		fi
	done
	key=$(key_of_check "$name" | hash_of)
	# Only what passed is kept, and counts, unless FRESH is set.
	[ -z "${FRESH:-}" ] || remove_stamp "result.$name"
	# shellcheck disable=SC2310 # a question
	stamp_matches "result.$name" "$key" || rm -f "$(ktap_of "$name")"
	try_phase "$name" "$title" unless_done "result.$name" "$key" "$function" "$name"
	[ "$phase_status" = 0 ] || show_complaint "$logs/$name.log"
	count_check "$name" "$title" "$phase_status"
}

within='' lists='' left_out=() expected=0
[ "${1:-}" != --within ] || { within=$2; shift 2; }
[ $# -gt 0 ] || set -- check
check_table
# What is going to happen, and how long it takes
for name; do
	# A tier, or that of a check
	tier=$(field check "$name" 3)
	tier=$(field tier "${tier:-$name}" 2)
	[ -n "$tier" ] || die "$name: no such tier or check; harness/checks has them all"
	lists+=" $(field tier "$tier" 5)"
	rows tier | awk -F '|' -v name="$name" '$2 == name {
		print name ": " $6
		print "    on two slow cores without KVM: " $3 " min from nothing, " $4 " min when nothing has to be built" }'
done
lock
# The column of the table that this checkout is compared with
built=$([ -d "$stamps" ] && echo 4 || echo 3)
mkdir -p "$work/cases"
: >"$results"
# shellcheck disable=SC2046 # words
ensure_packages $(xargs -n 1 <<<"$lists" | sort -u)
for name; do
	# Is a tier over by then? The table tells, and how long those before took, of which some
	# results may have been kept. A kernel may be in the cache.
	selected=$(rows check | awk -F '|' -v name="$name" '$2 == name || $3 == name')
	column=$built
	kernels=$(cut -d '|' -f 4 <<<"$selected" | xargs -n 1 | sed -n 's/^kernel://p')
	[ -z "$kernels" ] || column=4
	for kernel in $kernels; do
		# shellcheck disable=SC2310 # a question
		[ -f "$(cached_kernel "$kernel" 2>/dev/null)" ] || column=3
	done
	minutes=$(field tier "$name" "$column")
	percent=$((expected ? SECONDS * 100 / 60 / expected : 100))
	percent=$((percent < 40 ? 40 : percent))
	if [ -n "$within" ] && [ $((SECONDS * 100 + minutes * 60 * percent)) -gt $((within * 6000)) ]; then
		left_out+=("$name")
		continue
	fi
	expected=$((expected + minutes))
	# They use the source tree in which kernels are built.
	others=$(awk -F '|' '$4 ~ /^(base|applied|)$/ { print $2 }
		/[|]vm[ |]/ { vm = 1 } /[ |]kernel:/ { kernel = 1 } END { exit !vm || kernel }' <<<"$selected") || others=
	if [ -n "$others" ]; then
		say "running in the background, shown last: ${others//$'\n'/ }"
		(trap 'interrupted 143' TERM HUP; trap ended EXIT
			for check in $others; do run_check "$check"; done) >"$work/background" 2>&1 &
		background=$!
	fi
	rest=$(cut -d '|' -f 2 <<<"$selected" | grep -vxF -e "$others" || [ $? = 1 ])
	for check in $rest; do run_check "$check"; done
	if [ -n "$background" ]; then
		running="the checks in the background"
		tail -n +1 -s 0.2 -f --pid="$background" "$work/background" &
		follower=$!
		wait "$follower"
		wait "$background"
		background='' follower=''
	fi
done
[ "${#left_out[@]}" = 0 ] || say "" "left out, as it may take longer than $within minutes: ${left_out[*]}"
[ -z "$within" ] || say "" "not asked for: $(rows tier | cut -d '|' -f 2 | grep -vxF "${@/#/-e}" | xargs)"
finish
