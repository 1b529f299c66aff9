# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # variables of vmtest.sh
#
# vmtest.sh -m kvm.sh: QEMU emulates AMD's virtualization, too.

modules+=(kvm-amd)
