#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boot a kernel in QEMU with PCI devices that do SR-IOV, and run the vfio
# selftests there.  Nothing of the host is bound, reset or changed.
# shellcheck disable=SC2310 # what a function answers is asked for
set -euo pipefail

me=${BASH_SOURCE[0]##*/}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../../../.." && pwd)

BUSYBOX=${BUSYBOX:-busybox}
icount_pfs=igb:12
big_kernel=$((6 * 1024 * 1024))

usage()
{
	cat <<EOF
Usage: $me -k IMAGE [option]... [test]...

Boots the kernel IMAGE in QEMU with an igb PF, an nvme PF and an e1000e, and
runs the named tests (programs of this directory; all of them if none is named)
on each PF: in two machines at once, as they mostly wait for resets.  Exit
status 0 means that all passed and that the kernel did not complain.

  -k IMAGE    the kernel; its configuration needs what ./config lists
  -d DIR      the kernel's modules, as "make modules_install INSTALL_MOD_PATH=DIR"
              leaves them; default: all that is needed is built in
  -b DIR      tests that are built already (static); default: build them
  -o DIR      where the logs go: results.log, and the kernel's console*.log;
              default: a temporary directory, kept if something failed
  -f FILE     a further file for the guest, in /extra (may be repeated)
  -c COMMAND  run this in /extra of the guest in place of the tests, and pass its
              exit status on
  -r          the guest's root is the host's, which it can't write to, with what
              it writes in memory on top: the host's programs run on IMAGE
  -s          no tests but a shell, with -r, on this terminal
  -a ARGS     further kernel arguments
  -u          report the KUnit tests, too, that ran at boot
  -n          leave the devices to the host drivers, bind none to vfio-pci
  -i          one CPU that counts instructions as time (for vfio_cost_test,
              which is then the default), and the PFs that -p says
  -p PFS      for -i: igb:N, N igb PFs, and a device that no driver wants; or
              nvme:N, one nvme PF with N VFs; default $icount_pfs
  -w          two CPUs that count instructions as time, which jumps while both
              sleep: waits, as for the resets of a device, take no real time
  -m MACHINE  intel, amd, virtio: a PC with that IOMMU; default intel
              arm64: a machine with an SMMUv3, for a kernel, tests (-b) and a
              BUSYBOX of that architecture
  -t SECONDS  give up after this long; default 600
  -j LOG      no machine: did the kernel complain in this log of a console?
              Exit status 1, and what it said, if so
  -h          this text

QEMU and BUSYBOX in the environment name other programs than those in PATH.
EOF
}

die()
{
	printf '%s: %s\n' "$me" "$*" >&2
	exit 2
}

need_program()
{
	command -v "$1" >/dev/null || die "$1 not found; $2"
}

check_host()
{
	[[ -n $kernel ]] || die "no kernel given; use -k IMAGE (-h for help)"
	[[ -r $kernel ]] || die "$kernel: no such kernel image"
	need_program "$QEMU" "install it or set QEMU"
	[[ -z $host_root || $board != arm64 ]] ||
		die "-r: the programs of this machine are not for -m arm64"
	need_program "$BUSYBOX" "install busybox-static or set BUSYBOX"
	need_program cpio "install cpio"
	if [[ -n $modules_dir ]]; then
		need_program modprobe "install kmod"
	fi
	if ldd "$(command -v "$BUSYBOX")" >/dev/null 2>&1; then
		die "$BUSYBOX is not statically linked; install busybox-static"
	fi
	local devices device
	devices=$("$QEMU" -device help 2>/dev/null) ||
		die "$QEMU does not run"
	for device in igb nvme e1000e edu; do
		[[ $devices == *"name \"$device\""* ]] ||
			die "$QEMU has no device $device; QEMU 8.0 or later has"
	done
}

# ------------------------------------------------------------------ the guest

# A tree that was built in place takes its headers in place, too; one that was
# not must stay as clean as it is.
build_tests()
{
	local headers="$top"

	if [[ ! -e $top/.config ]]; then
		headers="$scratch/headers"
		mkdir -p "$headers"
	fi
	echo "# building the tests"
	{
		make -C "$top" O="$headers" headers &&
		make -C "$here" OUTPUT="$scratch/tests" \
			KHDR_INCLUDES="-isystem $headers/usr/include" \
			USERLDFLAGS=-static
	} >"$logs/build.log" 2>&1 || {
		tail -n 20 "$logs/build.log" >&2
		die "the tests don't build; all of it in $logs/build.log"
	}
}

# What is executable there; that is how make leaves them.
list_tests()
{
	find "$1" -maxdepth 1 -type f -name '*_test' -perm -u+x -printf '%f\n' |
		sort
}

choose_tests()
{
	local name known

	known=$(list_tests "$tests_dir")
	[[ -n $known ]] || die "$tests_dir: no tests there"
	if ((icount)) && ((${#tests[@]} == 0)); then
		tests=(vfio_cost_test)
	elif ((${#tests[@]} == 0)); then
		mapfile -t tests < <(grep -v '^vfio_cost_test$' <<<"$known")
	fi
	for name in "${tests[@]}"; do
		grep -qx -- "$name" <<<"$known" ||
			die "$tests_dir: no test $name there"
	done
}

write_conf()
{
	printf 'CONF_TESTS=%q\n' "${tests[*]}"
	printf 'CONF_MODULES=%q\n' "${modules_dir:+${modules[*]}}"
	printf 'CONF_COMMAND=%s\n' "'${command//\'/\'\\\'\'}'"
	printf 'CONF_KUNIT=%s\n' "$kunit"
	printf 'CONF_HOST_DRIVERS=%s\n' "$host_drivers"
	printf 'CONF_HOST_ROOT=%s\n' "$host_root"
	printf 'CONF_TERMINAL=%q\n' "$terminal"
	printf 'VFIO_ICOUNT=%s\n' "${icount/#0/}"
	printf 'CONF_RESULTS=%s\n' "/dev/${serial}1"
	if ((!icount)) && [[ $board != amd ]]; then
		printf 'VFIO_HOTPLUG=%s\n' "/dev/${serial}1"
	fi
}

# What is loaded before the tests, in this order, if the kernel has it as a module
modules=(vfio_iommu_type1 iommufd vfio-pci pci-stub pci-pf-stub e1000e igb igbvf nvme)
host_root_modules=(9p 9pnet_virtio overlay)

# add_modules DIR: modules into the guest's /lib/modules, with what they depend on.
# A module that DIR has not is built in, or the kernel does without.
add_modules()
{
	local release name file into

	release=$(basename "$modules_dir"/lib/modules/*)
	[[ -d $modules_dir/lib/modules/$release ]] ||
		die "$modules_dir: not one folder of modules in lib/modules there"
	into="$1/lib/modules/$release"
	mkdir -p "$into"
	cp "$modules_dir/lib/modules/$release"/modules.{order,builtin*} "$into/"
	[[ -z $host_root ]] || modules+=("${host_root_modules[@]}")
	for name in "${modules[@]}"; do
		modprobe -d "$modules_dir" -S "$release" --show-depends "$name" 2>/dev/null |
			sed -n 's/^insmod \([^ ]*\).*/\1/p'
	done | sort -u >"$scratch/modules"
	while read -r file; do
		case $file in
		*.xz) xz -dc "$file" ;;
		*.zst) zstd -dc "$file" ;;
		*.gz) gzip -dc "$file" ;;
		*) cat "$file" ;;
		esac >"$into/$(basename "${file%.ko*}").ko"
	done <"$scratch/modules"
	depmod -b "$1" "$release"
}

build_initramfs()
{
	local root="$scratch/root"

	mkdir -p "$root"/{bin,dev,proc,sys,tmp,tests,extra}
	cp "$(command -v "$BUSYBOX")" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	cp "$here/vmtest-guest.sh" "$root/init"
	chmod +x "$root/init"
	if [[ -n $tests_dir ]]; then
		find "$tests_dir" -maxdepth 1 -type f -perm -u+x \
			-name 'vfio_*' -exec cp {} "$root/tests/" \;
	fi
	if ((${#extra[@]})); then
		cp -r "${extra[@]}" "$root/extra/"
	fi
	[[ -z $modules_dir ]] || add_modules "$root"
	write_conf >"$root/vmtest.conf"
	(cd "$root" && find . -print0 | cpio -0 -o -H newc --quiet) \
		>"$scratch/initramfs"
}

# ---------------------------------------------------------------- the machine

# The file may be there and not work, or hang: only a boot can tell.
kvm_works()
{
	local log="$scratch/trial.log" tries pid works=1

	[[ $board != arm64 && -r /dev/kvm && -w /dev/kvm ]] || return 1
	: >"$log"
	setpriv --pdeathsig KILL "$QEMU" -accel kvm -cpu host -machine q35 \
		-m 256 -nodefaults -display none -no-reboot -kernel "$kernel" \
		-append "console=ttyS0 panic=-1" -serial "file:$log" \
		>/dev/null 2>&1 </dev/null &
	pid=$!
	for ((tries = 0; tries < 40 && works; tries++)); do
		kill -0 "$pid" 2>/dev/null || tries=40
		! grep -q 'Linux version' "$log" || works=0
		sleep 0.1
	done
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	return $works
}

# add_port NAME [OPTION]: the next root port, for a device of its own, which goes
# to the bus that is left in $bus.  AMD's IOMMU knows the devices of the root bus
# only (QEMU 10.0), so there they go.
add_port()
{
	ports=$((ports + 1))
	bus=pcie.0
	[[ $board != amd ]] || return 0
	bus=$1
	machine+=(-device "pcie-root-port,id=$1,chassis=$ports,slot=$ports${2:-}")
}

# add_device DEVICE: into the port that was added last.  Its name is the slot's:
# by that the guest may ask for it.
add_device()
{
	devices[ports]="$1,id=slot$ports"
	machine+=(-device "${devices[ports]}")
}

# Many PFs need more I/O ports than there are, unless nobody asks for any.
no_io=,io-reserve=0

add_igb_pfs()
{
	local i

	for ((i = 0; i < $1; i++)); do
		add_port "igb$i" "$no_io"
		machine+=(-netdev "hubport,id=net$i,hubid=0")
		add_device "igb,bus=$bus,netdev=net$i,romfile="
	done
}

# add_nvme_pf VFS [OPTION]: it must have queues and vectors for all of them
add_nvme_pf()
{
	local nvme_vfs="sriov_max_vfs=$1,sriov_vq_flexible=$((2 * $1))"

	nvme_vfs+=",sriov_vi_flexible=$1${2:-}"
	# QEMU keeps what has no power control; it aborts if such an nvme goes.
	add_port nvme ",power_controller_present=off"
	machine+=(-device "nvme-subsys,id=subsys")
	add_device "nvme,bus=$bus,serial=1,subsys=subsys,$nvme_vfs"
}

# Of the nvme PF and its VFs: data that go when the machine goes.
add_namespace()
{
	machine+=(-drive "if=none,id=data,driver=null-co,read-zeroes=on,size=64M,snapshot=on"
		-device "nvme-ns,drive=data")
}

add_plain_nic()
{
	add_port plain
	machine+=(-netdev "hubport,id=plainnet,hubid=0"
		-device "e1000e,bus=$bus,netdev=plainnet,romfile=")
}

# Neither PF nor VF, without I/O ports, and no driver of the kernel's wants it
add_unwanted()
{
	add_port unwanted "$no_io"
	machine+=(-device "edu,bus=$bus")
}

# add_icount_pfs igb|nvme NUMBER
add_icount_pfs()
{
	case $1 in
	igb)
		add_igb_pfs "$2"
		add_unwanted
		;;
	nvme) add_nvme_pf "$2" ",max_ioqpairs=$((2 * $2 + 8)),msix_qsize=$(($2 + 9))" ;;
	esac
}

# All of it, and as the user who runs this may read it: the guest mounts its own
# /dev, /proc, /run, /sys and /tmp over those of the host.
add_host_root()
{
	machine+=(-fsdev "local,id=root,path=/,readonly=on,security_model=none,multidevs=remap"
		-device "virtio-9p-pci,fsdev=root,mount_tag=host")
}

# A sanitizer takes memory for itself, and makes a large kernel.  Programs of the
# host want room for their files and for huge pages.
memory()
{
	local size

	size=$(stat -L -c %s "$kernel")
	if ((size > big_kernel)) || [[ -n $host_root ]]; then
		echo 2G
	else
		echo 1G
	fi
}

# Programs that poll want a CPU for themselves, and others one that is left.
cpus()
{
	if [[ -n $host_root ]]; then
		echo 4
	else
		echo 2
	fi
}

# What is common to all of its devices: sets QEMU, serial and boot_args, too.
choose_board()
{
	serial=ttyS
	case $board in
	arm64)
		QEMU=${QEMU:-qemu-system-aarch64}
		serial=ttyAMA
		machine=(-machine "virt,iommu=smmuv3,gic-version=3,its=on")
		# Without ACPI, Linux 6.12 finds the IOMMU after the ports, too
		# late to isolate what is behind them from each other.
		boot_args="pci=config_acs=11101@pci:1b36:c"
		;;
	*)
		QEMU=${QEMU:-qemu-system-x86_64}
		machine=(-machine "q35,kernel-irqchip=split")
		# On a busy host an emulated timer may tick too late for the
		# kernel's check.
		boot_args="no_timer_check"
		;;
	esac
	case $board in
	intel)
		machine+=(-device "intel-iommu,intremap=on,caching-mode=on")
		boot_args+=" intel_iommu=on"
		;;
	amd) machine+=(-device "amd-iommu,intremap=off,pt=off") ;;
	virtio) machine+=(-device virtio-iommu-pci) ;;
	esac
	# Those that have no part in interrupts: AMD's would lose them.
	case $board in
	amd | virtio)
		boot_args+=" vfio_iommu_type1.allow_unsafe_interrupts=1"
		boot_args+=" iommufd.allow_unsafe_interrupts=1"
		;;
	esac
	boot_args+=" console=${serial}0 panic=-1"
}

