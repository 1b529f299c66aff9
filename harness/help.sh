#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
set -euo pipefail

cat <<'END'
make demo           install what is missing, build the patched kernel, boot it in
                    QEMU and show what VF tokens do
make shell          a shell in that VM, with the programs of this machine
make shell CMD='lspci; uname -r'  one command there, and its exit status
make check          check everything: base, patches, KUnit and selftests in QEMU on
                    several machines, the clients, and that the tests fail on the
                    unpatched kernel where they must
make clients        the part of it with real programs: DPDK and QEMU, as docs/howto
                    tells how to use them, and an NVMe driver in userspace
make check-deep     racing, fuzzing, flooding and failing allocations at full length,
                    on kernels that look for memory errors, wrong locking and data races
make check-iommus   make check's part on PCs with AMD's and with virtio's IOMMU
make check-arm64    make check's part on an arm64 machine with an SMMUv3
make review         what kernel maintainers and their bots look at, patch by patch:
                    out/review.txt (harness/review.sh --self-test: does it see
                    what it should?)
make model          the protocol's model (docs/model), searched through by spin
make red            can the tests fail? Take each property from the series in turn
                    (harness/red/), and see that its tests are red
make bench          what the patches cost beside the unpatched kernel: instructions,
                    size, locks (PARTS="size ...": these only); docs/results.md
make quick          after an edit in the tree of "make tree": build it, run KUnit and
                    the test of the rules (TESTS="NAME...": or others)
make kernel         the patched kernel:   out/BASE/bzImage and .config
make stock-kernel   the unpatched kernel: out/BASE/bzImage.stock and .config.stock
make tree           a git tree with the prepared base and the patches on it:
                    work/BASE/tree, branch "series"
make tree KERNEL=DIR  the same in a new branch of a clean git tree of your own
make export         branch "series" -> patches/BASE and the in-tree copies
                    (TREE=DIR: of another git tree that has branches base, series)
make fixes          what patches/fixes-7.3 fixes in an unmodified Linux 7.3: racing
                    rounds and selftests, before and after (out/linux-7.3/fixes.txt)
make help           this text

BASE=linux-6.12     the base, a directory of bases/
FLAVOUR=plain       make kernel, make stock-kernel: or another flavour, such as debug
                    or kcsan (bases/BASE/config.FLAVOUR; the suffix of the image)
ROUNDS=500 INPUTS=170000  make check-deep: on each of two PFs of each kernel, racing
                    rounds, and hostile inputs to each of three ioctls
FORCE=1             make tree: start anew even if "series" is not exported
END
