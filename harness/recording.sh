#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Records "make demo" in a terminal of 100 columns -> docs/demo.svg. Needs
# a network for svg-term-cli, from npm.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
lock
command -v npx >/dev/null || die "npx is missing: install npm"
ensure_packages modules demo recording
# asciinema needs a terminal.
LC_ALL=C.UTF-8 script -qec "stty cols 100 rows 32; asciinema rec -q --overwrite -i 2 -c 'locked=1 $top/harness/demo.sh' $work/demo.cast" \
	/dev/null </dev/null
sed -i "s,$cache,~/.cache/vfio-sriov,g" "$work/demo.cast"
npx --yes svg-term-cli@2.1.1 --in "$work/demo.cast" --out "$work/demo.svg" --window --no-cursor \
	--width 100 --height 32
sed '1i <!-- SPDX-License-Identifier: GPL-2.0-only -->' "$work/demo.svg" >"$top/docs/demo.svg"
say "wrote docs/demo.svg, $(wc -c <"$top/docs/demo.svg") bytes"
