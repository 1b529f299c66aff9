# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2016,SC2154
#
# A copy of the harness in a scratch directory, with a table and checks of the
# test's own, so that nothing is built, booted or installed.

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
