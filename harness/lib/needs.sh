# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# The table harness/checks, and what checks and commands need. Sourced after run.sh.

rows() { awk -F '|' -v kind="$1" '$1 == kind' "$top/harness/checks"; }

# field KIND NAME N: empty if there is no such row
field() { rows "$1" | awk -F '|' -v name="$2" -v n="$3" '$2 == name { print $n }'; }

# ---- needs, such as kernel:series.debug: "kernel" in the table, with an argument

# function_of VERB NAME: VERB_NAME, without the argument
function_of() {
	local name=${2%%:*}

	echo "$1_${name//-/_}"
}

has() { [ "$(type -t "$(function_of "$1" "$2")")" = function ]; }

# call VERB NAME: with the argument
call() {
	local argument=${2#"${2%%:*}"}

	"$(function_of "$1" "$2")" "${argument#:}"
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

# need NAME...: once in a process, after what they need themselves. Leaves in
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
		try_phase "need.$name" "$title" make_need "$name"
		if [ "$phase_status" = 0 ]; then
			need_key[$name]=$(call key "$name")
		else
			need_failed "need.$name" "$title"
		fi
	done
}

# What is named must be there: a typing error must not make a check disappear.
check_table() {
	local names missing

	names=$(awk -F '|' '
		/^(#|$)/ { next }
		{ name = $2; gsub("-", "_", name); needs = "" }
		$1 == "need" { print "make_" name; print "key_" name; needs = $3 }
		$1 == "check" { print "tier " $3; needs = $4 }
		$1 == "check" && !$9 { print "check_" name }
		!/^(tier|need|check)[|]/ { print "kind " $1 }
		{ gsub(/:[^ ]*/, "", needs); gsub(/ +/, "\nneed ", needs) }
		needs { print "need " needs }' "$top/harness/checks" | sort -u)
	missing=$(grep -vxF -f <(compgen -A function | sed 's/^get_/make_/'
		cut -d '|' -f 1,2 "$top/harness/checks" | tr '|' ' ') <<<"$names" || [ $? = 1 ])
	[ -z "$missing" ] || die "harness/checks: there is no ${missing//$'\n'/, }"
	missing=$(rows tier | cut -d '|' -f 2 | grep -vxF -e "$(rows check | cut -d '|' -f 3)" || [ $? = 1 ])
	[ -z "$missing" ] || die "harness/checks: no check is in ${missing//$'\n'/, }"
}
