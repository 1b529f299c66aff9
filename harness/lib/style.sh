# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# checkpatch, for "make check" and "make review". Sourced after all.sh.

# style_of PATCH... [OPTION]...: checkpatch's messages, a line each, except those that
# harness/review/ignored names. GIT_DIR keeps it from tools that are not installed.
style_of()
{
	{
		env -C "$src" GIT_DIR=none scripts/checkpatch.pl --strict --no-summary --terse \
			--show-types "$@" || [ $? = 1 ]
	} | without_ignored checkpatch
}

# without_ignored CHECK: its messages, but for those that are ignored with a reason,
# for any patches or those of $SERIES
without_ignored()
{
	grep -vEf <(sed -nE "s/^(${SERIES:-}:)?$1[|](.*)[|][^|]*\$/\2/p" "$top/harness/review/ignored") || [ $? = 1 ]
}
