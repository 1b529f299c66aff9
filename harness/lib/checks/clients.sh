# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# Real programs own PFs and VFs: DPDK and QEMU as docs/howto says, and an NVMe
# driver in userspace. Sourced by check.sh.

clients=$top/tests/clients
howto=$top/docs/howto

get_howto() { up_to_date; }

key_howto() { hash_files "$howto" "$clients" "$top/package/vfio-sriov" "$top/tools/testing/selftests/vfio/scripts"; }

make_nvme_driver() { compile_program "$work/nvme_driver" "$clients"/{nvme_driver,nvme,dma}.c; }

key_nvme_driver() { { hash_files "$clients"; key_programs; } | hash_of; }

# dpdk:SUITE of Debian: a root directory with its DPDK
get_dpdk() { make_root "$cache/dpdk-$1" "trixie $1" "$1" dpdk-dev iproute2 kmod procps python3; }

key_dpdk() { dpkg-query --admindir "$cache/dpdk-$1/var/lib/dpkg" -W -f '${Version}\n' dpdk-dev; }

# ---- what must pass, and what must fail

# More options for vmtest.sh
page_options=()

# page_on_vm NAME KERNEL PAGE [SECONDS]
page_on_vm() {
	vmtest_host_root "$1" "$2" -t 900 "${page_options[@]}" -f "$clients/page.py" -f "$3" \
		-c "python3 page.py ${3##*/} ${4:-}" >"$(ktap_of "$1")"
}

# page_of_check PAGE: with $check and $kernel of pages()
page_of_check() { page_on_vm "$check.$(basename "$1" .md)" "$kernel" "$1"; }

# pages CHECK KERNEL PAGE...: each on a separate machine, all at once
pages() {
	local check=$1 kernel=$2 page

	shift 2
	all_at_once page_of_check "$@"
	for page; do
		cat "$(ktap_of "$check.$(basename "$page" .md)")"
	done | tee "$(ktap_of "$check")"
	[ "$failed" = 0 ]
}

# red exactly|at-least LIST COMMAND NAME ARGUMENT...: COMMAND must fail; of the cases in the
# KTAP of NAME, those of LIST must ("fail<TAB>NAME" a line each), and no others or maybe
# others. An empty list says that an unpatched kernel does all of it: then it must pass.
red() {
	local how=$1 want failed missing more=''

	want=$(without_comments "$2")
	shift 2
	[ -n "$want" ] || { "$@"; return; }
	must_fail "$@"
	failed=$(ktap_cases "$(ktap_of "$2")" | awk '/^fail/')
	missing=$(grep -vxF -e "$failed" <<<"$want" || true)
	[ "$how" = at-least ] || more=$(grep -vxF -e "$want" <<<"$failed" || true)
	[ -z "$missing$more" ] || die "must fail, and did not: ${missing:-none}; failed, and must not: ${more:-none}"
}

# ---- DPDK and QEMU

check_howto() { pages howto debian "$howto"/{dpdk,host,qemu}.md; }

# For operators with several users
check_tenants() { pages tenants debian "$howto"/{tenants,containers}.md; }

check_dpdk_trixie() { VM_ROOT=$cache/dpdk-trixie pages dpdk-trixie debian "$howto/dpdk.md"; }

check_dpdk_forky() { VM_ROOT=$cache/dpdk-forky pages dpdk-forky debian "$howto/dpdk.md"; }

check_howto_stock() { pages howto-stock debian-stock "$basedir/stock.md"; }

check_howto_red() {
	# vfio-sriov refuses the modules of the unpatched kernel.
	sed '/^# vfio-sriov start/s/$/ --force/' "$howto/qemu.md" >"$work/cases/qemu.md"
	# What is not refused there is left open, and others wait for it in vain.
	red at-least "$basedir/howto-red-on-stock" \
		page_on_vm howto-red-run debian-stock "$work/cases/qemu.md" 20
}

# With patches/qemu-10.0; in the VM it comes before the machine's own.
check_qemu_iommufd() {
	[ "$(grep -c '^+[^+]' "$qemu_patch")" -le 60 ] || die "the patch for QEMU adds more than 60 lines"
	perl "${qemu_patched%/*}/source/scripts/checkpatch.pl" --no-tree "$qemu_patch"
	page_options=(-f "$qemu_patched")
	pages qemu-iommufd debian "$clients/qemu-iommufd.md"
}

check_qemu_iommufd_stock() {
	page_options=(-f "$qemu_patched")
	pages qemu-iommufd-stock debian-stock "$clients/qemu-iommufd-stock.md"
}

# This machine's own QEMU does not present the token.
check_qemu_iommufd_red() {
	echo "fail	qemu-iommufd.md: QEMU opens a VF with the token" >"$work/cases/red"
	red at-least "$work/cases/red" \
		page_on_vm qemu-iommufd-red-run debian "$clients/qemu-iommufd.md" 20
}

# For a user at a terminal, which page.py plays.
check_shell() {
	shell="$top/harness/shell.sh --built" CMD='' \
		python3 "$clients/page.py" "$clients/shell.md" | tee "$(ktap_of shell)"
}

# TIMES rounds. KERNEL=series.debug looks for leaks with kmemleak, and takes
# ten times as long; nothing is judged by how long it takes.
check_deep_dpdk() {
	vmtest_host_root deep-dpdk "${KERNEL:-debian}" -t 7200 \
		-f "$clients/page.py" -f "$clients/endure.md" -f "$top/tests/vfio_leaks_test" \
		-c "python3 page.py endure.md 900 ${TIMES:-10} && { sh vfio_leaks_test || [ \$? = 4 ]; }" |
		tee "$(ktap_of deep-dpdk)"
}

# ---- NVMe

# nvme_page PATH: the page, with this path for both drivers. Without multipath the disk has
# the name of its controller.
nvme_page() {
	page_options=(-a nvme_core.multipath=N -f "$work/nvme_driver")
	sed "s/-p PATH /-p $1 /" "$clients/nvme.md" >"$work/cases/nvme-$1.md"
}

check_nvme() {
	nvme_page type1
	nvme_page cdev
	pages nvme debian "$work"/cases/nvme-{type1,cdev}.md
}

check_nvme_stock() {
	nvme_page type1
	red exactly "$basedir/nvme-red-on-stock" \
		page_on_vm nvme-stock-run debian-stock "$work/cases/nvme-type1.md"
}

# ---- a program that hangs

# It is ended after CONF_LIMIT seconds, and the run fails, on both PFs.
check_hang() {
	local programs=$work/hang

	mkdir -p "$programs"
	printf '#!/bin/sh\nexec sleep 600\n' >"$programs/vfio_hang_test"
	chmod +x "$programs/vfio_hang_test"
	printf 'fail\tvfio_hang_test %s\n' 0000:01:00.0 0000:02:00.0 >"$work/cases/red"
	red exactly "$work/cases/red" \
		vm_run hang-run debian "" -t 200 -a CONF_LIMIT=5 vfio_hang_test
	[ "$(grep -c 'ended by its limit of 5 s' "$(ktap_of hang-run)")" = 2 ] || die "the limit did not end it"
}
