#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # phases are called by name
#
# quick.sh [TEST]...: from an edit in the git tree that "make tree" makes, which
# need not be committed, to a verdict: builds what changed there, and runs KUnit
# and the named tests, or the test of the rules, in the VM.
set -euo pipefail

# shellcheck source=harness/lib/all.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"

src=$work/tree
quick=$work/quick

# Two at once: the kernel's last step, the compression, has one thread.
build_tree()
{
	mkdir -p "$quick"
	compile_selftests "$quick/tests" plain &
	compile_kernel series plain "$quick/bzImage"
	wait $!
}

run_tree_tests()
{
	"$src/tools/testing/selftests/vfio/vmtest.sh" -w -u -k "$quick/bzImage" -b "$quick/tests" \
		-o "$logs/vm.quick" "$@"
}

[ $# -gt 0 ] || set -- vfio_token_rules_test
[ -d "$src" ] || "$top/harness/tree.sh"
lock
ensure_packages
phase quick.build "building what changed in ${src#"$top"/}" build_tree
try_phase quick "KUnit and $*" run_tree_tests "$@"
ktap_cases "$logs/quick.log" >"$quick/cases"
sed -n 's/^fail\t/  failed: /p' "$quick/cases"
say "$(awk '{ n[$1]++ } END { printf "%d passed, %d failed", n["pass"], n["fail"] }' "$quick/cases") in $(elapsed $SECONDS)"
exit "$phase_status"