describe_machine()
{
	ports=0
	machine+=(-m "$(memory)" -nodefaults -display none -no-reboot)
	if ((icount)); then
		# A line on the console costs more than what is measured.
		kernel_args+=" loglevel=5"
		machine+=(-accel tcg -icount "shift=0,sleep=off" -cpu max -smp 1)
		add_icount_pfs "${icount_pfs%:*}" "${icount_pfs#*:}"
		return
	fi
	if ((warp)); then
		echo "# without KVM; waits take no time"
		# 8 ns an instruction: the CPUs take turns at each timer.
		machine+=(-accel "tcg,thread=single" -icount "shift=3,sleep=off"
			-cpu max -smp "$(cpus)")
	elif kvm_works 2>/dev/null; then
		echo "# with KVM"
		machine+=(-accel kvm -cpu host -smp "$(cpus)")
	else
		# Its threaded sister hangs when BARs come and go.
		echo "# without KVM, which is slow but works"
		machine+=(-accel "tcg,thread=single" -cpu max -smp "$(cpus)")
	fi
	# Hotplug by the ports, not by ACPI.
	[[ $board == arm64 ]] ||
		machine+=(-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off)
	add_igb_pfs 1
	add_nvme_pf 4
	add_namespace
	add_plain_nic
	[[ -z $host_root ]] || add_host_root
}

