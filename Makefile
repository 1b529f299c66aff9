# SPDX-License-Identifier: GPL-2.0-only
#
# Each command calls one script of harness/. BASE names the kernel that the
# series is for: a directory of bases/ and of patches/.

export BASE FROM FLAVOUR KERNEL KVER TREE FORCE FRESH ROUNDS INPUTS CMD

help:
	@harness/help.sh
demo shell modules model bench tree series export review fixes deb quilt carry recording trace:
	@harness/$@.sh $(ARGS)
# More tiers after it, if they end within so many minutes: THEN="..." WITHIN=...
check:
	@harness/check.sh $(if $(WITHIN),--within $(WITHIN)) check $(THEN)
check-%:
	@harness/check.sh $@
red:
	@harness/red.sh $(MUTANTS)
quick:
	@harness/quick.sh $(TESTS)
kernel:
	@harness/kernel.sh series
stock-kernel:
	@harness/kernel.sh stock
# The downloads stay in the cache.
clean:
	rm -rf work out

.PHONY: help demo shell modules model bench tree series export review fixes deb quilt carry recording trace check red quick kernel stock-kernel clean
.NOTPARALLEL:
