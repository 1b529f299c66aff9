# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# The pages of docs/howto, done as they say: each on a machine of its own, with
# DPDK and QEMU as Debian has them. Sourced after steps.sh.

# page_on_vm NAME IMAGE PAGE [SECONDS]
page_on_vm()
{
	vmtest_host_root "$1" "$2" -t 900 -f "$top/harness/clients/page.py" -f "$3" \
		-c "python3 page.py ${3##*/} ${4:-}" | tee "$work/$1.ktap"
}

# pages_on_vms NAME IMAGE PAGE...: all at once
pages_on_vms()
{
	local name=$1 image=$2 page pids=() pid bad=0

	shift 2
	for page in "$@"; do
		page_on_vm "$name.$(basename "$page" .md)" "$image" "$page" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || bad=1
	done
	return $bad
}

# run_pages NAME TITLE IMAGE PAGE...
run_pages()
{
	local name=$1 title=$2 page ktaps=()

	for page in "${@:4}"; do
		ktaps+=("$work/$name.$(basename "$page" .md).ktap")
	done
	rm -f "${ktaps[@]}"
	try_phase "$name" "$title" pages_on_vms "$name" "${@:3}"
	if [ "$phase_status" != 0 ]; then
		show_complaint "$logs/$name.log"
		grep -hs 'NOT AS SHOWN' "${ktaps[@]}" | head -n 10 | cut -c 1-200 >&2 || true
	fi
	cat "${ktaps[@]}" >"$work/$name.ktap"
	count_cases "$name" "$title" "$phase_status"
}

# What Debian's kernel answers in the same places is a page, too. What it does not
# refuse is red in the page that says it is refused; and then things are left open
# that others wait for, in vain.
howto_is_red_on_stock()
{
	local image red=$basedir/howto-red-on-stock

	[ -s "$red" ] || die "$red says nothing"
	image=$(image_of stock plain)
	page_on_vm howto.red "$image" "$top/docs/howto/qemu.md" 20 || true
	ktap_cases "$work/howto.red.ktap" >"$work/howto.red.cases"
	! grep -v '^#' "$red" | grep -vxF -f "$work/howto.red.cases" ||
		die "these should fail on the unpatched kernel, and did not"
}

# For whoever sits at a terminal, which page.py does.
shell_on_terminal()
{
	shell="$top/harness/shell.sh --built" CMD='' \
		python3 "$top/harness/clients/page.py" "$top/harness/clients/shell.md" |
		tee "$work/howto.shell.ktap"
}

run_howto()
{
	: >"$work/howto.shell.ktap"
	try_phase howto.shell "make shell" shell_on_terminal
	count_cases howto.shell "make shell" "$phase_status"
	run_pages howto "DPDK and QEMU, as docs/howto says" "$(image_of series plain)" "$top"/docs/howto/*.md
	run_pages howto.stock "DPDK and QEMU on the unpatched kernel" "$(image_of stock plain)" \
		"$top/harness/clients/stock.md"
	step howto.red "what is not refused there is seen" howto_is_red_on_stock
}
