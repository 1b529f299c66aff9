#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Is what vfio-sriov.rst says true? Its C fragments must compile, the kernel must
# have the log lines that it explains, and vfio.rst must point to it.
#
# Usage: check-docs.sh TREE HEADERS
#   TREE     kernel tree with the whole series
#   HEADERS  where "make headers_install INSTALL_HDR_PATH=HEADERS" put its headers
#
# Prints a TAP line for each fact; fails if one is not ok.
set -euo pipefail

document=Documentation/driver-api/vfio-sriov.rst
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

	[ -f "$dir/01" ] || die "vfio-sriov.rst has no C fragments"
	for fragment in "$dir"/[0-9][0-9]; do
		[ "$fragment" != "$dir/00" ] || continue
		cat "$dir/00" "$fragment" >"$fragment.c"
		name=$(function_name "$fragment")
		[ -n "$name" ] || die "a C fragment without a function: $(head -n 1 "$fragment")"
		if "${CC:-gcc}" -Wall -Wextra -Werror -O2 -c -I "$headers/include" \
			-o "$fragment.o" "$fragment.c"; then
			result ok "vfio-sriov.rst: $name() compiles"
		else
			result "not ok" "vfio-sriov.rst: $name() compiles"
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
		die "vfio-sriov.rst explains no refusal"
	while read -r message; do
		# shellcheck disable=SC2310 # a question
		if kernel_says "$message" "$tree"; then
			result ok "vfio-sriov.rst: the kernel says \"$message\""
		else
			result "not ok" "vfio-sriov.rst: the kernel says \"$message\""
		fi
	done <"$text.messages"
}

# It is found from vfio.rst and the index, and short enough to be read.
check_place()
{
	local tree=$1 lines

	if grep -qF "$document" "$tree/Documentation/driver-api/vfio.rst" &&
		grep -qx '   vfio-sriov' "$tree/Documentation/driver-api/index.rst"; then
		result ok "vfio.rst and index.rst point to vfio-sriov.rst"
	else
		result "not ok" "vfio.rst and index.rst point to vfio-sriov.rst"
	fi
	lines=$(wc -l <"$tree/$document")
	if [ "$lines" -le 300 ]; then
		result ok "vfio-sriov.rst has at most 300 lines"
	else
		result "not ok" "vfio-sriov.rst has at most 300 lines ($lines)"
	fi
}

main()
{
	[ $# = 2 ] || die "usage: check-docs.sh TREE HEADERS"
	local tree=$1 headers=$2

	[ -f "$tree/$document" ] || die "$tree: no kernel tree with the series (it lacks $document)"
	[ -f "$headers/include/linux/vfio.h" ] ||
		die "$headers: no installed kernel headers (it lacks include/linux/vfio.h)"

	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT

	check_place "$tree"
	cp "$tree/$document" "$scratch/text"
	split_fragments "$scratch" <"$scratch/text"
	check_fragments "$scratch" "$headers"
	check_messages "$scratch/text" "$tree"

	printf '1..%d\n' "$count"
	[ "$failed" = 0 ]
}

main "$@"
