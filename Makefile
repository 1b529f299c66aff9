# SPDX-License-Identifier: GPL-2.0-only
#
# Each command calls one script of harness/. BASE names the kernel that the
# series is for: a directory of bases/ and of patches/.

export BASE FLAVOUR KERNEL TREE FORCE ROUNDS INPUTS CMD

help:
	@harness/help.sh
demo:
	@harness/demo.sh
shell:
	@harness/shell.sh
check:
	@harness/check.sh
clients:
	@harness/clients.sh
check-deep:
	@harness/check-deep.sh
check-arm64:
	@harness/check-machines.sh arm64
check-iommus:
	@harness/check-machines.sh amd virtio
review:
	@harness/review.sh
model:
	@harness/model.sh
red:
	@harness/red.sh
bench:
	@harness/bench.sh $(PARTS)
quick:
	@harness/quick.sh $(TESTS)
kernel:
	@harness/kernel.sh series
stock-kernel:
	@harness/kernel.sh stock
tree:
	@harness/tree.sh
fixes:
	@harness/fixes.sh
export:
	@harness/export.sh

.PHONY: help demo shell check clients check-deep check-arm64 check-iommus review model red bench quick kernel stock-kernel tree fixes export
.NOTPARALLEL:
