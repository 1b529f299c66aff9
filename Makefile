# SPDX-License-Identifier: GPL-2.0-only
#
# Each command calls one script of harness/. BASE names the kernel that the
# series is for: a directory of bases/ and of patches/. "make help" prints the
# lines that begin with two number signs.

export BASE SERIES FROM FLAVOUR KVER TREE FORCE FRESH ROUNDS INPUTS CMD

help:
	@harness/help.sh

## make demo           show step by step what VF tokens do, in QEMU, with Debian's
##                     kernel and vfio with the series as modules
## make shell          start a shell in that VM, with the programs of this machine
## make shell CMD='vfio-sriov status'  run one command there; fails if the command does
## make modules        build vfio with the series as modules for Debian's kernel: out/
##                     (KVER=RELEASE: for that kernel of the base's version, with
##                     linux-headers-RELEASE of this machine)
## make deb            build the Debian package of the modules and of vfio-sriov: out/
## make quilt          write the series for the packaging of a kernel: out/quilt/BASE
## make tree           make a git tree with the prepared base and the patches on it:
##                     work/BASE/tree, branch "series"
## make series         write the removal and the patches as one mbox, for "git am" on
##                     the unmodified source, in any git tree: out/BASE/series.mbox
## make export         write branch "series" to patches/BASE and the in-tree copies
##                     (TREE=DIR: of another git tree with branches base and series)
## make carry BASE=linux-7.3  apply the changes of the series to another base
##                     (FROM=linux-6.12): patches/BASE; names what does not apply
## make review         run what kernel maintainers and their bots run, patch by patch:
##                     out/review.txt; more than an hour (ARGS=--self-test: expect it to
##                     find planted faults)
## make model          search the model of the protocol (docs/model) with spin
## make bench          compare the costs with the unpatched kernel: instructions and
##                     text size, in docs/results.md (ARGS=--record: also bases/BASE/costs)
## make recording      record a run of make demo: docs/demo.svg
## make trace          show the race and the path of an open, as the function graph
##                     tracer prints them, in docs/design.md
## make fixes          show what patches/fixes-7.3 fixes in an unmodified Linux 7.3
## make clean          remove work/ and out/; downloads stay in the cache
demo shell modules deb quilt tree series export carry review model bench recording trace fixes clean:
	@harness/$@.sh $(ARGS)

## make quick          after an edit in the tree of "make tree": build it as modules and
##                     run the test of the rules (TESTS="NAME...": others)
quick:
	@harness/quick.sh $(TESTS)

## make red            remove each property from the series in turn (tests/mutants) and
##                     expect its tests to fail (MUTANTS="NAME...": these; RUNS=5: each
##                     test in the VM five times)
red:
	@harness/red.sh $(MUTANTS)

## make kernel         build a kernel with the series: out/BASE/bzImage and bzImage.config
kernel:
	@harness/kernel.sh series

## make stock-kernel   build the unpatched kernel: out/BASE/bzImage.stock
stock-kernel:
	@harness/kernel.sh stock

# More tiers after it, if they end within so many minutes: THEN="..." WITHIN=...
check:
	@harness/check.sh $(if $(WITHIN),--within $(WITHIN)) check $(THEN)
check-%:
	@harness/check.sh $@

##
## BASE=linux-6.12     the base, a directory of bases/; linux-7.3 is built in a Debian 13
##                     root directory, as root
## SERIES=fixes-7.3    make review BASE=linux-7.3: the patches of that folder, for an
##                     unpatched source
## FLAVOUR=plain       the flavour for make kernel and make stock-kernel, such as debug
## FRESH=1             checks: repeat what passed and did not change
## ROUNDS=500 INPUTS=170000  make check-deep: racing rounds, and random inputs to each of
##                     three ioctls, on each of two PFs of each kernel
## TIMES=10            make check-deep: rounds of DPDK traffic, in which the PF driver is
##                     killed
## FORCE=1             make tree: start again even if "series" is not exported
##
## Checks, by tier, with the minutes that they take from scratch and with everything
## built, on two slow cores without KVM (harness/check.sh NAME... runs single checks of
## harness/checks):

.PHONY: help demo shell modules deb quilt tree series export carry review model bench recording trace fixes quick red kernel stock-kernel clean check
.NOTPARALLEL:
