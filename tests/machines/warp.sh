# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of vmtest.sh
#
# vmtest.sh -m warp.sh: instructions count as time, which jumps while both CPUs
# sleep, so that waits such as those for resets take no real time.

# 8 ns an instruction: the CPUs take turns at each timer.
accelerator() {
	machine+=(-accel "tcg,thread=single" -icount "shift=3,sleep=off" -cpu max)
}
