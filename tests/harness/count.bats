# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2016,SC2154,SC2013
#
# What is counted: cases, skips, complaints, checks, tiers.

load helpers

@test "the KTAP counter sees each failure of the samples" {
	for sample in "$repo"/tests/samples/ktap/*.ktap; do
		diff <(grep -v '^#' "${sample%.ktap}.want") \
			<(awk -f "$repo/harness/lib/ktap.awk" "$sample")
	done
}

# A QEMU that leaves a sample as the kernel's log, and a guest that succeeded. vmtest.sh
# must not wait for the pipelines of hotplug.sh.
@test "each complaint of a kernel is seen, and what is harmless is not" {
	cat >"$scratch/qemu" <<'END'
#!/bin/bash
n=0
for arg; do
	[[ $arg != file:* ]] || { n=$((n + 1)); file[n]=${arg#file:}; }
done
{ echo "Linux version"; cat "$SAMPLE"; } >"${file[1]}"
echo "vmtest-guest: exit 0" >"${file[2]}"
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

@test "a skip that tests/skips does not name is a failure" {
	run in_harness 'printf "skip\ta: b\n" | judge_skips run'
	[ "${output%%$'\t'*}" = fail ]
}

@test "a skip that tests/skips names for this check is none" {
	echo '^a: b$;run|walk;no such option;other' >>"$scratch/tests/skips"
	run in_harness 'printf "skip\ta: b\n" | judge_skips run'
	[ "${output%%$'\t'*}" = skip ]
	run in_harness 'printf "skip\ta: b\n" | judge_skips another'
	[ "${output%%$'\t'*}" = fail ]
}

@test "a program of which no case ran is missed" {
	run in_harness 'printf "1..1\n# Subtest: one\n    1..1\n    ok 1 - c\nok 1 - one\n" >"$(ktap_of r)"
must_have_run r one && must_have_run r one two'
	[ "$status" = 1 ]
	[[ $output = *"no case of two ran"* ]]
}

@test "a run in which every case is skipped fails" {
	table 'check|c|check||cases'
	checks 'check_c() { printf "1..1\nok 1 - a # SKIP no\n" >"$(ktap_of c)"; }'
	echo '^a$;c;no;other' >>"$scratch/tests/skips"
	run "$scratch/harness/check.sh" check
	[ "$status" = 1 ]
	[[ $output = *"no case passed"* ]]
}

@test "cases that pass in a run that fails are a failure" {
	table 'check|c|check||cases'
	checks 'check_c() { printf "1..1\nok 1 - a\n" >"$(ktap_of c)"; false; }'
	run "$scratch/harness/check.sh" check
	[ "$status" = 1 ]
	[[ $output = *"1 passed, 1 failed, 0 skipped" ]]
}

@test "a check whose need fails is a failure, not left out" {
	table 'need|n||making n' 'check|c|check|n|c'
	checks 'make_n() { die "no n today"; }
key_n() { :; }
check_c() { :; }'
	run "$scratch/harness/check.sh" check
	[ "$status" = 1 ]
	[[ $output = *"NOT RUN"* ]]
	[[ $output = *"0 passed, 2 failed, 0 skipped" ]]
}

@test "a name in the table that is not there is refused" {
	table 'check|c|check||c'
	checks 'check_d() { :; }'
	run "$scratch/harness/check.sh" check
	[ "$status" = 1 ]
	[[ $output = *"there is no check_c"* ]]
}

@test "a check with another input runs again" {
	table 'need|n||making n' 'check|c|check|n|c'
	checks 'make_n() { :; }
key_n() { cat "$top/input"; }
check_c() { echo ran >>"$top/ran"; }'
	echo 1 >"$scratch/input"
	"$scratch/harness/check.sh" check
	"$scratch/harness/check.sh" check
	[ "$(wc -l <"$scratch/ran")" = 1 ]
	echo 2 >"$scratch/input"
	"$scratch/harness/check.sh" check
	[ "$(wc -l <"$scratch/ran")" = 2 ]
}

@test "a run that is ended says what ran, and fails" {
	table 'check|c|check||c'
	checks 'check_c() { echo in the middle; sleep 60; }'
	"$scratch/harness/check.sh" check >"$scratch/said" 2>&1 3>&- &
	pid=$!
	until grep -qs middle "$scratch/out/linux-6.12/logs/c.log"; do sleep 0.1; done
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" = 143 ]
	grep -q 'while this ran: c' "$scratch/said"
	[ "$(tail -n 1 "$scratch/said")" = "0 passed, 1 failed, 0 skipped" ]
}

@test "a tier that does not fit is named" {
	table 'tier|long|90|90|base|long' 'check|c|check||c' 'check|l|long||l'
	checks 'check_c() { :; }
check_l() { die "it ran"; }'
	run "$scratch/harness/check.sh" --within 45 check long
	[ "$status" = 0 ]
	[[ $output = *"left out"*"long"* ]]
	[[ $output = *"1 passed, 0 failed, 0 skipped" ]]
}

# Each tier of the real table, each of its checks in turn: a failure in it is red.
@test "a failure in any check of any tier is seen" {
	cp "$repo/harness/checks" "$scratch/harness/checks"
	names=$(awk -F '|' '$1 == "check" { print $2 }' "$repo/harness/checks")
	needs=$(awk -F '|' '$1 == "need" { print $2 }' "$repo/harness/checks")
	[ -n "$names" ]
	{
		for name in $needs; do
			name=${name%%:*}
			printf 'make_%s() { :; }\nkey_%s() { echo key; }\n' "${name//-/_}" "${name//-/_}"
		done
		for name in $names; do
			printf 'check_%s() { [ "${planted:-}" != %s ]; }\n' "${name//-/_}" "$name"
		done
	} >"$scratch/harness/lib/checks/planted.sh"
	for tier in $(awk -F '|' '$1 == "tier" { print $2 }' "$repo/harness/checks"); do
		name=$(awk -F '|' -v t="$tier" '$1 == "check" && $3 == t { n = $2 } END { print n }' "$repo/harness/checks")
		[ -n "$name" ]
		FRESH=1 planted=$name run "$scratch/harness/check.sh" "$tier"
		[ "$status" = 1 ]
		[[ $output = *"1 failed, 0 skipped" ]]
	done
}

@test "a figure without a result is named" {
	cp "$repo/harness/lib/checks/text.sh" "$scratch/harness/lib/checks/"
	printf 'Subject: s\n\nIn 6 of\n16 rounds, 1,234 bytes, 7/8.\n' >"$scratch/patches/linux-6.12/0000-cover-letter.patch"
	echo 'It takes 25 minutes and 3 GB.' >"$scratch/README.md"
	echo '6 of 16 rounds; +1234; 7 of 8; 3 GB' >"$scratch/docs/results.md"
	run in_harness '. "$parts/checks/text.sh"; rows() { :; }; check_figures'
	[ "$status" != 0 ]
	[ "$output" = 'README.md: "25 minutes" is not in docs/results.md' ]
}