# describe_console LOG: of the kernel.  For a shell it is the terminal, which QEMU
# makes raw; Ctrl-A x ends QEMU then, whatever the guest does.
describe_console()
{
	if [[ -z $terminal ]]; then
		console_args=(-serial "file:$1")
		input=/dev/null
		output=/dev/null
	else
		console_args=(-chardev "stdio,id=console,mux=on,signal=off,logfile=$1"
			-serial "chardev:console")
		input=/dev/stdin
		output=/dev/stdout
	fi
}

# -s is for people: what they type must get there, and come back.
need_terminal()
{
	[[ -t 0 && -t 1 ]] || die "-s: this is no terminal; give a command (-c)"
	terminal="${TERM:-linux} $(stty size)"
	terminal_state=$(stty -g)
	kernel_args+=" loglevel=4"
}

# start_vm NAME [ENVIRONMENT]: its logs have this name; QEMU ends with this
# shell, whatever ends it.  The kernel hands the environment on to its init.
start_vm()
{
	: >"$logs/results$1.log"
	: >"$logs/monitor$1.log"
	mkfifo "$scratch/monitor$1.in"
	ln -s "$logs/monitor$1.log" "$scratch/monitor$1.out"
	describe_console "$logs/console$1.log"
	# In the foreground, or it can't read from a terminal.
	setpriv --pdeathsig TERM timeout --foreground -k 5 "$time_limit" \
		"$QEMU" "${machine[@]}" -kernel "$kernel" \
		-initrd "$scratch/initramfs" -append \
		"$boot_args $kernel_args ${2:-}" \
		"${console_args[@]}" \
		-serial "file:$logs/results$1.log" \
		-chardev "pipe,id=monitor,path=$scratch/monitor$1" \
		-mon "chardev=monitor,mode=control" \
		<"$input" >"$output" 2>"$logs/qemu$1.log" &
	vm_names+=("$1")
	vm_pids+=($!)
	serve_vm "$((${#vm_pids[@]} - 1))" &
}

