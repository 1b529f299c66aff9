#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# BASE=linux-6.12 older.sh [--debug]: the patches of patches/fixes-7.3 that suit
# kernels before 7.3, on Debian's kernel of that base, with vfio as modules; with
# --debug also that of the PCI core, on a kernel built here. With BASES=harness/fixes
# BASE=linux-6.1 the patch of patches/fixes-6.1. Part of "make fixes".
# shellcheck disable=SC2154,SC2310 # variables of the other parts; questions
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/../lib/all.sh"

state=$work/fixes
case $base in
linux-6.1) files=("$top"/patches/fixes-6.1/*.patch) kvm=() ;;
*) files=("$top"/patches/fixes-7.3/000[13]-*.patch) kvm=(kvm) ;;
esac

# build_set SET: in $state/SET, and in $state/SET.fail so that no driver_override
# can be allocated
build_set()
{
	local dir=$debian_dir/fixes-$1 file

	make_tree "$dir" stock
	[ "$1" = stock ] || for file in "${files[@]}"; do
		GIT_CEILING_DIRECTORIES=$debian_dir git -C "$dir" apply "$file"
	done
	compile_modules "$dir"
	install_modules "fixes-$1" "$state/$1"
	compile_modules "$dir" CFLAGS_vfio_pci_core.o="-include $top/harness/fixes/no-memory.h"
	install_modules "fixes-$1" "$state/$1.fail"
}

build_programs_of_fixes()
{
	gcc -O2 -Wall -Wextra -static -pthread -o "$state/race" "$top/harness/fixes/race.c"
	[ "${#kvm[@]}" = 0 ] || {
		mkdir -p "$state/include/linux"
		sed 's/\b__user\b//' "$debian_dir/source/include/uapi/linux/vfio.h" >"$state/include/linux/vfio.h"
		gcc -O2 -Wall -Wextra -static -isystem "$state/include" -o "$state/kvm_bind" "$top/harness/fixes/kvm_bind.c"
	}
}

# run SET WHAT...: what guest.sh does there
run()
{
	local name=$1 options=() option

	shift
	for option in "$state/race" "${kvm[@]/#*/$state/kvm_bind}"; do
		options+=(-f "$option")
	done
	vmtest -t 1800 -o "$logs/fixes/$name" -k "$(kernel_image)" -d "$state/$name" -m "$top/harness/fixes/kvm.sh" \
		-m "$top/harness/fixes/lost-vf.sh" "${options[@]}" -f "$top/harness/fixes/guest.sh" \
		-c "sh guest.sh $*" | tee "$state/$name.log"
	! grep '^error: ' "$state/$name.log" || die "an error in the VM"
}

# The core of PCI is no module.
build_core()
{
	checkout_src stock
	[ "$1" = stock ] || in_src apply "$top"/patches/fixes-7.3/0004-*.patch
	compile_kernel stock.plain "$state/bzImage.$1"
	checkout_src stock
}

# The selftest of 7.3 has other cases, which fail here.
run_core()
{
	vmtest -t 1800 -o "$logs/fixes/core.$1" -k "$state/bzImage.$1" -f "$top/harness/fixes/guest.sh" \
		-f "$top/work/linux-7.3/fixes/tests/vfio_pci_vf_token_test" \
		-c "sh guest.sh vfio_pci_vf_token_test" | tee "$state/core.$1.log"
}

# each_pf SET PATTERN: the line is printed for each of the two PFs
each_pf() { [ "$(grep -cE "$2" "$state/$1.log")" = 2 ] || die "$1: \"$2\" is not true of both PFs"; }

lock
ensure_packages base
mkdir -p "$state"
need debian
for name in stock fixed; do
	phase "mod-$name" "vfio as modules: $name" build_set "$name"
done
phase programs "compiling the programs" build_programs_of_fixes
for name in stock fixed; do
	phase "$name" "opens, captures, binds: $name" run "$name" rounds capture "${kvm[@]}"
	phase "$name.fail" "no driver_override can be allocated: $name" run "$name.fail" capture
	each_pf "$name" '^rounds .* illegal'
	each_pf "$name" '^capture .* 0 VFs not captured, 2 VFs enabled'
done
each_pf stock.fail '^capture .* 2 VFs not captured, 2 VFs enabled'
each_pf fixed.fail '^capture .* 0 VFs not captured, 0 VFs enabled'
[ "${#kvm[@]}" = 0 ] || {
	# Both PFs, in turn: the first has left one already.
	grep -qx 'kvm .*Invalid argument; 1 virtual machines left' "$state/stock.log" ||
		die "stock: no reference to a KVM is lost"
	each_pf fixed '^kvm .*: second bind: Invalid argument; 0 virtual machines left'
}
[ "${1:-}" != --debug ] || {
	need stock
	for name in stock fixed; do
		phase "core-$name" "a kernel: $name" build_core "$name"
		phase "run-$name" "a reader of sriov_numvfs is killed: $name" run_core "$name"
	done
	each_pf core.stock '^not ok .*vfio_type1_iommu\.kill_numvfs_reader'
	each_pf core.fixed '^ok .*vfio_type1_iommu\.kill_numvfs_reader'
}
for name in stock fixed; do
	sed -nE "s/^(capture|kvm) /Linux $(kernel_release), $name: &/p" "$state/$name.log"
	sed -nE "s/^capture /Linux $(kernel_release), $name, no memory: &/p" "$state/$name.fail.log"
done | tee "$state/results"
