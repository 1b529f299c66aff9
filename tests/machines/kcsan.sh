# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# vmtest.sh -m kcsan.sh: ignore data races of other parts of the kernel. A race is
# ours if a function of vfio is at the top of one of its two stacks. The fast
# clock, which runtime PM reads, is read while it changes, on purpose.

kernel_log() {
	awk '
	function end_race() {
		if (race != "" && !ours)
			others++
		else
			printf "%s", race
		race = ""
	}
	/BUG: KCSAN:/ {
		end_race()
		clock = /data-race in ktime_get_mono_fast_ns \/ timekeeping_update/
		ours = /(vfio|vf|pf)_/
		race = $0 "\n"
		next
	}
	race == "" { print; next }
	{ race = race $0 "\n" }
	/ (to|at) 0x[0-9a-f]+ of .* by / { top = 5 }
	top > 0 && top-- < 5 && /[ .](vfio|vf|pf)_[^ ]*\+0x/ { ours = !clock }
	/====================/ { end_race() }
	END {
		end_race()
		if (others)
			printf "# %d data races of other parts of the kernel in %s\n",
				others, FILENAME >"/dev/stderr"
	}' "$1"
}
