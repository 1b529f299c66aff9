#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
set -euo pipefail

# shellcheck source=harness/lib/all.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
# shellcheck source=harness/lib/table.sh
. "$parts/table.sh"

cat <<'END'
make demo           Debian's own kernel with the series as modules, in QEMU: what VF
                    tokens do, step by step
make shell          a shell in that VM, with the programs of this machine
make shell CMD='lspci; uname -r'  one command there, and its exit status
make modules        vfio with the series as modules for Debian's kernel, in out/
                    (KVER=RELEASE: for that kernel, with this machine's headers)
make deb            the Debian package of the modules and of the command vfio-sriov: out/
make quilt          the series for the packaging of a kernel: out/quilt/BASE
make quick          after an edit in the tree of "make tree": build it as modules, run
                    the test of the rules (TESTS="NAME...": or others)
make tree           a git tree with the prepared base and the patches on it:
                    work/BASE/tree, branch "series"
make tree KERNEL=DIR  the same in a new branch of a clean git tree of your own
make series         the removal and the patches in one mbox, for "git am" on the
                    unmodified source: out/BASE/series.mbox
make export         branch "series" -> patches/BASE and the in-tree copies
                    (TREE=DIR: of another git tree that has branches base, series)
make carry BASE=linux-7.3  what the series gained on another base (FROM=linux-6.12)
                    -> patches/BASE; names what does not apply
make review         what kernel maintainers and their bots look at, patch by patch:
                    out/review.txt (ARGS=--self-test: does it see what it should?)
make red            can the tests fail? Take each property from the series in turn
                    (tests/mutants), and see that its tests are red (MUTANTS="NAME...")
make model          the protocol's model (docs/model), searched through by spin
make bench          what the patches cost beside the unpatched kernel: instructions,
                    size, locks (ARGS="size ...": these only); docs/results.md
make fixes          what patches/fixes-7.3 fixes in an unmodified Linux 7.3
make kernel         a kernel of our own with the series: out/BASE/bzImage and .config
make stock-kernel   the unpatched one: out/BASE/bzImage.stock and .config.stock
make clean          remove work/ and out/; downloads stay in the cache

Checks, by tier (harness/check.sh NAME... runs single checks of harness/checks):
END
for tier in $(rows tier | cut -d'|' -f2); do
	printf 'make %-19s%s\n' "$tier" "$(field tier "$tier" 6)"
done
cat <<'END'

BASE=linux-6.12     the base, a directory of bases/: or linux-7.3, which is built in a
                    Debian 13 root directory, as root
FLAVOUR=plain       make kernel, make stock-kernel: or another flavour, such as debug
FRESH=1             checks: run again what passed and did not change
ROUNDS=500 INPUTS=170000  make check-deep: on each of two PFs of each kernel, racing
                    rounds, and hostile inputs to each of three ioctls
FORCE=1             make tree: start anew even if "series" is not exported
END
