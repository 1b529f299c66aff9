# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# Real programs own PFs and VFs: DPDK and QEMU as docs/howto says, and an NVMe
# driver in userspace. Sourced by check.sh.

clients=$top/tests/clients

get_howto() { up_to_date; }

key_howto() { hash_files "$top/docs/howto" "$clients" "$top/package/vfio-sriov" "$top/tools/testing/selftests/vfio/scripts"; }

make_nvme_driver()
{
	compile_program "$work/nvme_driver" "$clients"/{nvme_driver,nvme,dma}.c
}

key_nvme_driver()
{
	{
		hash_files "$clients"
		key_programs
	} | hash_of
}

# dpdk:SUITE of Debian: a root directory with its DPDK
get_dpdk() { make_root "$cache/dpdk-$1" "trixie $1" "$1" dpdk-dev iproute2 kmod procps python3; }

key_dpdk() { dpkg-query --admindir "$cache/dpdk-$1/var/lib/dpkg" -W -f '${Version}\n' dpdk-dev; }

# ---- pages

# More options for vmtest.sh
page_options=()

# page_on_vm NAME KERNEL PAGE [SECONDS]
page_on_vm()
{
	vmtest_host_root "$1" "$2" -t 900 "${page_options[@]}" -f "$clients/page.py" -f "$3" \
		-c "python3 page.py ${3##*/} ${4:-}" >"$work/cases/$1.page"
}

# page_of_check PAGE: with $check and $kernel of pages()
page_of_check() { page_on_vm "$check.$(basename "$1" .md)" "$kernel" "$1"; }

# pages CHECK KERNEL PAGE...: each on a separate machine, all at once
pages()
{
	local check=$1 kernel=$2 page

	shift 2
	all_at_once page_of_check "$@"
	for page; do
		cat "$work/cases/$check.$(basename "$page" .md).page"
	done | tee "$(ktap_of "$check")"
	[ "$failed" = 0 ]
}

check_howto() { pages howto debian "$top"/docs/howto/{dpdk,host,qemu}.md; }

# For operators with several users
check_tenants() { pages tenants debian "$top"/docs/howto/{tenants,containers}.md; }

check_dpdk_trixie() { VM_ROOT=$cache/dpdk-trixie pages dpdk-trixie debian "$top/docs/howto/dpdk.md"; }

check_dpdk_forky() { VM_ROOT=$cache/dpdk-forky pages dpdk-forky debian "$top/docs/howto/dpdk.md"; }

check_howto_stock() { pages howto-stock debian-stock "$clients/stock.md"; }

# page_fails CHECK KERNEL PAGE CASES: these lines of ktap_cases, and maybe others. What
# is not refused there is left open, and others wait for it in vain.
page_fails()
{
	local cases=$work/cases/$1

	[ -n "$4" ] || die "$1: no case is named that must fail"
	must_fail page_on_vm "$1" "$2" "$3" 20
	ktap_cases "$cases.page" >"$cases"
	! grep -vxF -f "$cases" <<<"$4" || die "$1: these must fail, and did not"
}

check_howto_red()
{
	local page=$work/cases/qemu.md

	# vfio-sriov refuses the modules of the unpatched kernel.
	sed '/^# vfio-sriov start/s/$/ --force/' "$top/docs/howto/qemu.md" >"$page"
	page_fails howto-red debian-stock "$page" "$(without_comments "$basedir/howto-red-on-stock")"
}

# ---- QEMU with patches/qemu-10.0; in the VM it comes before the machine's own

check_qemu_iommufd()
{
	local added page_options=(-f "$qemu_patched")

	added=$(grep -c '^+[^+]' "$qemu_patch")
	[ "$added" -le 60 ] || die "the patch for QEMU adds $added lines"
	perl "${qemu_patched%/*}/source/scripts/checkpatch.pl" --no-tree "$qemu_patch"
	pages qemu-iommufd debian "$clients/qemu-iommufd.md"
}

check_qemu_iommufd_stock()
{
	local page_options=(-f "$qemu_patched")

	pages qemu-iommufd-stock debian-stock "$clients/qemu-iommufd-stock.md"
}

# This machine's own QEMU does not present the token.
check_qemu_iommufd_red()
{
	page_fails qemu-iommufd-red debian "$clients/qemu-iommufd.md" \
		"fail	qemu-iommufd.md: QEMU opens a VF with the token"
}

# For a user at a terminal, which page.py plays.
check_shell()
{
	shell="$top/harness/shell.sh --built" CMD='' \
		python3 "$clients/page.py" "$clients/shell.md" | tee "$(ktap_of shell)"
}

# ---- NVMe

# Waits are real: if they took no time, the host's nvme would take a disk that is
# slow for one that is dead. Without multipath the disk has the name of its controller.
nvme_options=(-t 600 -a nvme_core.multipath=N -f "$work/nvme_driver" -f "$clients/nvme.sh")

check_nvme() { vm_run nvme debian "" "${nvme_options[@]}" -c "sh nvme.sh type1 cdev"; }

check_nvme_stock()
{
	local failed want

	must_fail vm_run nvme-stock-run debian-stock "" "${nvme_options[@]}" -c "sh nvme.sh type1"
	failed=$(ktap_cases "$(ktap_of nvme-stock-run)" | awk '/^fail/')
	want=$(without_comments "$basedir/nvme-red-on-stock")
	[ "$failed" = "$want" ] || die "failed: $failed; must fail: $want"
}

# ---- a program that hangs

# A program is ended after CONF_LIMIT seconds, and the run fails, on both PFs.
check_hang()
{
	local dir=$work/hang kernel_options

	rm -rf "$dir"
	mkdir -p "$dir"
	printf '#!/bin/sh\nexec sleep 600\n' >"$dir/vfio_hang_test"
	chmod +x "$dir/vfio_hang_test"
	use_kernel debian
	must_fail vmtest "${kernel_options[@]}" -b "$dir" -o "$logs/vm.hang" -t 200 -a CONF_LIMIT=5 vfio_hang_test |
		tee "$dir/ktap"
	ktap_cases "$dir/ktap" >"$dir/cases"
	[ "$(grep -c '^fail.*vfio_hang_test' "$dir/cases")" = 2 ] || die "it did not fail on both PFs"
	[ "$(grep -c 'ended by its limit of 5 s' "$dir/ktap")" = 2 ] || die "the limit did not end it"
}

# ---- at length: MINUTES of the guest's time. KERNEL=series.debug looks for leaks with
# kmemleak, and takes ten times as long; nothing is judged by how long it takes.

check_deep_dpdk()
{
	vmtest_host_root deep-dpdk "${KERNEL:-debian}" -t 7200 \
		-f "$clients/page.py" -f "$clients/endure.md" -f "$top/tests/vfio_leaks_test" \
		-c "python3 page.py endure.md 900 ${MINUTES:-10} && { sh vfio_leaks_test || [ \$? = 4 ]; }" |
		tee "$(ktap_of deep-dpdk)"
}