# follow_vm NUMBER FUNCTION: give it what the guest says, as it says it: whole
# lines, until the machine is gone and all has been read.
follow_vm()
{
	local alive=1 line='' part=''

	while ((alive)); do
		kill -0 "${vm_pids[$1]}" 2>/dev/null || alive=0
		while IFS= read -r line; do
			"$2" "$part$line"
			part=''
		done
		part+=$line
		((!alive)) || sleep 0.1
	done <"$logs/results${vm_names[$1]}.log"
}

show_line()
{
	[[ $1 =~ $end_mark || $1 =~ $request ]] || printf '%s\n' "$1"
}

show_vm()
{
	follow_vm "$1" show_line
}

# What a guest may ask for: that a device is unplugged, or plugged again.
request='^vmtest-guest: (unplug|plug) ([0-9]+)$'

# do_request LINE: QEMU's answers are in the monitor's log.
do_request()
{
	local device

	[[ $1 =~ $request ]] || return 0
	device=${devices[BASH_REMATCH[2]]:-}
	case ${device:+${BASH_REMATCH[1]}} in
	unplug) tell_qemu "device_del slot${BASH_REMATCH[2]}" ;;
	plug) tell_qemu "device_add $device" ;;
	esac
}

tell_qemu()
{
	printf '{"execute": "human-monitor-command", "arguments": {"command-line": "%s"}}\n' \
		"$1" >&"$monitor"
}

