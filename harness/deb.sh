#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deb.sh: the Debian package with the modules' source and the command vfio-sriov, in
# out/. Prints its name last. deb.sh --vfio DIR: only the patched vfio of BASE, to DIR.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
. "$parts/deb.sh"

if [ "${1:-}" = --vfio ]; then
	patched_vfio "$2"
	exit
fi
lock
ensure_packages modules package
phase deb-source "the patched vfio of each kernel" vfio_of_bases "$deb_dir/dkms"
phase deb "building the package" build_deb
deb_file
