# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# What the checks and "make review" share: the patches one by one, compiled
# and judged by checkpatch. Sourced after all.sh.

# commits [TIP]: of the series, in order
commits() { in_git rev-list --reverse "base..${1:-$applied}"; }

# The compilers' words for a problem, without line numbers, so that the same
# warning on another line is not a new one.
warnings_in()
{
	awk '/(^|[^-])[Ww]arning:/' "$1" | sed -E 's/:[0-9]+(:[0-9]+)?:/:/g' | sort -u
}

# compile_vfio LOG DIR REF [ARGUMENT]...: every driver of drivers/vfio, as of what
# is checked out at REF.
compile_vfio()
{
	local log=$1 dir=$2 ref=$3

	shift 3
	checkout_src "$ref"
	kmake "$dir" "$@" drivers/vfio/ 2>&1 | tee "$log"
}

# A symbol can't be turned off as long as something that selects it is on.
symbol_and_selectors()
{
	echo "$1"
	grep -rhE --include='Kconfig*' "^(menu)?config |^[[:space:]]+select $1([[:space:]]|\$)" \
		"$src"/{arch,drivers,kernel,lib,mm,net,samples,security,sound,virt} |
		awk '$1 ~ /config$/ { name = $2 } $1 == "select" && !seen[name]++ { print name }'
}

# style_of PATCH [OPTION]...: checkpatch's messages, a line each, except those that
# harness/review/ignored names. GIT_DIR keeps it from tools that are not installed.
style_of()
{
	{
		env -C "$src" GIT_DIR=none scripts/checkpatch.pl --strict --no-summary --terse \
			--show-types "$@" || [ $? = 1 ]
	} | without_ignored checkpatch
}

# without_ignored CHECK: its messages, but for those that are ignored with a reason.
without_ignored()
{
	local patterns

	patterns=$(ignored | awk -F '\t' -v check="$1" '$1 == check { print $2 }')
	if [ -z "$patterns" ]; then
		cat
	else
		grep -vE -e "$patterns" || [ $? = 1 ]
	fi
}

# "CHECK<TAB>PATTERN<TAB>REASON" of each line there; a pattern may contain "|".
ignored()
{
	sed -nE '/^#/d; s/^([^|]*)[|](.*)[|]([^|]*)$/\1\t\2\t\3/p' "$top/harness/review/ignored"
}
