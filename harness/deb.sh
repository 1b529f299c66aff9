#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deb.sh: the Debian package with the modules' source and the command vfio-sriov, in
# out/. Prints its name last.
set -euo pipefail

# shellcheck source=harness/lib/all.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/all.sh"
# shellcheck source=harness/lib/deb.sh
. "$parts/deb.sh"

lock
ensure_packages demo package
get_kernel
rm -rf "$deb_dir"
mkdir -p "$deb_dir/dkms"
phase deb-source "the patched vfio of $base" patched_vfio "$deb_dir/dkms"
phase deb "building the package" build_deb
deb_file
