#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # phases are called by name
#
# How large the series makes vfio beside the unpatched source, of the same
# configuration, with vfio as modules: without trace events, and with them.
# Writes out/size.txt.
set -euo pipefail

# shellcheck source=harness/parts.sh
. "$(dirname "${BASH_SOURCE[0]}")/../parts.sh"

sizes=$work/sizes
modules=(vfio pci/vfio-pci-core pci/vfio-pci)
modular=(VFIO VFIO_PCI VFIO_PCI_CORE VFIO_IOMMU_TYPE1 IOMMUFD)
tracing=(TRACING FTRACE EVENT_TRACING ENABLE_DEFAULT_TRACERS)

# The unit tests are no part of what runs.
configure_sizes()
{
	local dir=$1 events=$2 symbol

	configure_kernel "$dir" stock plain
	"$src/scripts/config" --file "$dir/.config" -e MODULES -d KUNIT
	for symbol in "${modular[@]}"; do
		"$src/scripts/config" --file "$dir/.config" -m "$symbol"
	done
	[ "$events" = events ] || for symbol in "${tracing[@]}"; do
		"$src/scripts/config" --file "$dir/.config" -d "$symbol"
	done
	kmake "$dir" olddefconfig
	grep -q '^CONFIG_VFIO_PCI=m' "$dir/.config" || die "vfio-pci can't be a module"
	if grep -q '^CONFIG_EVENT_TRACING=y' "$dir/.config"; then
		[ "$events" = events ] || die "trace events can't be turned off"
	else
		[ "$events" = plain ] || die "no trace events with this configuration"
	fi
	kmake "$dir" prepare
}

# measure SOURCE plain|events: "module text data bss", a line each
measure()
{
	local dir=$src/build-size-$2 module

	checkout_src "$(ref_of "$1")"
	mkdir -p "$dir" "$sizes"
	configure_sizes "$dir" "$2"
	kmake "$dir" drivers/vfio/
	for module in "${modules[@]}"; do
		size "$dir/drivers/vfio/$module.o" |
			awk -v name="${module##*/}" 'NR == 2 { print name, $1, $2, $3 }'
	done >"$sizes/$1.$2"
}

# lines_of SOURCE: added and removed in drivers/ and include/ since the base
lines_of_code()
{
	in_git diff --numstat base "$(ref_of "$1")" -- drivers include ':!*kunit*' |
		awk '{ added += $1; removed += $2 } END { print added + 0, removed + 0 }'
}

sum_text()
{
	awk '{ sum += $2 } END { print sum }' "$1"
}

report()
{
	local events

	for events in plain events; do
		printf '%s\n' "$([ $events = plain ] && echo 'without trace events' || echo 'with trace events')"
		printf '%-16s %23s   %23s\n' '' 'series: text data bss' 'stock: text data bss'
		paste -d ' ' "$sizes/series.$events" "$sizes/stock.$events" |
			awk '{ printf "%-16s %9d %6d %6d   %9d %6d %6d   text %+d\n", $1, $2, $3, $4, $6, $7, $8, $2 - $6 }'
		printf 'text together: %+d bytes\n\n' \
			$(($(sum_text "$sizes/series.$events") - $(sum_text "$sizes/stock.$events")))
	done
	printf 'lines added to the base in drivers and include, unit tests apart: series %s, stock %s\n' \
		"$(lines_of_code series | cut -d' ' -f1)" "$(lines_of_code stock | cut -d' ' -f1)"
}

lock
ensure_packages
prepare_all
phase applied "applying the series" prepare_applied
for events in plain events; do
	for source in stock series; do
		phase "size.$source.$events" "compiling vfio of the $source source, $events" \
			measure "$source" "$events"
	done
done
report | tee "$top/out/size.txt"