serve_vm()
{
	local monitor

	exec {monitor}<>"$scratch/monitor${vm_names[$1]}.in"
	echo '{"execute": "qmp_capabilities"}' >&"$monitor"
	follow_vm "$1" do_request
}

# ------------------------------------------------------------------ the verdict

# What the kernel says when something is wrong with it.  The stacks that fault
# injection shows are none of it, nor is a failed allocation.
complaint_list=(
	'BUG:'
	'WARNING:'
	'Oops'
	'KASAN:'
	'UBSAN:'
	'KFENCE:'
	'KCSAN:'
	'INFO: task .* blocked'
	'rcu: INFO'
	'general protection fault'
	'Kernel panic'
	'possible .* (locking|dependency|deadlock)'
	'inconsistent lock state'
	'held lock freed'
	'bad unlock balance'
	'lock held when returning to user space'
	'suspicious RCU usage'
	'DEBUG_LOCKS_WARN_ON'
	'trying to register non-static key'
	'slab .*corruption'
	'(Redzone|Poison|Object padding) overwritten'
	'sleeping function called'
	'scheduling while atomic'
	'refcount_t:'
	'list_(add|del) corruption'
	'new suspected memory leaks'
	'kmemleak: (Kernel memory leak detector disabled|Cannot allocate|Memory pool empty)'
	'cannot create duplicate filename'
	'irq .*: nobody cared'
)
complaints=$(IFS="|" && echo "${complaint_list[*]}")

