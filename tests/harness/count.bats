# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2016,SC2154,SC2034
#
# What is counted: cases, skips, complaints, checks, tiers.

load helpers

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

@test "a run that is ended says what ran, and fails" {
	plant 'check_c() { echo in the middle; sleep 60; }'
	start_harness 'exec "$top/harness/check.sh" >"$top/said" 2>&1'
	end_when grep -qs middle "$scratch/out/linux-6.12/logs/c.log"
	[ "$status" = 143 ]
	grep -q 'while this ran: c' "$scratch/said"
	[ "$(tail -n 1 "$scratch/said")" = "0 passed, 1 failed, 0 skipped" ]
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
	device=('    1..1' '    not ok 1 b' 'not ok 1 a 0000:01:00.0')
	row_ends 0 red '*1 passed, 0 failed*' 1..1 '    # Subtest: a 0000:01:00.0' "${device[@]}"
	row_ends 1 red '*cut short*' 1..2 '    # Subtest: a 0000:01:00.0' "${device[@]}"
	row_ends 1 red '*must fail, and did not: a.b*' 1..2 '    # Subtest: a 0000:01:00.0' "${device[@]}" \
		'    # Subtest: a 0000:02:00.0' '    1..1' '    ok 1 b' 'ok 2 a 0000:02:00.0'
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
