# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# The table harness/checks: tiers, what checks need, and checks. Sourced after
# all.sh.

# rows KIND
rows() { awk -F '|' -v kind="$1" '$1 == kind' "$top/harness/checks"; }

# field KIND NAME N: empty if there is no such row
field()
{
	awk -F '|' -v kind="$1" -v name="$2" -v n="$3" \
		'$1 == kind && $2 == name { print $n }' "$top/harness/checks"
}

# function_of VERB NAME: NAME up to a colon, as a function's name
function_of()
{
	local name=${2%%:*}

	echo "$1_${name//-/_}"
}

# call VERB NAME: with what is behind the colon
call()
{
	local argument=

	[[ $2 != *:* ]] || argument=${2#*:}
	"$(function_of "$1" "$2")" "$argument"
}

checks_of_tier()
{
	awk -F '|' -v tier="$1" '$1 == "check" && $3 == tier { print $2 }' "$top/harness/checks"
}

# packages_of TIER|CHECK...: the lists of harness/packages
packages_of()
{
	local name tier

	for name; do
		tier=$(field check "$name" 3)
		field tier "${tier:-$name}" 5 | tr ' ' '\n'
	done | sort -u
}

# What is named must be there: a typing error must not make a check disappear.
check_table()
{
	local kind name rest dep function

	while IFS='|' read -r kind name rest; do
		case $kind in
		tier) continue ;;
		need)
			rest=${rest%%|*}
			function="$(function_of make "$name") $(function_of key "$name")"
			;;
		check)
			function=check_${name//-/_}
			[ -n "$(field tier "${rest%%|*}" 2)" ] || die "harness/checks: $name has no valid tier"
			rest=$(field check "$name" 4)
			;;
		'' | '#'*) continue ;;
		*) die "harness/checks: $kind is neither tier nor need nor check" ;;
		esac
		for function in $function; do
			[ "$(type -t "$function")" = function ] || die "harness/checks: $name: there is no $function"
		done
		for dep in $rest; do
			[ -n "$(field need "$dep" 2)" ] || die "harness/checks: $name needs $dep, which is not defined"
		done
	done <"$top/harness/checks"
}

# announce TIER|CHECK...: what is going to happen, and how long it takes
announce()
{
	local name

	for name; do
		[ -n "$(field tier "$name" 2)" ] || continue
		say "$name: $(field tier "$name" 6)"
		say "    on two slow cores without KVM: $(field tier "$name" 3) min from nothing, $(field tier "$name" 4) min when nothing has to be built"
	done
}