end_mark='^vmtest-guest: exit '

guest_status()
{
	sed -n "s/$end_mark\([0-9]*\)$/\1/p" "$logs/results$1.log"
}

# fail REASON [STATUS]: with the end of the kernel's log where that tells more
fail()
{
	keep_logs=1
	printf '%s: %s\n' "$me" "$1" >&2
	printf '%s: logs are in %s\n' "$me" "$logs" >&2
	exit "${2:-1}"
}

# Data races of other parts of the kernel are known, and none of ours: one that
# is ours has a function of vfio's at the top of one of its two stacks.  The fast
# clock is read while it changes, on purpose, by whoever calls runtime PM.  How
# many are left out is said.
without_other_races()
{
	awk -v me="$me" '
	function end_race()
	{
		if (race != "" && ours)
			printf "%s", race
		else if (race != "")
			others++
		race = ""
	}
	/BUG: KCSAN:/ {
		end_race()
		clock = /data-race in ktime_get_mono_fast_ns \/ timekeeping_update/
		ours = /(vfio|vf|pf)_/
		race = $0 "\n"
		next
	}
	race == "" { print; next }
	{ race = race $0 "\n" }
	/ (to|at) 0x[0-9a-f]+ of .* by / { top = 5 }
	top > 0 && top-- < 5 && /[ .](vfio|vf|pf)_[^ ]*\+0x/ { ours = !clock }
	/====================/ { end_race() }
	END {
		end_race()
		if (others)
			printf "# %s: %d data races of other parts of the kernel are in %s\n",
				me, others, FILENAME >"/dev/stderr"
	}' "$1"
}

# show_complaint LOG: the first one of the kernel, if there is any
show_complaint()
{
	without_other_races "$1" | grep -a -E -A 25 -e "$complaints" |
		awk 'NR <= 26 { print } END { exit !NR }'
}

# judge NAME STATUS: QEMU's exit status is no more than a hint.
judge()
{
	local status console="$logs/console$1.log"

	# A shell has the kernel's log for itself, and where instructions are
	# counted it is quiet.
	if [[ -z $terminal ]] && ((!icount)) && ! grep -a -q 'Linux version' "$console"; then
		fail "no log of the kernel (QEMU's status is $2)"
	fi
	if [[ -s $console ]] && show_complaint "$console" >&2; then
		fail "the kernel complained (above)"
	fi
	status=$(guest_status "$1")
	if [[ -z $status ]]; then
		tail -n 15 "$console" "$logs/qemu$1.log" >&2 || true
		if (($2 == 124)); then
			fail "no end after $time_limit s"
		fi
		fail "the guest did not come to its end (QEMU's status is $2)"
	fi
	[[ -z $terminal ]] || exit "$status"
	((status == 0)) || fail "failed (the guest's status is $status)" "$status"
}

