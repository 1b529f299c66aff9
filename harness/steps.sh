# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# What "make check" and "make check-deep" share: steps and test cases that are
# counted, and runs in the VM. Sourced after parts.sh.

results=$work/results
# What runs in the VM.
selftests=$(selftests_dir plain)

record()
{
	printf '%s\t%s\n' "$1" "$2" >>"$results"
}

count_of()
{
	grep -c "^$1" "${2:-$results}" || true
}

finish()
{
	local failed

	failed=$(count_of fail)
	if [ "$failed" != 0 ]; then
		say ""
		say "failed:"
		sed -n 's/^fail\t/  /p' "$results"
	fi
	if [ "$(count_of skip)" != 0 ]; then
		say ""
		say "skipped:"
		sed -n 's/^skip\t/  /p' "$results"
	fi
	say ""
	say "checked in $(elapsed $SECONDS)"
	say "$(count_of pass) passed, $failed failed, $(count_of skip) skipped"
	[ "$failed" = 0 ] || exit 1
	exit 0
}

# A step that the others can do without.
step()
{
	try_phase "$@"
	if [ "$phase_status" = 0 ]; then
		record pass "$2"
	else
		record fail "$2 (log: $logs/$1.log)"
	fi
}

# A step that makes no sense to go on without.
needed_step()
{
	step "$@"
	[ "$phase_status" = 0 ] || finish
}

# ---- in the VM

# vm_tests NAME IMAGE OPTION...: run, and keep the cases that were counted.
vm_tests()
{
	local name=$1 image=$2

	shift 2
	vmtest -k "$image" -b "$selftests" -o "$logs/vm.$name" "$@" | tee "$work/$name.ktap"
}

# What the kernel complained of, as vmtest.sh showed it.
show_complaint()
{
	grep -a -B 30 'the kernel complained' "$1" | grep -aE '^\[ *[0-9]+\.[0-9]+\]' |
		cut -c 1-200 | sed 's/^/    /' >&2 || true
}

# The cases count, and so does the run itself: it may have failed for another
# reason, such as a complaint of the kernel.
count_cases()
{
	local name=$1 title=$2 status=$3

	ktap_cases "$work/$name.ktap" | sed "s/\t/\t$name: /" >"$work/$name.cases"
	cat "$work/$name.cases" >>"$results"
	say "    $(count_of pass "$work/$name.cases") cases passed, $(count_of fail "$work/$name.cases") failed, $(count_of skip "$work/$name.cases") skipped"
	if [ "$status" = 0 ]; then
		record pass "$title"
	elif ! grep -q '^fail' "$work/$name.cases"; then
		record fail "$title: the run itself (log: $logs/$name.log)"
	fi
}

run_vm_tests()
{
	local name=$1 title=$2

	shift 2
	: >"$work/$name.ktap"
	try_phase "$name" "$title" vm_tests "$name" "$@"
	[ "$phase_status" = 0 ] || show_complaint "$logs/$name.log"
	count_cases "$name" "$title" "$phase_status"
}

# programs_that_wait [PROGRAM]...: all but these, and those that count instructions,
# or whose threads must take real time, which have runs of their own.
programs_that_wait()
{
	local name left_out=(-e vfio_cost_test -e vfio_flood_test)

	for name in "$@"; do
		left_out+=(-e "$name")
	done
	find "$selftests" -maxdepth 1 -type f -name '*_test' -perm -u+x -printf '%f\n' |
		grep -vxF "${left_out[@]}" | sort
}

# Not with lockdep: pciehp of Linux takes its locks in two orders. Lockdep says
# so, once, and then looks at nothing any more. check-deep.sh tells it not to look.
not_with_lockdep=vfio_hotplug_test

# run_all_tests NAME FLAVOUR LEFT_OUT OPTION...: KUnit and the selftests, but
# for the programs LEFT_OUT, words of one argument
run_all_tests()
{
	local name=$1 flavour=$2 left_out programs

	read -ra left_out <<<"$3"
	shift 3
	mapfile -t programs < <(programs_that_wait "${left_out[@]}")
	run_vm_tests "$name" "KUnit and selftests on the $flavour kernel" \
		"$(image_of series "$flavour")" -u -w "$@" "${programs[@]}"
	run_vm_tests "$name.flood" "a flood of wrong tokens on the $flavour kernel" \
		"$(image_of series "$flavour")" "$@" vfio_flood_test
}

# ---- the way to the series' kernels, the same for each command that counts

begin_count()
{
	lock
	ensure_packages
	mkdir -p "$work"
	: >"$results"
}

get_base()
{
	need_disk "$1" "$work"
	needed_step fetch "fetching $PACKAGE" fetch_source
	needed_step stock "unpacking $PACKAGE $(source_version)" prepare_stock
}

build_series_kernel()
{
	local what="the kernel"

	[ "$1" = plain ] || what="the $1 kernel"
	needed_step "kernel$(suffix_of series "$1")" "building $what" build_kernel series "$1"
}
