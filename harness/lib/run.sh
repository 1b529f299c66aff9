# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034,SC2311 # other parts' variables; base.sh sets inherit_errexit
#
# The one way to run a command whose failure counts, a phase: in a shell and its own
# process group, with its output in a log. And the one way not to do again what is
# done: a stamp. Sourced after base.sh.

# The phase that runs, or the last one
running=
phase_group=
# Set while what runs must not be killed, such as a package manager.
phase_must_end=

end_phase() {
	local i

	[ -n "$phase_group" ] || return 0
	if [ -z "$phase_must_end" ]; then
		kill -TERM -- "-$phase_group" 2>/dev/null || true
	elif kill -0 -- "-$phase_group" 2>/dev/null; then
		printf '\nwaiting for the package manager to end ...\n' >&2
	fi
	for ((i = 0; phase_must_end || i < 50; i++)); do
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

# What a running phase has got to: the number of files compiled, if it compiles; or what
# it waits for.
progress() {
	awk '{ last = $0 }
		/^ *(CC|AS|HOSTCC|LD|AR) |^\[[0-9]+\/[0-9]+\] / { files++ }
		/^ *(not )?ok / { tests++ }
		END { if (last ~ /^[Ww]aiting for /) printf ", %.70s", last
			else if (files) printf ", %d files built", files
			else if (tests) printf ", %d tests", tests }' "$1"
}

watch_phase() {
	local title=$1 log=$2 start=$SECONDS next=30 t

	while kill -0 "$phase_group" 2>/dev/null; do
		t=$((SECONDS - start))
		if [ -t 1 ]; then
			printf '\r%-58s %s%s\033[K' "$title" "$(elapsed $t)" "$(progress "$log")"
		elif [ "$t" -ge "$next" ]; then
			printf '    ... %s%s\n' "$(elapsed $t)" "$(progress "$log")"
			next=$((next + 30))
		fi
		sleep "0.$((t > 0 ? 2 : 0))5"
	done
}

# try_phase LOGNAME TITLE COMMAND...: leaves the exit status of COMMAND in
# phase_status. COMMAND runs with errexit in force, and so must this be called:
# not where the shell ignores it ("if", "||"), as shellcheck tells. With "shown" set,
# the log is shown while it is written.
try_phase() {
	local log=$logs/$1.log title=$2 start=$SECONDS took mark

	running=$1
	mkdir -p "$logs"
	[ -t 1 ] || printf '%s\n' "$title"
	: >"$log"
	set -m
	( set +m; trap - INT TERM HUP EXIT; set -e; "${@:3}" ) >"$log" 2>&1 </dev/null &
	phase_group=$!
	set +m
	if [ -n "${shown:-}" ]; then
		tail -n +1 -s 0.1 -f --pid="$phase_group" "$log" &
		wait $!
	else
		watch_phase "$title" "$log"
	fi
	phase_status=0
	wait "$phase_group" || phase_status=$?
	phase_must_end=
	end_phase
	took=$(elapsed $((SECONDS - start)))
	mark=$(tail -n 1 "$log")
	[[ $mark = "up to date" || $mark = "kept, "* ]] || mark="done in $took"
	[ "$phase_status" = 0 ] || mark="FAILED after $took"
	if [ -t 1 ]; then
		printf '\r%-58s %s\033[K\n' "$title" "$mark"
	else
		printf '    %s\n' "$mark"
	fi
	sed -n 's/^note: /    note: /p' "$log"
	if [ "$phase_status" != 0 ]; then
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

stamp_matches() { cmp -s "$stamps/$1" - <<<"$2"; }
set_stamp() { install -D -m 644 /dev/stdin "$stamps/$1" <<<"$2"; }
remove_stamp() { rm -f "$stamps/$1"; }

# unless_done NAME KEY COMMAND...: the stamp goes before COMMAND begins and comes
# back when it has succeeded, so that nothing half-made counts as done.
unless_done() {
	# shellcheck disable=SC2310 # a question
	if stamp_matches "$1" "$2"; then
		say "kept, from $(date -r "$stamps/$1" '+%F %H:%M')"
		return
	fi
	remove_stamp "$1"
	"${@:3}"
	set_stamp "$1" "$2"
	say "done"
}
