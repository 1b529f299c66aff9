#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check.sh [--within MINUTES] TIER|CHECK...: run the checks of these tiers, or
# single ones, with what they need, as the table harness/checks has them. With
# --within, a tier that would take longer than is left of that time is left out,
# and named. Last line: N passed, N failed, N skipped.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
. "$parts/count.sh"
for file in "$parts"/checks/*.sh; do
	# shellcheck disable=SC1090 # the functions that the table names
	. "$file"
done

within=
# What is running, to be named if the run is ended.
running=

tell_interrupted() {
	finished=1
	say "" "interrupted after $(elapsed "$SECONDS"), while this ran: ${running:-nothing}"
	if [ -n "$running" ] && [ -f "$logs/$running.log" ]; then
		say "its log, $logs/$running.log, ends with:"
		tail -n 20 "$logs/$running.log" | cut -c 1-200
	fi
	record fail "$running: interrupted"
	say "$(count_of pass) passed, $(count_of fail) failed, $(count_of skip) skipped"
}

# However the harness itself may fail, it must not end without a word.
ended() {
	local status=$?

	end_phase
	[ -n "${finished:-}" ] || [ "$status" = 0 ] ||
		say "error: the harness failed (status $status) after: ${running:-nothing}" "0 passed, 1 failed, 0 skipped"
}

trap ended EXIT

# A need that fails is a failure, and what needs it is not run.
need_failed() { record fail "$2 (log: $logs/$1.log)"; }

# ---- checks

# What the result of a check depends on: what it needs, the harness, and what
# the environment may set.
key_of_check() {
	local dep

	for dep in $(field check "$1" 4); do
		echo "${need_key[$dep]}"
	done
	# Coarse, but then nothing that a check reads is forgotten.
	hash_files "$top"/{harness,tests,drivers,tools,docs/model,bases,patches}
	# Other checks do not read these, and need not run again for them.
	case $1 in
	figures) hash_files "$top"/{README.md,docs/results.md} ;;
	copies) hash_files "$top"/{Documentation,MAINTAINERS} ;;
	esac
	echo "${ROUNDS:-} ${INPUTS:-} ${TIMES:-}"
}

run_check() {
	local name=$1 title function dep key ktap

	title=$(field check "$name" 5)
	function=$(function_of check "$name")
	# shellcheck disable=SC2310 # a question
	has check "$name" || function=check_in_vm
	ktap=$(ktap_of "$name")
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
	stamp_matches "result.$name" "$key" || rm -f "$ktap"
	running=$name
	try_phase "$name" "$title" unless_done "result.$name" "$key" "$function" "$name"
	[ "$phase_status" = 0 ] || show_complaint "$logs/$name.log"
	if [ -f "$ktap" ]; then
		count_cases "$name" "$title" "$phase_status"
	elif [ "$phase_status" = 0 ]; then
		record pass "$title"
	else
		record fail "$title (log: $logs/$name.log)"
	fi
}

# fits TIER: is it over by then, as far as the table tells?
fits() {
	[ -z "$within" ] || [ $((SECONDS / 60 + $(field tier "$1" 3))) -le "$within" ]
}

run_tier() {
	local check checks

	read_lines checks checks_of_tier "$1"
	for check in "${checks[@]}"; do
		run_check "$check"
	done
}

main() {
	local name left_out=() packages

	if [ "${1:-}" = --within ]; then
		within=$2
		shift 2
	fi
	[ $# -gt 0 ] || set -- check
	check_table
	for name; do
		# shellcheck disable=SC2310 # a question
		[ -n "$(field tier "$name" 2)$(field check "$name" 2)" ] ||
			die "$name: no such tier or check; harness/checks has them all"
	done
	announce "$@"
	lock
	read_lines packages packages_of "$@"
	ensure_packages "${packages[@]}"
	mkdir -p "$work/cases"
	: >"$results"
	for name; do
		# shellcheck disable=SC2310 # a question
		if [ -z "$(field tier "$name" 2)" ]; then
			run_check "$name"
			continue
		fi
		# shellcheck disable=SC2310 # a question
		if fits "$name"; then
			run_tier "$name"
		else
			left_out+=("$name")
		fi
	done
	[ "${#left_out[@]}" = 0 ] || say "" "left out, as it may take longer than $within minutes: ${left_out[*]}"
	finish
}

main "$@"
