#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# help.sh: the commands, as the Makefile describes them, and the tiers of harness/checks
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

sed -n 's/^## \?//p' "$top/Makefile"
rows tier | awk -F '|' '{ printf "make %s (%s, %s): %s\n", $2, $3, $4, $6 }' | fold -s -w 86 |
	sed '/^make /!s/^/                    /; s/ *$//'
