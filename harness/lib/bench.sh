# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# What opens, tokens and VFs cost: instructions of a guest that runs Debian's
# kernel, with vfio built with the series and without it. Sourced after all.sh.

counts=$work/bench

# count_guests SOURCE: $runs times on each of $counted, with the machines of $machines
count_guests() {
	local run pfs

	for ((run = 0; run < runs; run++)); do
		for pfs in "${counted[@]}"; do
			PFS=${pfs%% *} vm "bench.$1.${pfs%%:*}" "modules:$1" "count $machines" -t 1200 \
				-f "$counts/bench" -c "./bench ${pfs%%:*} ${pfs#* }"
		done
	done >"$counts/$1"
}

# count_instructions RUNS MACHINES "KIND:N ARGUMENT..."...: KIND:N are PFs of count.sh, for
# which bench has these arguments. Both kernels at once, as nothing else that the host
# does changes what a guest counts; all runs' figures are in $counts/SOURCE.
count_instructions() {
	local runs=$1 machines=$2 counted=("${@:3}")

	compile_program "$counts/bench" "$top/harness/bench/bench.c"
	all_at_once count_guests series stock
	[ "$failed" = 0 ]
}

# count_costs RUNS: the costs that are recorded. No driver wants QEMU's edu.
count_costs() {
	# shellcheck disable=SC2016 # for the shell in the VM
	count_instructions "$1" "" 'igb:14 $(cd /sys/bus/pci/devices && dirname $(grep -l ^0x1234 */vendor))' \
		"nvme:120 1 30 60 120"
}

compiler() { in_build gcc --version | sed -n 1p; }

# The ratios of a table
recorded_costs() {
	say "# SPDX-License-Identifier: GPL-2.0-only" \
		"# Ratios series / stock; written by harness/bench.sh --record" "# compiler: $(compiler)"
	sed -nE 's/ +[[:alpha:]]+ +[0-9,]+ +[0-9,]+ +([0-9.]+)$/\t\1/p'
}

report() { python3 "$top/harness/bench/report.py" "$@"; }

report_size() {
	local module

	printf '%-16s %8s %8s %6s\n' "text, bytes" series stock more
	for module in vfio vfio-pci-core vfio-pci; do
		printf '%s ' "$module"
		find "$(path_modules series)" "$(path_modules stock)" -name "$module.ko" -exec size {} + |
			awk 'NR > 1 { printf "%d ", $1 } END { print "" }'
	done | awk '{ more += $2 - $3; printf "%-16s %8d %8d %+6d\n", $1, $2, $3, $2 - $3 }
		END { printf "%-16s %+24d\n", "together", more }'
}
