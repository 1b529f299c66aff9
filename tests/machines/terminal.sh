# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of vmtest.sh
#
# vmtest.sh -m host-root.sh -m terminal.sh -t 0 -c shell: a shell on this terminal,
# which QEMU makes raw. Ctrl-A x ends QEMU, whatever the guest does.

[[ -t 0 && -t 1 ]] || die "this is no terminal; give a command"
read -r rows columns <<<"$(stty size)"
[[ $rows != 0 ]] || rows=24 columns=80
more_args+=" loglevel=4 VMTEST_TERM=${TERM:-linux} VMTEST_ROWS=$rows VMTEST_COLUMNS=$columns"
vm_in=/dev/stdin vm_out=/dev/stdout

prepare_vm() {
	vm_args=(-chardev "stdio,id=console,mux=on,signal=off,logfile=$logs/console$1.log"
		-serial chardev:console)
}
