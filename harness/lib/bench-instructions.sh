# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# What opens, tokens and VFs cost, in instructions of a guest. Sourced after
# all.sh.

counts=$work/bench
recorded=$basedir/costs

# compile_for_guest PROGRAM: one of harness/bench, with what the selftests share
compile_for_guest()
{
	compile_program "$counts/$1" "$top/harness/bench/$1.c"
}

# both FLAVOUR FUNCTION [ARGUMENT]...: FUNCTION IMAGE SOURCE ARGUMENT..., for the
# series' and the unpatched kernel at once. What else the host does has no
# influence on what a guest counts.
both()
{
	local flavour=$1 function=$2 source pids=() pid bad=0

	shift 2
	for source in series stock; do
		"$function" "$(image_of "$source" "$flavour")" "$source" "$@" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || bad=1
	done
	[ "$bad" = 0 ]
}

# count_instructions IMAGE SOURCE RUN: both machines, one after the other. The
# unit tests would take longer than all that is counted.
count_instructions()
{
	local image=$1 source=$2 pfs figures=$counts/$2.$3

	: >"$figures"
	for pfs in igb:14 nvme:120; do
		PFS=$pfs vmtest -k "$image" -m "$top/tests/machines/count.sh" -t 1200 \
			-o "$logs/vm.bench.$source.${pfs%:*}" \
			-f "$counts/bench" -f "$top/harness/bench/guest.sh" \
			-c "sh guest.sh ${pfs%:*}" | tee -a "$figures"
	done
}

compiler()
{
	gcc --version | sed -n 1p
}

report()
{
	python3 "$top/harness/bench/report.py" "$@"
}

# For "make check": counted once, and compared with what was recorded.
check_instructions()
{
	compile_for_guest bench
	both plain count_instructions 1
	report check "$counts" "$recorded" "$(compiler)"
}
