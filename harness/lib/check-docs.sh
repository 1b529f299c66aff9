#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Is what vfio.rst says about SR-IOV true? Its C fragments must compile, and the
# kernel must have the log lines that it explains.
#
# Usage: check-docs.sh TREE HEADERS
#   TREE     kernel tree with the whole series
#   HEADERS  where "make headers_install INSTALL_HDR_PATH=HEADERS" put its headers
#
# Prints a TAP line for each fragment and log line; fails if one is not ok.
set -euo pipefail

chapter="SR-IOV: PFs and VFs in userspace"
count=0
failed=0

die()
{
	printf 'error: %s\n' "$*" >&2
	exit 1
}

result()
{
	count=$((count + 1))
	printf '%s %d - %s\n' "$1" "$count" "$2"
	[ "$1" = ok ] || failed=$((failed + 1))
}

# From the heading to the next one that is underlined in the same way.
print_chapter()
{
	awk -v title="$chapter" '
		inside && /^----/ && previous != title { exit }
		inside && NR > 1 { print previous }
		$0 == title { inside = 1 }
		{ previous = $0 }' "$1"
}

# Each block goes to a file 00, 01, ... of the directory, in its order.
split_fragments()
{
	awk -v dir="$1" '
		/^\.\. code-block:: c$/ {
			inside = 1
			file = sprintf("%s/%02d", dir, n++)
			printf "" > file
			next
		}
		/^[^\t]/ { inside = 0 }
		inside { sub(/^\t/, ""); print > file }'
}

function_name()
{
	sed -n 's/^[a-z][a-z ]*[ *]\([a-z_]*\)(.*/\1/p' "$1" | sed -n 1p
}

# The first fragment has the headers that the others need.
check_fragments()
{
	local dir=$1 headers=$2 fragment name

	[ -f "$dir/01" ] || die "vfio.rst has no C fragments under \"$chapter\""
	for fragment in "$dir"/[0-9][0-9]; do
		[ "$fragment" != "$dir/00" ] || continue
		cat "$dir/00" "$fragment" >"$fragment.c"
		name=$(function_name "$fragment")
		[ -n "$name" ] || die "a C fragment without a function: $(head -n 1 "$fragment")"
		if "${CC:-gcc}" -Wall -Wextra -Werror -O2 -c -I "$headers/include" \
			-o "$fragment.o" "$fragment.c"; then
			result ok "vfio.rst: $name() compiles"
		else
			result "not ok" "vfio.rst: $name() compiles"
		fi
	done
}

# The kernel puts messages together: what is in front of the colon is apart, and
# what follows a number or <placeholder> comes after a format's percent sign.
kernel_says()
{
	local message=$1 tree=$2 text rest

	text=${message#*: }
	rest=${text%%[<0-9]*}
	if [ "$rest" = "$text" ]; then
		grep -rqF --include='*.c' -e "$text\"" -e "$text\\n" "$tree/drivers/vfio"
	else
		grep -rqF --include='*.c' -e "$rest%" "$tree/drivers/vfio"
	fi
}

check_messages()
{
	local text=$1 tree=$2 message

	# shellcheck disable=SC2016 # these are the quotes of rst
	grep -oE '``(open|feature|SR-IOV) refused: [^`]*``' "$text" | tr -d '`' >"$text.messages" ||
		die "vfio.rst explains no refusal under \"$chapter\""
	while read -r message; do
		# shellcheck disable=SC2310 # a question
		if kernel_says "$message" "$tree"; then
			result ok "vfio.rst: the kernel says \"$message\""
		else
			result "not ok" "vfio.rst: the kernel says \"$message\""
		fi
	done <"$text.messages"
}

main()
{
	[ $# = 2 ] || die "usage: check-docs.sh TREE HEADERS"
	local tree=$1 headers=$2 rst=$1/Documentation/driver-api/vfio.rst

	[ -f "$rst" ] || die "$tree: no kernel tree (it lacks Documentation/driver-api/vfio.rst)"
	[ -f "$headers/include/linux/vfio.h" ] ||
		die "$headers: no installed kernel headers (it lacks include/linux/vfio.h)"

	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT

	print_chapter "$rst" >"$scratch/chapter"
	split_fragments "$scratch" <"$scratch/chapter"
	check_fragments "$scratch" "$headers"
	check_messages "$scratch/chapter" "$tree"

	printf '1..%d\n' "$count"
	[ "$failed" = 0 ]
}

main "$@"
