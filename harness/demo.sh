#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# From nothing to a VM that shows what VF tokens do.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
lock
say "The demo downloads 280 MB (Debian's kernel, its headers and source), and packages, where they"
say "are missing. It needs 500 MB of disk, 280 MB of it in $cache."
ensure_packages modules demo
need vfio-open
say ""
# -n: the story begins with the host's own driver.
shown=1 phase story "what VF tokens do" vm demo modules:series "" -n -f "$vfio_open" \
	-f "$top/harness/demo/guest.sh" -f "$top/docs/demo.md" -c "sh guest.sh demo.md"
say "done in $(elapsed $SECONDS). To try next:"
say "  make shell   a prompt in that VM; docs/howto says what to do there"
say "  make check   the tests"
