# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2016,SC2154
#
# Phases, stamps, locks, interruption.

load helpers

@test "a command, or the first of a pipeline, that fails inside of a function fails its phase" {
	for command in false "false | cat"; do
		run in_harness "f() { $command; echo went on; }; try_phase p title f; echo status \$phase_status"
		[[ $output = *"status 1"* ]]
		[ ! -s "$scratch/out/linux-6.12/logs/p.log" ]
	done
}

@test "a list whose command fails is no empty list" {
	run in_harness 'f() { git -C /nonexistent ls-files; }; read_lines list f; echo went on'
	[ "$status" != 0 ]
	[[ $output != *"went on"* ]]
}

@test "a failing checkout fails the check that compiles" {
	plant 'checkout_src() { die "no commit $1"; }
kmake() { echo compiled the previous tree; }
check_c() { checkout_src nosuchref; kmake dir drivers/vfio/; }'
	check_ends 1 '*no commit nosuchref*0 passed, 1 failed, 0 skipped'
}

@test "a build that fails leaves no stamp, not even of what was there before" {
	in_harness 'unless_done thing old true
try_phase p title unless_done thing new false
! stamp_matches thing old && ! stamp_matches thing new'
}

@test "a build that is interrupted leaves no stamp" {
	in_harness 'unless_done thing old true'
	start_harness 'phase p title unless_done thing new sleep 60'
	end_when [ ! -e "$scratch/work/linux-6.12/stamps/thing" ]
	[ "$status" != 0 ]
	[ ! -e "$scratch/work/linux-6.12/stamps/thing" ]
}

@test "only what passed is kept, and FRESH runs it again" {
	plant 'check_c() { echo ran >>"$top/ran"; [ ! -e "$top/bad" ]; }'
	touch "$scratch/bad"
	check_ends 1 '*0 passed, 1 failed*'
	rm "$scratch/bad"
	check_ends 0 '*1 passed*'
	check_ends 0 '*kept, from *1 passed*'
	FRESH=1 check_ends 0 '*1 passed*'
	[ "$(wc -l <"$scratch/ran")" = 3 ]
}

@test "an interruption ends all that a phase has started" {
	start_harness "f() { sleep $$.4242 & wait; }; phase p title f"
	end_when pgrep -fx "sleep $$.4242"
	[ "$status" = 143 ]
	[ -z "$(pgrep -fx "sleep $$.4242")" ]
}

@test "an interruption lets a package manager end" {
	start_harness 'f() { sleep 2; touch "$top/ended"; }; phase_must_end=1; phase packages title f'
	end_when [ -e "$scratch/out/linux-6.12/logs/packages.log" ]
	[ "$status" = 143 ]
	[ -e "$scratch/ended" ]
}

@test "a second run waits, and is told for what" {
	start_harness 'lock; touch "$top/locked"; sleep 3; touch "$top/released"'
	until [ -e "$scratch/locked" ]; do sleep 0.1; done
	run in_harness 'lock; [ ! -e "$top/released" ] || echo mine'
	wait
	[[ $output = *"waiting for another run in this checkout: "*"process"* ]]
	[[ $output = *mine ]]
}

@test "a lock of apt is waited for, and sources that cannot be read are named" {
	run in_harness 'sleep() { touch "$top/slept"; }
apt-get() { [ -e "$top/slept" ] || echo "E: Could not get lock /var/lib/apt/lists/lock"; }
refresh_index
apt-get() { echo "E: The list of sources could not be read."; }
refresh_index'
	[ "$status" = 1 ]
	[[ $output = "waiting for another package manager"*"cannot read the package sources"* ]]
}

@test "what a phase waits for is shown" {
	run in_harness 'f() { echo "waiting for another download: x ..."; }; f >"$work/log"; progress "$work/log"'
	[ "$output" = ", waiting for another download: x ..." ]
}

@test "two checkouts that keep an image at once get it both" {
	run in_harness 'key_kernel() { echo key; }; checkout_src() { :; }; need_disk() { :; }
compile_kernel() { sleep 1; echo "$2" >"$2"; cp "$2" "$2.config"; }
out=$top/a; make_kernel series.plain & out=$top/b; make_kernel series.plain; wait $!
ls "$top"/{a,b}/bzImage "$cache"/images/*'
	[ "$status" = 0 ]
	[ "${#lines[@]}" -ge 4 ]
}

@test "too little disk is refused with what is needed" {
	run in_harness 'DISK_NEEDED_MIB=99999999 need_disk 1 "$work"'
	[ "$status" = 1 ]
	[[ $output = *"99999999 MiB needed"* ]]
}
