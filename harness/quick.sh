#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # phases are called by name
#
# quick.sh [TEST]...: from an edit in the git tree that "make tree" made to a
# verdict: build what changed there, committed or not, and run KUnit and the
# tests that are named (or the test of the rules) in the VM.
set -euo pipefail

# shellcheck source=harness/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/parts.sh"

tree=$work/tree
tests=$work/quick/tests
image=$work/quick/bzImage

# Where the tests look for it; written again only if something changed.
build_tree_tests()
{
	kmake "$src/build-headers" headers
	make -C "$src/tools/testing/selftests/vfio" OUTPUT="$tests" \
		KHDR_INCLUDES="-isystem $src/build-headers/usr/include" USERLDFLAGS=-static
}

build_tree()
{
	build_tree_tests &
	compile_kernel series plain "$image"
	wait $!
}

run_quick()
{
	"$src/tools/testing/selftests/vfio/vmtest.sh" -w -u -k "$image" -b "$tests" \
		-o "$logs/vm.quick" "$@"
}

[ -d "$tree" ] || die "there is no ${tree#"$top"/} yet; \"make tree\" makes it"
[ $# -gt 0 ] || set -- vfio_token_rules_test
src=$tree
lock
ensure_packages
mkdir -p "$tests" "$src/build-headers"
phase quick.build "building what changed in ${tree#"$top"/}" build_tree
try_phase quick.run "KUnit and $*" run_quick "$@"
ktap_cases "$logs/quick.run.log" >"$work/quick/cases"
sed -n 's/^fail\t/  failed: /p' "$work/quick/cases"
say "$(grep -c '^pass' "$work/quick/cases" || true) passed, $(grep -c '^fail' "$work/quick/cases" || true) failed, in $(elapsed $SECONDS)"
exit "$phase_status"
