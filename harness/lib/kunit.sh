# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# The unit tests on UML, as a reviewer runs them. Sourced after all.sh.

# run_kunit KTAP: of what is checked out
run_kunit() {
	local dir=$src/build-uml

	mkdir -p "$dir"
	in_build env -C "$src" python3 tools/testing/kunit/kunit.py run --kunitconfig=drivers/vfio/pci \
		--build_dir="$dir" --jobs="$jobs" --make_options='CC=ccache gcc' --raw_output=kunit | tee "$1"
}
