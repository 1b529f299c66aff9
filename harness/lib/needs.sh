# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# The table harness/checks: tiers, what checks and commands need, and checks.
# Sourced after run.sh.

# rows KIND
rows() { awk -F '|' -v kind="$1" '$1 == kind' "$top/harness/checks"; }

# field KIND NAME N: empty if there is no such row
field() {
	awk -F '|' -v kind="$1" -v name="$2" -v n="$3" \
		'$1 == kind && $2 == name { print $n }' "$top/harness/checks"
}

checks_of_tier() {
	awk -F '|' -v tier="$1" '$1 == "check" && $3 == tier { print $2 }' "$top/harness/checks"
}

# packages_of TIER|CHECK...: the lists of harness/packages
packages_of() {
	local name tier

	for name; do
		tier=$(field check "$name" 3)
		field tier "${tier:-$name}" 5 | tr ' ' '\n'
	done | sort -u
}

# ---- needs, such as kernel:series.debug: "kernel" in the table, with an argument

# function_of VERB NAME: VERB_NAME, without the argument
function_of() {
	local name=${2%%:*}

	echo "$1_${name//-/_}"
}

has() { [ "$(type -t "$(function_of "$1" "$2")")" = function ]; }

# call VERB NAME: with the argument
call() {
	local argument=

	[[ $2 != *:* ]] || argument=${2#*:}
	"$(function_of "$1" "$2")" "$argument"
}

# The functions of a need: key_NAME prints the hash of all that it depends on, and
# make_NAME makes it if that has changed, or if what path_NAME prints is not there.
# get_NAME instead of make_NAME sees for itself what is to be done.
make_need() {
	local key

	# shellcheck disable=SC2310 # questions
	if has get "$1"; then
		call get "$1"
		return
	elif has path "$1" && [ ! -e "$(call path "$1")" ]; then
		remove_stamp "$1"
	fi
	key=$(call key "$1")
	unless_done "$1" "$key" call make "$1"
}

declare -A need_key

# The commands end where one fails.
need_failed() { exit 1; }

# need NAME...: once in a run, after what they need themselves. Leaves in
# need_key[NAME] the key of what there is now, or nothing if that failed.
need() {
	local name dep deps title

	for name; do
		[ -z "${need_key[$name]+set}" ] || continue
		need_key[$name]=
		read -ra deps <<<"$(field need "${name%%:*}" 3)"
		need "${deps[@]}"
		for dep in "${deps[@]}"; do
			[ -n "${need_key[$dep]}" ] || continue 2
		done
		title=$(field need "${name%%:*}" 4)
		[[ $name != *:* ]] || title+=", ${name#*:}"
		running=$name
		try_phase "$name" "$title" make_need "$name"
		if [ "$phase_status" = 0 ]; then
			need_key[$name]=$(call key "$name")
		else
			need_failed "$name" "$title"
		fi
	done
}

# ---- the table as a whole

# What is named must be there: a typing error must not make a check disappear.
check_table() {
	local kind name rest dep

	while IFS='|' read -r kind name rest; do
		case $kind in
		tier | '' | '#'*) continue ;;
		need)
			rest=${rest%%|*}
			# shellcheck disable=SC2310 # questions
			has get "$name" || has make "$name" || die "harness/checks: there is no make_${name//-/_}"
			# shellcheck disable=SC2310
			has key "$name" || die "harness/checks: there is no key_${name//-/_}"
			;;
		check)
			[ -n "$(field tier "${rest%%|*}" 2)" ] || die "harness/checks: $name has no valid tier"
			# shellcheck disable=SC2310
			[ -n "$(field check "$name" 9)" ] || has check "$name" || die "harness/checks: there is no check_${name//-/_}"
			rest=$(field check "$name" 4)
			;;
		*) die "harness/checks: $kind is neither tier nor need nor check" ;;
		esac
		for dep in $rest; do
			[ -n "$(field need "${dep%%:*}" 2)" ] || die "harness/checks: $name needs $dep, which is not defined"
		done
	done <"$top/harness/checks"
}

# announce TIER|CHECK...: what is going to happen, and how long it takes
announce() {
	local name

	for name; do
		[ -n "$(field tier "$name" 2)" ] || continue
		say "$name: $(field tier "$name" 6)"
		say "    on two slow cores without KVM: $(field tier "$name" 3) min from nothing, $(field tier "$name" 4) min when nothing has to be built"
	done
}
