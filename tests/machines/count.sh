# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of vmtest.sh
#
# vmtest.sh -m count.sh: one CPU whose time is the number of instructions, and
# PFS: "igb:N", N igb PFs and a device without a driver, or "nvme:N", one nvme
# PF with N VFs.

: "${PFS:=igb:12}"
cpus=1 pfs=1
# A line on the console costs more than what is measured.
more_args+=" loglevel=5 VFIO_ICOUNT=1"

accelerator() { machine+=(-accel tcg -icount "shift=0,sleep=off" -cpu max); }

# Many PFs need more I/O ports than there are, unless the ports request none.
devices() {
	local n=${PFS#*:} i vfs

	if [[ $PFS = igb:* ]]; then
		for ((i = 0; i < n; i++)); do
			machine+=(-netdev "hubport,id=net$i,hubid=0")
			add_device "igb,netdev=net$i,romfile=" ,io-reserve=0
		done
		add_device edu ,io-reserve=0
	else
		vfs="sriov_max_vfs=$n,sriov_vq_flexible=$((2 * n)),sriov_vi_flexible=$n"
		machine+=(-device "nvme-subsys,id=subsys")
		add_device "nvme,serial=1,subsys=subsys,$vfs,max_ioqpairs=$((2 * n + 8)),msix_qsize=$((n + 9))" \
			,power_controller_present=off
	fi
}
