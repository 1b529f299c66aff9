# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of vmtest.sh
#
# vmtest.sh -m machine.sh: what tool.sh needs besides
modules+=(8021q bonding bridge)
