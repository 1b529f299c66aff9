# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# How much larger the series makes vfio: its modules, what a PF and a VF take of
# memory, and lines of code. Sourced after instructions.sh.

sizes=$work/sizes
modules=(drivers/vfio/vfio.ko drivers/vfio/pci/vfio-pci-core.ko drivers/vfio/pci/vfio-pci.ko)

# measure_modules FLAVOUR: "module text data bss", a line each; "bare" is the series
# without its file in sysfs. All are built in one directory, as few files differ.
measure_modules()
{
	local dir what source

	dir=$(build_dir "$1")
	mkdir -p "$dir" "$sizes"
	for what in stock series bare; do
		source=${what/bare/series}
		checkout_src "$(ref_of "$source")"
		[ "$what" != bare ] || in_src apply "$top/harness/bench/without-vf_token.diff"
		configure_kernel "$dir" "$source" "$1"
		# There is no kernel beside them that could have the symbols.
		kmake "$dir" KBUILD_MODPOST_WARN=1 "${modules[@]}"
		(cd "$dir" && size "${modules[@]}") |
			awk 'NR > 1 { sub(".*/", "", $6); print $6, $1, $2, $3 }' >"$sizes/$what.$1"
	done
}

# count_memory IMAGE SOURCE: "PF|VF FUNCTION BYTES", what it allocated when the
# device was bound, and kept; "-" for all functions
count_memory()
{
	vmtest -w -k "$1" -o "$logs/vm.memory.$2" \
		-f "$top/harness/bench/memory-guest.sh" -c 'sh memory-guest.sh' >"$sizes/$2.kmem"
	awk -f "$top/harness/bench/memory.awk" "$sizes/$2.kmem" >"$sizes/$2.memory"
	[ "$(grep -c ' - [0-9]' "$sizes/$2.memory")" = 2 ] || die "nothing was allocated"
}

# The code, not the tests, in which the sources differ from the base.
code_files()
{
	{
		in_git diff --name-only base "$(ref_of series)" -- drivers include
		in_git diff --name-only base stock -- drivers include
	} | grep -E '\.[ch]$' | grep -vE '_(kunit\.c|model\.h|check\.h)$' | sort -u
}

# code_lines SOURCE: without comments and blank lines
code_lines()
{
	local ref file files

	ref=$(ref_of "$1")
	read_lines files code_files
	for file in "${files[@]}"; do
		[ -n "$(in_git ls-tree "$ref" "$file")" ] || continue
		in_git cat-file blob "$ref:$file" | gcc -fpreprocessed -dD -E -P -x c -
	done | wc -l
}

report_modules()
{
	printf '%-26s %8s %6s %6s %12s %6s %6s %8s\n' \
		"$2" 'text' data bss 'stock: text' data bss text
	paste -d ' ' "$sizes/series.$1" "$sizes/stock.$1" | awk '
		{
			printf "%-26s %8d %6d %6d %12d %6d %6d %+8d\n", $1, $2, $3, $4, $6, $7, $8, $2 - $6
			more += $2 - $6
		}
		END { printf "%-26s %49s %+8d\n", "together", "", more }'
	paste -d ' ' "$sizes/bare.$1" "$sizes/stock.$1" | awk '
		{ more += $2 - $6 }
		END { printf "%-26s %49s %+8d\n\n", "without vf_token in sysfs", "", more }'
}

# Both kernels' bytes for each of PF and VF, and the functions that differ.
report_memory()
{
	awk '
		NR == FNR { series[$1 " " $2] = $3; next }
		{ stock[$1 " " $2] = $3 }
		END {
			for (name in stock)
				series[name] += 0
			for (name in series)
				if (series[name] != stock[name] || name ~ / -$/)
					printf "%s %d %d\n", name, series[name], stock[name]
		}' "$sizes/series.memory" "$sizes/stock.memory" | sort | awk '
		BEGIN { printf "%-44s %8s %8s\n", "Bytes that are allocated when it is bound", "series", "stock" }
		{ printf "%-44s %8d %8d\n", $2 == "-" ? $1 ", all" : "  by " $2, $3, $4 }'
}

report_size()
{
	report_modules modules-untraced "Modules, bytes"
	report_modules modules "with trace events"
	report_memory
	printf '\nLines of code more than the base has: series %d, stock %d\n' \
		$(($(code_lines series) - $(code_lines base))) $(($(code_lines stock) - $(code_lines base)))
}
