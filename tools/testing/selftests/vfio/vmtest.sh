#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boot a kernel in QEMU with emulated SR-IOV devices and run the vfio selftests
# there.  Devices of the host are not used.
set -euo pipefail

me=${BASH_SOURCE[0]##*/}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/testing/selftests/vfio/vmtest-initramfs.sh
. "$here/vmtest-initramfs.sh"

usage()
{
	cat <<EOT
Usage: $me -k IMAGE [option]... [test]...

Boots the kernel IMAGE with an igb PF, an nvme PF and an e1000e, and runs the
named tests (default: all) on each PF, in two virtual machines at once.  Exits
with 0 if all tests passed and the kernel did not complain.

  -k IMAGE    the kernel; its configuration needs the lines of ./config
  -d DIR      its modules, installed with INSTALL_MOD_PATH=DIR
  -b DIR      tests that are already built, statically; default: build them
  -o DIR      logs; default: a temporary directory, kept after a failure
  -a ARGS     further kernel arguments; NAME=VALUE also sets a variable for tests
  -t SECONDS  time limit, default 600
  -f FILE     copy FILE into the guest's /extra; may be repeated
  -c COMMAND  run COMMAND in /extra instead of the tests; $me exits with its status
  -n          leave all devices to the host drivers
  -m FILE     another machine: FILE is sourced, and may replace functions

BUSYBOX (statically linked) and QEMU in the environment name the programs.
EOT
	exit "$1"
}

die()
{
	printf '%s: %s\n' "$me" "$*" >&2
	exit 2
}

# --- the machine: functions that -m FILE may replace

board()
{
	QEMU=${QEMU:-qemu-system-x86_64}
	machine+=(-machine "q35,kernel-irqchip=split"
		-device "intel-iommu,intremap=on,caching-mode=on"
		-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off)
	args="no_timer_check intel_iommu=on"
}

# /dev/kvm may exist and not work: only a boot can tell.
accelerator()
{
	local log

	log=$([[ ! -w /dev/kvm ]] || timeout -k 1 5 "$QEMU" -accel kvm -machine q35 -m 256 \
		-cpu host -nodefaults -display none -no-reboot -kernel "$kernel" -serial stdio \
		-append "console=ttyS0 panic=-1" 2>&1 </dev/null || true)
	if [[ $log == *"Linux version"* ]]; then
		machine+=(-accel kvm -cpu host)
	else
		# With thread=multi, QEMU hangs when BARs are unmapped and mapped.
		machine+=(-accel "tcg,thread=single" -cpu max)
	fi
}

# add_device DEVICE [PORT OPTION]: behind its own root port
add_device()
{
	ports=$((ports + 1))
	machine+=(-device "pcie-root-port,id=port$ports,chassis=$ports,slot=$ports${2:-}"
		-device "$1,bus=port$ports,id=slot$ports")
}

devices()
{
	local vfs

	machine+=(-netdev "hubport,id=net0,hubid=0" -netdev "hubport,id=net1,hubid=0")
	add_device igb,netdev=net0,romfile=
	machine+=(-device "nvme-subsys,id=subsys"
		-drive "if=none,id=data,driver=null-co,read-zeroes=on,size=64M,snapshot=on")
	vfs=sriov_max_vfs=4,sriov_vq_flexible=8,sriov_vi_flexible=4
	# QEMU aborts if power control removes an nvme with VFs.
	add_device "nvme,serial=1,subsys=subsys,$vfs" ,power_controller_present=off
	machine+=(-device "nvme-ns,drive=data")
	add_device e1000e,netdev=net1,romfile=
}

# prepare_vm NAME: what differs between virtual machines, in vm_args
prepare_vm()
{
	vm_args=(-serial "file:$logs/console$1.log")
}

kernel_log()
{
	cat "$1"
}

# --- the run

# start_vm NAME [VARIABLES]
start_vm()
{
	touch "$logs"/{console,guest}"$1.log"
	prepare_vm "$1"
	setpriv --pdeathsig TERM timeout --foreground -k 5 "$time_limit" "$QEMU" \
		"${machine[@]}" -nodefaults -display none -no-reboot -m 2G -smp "$cpus" \
		-kernel "$kernel" -initrd "$scratch/initramfs" "${vm_args[@]}" \
		-serial "file:$logs/guest$1.log" \
		-append "$args console=${serial}0 panic=-1 kunit.enable=0 $more_args ${2:-}" \
		<"$vm_in" >"$vm_out" 2>"$logs/qemu$1.log" &
	vms+=("$1") pids+=($!)
}

show_vms()
{
	local i

	for i in "${!pids[@]}"; do
		tail -n +1 -s 0.1 -f --pid="${pids[i]}" "$logs/guest${vms[i]}.log" |
			grep --line-buffered -v '^vmtest-guest: ' || true
	done
}

fail()
{
	own_logs=
	printf '%s: %s; logs: %s\n' "$me" "$1" "$logs" >&2
	exit "${2:-1}"
}

# judge NAME QEMU_STATUS
judge()
{
	local log=$logs/console$1.log status=0

	kernel_log "$log" >"$scratch/log"
	grep -aE -m 1 -A 25 "$(grep -v '^#' "$here/vmtest-complaints")" \
		"$scratch/log" >&2 || status=$?
	((status)) || fail "the kernel complained (above)"
	((status == 1)) || die "cannot search $log"
	status=$(sed -n 's/^vmtest-guest: exit //p' "$logs/guest$1.log")
	[[ -n $status ]] || tail -n 15 "$log" "$logs/qemu$1.log" >&2 || true
	((${status:-$2} != 124)) || fail "not finished after $time_limit s"
	[[ -n $status ]] || fail "the guest did not finish (QEMU's exit status: $2)"
	[[ $more_args == *loglevel=* ]] || grep -aq 'Linux version' "$log" ||
		fail "no log of the kernel"
	((status == 0)) || fail "failed (the guest's exit status: $status)" "$status"
}

# shellcheck disable=SC2317 # by the trap
clean_up()
{
	[[ -z ${pids[*]} ]] || kill "${pids[@]}" 2>/dev/null || true
	[[ -z ${pids[*]} ]] || wait "${pids[@]}" 2>/dev/null || true
	rm -rf "$scratch" ${own_logs:+"$logs"}
}

BUSYBOX=${BUSYBOX:-busybox}
kernel='' modules_dir='' tests_dir='' logs='' own_logs='' command='' args='' more_args=''
serial=ttyS bind=1 time_limit=600 cpus=2 pfs=2 ports=0 run="sh -c"
vm_in=/dev/null vm_out=/dev/null
# Loaded before the tests in this order, those that are modules
modules=(vfio_iommu_type1 iommufd vfio-pci pci-stub pci-pf-stub e1000e igb igbvf nvme)
machine=() vm_args=() files=() extra=() tests=() vms=() pids=() statuses=()

while getopts k:d:b:o:a:t:f:c:m:nh option; do
	case $option in
	k) kernel=$OPTARG ;;
	d) modules_dir=$OPTARG ;;
	b) tests_dir=$OPTARG ;;
	o) logs=$OPTARG ;;
	a) more_args+=" $OPTARG" ;;
	t) time_limit=$OPTARG ;;
	f) extra+=("$OPTARG") ;;
	c) command=$OPTARG ;;
	m) files+=("$OPTARG") ;;
	n) bind=0 ;;
	h) usage 0 ;;
	*) usage 2 >&2 ;;
	esac
done
shift $((OPTIND - 1))
tests=("$@")
for file in "${files[@]}"; do
	# shellcheck disable=SC1090 # given by -m
	. "$file"
done
[[ -r $kernel ]] || die "no kernel image; use -k IMAGE (-h for help)"
[[ $(ldd "$(command -v "$BUSYBOX")" 2>&1) != *" => "* ]] || die "$BUSYBOX is not statically linked"
scratch=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
[[ -n $logs ]] || own_logs=1 logs=$(mktemp -d)
mkdir -p "$logs"
rm -f "$logs"/*.log
board
accelerator
devices
[[ -n $command ]] || choose_tests
build_initramfs
if [[ -n $command ]]; then
	start_vm ""
else
	for ((i = 1; i <= pfs; i++)); do
		start_vm ".$i" "CONF_PF=$i CONF_PFS=$pfs"
	done
fi
# Only "wait" can be interrupted.
show_vms | tee "$logs/results.log" &
wait $!
for i in "${!pids[@]}"; do
	wait "${pids[i]}" && statuses[i]=0 || statuses[i]=$?
done
pids=()
for i in "${!vms[@]}"; do
	judge "${vms[i]}" "${statuses[i]}"
done
