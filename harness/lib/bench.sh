# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# What opens, tokens and VFs cost: instructions of a guest that runs Debian's
# kernel, with vfio built with the series and without it. Sourced after all.sh.

counts=$work/bench

# count_guest SOURCE PFS
count_guest()
{
	local kernel_options options
	local -x QEMU=${QEMU:-}

	use_kernel "debian${1/#series/}"
	case $2 in
	virtio-net:*)
		QEMU=$qemu_new
		machine count virtio-net
		;;
	*) machine count ;;
	esac
	PFS=$2 vmtest "${kernel_options[@]}" "${options[@]}" -t 1200 -o "$logs/vm.bench.$1.${2%:*}" \
		-f "$counts/bench" -f "$top/harness/bench/guest.sh" -c "sh guest.sh ${2%:*}"
}

# count_guests SOURCE: on each of $counted
count_guests()
{
	local pfs

	for pfs in "${counted[@]}"; do
		count_guest "$1" "$pfs"
	done >"$counts/${1#-}.$run"
}

# count_instructions RUN PFS...: both kernels at once, as nothing else that the host
# does changes what a guest counts; the figures are in $counts/SOURCE.RUN
count_instructions()
{
	local run=$1 counted=("${@:2}")

	compile_program "$counts/bench" "$top/harness/bench/bench.c"
	all_at_once count_guests series -stock
	[ "$failed" = 0 ]
}

compiler() { in_build gcc --version | sed -n 1p; }

report() { python3 "$top/harness/bench/report.py" "$@"; }

# The text of the modules that the series changes, in bytes
report_size()
{
	local source module

	for source in series stock; do
		for module in vfio vfio-pci-core vfio-pci; do
			find "$(modules_dir "$source")" -name "$module.ko" -exec size {} + |
				awk -v m="$module" -v s="$source" 'NR == 2 { print m, s, $1 }'
		done
	done | awk '
		$2 == "series" { series[$1] = $3; name[++n] = $1 }
		$2 == "stock" { stock[$1] = $3 }
		END {
			printf "%-16s %8s %8s %6s\n", "text, bytes", "series", "stock", "more"
			for (i = 1; i <= n; i++) {
				m = name[i]
				printf "%-16s %8d %8d %+6d\n", m, series[m], stock[m], series[m] - stock[m]
				more += series[m] - stock[m]
			}
			printf "%-16s %24s\n", "together", sprintf("%+d", more)
		}'
}
