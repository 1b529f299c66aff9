# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2317 # variables of the other parts
#
# The checks that compile drivers/vfio, each configuration in a directory of its
# own. Sourced by review.sh.

configurations=$top/harness/review/configurations

# For any configuration: what makes compiling slow and has nothing to say about
# it ("make check" compiles allmodconfig as it is), and warnings for the report
# rather than errors.
common_lines='WERROR=n DEBUG_INFO_NONE=y KASAN=n KCSAN=n KMSAN=n UBSAN=n KCOV=n GCOV_KERNEL=n
	PROVE_LOCKING=n LOCK_STAT=n DEBUG_LOCK_ALLOC=n'

# For those of the core.
core_lines='VFIO_PLATFORM=n VFIO_AMBA=n VFIO_FSL_MC=n VFIO_CDX=n VFIO_MDEV=n MLX5_VFIO_PCI=n
	HISI_ACC_VFIO_PCI=n PDS_VFIO_PCI=n VIRTIO_VFIO_PCI=n NVGRACE_GPU_VFIO_PCI=n QAT_VFIO_PCI=n'

# use_configuration CHECK: sets build, srcarch, compiler, arguments, target and
# lines.
use_configuration()
{
	local name=$1 arch part rest prefix=

	[ "$name" != sparse ] || name=gcc
	read -r arch compiler target part rest <<<"$(sed -n "s/^$name  *//p" "$configurations")"
	[ "$part" != core ] || rest="$rest "${core_lines//[[:space:]]/ }
	read -ra lines <<<"$rest"
	build=$src/build-review-$name
	arguments=(-k W=1)
	case $arch in
	x86_64 | i386) srcarch=x86 arguments+=(ARCH="$arch") ;;
	arm64) srcarch=arm64 prefix=aarch64-linux-gnu- ;;
	s390x) srcarch=s390 prefix=s390x-linux-gnu- ;;
	esac
	[ -z "$prefix" ] || arguments+=(ARCH="$srcarch" CROSS_COMPILE="$prefix")
	[ "$compiler" != clang ] || arguments+=(LLVM=1)
	compiler=$prefix$compiler
	arguments+=(CC="ccache $compiler")
	[ "$target" != randconfig ] || arguments+=(KCONFIG_SEED="${name#rand}")
}

# All that the compiler may see, and the compiler.
inputs_build()
{
	use_configuration "$1"
	echo "$common_lines ${arguments[*]} $target ${lines[*]}"
	$compiler --version | sed -n 1p
	in_git ls-tree "$2" | grep -vE '	(Documentation|MAINTAINERS|tools)$'
}

symbol_exists()
{
	grep -rqE --include='Kconfig*' "^(menu)?config $1\$" "$src"/{arch,drivers,init,kernel,lib,virt}
}

check_lines()
{
	local line

	for line in "${lines[@]}"; do
		case $line in
		*=n) ! grep -q "^CONFIG_${line%=n}=" "$build/.config" ;;
		*) grep -qxF "CONFIG_$line" "$build/.config" ;;
		esac || ! symbol_exists "${line%=*}" || die "the configuration did not take $line"
	done
}

# configure_build COMMIT: which is checked out. What is random depends on all
# symbols that there are, so it is made of the tip, also for the base.
configure_build()
{
	local line

	mkdir -p "$build"
	{
		for line in $common_lines "${lines[@]}"; do
			[[ $line != *=n ]] || symbol_and_selectors "${line%=n}" | sed 's/.*/CONFIG_&=n/'
		done
		# The last word: VFIO selects VFIO_GROUP in some cases only.
		# shellcheck disable=SC2086 # words
		printf 'CONFIG_%s\n' $common_lines "${lines[@]}"
	} >"$build/lines"
	[ "$target" != randconfig ] || checkout_src "$to"
	kmake "$build" "${arguments[@]}" KCONFIG_ALLCONFIG="$build/lines" "$target"
	if [ "$target" = randconfig ]; then
		checkout_src "$1"
		kmake "$build" "${arguments[@]}" olddefconfig
	fi
	check_lines
}

# Warnings and errors, with paths as in the source.
problems_in()
{
	grep -aE '(^|[^-])[Ww]arning:|(^|[ :])error:' "$1" | sed 's|^\.\./||' | sort -u || true
}

# Everything is compiled, what is in ccache quickly and with the warnings it gave.
say_build()
{
	local log=$work/review.$1.log

	use_configuration "$1"
	checkout_src "$2"
	configure_build "$2" >&2
	rm -rf "$build/drivers/vfio"
	if ! kmake "$build" "${arguments[@]}" drivers/vfio/ 2>&1 | tee "$log" >&2; then
		[ "$2" != "$from" ] || die "the base does not compile"
		echo "drivers/vfio does not compile"
	fi
	problems_in "$log"
	symbols_of_no_use
	symbols_out_of_reach
}

# ---- sparse: its words have "sparse" in front, and only they count here

inputs_sparse()
{
	inputs_build "$@"
	sparse --version
}

say_sparse()
{
	local log=$work/review.$1.log

	use_configuration "$1"
	checkout_src "$2"
	configure_build "$2" >&2
	rm -rf "$build/drivers/vfio"
	kmake "$build" "${arguments[@]}" C=2 CHECK="sparse -fdiagnostic-prefix=sparse" drivers/vfio/ 2>&1 |
		tee "$log" >&2 || echo "drivers/vfio does not compile with sparse"
	grep -a ' sparse: ' "$log" | sed 's|^\.\./||' || [ $? = 1 ]
}

# ---- symbols

objects()
{
	find "$build/drivers/vfio" -name '*.o' ! -name '*.mod.o' -print0
}

# By this architecture: what one lacks another one may export.
exported()
{
	local where

	for where in ':!arch' "arch/$srcarch"; do
		in_src grep -hoE 'EXPORT_[A-Z_]*SYMBOL[A-Z_]*\([a-zA-Z0-9_]+' -- "$where"
	done | sed 's/.*(//'
}

# Names that macros make, of tracing, static calls, modules, messages and x86:
# what defines or exports them can't be seen from here.
made_by_macros='^(__(pfx|cfi|tracepoint|traceiter|probestub|SCK|SCT|ksym|mod|x86)_|bpf_trace_run[0-9]'
made_by_macros+='|(init|cleanup)_module$|__this_module$|_dev_[a-z]*$|param_ops_|atomic64_.*_cx8$)'

# Global ones that no other object uses: they should be static, or not be there.
symbols_of_no_use()
{
	comm -23 <(objects | xargs -0 nm --defined-only -g | awk 'NF == 3 { print $3 }' | sort -u) \
		<({ objects | xargs -0 nm -u | awk '$1 == "U" { print $2 }'; exported; } | sort -u) |
		sed -E "/$made_by_macros/d; s/^/symbol used nowhere else and not exported: /"
}

# Those that a module needs and no file exports.
symbols_out_of_reach()
{
	local modules=$build/drivers/vfio/modules.order

	[ -s "$modules" ] || return 0
	comm -23 <(cd "$build" && xargs nm -u <"$modules" | awk '$1 == "U" { print $2 }' | sort -u) \
		<(exported | sort -u) |
		sed -E "/$made_by_macros/d; s/^/symbol used by a module and not exported: /"
}