# --------------------------------------------------------------------- the run

clean_up()
{
	local pid

	for pid in "${vm_pids[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	# Those that read what it says.
	wait
	[[ -z $terminal_state ]] || stty "$terminal_state"
	rm -rf "$scratch"
	if [[ -n $own_logs ]] && ((!keep_logs)); then
		rm -rf "$logs"
	fi
}

kernel='' modules_dir='' tests_dir='' logs='' own_logs='' command='' kernel_args='' kunit=''
host_drivers='' board=intel serial='' boot_args='' icount=0 warp=0 time_limit=600
keep_logs=0 scratch='' show_pid=''
host_root='' terminal='' terminal_state=''
machine=() devices=() extra=() tests=() vm_names=() vm_pids=()

while getopts k:d:b:o:f:c:a:t:j:p:m:uniwrsh option; do
	case $option in
	k) kernel=$OPTARG ;;
	d)
		[[ -d $OPTARG/lib/modules ]] || die "$OPTARG: no lib/modules there"
		modules_dir=$OPTARG
		;;
	b)
		[[ -d $OPTARG ]] || die "$OPTARG: no such directory"
		tests_dir=$OPTARG
		;;
	o) logs=$OPTARG ;;
	f)
		[[ -r $OPTARG ]] || die "$OPTARG: no such file"
		extra+=("$OPTARG")
		;;
	c) command=$OPTARG ;;
	a) kernel_args+=" $OPTARG" ;;
	t) time_limit=$OPTARG ;;
	u) kunit=1 ;;
	n) host_drivers=1 ;;
	i) icount=1 ;;
	p)
		[[ $OPTARG =~ ^(igb|nvme):[0-9]+$ ]] ||
			die "-p $OPTARG: igb:N or nvme:N is meant (-h for help)"
		icount_pfs=$OPTARG
		;;
	m)
		[[ $OPTARG =~ ^(intel|amd|virtio|arm64)$ ]] ||
			die "-m $OPTARG: no such machine (-h for help)"
		board=$OPTARG
		;;
	w) warp=1 ;;
	r) host_root=1 ;;
	s)
		host_root=1
		need_terminal
		;;
	j)
		[[ -r $OPTARG ]] || die "$OPTARG: no such file"
		! show_complaint "$OPTARG" || exit 1
		exit 0
		;;
	h)
		usage
		exit 0
		;;
	*)
		usage >&2
		exit 2
		;;
	esac
done
shift $((OPTIND - 1))
tests=("$@")
# Once is enough, and only if somebody looks.
no_kunit=kunit.enable=0
[[ -n $kunit ]] || kernel_args+=" $no_kunit"
choose_board
check_host

scratch=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if [[ -z $logs ]]; then
	logs=$(mktemp -d)
	own_logs=1
fi
mkdir -p "$logs"
logs=$(cd "$logs" && pwd)
rm -f "$logs"/{console,results,qemu,monitor}*.log

if [[ -z $tests_dir && -z $command$terminal ]]; then
	mkdir -p "$scratch/tests"
	build_tests
	tests_dir=$scratch/tests
fi
[[ -n $command$terminal ]] || choose_tests
build_initramfs
describe_machine
if [[ -n $command$terminal ]] || ((icount)); then
	start_vm ""
	show_vm 0 &
else
	start_vm .1 "CONF_PF=1 CONF_PFS=2"
	start_vm .2 "CONF_PF=2 CONF_PFS=2 $no_kunit"
	for i in 0 1; do
		show_vm $i
	done | tee "$logs/results.log" &
fi
# Only a wait can be interrupted.
show_pid=$!
wait "$show_pid"
statuses=()
for pid in "${vm_pids[@]}"; do
	status=0
	wait "$pid" || status=$?
	statuses+=("$status")
done
vm_pids=()
for i in "${!statuses[@]}"; do
	judge "${vm_names[i]}" "${statuses[i]}"
done
