# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of vmtest.sh
#
# vmtest.sh -m hotplug.sh: a guest that prints "vmtest-guest: unplug N" or "plug
# N" has the device in slot N unplugged or plugged.

more_args+=" VFIO_HOTPLUG=/dev/${serial}1"

# do_requests: from the guest's output to QEMU's monitor
do_requests() {
	local verb slot command

	echo '{"execute": "qmp_capabilities"}'
	while read -r _ verb slot; do
		case $verb in
		unplug) command="del slot$slot" ;;
		plug) command="add $(printf '%s\n' "${machine[@]}" | grep ",id=slot$slot\$")" ;;
		esac
		printf '{"execute": "human-monitor-command", "arguments": {"command-line": "device_%s"}}\n' "$command"
	done
}

prepare_vm() {
	local pipe=$scratch/monitor$1

	mkfifo "$pipe.in"
	ln -s "$logs/monitor$1.log" "$pipe.out"
	: >"$logs/monitor$1.log"
	vm_args=(-serial "file:$logs/console$1.log" -chardev "pipe,id=monitor,path=$pipe"
		-mon "chardev=monitor,mode=control")
	tail -n +1 -s 0.1 -f --pid=$$ "$logs/guest$1.log" |
		grep --line-buffered '^vmtest-guest: [a-z]*plug ' | do_requests 1<>"$pipe.in" &
}
