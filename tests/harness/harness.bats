# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2016,SC2154,SC2034,SC2030,SC2031
#
# Does the harness notice failures? In a copy of it in a scratch directory, with a table
# and checks of the test's own, so that nothing is built, booted or installed.

repo=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

setup() {
	scratch=$BATS_TEST_TMPDIR/repo
	mkdir -p "$scratch"/{.ci,drivers,tools,Documentation,package,tests/{clients,machines},docs/model,patches/linux-6.12}
	touch "$scratch"/{.shellcheckrc,README.md,MAINTAINERS,docs/{demo,results}.md}
	(cd "$repo" && cp -r --parents harness tests/skips bases/linux-6.12/source "$scratch")
	rm "$scratch"/harness/lib/checks/*.sh
	echo 'ensure_packages() { :; }' >>"$scratch/harness/lib/packages.sh"
	export XDG_CACHE_HOME=$scratch/cache TMPDIR=$BATS_TEST_TMPDIR
	unset FRESH CI BASE
}

# plant CODE [ROW...]: a table of these rows, or of check c alone, with these functions
plant() {
	printf '%s\n' "$1" >"$scratch/harness/lib/checks/planted.sh"
	shift
	[ $# != 0 ] || set -- 'check|c|check||c'
	printf '%s\n' 'tier|check|1|1|base|what the test plants' "$@" >"$scratch/harness/checks"
}

# check_ends STATUS PATTERN [ARGUMENT...]: how check.sh ends, and what it says
check_ends() {
	run "$scratch/harness/check.sh" "${@:3}"
	[ "$status" = "$1" ]
	# shellcheck disable=SC2053 # a pattern
	[[ $output = $2 ]]
}

prologue='set -euo pipefail; . "$1/harness/lib/all.sh"; . "$parts/count.sh"; mkdir -p "$work/cases"; eval "$2"'

# in_harness CODE: CODE where all parts of the harness are there
in_harness() { bash -c "$prologue" _ "$scratch" "$1"; }

# The same in the background
start_harness() {
	bash -c "$prologue" _ "$scratch" "$1" 3>&- &
	pid=$!
}

# end_when COMMAND...: end what runs in the background once COMMAND succeeds
end_when() {
	until "$@"; do sleep 0.1; done
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
}

# ---- phases, stamps, locks, interruption

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

# ---- what is counted: cases, skips, complaints, checks, tiers

@test "the KTAP counter sees each failure of the samples" {
	for sample in "$repo"/tests/samples/ktap/*.ktap; do
		diff <(grep -v '^#' "${sample%.ktap}.want") \
			<(awk -f "$repo/harness/lib/ktap.awk" "$sample")
	done
}

# A QEMU that leaves a sample as the kernel's log, with more behind it than fits into a
# pipe, and a guest that succeeded. vmtest.sh must not wait for the pipelines of hotplug.sh.
@test "each complaint of a kernel is seen, and what is harmless is not" {
	cat >"$scratch/qemu" <<'END'
#!/bin/bash
read -r log said <<<"$(printf '%s\n' "$@" | sed -n 's/^file://p' | xargs)"
{ echo "Linux version"; cat "$SAMPLE"; yes '[    1.0] ordinary line' | head -n 20000; } >"$log"
echo "vmtest-guest: exit 0" >"$said"
END
	chmod +x "$scratch/qemu"
	for sample in "$repo"/tests/samples/complaints/*.log; do
		SAMPLE=$sample QEMU=$scratch/qemu run timeout 60 "$repo/tools/testing/selftests/vfio/vmtest.sh" \
			-m "$repo/tests/machines/kcsan.sh" -m "$repo/tests/machines/hotplug.sh" -k /dev/null -c true
		case ${sample##*/} in
		harmless-*) [ "$status" = 0 ] ;;
		*) [ "$status" = 1 ] && [[ $output = *"the kernel complained"* ]] ;;
		esac
	done
}

@test "a skip is a failure unless tests/skips names it for this check" {
	judged() { in_harness "printf 'skip\ta: b\n' | judge_skips $1 | cut -f 1"; }
	[ "$(judged run)" = fail ]
	echo '^a: b$;run|walk;no such option;other' >>"$scratch/tests/skips"
	[ "$(judged run)" = skip ]
	[ "$(judged debian)" = fail ]
}

@test "a run in which every case is skipped fails" {
	plant 'check_c() { printf "1..1\nok 1 - a # SKIP no\n" >"$(ktap_of c)"; }'
	echo '^a$;c;no;other' >>"$scratch/tests/skips"
	check_ends 1 '*no case passed*'
}

@test "a check whose need fails is a failure, not left out" {
	plant 'make_n() { die "no n today"; }
key_n() { :; }
check_c() { :; }' 'need|n||making n' 'check|c|check|n|c'
	check_ends 1 '*NOT RUN*0 passed, 2 failed, 0 skipped'
}

@test "a name in the table that is not there is refused" {
	plant 'check_d() { :; }'
	check_ends 1 '*there is no check_c*'
}

@test "a check with another input runs again" {
	plant 'make_n() { :; }
key_n() { cat "$top/input"; }
check_c() { cat "$top/input" >>"$top/ran"; }' 'need|n||making n' 'check|c|check|n|c'
	for input in 1 1 2; do
		echo "$input" >"$scratch/input"
		check_ends 0 '*1 passed, 0 failed, 0 skipped'
	done
	[ "$(xargs <"$scratch/ran")" = "1 2" ]
}

