#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Removes what this checkout has built, when no other run uses it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
lock
# Others may wait for the lock.
find "$top/work" -mindepth 1 -maxdepth 1 ! -name 'lock*' -exec rm -rf {} +
rm -rf "$top/out"
