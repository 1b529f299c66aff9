# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2311 # variables of the other parts; base.sh sets inherit_errexit
#
# The one way to run a command whose failure counts, a phase: in a shell and
# its own process group, with its output in a log, progress shown meanwhile
# and the reason of a failure after it. And the one way not to do again what is
# done: a stamp. Sourced after base.sh.

# ---- phases

phase_group=
# Set while what runs must not be killed, such as a package manager.
phase_must_end=

end_phase() {
	local i

	[ -z "$lock_pid" ] || kill "$lock_pid" 2>/dev/null || true
	[ -n "$phase_group" ] || return 0
	if [ -n "$phase_must_end" ] && kill -0 -- "-$phase_group" 2>/dev/null; then
		printf '\nwaiting for the package manager to end ...\n' >&2
		while kill -0 -- "-$phase_group" 2>/dev/null; do
			sleep 0.2
		done
	fi
	kill -TERM -- "-$phase_group" 2>/dev/null || true
	for ((i = 0; i < 50; i++)); do
		kill -0 -- "-$phase_group" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL -- "-$phase_group" 2>/dev/null || true
	phase_group=
}

# A command that has more to say when it is interrupted replaces this.
tell_interrupted() { printf '\ninterrupted; the next run goes on from here\n' >&2; }

interrupted() {
	trap '' INT TERM HUP
	end_phase
	tell_interrupted
	exit "$1"
}

trap 'interrupted 130' INT
trap 'interrupted 143' TERM
trap 'interrupted 129' HUP
trap end_phase EXIT

# The lines of a log that say why it failed: our own words for it if there are
# any, else what programs say; of make, only what is no echo of another's failure.
reason() {
	local log=$1 pattern lines make_goes_on='^make(\[[0-9]+\])?: ([^*]|\*\*\* (\[|Waiting))'

	for pattern in '^(error|vmtest\.sh|bases/[^:]*): ' \
		'(^|[^[:alnum:]_])([Ee]rror|ERROR|WARNING|CHECK|fatal):|^E: |No space left' '[^[:space:]]'; do
		lines=$(grep -aE "$pattern" "$log" | grep -avE "$make_goes_on" | tail -n 3 || true)
		[ -z "$lines" ] || break
	done
	printf '%s\n' "${lines:-(the log is empty)}" | cut -c 1-200 | sed 's/^error: //; s/^/    /'
}

# What a running phase has got to: the number of files compiled, if it compiles.
progress() {
	local n

	n=$(grep -acE '^ *(CC|AS|HOSTCC|LD|AR) |^\[[0-9]+/[0-9]+\] ' "$1" || true)
	if [ "$n" != 0 ]; then
		printf ', %d files built' "$n"
		return
	fi
	n=$(grep -acE '^ *(not )?ok ' "$1" || true)
	[ "$n" = 0 ] || printf ', %d tests' "$n"
}

watch_phase() {
	local title=$1 log=$2 start=$3 pid=$4 next=30 t

	while kill -0 "$pid" 2>/dev/null; do
		t=$((SECONDS - start))
		if [ -t 1 ]; then
			printf '\r%-58s %s%s\033[K' "$title" "$(elapsed $t)" "$(progress "$log")"
		elif [ "$t" -ge "$next" ]; then
			printf '    ... %s%s\n' "$(elapsed $t)" "$(progress "$log")"
			next=$((next + 30))
		fi
		sleep 0.2
	done
}

# try_phase LOGNAME TITLE COMMAND...: leaves the exit status of COMMAND in
# phase_status. COMMAND runs with errexit in force, and so must this be called:
# not where the shell ignores it ("if", "||"), as shellcheck tells. With "shown" set,
# the log is shown while it is written.
try_phase() {
	local log=$logs/$1.log title=$2 start=$SECONDS pid

	shift 2
	mkdir -p "$logs"
	[ -t 1 ] || printf '%s\n' "$title"
	: >"$log"
	set -m
	( set +m; trap - INT TERM HUP EXIT; set -e; "$@" ) >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
	phase_group=$pid
	if [ -n "${shown:-}" ]; then
		tail -n +1 -s 0.1 -f --pid="$pid" "$log" &
		wait $!
	else
		watch_phase "$title" "$log" "$start" "$pid"
	fi
	phase_status=0
	wait "$pid" || phase_status=$?
	phase_must_end=
	end_phase
	[ ! -t 1 ] || printf '\r\033[K'
	phase_result "$title" "$log" $((SECONDS - start)) "$phase_status"
}

phase_result() {
	local title=$1 log=$2 t=$3 status=$4 last mark

	last=$(tail -n 1 "$log" 2>/dev/null || true)
	if [ "$status" != 0 ]; then
		mark="FAILED after $(elapsed "$t")"
	elif [[ $last = "up to date" || $last = "kept, "* ]]; then
		mark=$last
	else
		mark="done in $(elapsed "$t")"
	fi
	if [ -t 1 ]; then
		printf '%-58s %s\n' "$title" "$mark"
	else
		printf '    %s\n' "$mark"
	fi
	sed -n 's/^note: /    note: /p' "$log"
	if [ "$status" != 0 ]; then
		reason "$log"
		printf '    log: %s\n' "$log"
	fi >&2
}

phase() {
	try_phase "$@"
	[ "$phase_status" = 0 ] || exit 1
}

up_to_date() { echo "up to date"; }

# ---- stamps: what is done, by the hash of all that it depends on

stamps=$work/stamps${KVER:+-$KVER}

stamp_matches() {
	[ -f "$stamps/$1" ] && [ "$(cat "$stamps/$1")" = "$2" ]
}

set_stamp() {
	mkdir -p "$stamps"
	printf '%s\n' "$2" >"$stamps/$1.new"
	mv "$stamps/$1.new" "$stamps/$1"
}

remove_stamp() { rm -f "$stamps/$1"; }

# unless_done NAME KEY COMMAND...: the stamp goes before COMMAND begins and comes
# back when it has succeeded, so that nothing half-made counts as done.
unless_done() {
	local name=$1 key=$2

	shift 2
	# shellcheck disable=SC2310 # a question
	if stamp_matches "$name" "$key"; then
		say "kept, from $(date -r "$stamps/$name" '+%F %H:%M')"
		return
	fi
	remove_stamp "$name"
	"$@"
	set_stamp "$name" "$key"
	say "done"
}