# end_checks V C: a check with a VM and one in the background, which do this, are ended
end_checks() {
	rm -f "$scratch/now"
	plant "make_vm() { :; }; key_vm() { echo key; }; check_v() { $1; }; check_c() { $2; }" \
		'need|vm||vm' 'check|v|check|vm|v' 'check|c|check||c'
	start_harness 'exec "$top/harness/check.sh" >"$top/said" 2>&1'
	end_when [ -e "$scratch/now" ]
	[ "$status" = 143 ]
	[ -z "$(pgrep -fx "sleep $$.2424")" ]
	[ "$(tail -n 1 "$scratch/said")" = "$3" ]
}

@test "a run that is ended says what ran and what had failed, and fails" {
	end_checks "sleep 1; touch $scratch/now; sleep $$.2424" "sleep $$.2424" "0 passed, 2 failed, 0 skipped"
	grep -q 'while this ran: c' "$scratch/said"
	grep -q 'while this ran: v' "$scratch/said"
	end_checks "sleep 3; touch $scratch/now; sleep $$.2424" "die wrong" "0 passed, 2 failed, 0 skipped"
	grep -q wrong "$scratch/said"
	end_checks true "echo in the middle; sleep 3; touch $scratch/now; sleep $$.2424" "1 passed, 2 failed, 0 skipped"
	[ "$(grep -c 'while this ran: c' "$scratch/said")" = 1 ]
}

@test "a tier that does not fit is named" {
	plant 'check_c() { :; }
check_l() { die "it ran"; }' 'tier|long|900|900|base|long' 'check|c|check||c' 'check|l|long||l'
	check_ends 0 '*left out*long*1 passed, 0 failed, 0 skipped' --within 45 check long
}

# Each tier of the real table, where each of its checks fails
@test "a failure in any check of any tier is seen" {
	awk -F '[|:]' '{ name = $2; gsub("-", "_", name) }
		$1 == "need" { print "get_" name "() { :; }; key_" name "() { echo key; }" }
		$1 == "check" { print "check_" name "() { false; }" }' \
		"$repo/harness/checks" >"$scratch/harness/lib/checks/planted.sh"
	tiers=$(grep -oP '^tier\|\K[^|]+' "$repo/harness/checks")
	for tier in $tiers; do
		check_ends 1 "*0 passed, $(grep -c "^check|[^|]*|$tier|" "$repo/harness/checks") failed, 0 skipped" "$tier"
	done
}

@test "a tier without checks is refused" {
	plant 'check_c() { :; }' 'tier|empty|1|1|base|nothing' 'check|c|check||c'
	check_ends 1 '*no check is in empty*' check empty
}

# A row of the table whose VM prints "said"; its case b of program a must fail.
row_ends() {
	cp "$repo/harness/lib/checks/vm.sh" "$scratch/harness/lib/checks/"
	echo a.b >"$scratch/red"
	plant 'vm() { cat "$top/said"; [ ! -e "$top/bad" ]; }
make_modules() { :; }
path_modules() { echo "$top"; }
key_modules() { echo key; }' 'need|modules||modules' "check|r|check|modules:x|r||1||a|$2"
	printf '%s\n' 'KTAP version 1' "${@:4}" >"$scratch/said"
	FRESH=1 check_ends "$1" "$3" r
}

@test "a row fails if a case does, if none ran, or if the VM fails" {
	row_ends 0 '' '*1 cases passed*' 1..1 '    # Subtest: a x' '    1..1' '    ok 1 b' 'ok 1 a x'
	row_ends 1 '' '*1 failed*' 1..1 '    # Subtest: a x' '    1..1' '    not ok 1 b' 'not ok 1 a x'
	row_ends 1 '' '*1 failed*' 1..1 '    # Subtest: a x' 'ok 1 a x'
	row_ends 1 '' '*no case of a ran*' 1..1 'ok 1 other'
	touch "$scratch/bad"
	row_ends 1 '' '*the run itself*' 1..1 '    # Subtest: a x' '    1..1' '    ok 1 b' 'ok 1 a x'
}

@test "a row that must fail passes only if its cases failed wherever they ran" {
	touch "$scratch/bad"
	device=('    1..2' '    not ok 1 b' '    ok 2 c' 'not ok 1 a 0000:01:00.0')
	row_ends 0 red '*1 passed, 0 failed*' 1..1 '    # Subtest: a 0000:01:00.0' "${device[@]}"
	row_ends 1 red '*cut short*' 1..2 '    # Subtest: a 0000:01:00.0' "${device[@]}"
	row_ends 1 red '*must fail, and did not: a.b*' 1..2 '    # Subtest: a 0000:01:00.0' "${device[@]}" \
		'    # Subtest: a 0000:02:00.0' '    1..1' '    ok 1 b' 'ok 2 a 0000:02:00.0'
	row_ends 1 red '*no case passed*' 1..1 '    # Subtest: a 0000:01:00.0' '    1..1' '    not ok 1 b' 'not ok 1 a'
	row_ends 1 red '*skipped a case*' 1..1 '    # Subtest: a 0000:01:00.0' "${device[@]/ok 2 c/ok 2 c # SKIP d}"
	rm "$scratch/bad"
	row_ends 1 red '*exit status 0, must be 1*' 1..1 '    # Subtest: a 0000:01:00.0' "${device[@]}"
}

@test "a figure without a result is named" {
	printf 'Subject: s\n\nIn 6 of\n16 rounds, 1,234 bytes, 7/8.\n' >"$scratch/patches/linux-6.12/0000-cover-letter.patch"
	echo 'It takes 25 minutes and 3 GB.' >"$scratch/README.md"
	echo '6 of 16 rounds; +1234; 7 of 8; 3 GB' >"$scratch/docs/results.md"
	run in_harness ". $repo/harness/lib/checks/text.sh; rows() { :; }; check_figures"
	[ "$status" != 0 ]
	[ "$output" = 'README.md: "25 minutes" is not in docs/results.md' ]
}
