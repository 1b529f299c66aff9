#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of the other parts
#
# quick.sh [TEST]...: from an edit in the git tree that "make tree" makes, which
# need not be committed, to a verdict: builds vfio of that tree as modules for
# Debian's kernel and runs the named tests, or the test of the rules, in the VM.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
. "$parts/count.sh"

tree=$work/tree
quick=$debian_dir/quick

# Only what differs is copied and compiled again. What the tree has no more is deleted.
build_tree() {
	[ -d "$quick" ] || remove_stamp quick
	unless_done quick "$(key_modules stock)" make_tree "$quick" stock
	rsync -rlpcR --delete --exclude='*.mod.c' --include='*/' --include='*.[chS]' --include=Makefile --exclude='*' \
		"$tree"/./{drivers/vfio,include/{,uapi/}linux/vfio*.h} "$quick"
	compile_modules "$quick"
	install_modules quick "$work/quick"
}

run_tests() {
	vmtest -k "$(kernel_image)" -d "$work/quick" -b "$programs" -o "$logs/vm.quick" \
		-m "$machine_dir/warp.sh" "$@" | tee "$(ktap_of quick)"
	must_have_run quick "$@"
}

[ $# -gt 0 ] || set -- vfio_pci_vf_token_test
[ -d "$tree" ] || "$top/harness/tree.sh"
lock
mkdir -p "$work/cases"
ensure_packages base demo
need programs
phase quick.build "building vfio of ${tree#"$top"/}" build_tree
try_phase quick "$*" run_tests "$@"
: >"$results"
count_check quick "$*" "$phase_status"
finish
