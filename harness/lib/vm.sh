# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of the other parts
#
# Runs in a VM, all through the series' own vmtest.sh. Sourced after build.sh.

vmtest() { "$top/tools/testing/selftests/vfio/vmtest.sh" "$@"; }
get_vm() { qemu-system-x86_64 --version; }

key_vm() {
	{
		"${QEMU:-qemu-system-x86_64}" --version
		"${BUSYBOX:-busybox}" 2>&1 | sed -n 1p
		echo "${VM_ROOT:-}"
		hash_files "$top/tools/testing/selftests/vfio"/vmtest*
	} | hash_of
}

machine_dir=$top/tests/machines

# machine NAME...: options of vmtest.sh for these of them
machine() {
	local name

	options=()
	for name; do options+=(-m "$machine_dir/$name.sh"); done
}

# vm NAME KERNEL MACHINES OPTION...: runs vmtest.sh. KERNEL is a need: modules:SOURCE is
# Debian's own with these modules. MACHINES: names of files in tests/machines, a word each.
vm() {
	local options boot

	# shellcheck disable=SC2086 # words
	machine $3
	case $2 in
	modules:*) boot=(-k "$(kernel_image)" -d "$(path_modules "${2#*:}")") ;;
	*) boot=(-k "$(path_kernel "${2#kernel:}")") ;;
	esac
	vmtest "${boot[@]}" "${options[@]}" -o "$logs/vm.$1" "${@:4}"
}

# What docs/howto runs besides this machine's programs
howto_programs=(-f "$programs/vfio_open" -f "$top/package/vfio-sriov" -f "$top/tests/clients/uuidgen"
	-f "$top/tools/testing/selftests/vfio/scripts")

# vmtest_host_root NAME KERNEL OPTION...: with this machine's programs, and all
# devices as they are when it boots
vmtest_host_root() { vm "$1" "$2" host-root -n "${howto_programs[@]}" "${@:3}"; }

# must_fail COMMAND...: vmtest.sh must end with 1, a failed run; 2 means that it did not
# start one
must_fail() {
	local status=0

	# Not in the condition, where the shell ignores errexit
	"$@" &
	wait $! || status=$?
	[ "$status" = 1 ] || die "exit status $status, must be 1: $*"
}

# What the kernel complained of, as vmtest.sh showed it.
show_complaint() {
	grep -a -B 30 'the kernel complained' "$1" | grep -aE '^\[ *[0-9]+\.[0-9]+\]' |
		cut -c 1-200 | sed 's/^/    /' >&2 || true
}

# must_have_run CHECK PROGRAM...: each of them passed or failed a case. What says
# nothing is no good news.
must_have_run() {
	local check=$1 program cases bad=0

	shift
	cases=$(ktap_cases "$(ktap_of "$check")")
	for program; do
		grep -qE "^(pass|fail)	$program( |:)" <<<"$cases" ||
			{ say "error: no case of $program ran"; bad=1; }
	done
	[ "$bad" = 0 ]
}
