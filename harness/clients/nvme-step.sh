# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# An NVMe device with real drivers: of the PF and of one VF in userspace, of
# another VF in the host. Sourced after steps.sh.

compile_nvme_driver()
{
	compile_with_lib "$work/clients/nvme_driver" "$top"/harness/clients/{nvme_driver,nvme,dma}.c
}

# Waits are real: if they took no time, the host's nvme would take a disk that is
# slow for one that is dead.
nvme_options=(-t 300 -f "$work/clients/nvme_driver" -f "$top/harness/clients/nvme.sh")

# That some fail there is what they are for. By their cdevs, PF and VF can't be
# opened with a token at all.
nvme_on_stock()
{
	vm_tests nvme.stock "$(image_of stock plain)" "${nvme_options[@]}" -c "sh nvme.sh type1" || true
	ktap_cases "$work/nvme.stock.ktap" >"$work/nvme.stock.cases"
	grep '^fail' "$work/nvme.stock.cases" | diff -u <(grep -v '^#' "$basedir/nvme-red-on-stock") -
}

run_nvme()
{
	step nvme.compile "building an NVMe driver" compile_nvme_driver
	run_vm_tests nvme "NVMe: VFs for the host and for a process" "$(image_of series plain)" \
		"${nvme_options[@]}" -c "sh nvme.sh type1 cdev"
	step nvme.stock "NVMe on the unpatched kernel: what is not refused there" nvme_on_stock
}
