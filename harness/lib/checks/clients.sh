# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# Real programs own PFs and VFs: DPDK and QEMU as docs/howto says, and an NVMe
# driver in userspace. Sourced by check.sh.

clients=$top/tests/clients

# vfio-sriov refuses the modules of the unpatched kernel, on which one page runs, too.
get_howto() {
	sed '/^# vfio-sriov start/s/$/ --force/' "$top/docs/howto/qemu.md" >"$work/cases/qemu.md"
	up_to_date
}

key_howto() {
	hash_files "$top"/{docs/howto,tests/clients,package/vfio-sriov,tools/testing/selftests/vfio/scripts}
}

# The driver, and its page for both paths
make_nvme_driver() {
	local path

	compile_program "$work/nvme_driver" "$clients"/{nvme_driver,nvme,dma}.c
	for path in type1 cdev; do
		sed "s/-p PATH /-p $path /" "$clients/nvme.md" >"$work/nvme-$path.md"
	done
}

key_nvme_driver() { { hash_files "$clients" "$parts/checks/clients.sh"; key_programs; } | hash_of; }

# dpdk:SUITE of Debian: a root directory with its DPDK
get_dpdk() { make_root "$cache/dpdk-$1" "trixie $1" "$1" dpdk-dev iproute2 kmod procps python3; }
key_dpdk() { dpkg-query --admindir "$cache/dpdk-$1/var/lib/dpkg" -W -f '${Version}\n' dpdk-dev; }

check_qemu_iommufd() {
	[ "$(grep -c '^+[^+]' "$qemu_patch")" -le 60 ] || die "the patch for QEMU adds more than 60 lines"
	perl "${qemu_patched%/*}/source/scripts/checkpatch.pl" --no-tree "$qemu_patch"
	check_in_vm qemu-iommufd
}

# For a user at a terminal, which page.py plays.
check_shell() {
	shell="$top/harness/shell.sh --built" CMD='' \
		python3 "$clients/page.py" "$clients/shell.md" | tee "$(ktap_of shell)"
}

# TIMES rounds. KERNEL=series.debug looks for leaks with kmemleak, and takes
# ten times as long; nothing is judged by how long it takes.
check_deep_dpdk() {
	vmtest_host_root deep-dpdk "${KERNEL:-modules:series}" -t 7200 \
		-f "$clients/page.py" -f "$clients/endure.md" -f "$top/tests/vfio_leaks_test" \
		-c "python3 page.py endure.md 900 ${TIMES:-10} && { sh vfio_leaks_test || [ \$? = 4 ]; }" |
		tee "$(ktap_of deep-dpdk)"
}
