# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # variables for those who source this
#
# What every command of the harness shares: where things are, messages, phases,
# the lock, and the end of children. Sourced, never run.

# What is written and compared must not depend on who runs it.
export LC_ALL=C
umask 022

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
base=${BASE:-linux-6.12}
basedir=$top/bases/$base
work=$top/work/$base
out=$top/out/$base
logs=$out/logs
patches=$top/patches/$base
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vfio-sriov

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf 'error: %s\n' "$*" >&2
	exit 1
}

elapsed()
{
	local s=$1

	if [ "$s" -ge 60 ]; then
		printf '%d min %02d s' $((s / 60)) $((s % 60))
	else
		printf '%d s' "$s"
	fi
}

# ---- the base

known_bases()
{
	local file names=()

	for file in "$top"/bases/*/source; do
		file=${file%/source}
		names+=("${file##*/}")
	done
	echo "${names[*]}"
}

load_base()
{
	case $base in
	*/* | .*) die "BASE=$base: no such base (known: $(known_bases))" ;;
	esac
	[ -f "$basedir/source" ] || die "BASE=$base: no such base (known: $(known_bases))"
	# shellcheck source=bases/linux-6.12/source
	. "$basedir/source"
}

# ---- stamps: a thing is up to date while its inputs hash to what they did

hash_of()
{
	sha256sum | cut -d' ' -f1
}

stamp_matches()
{
	[ -f "$work/stamps/$1" ] && [ "$(cat "$work/stamps/$1")" = "$2" ]
}

set_stamp()
{
	mkdir -p "$work/stamps"
	printf '%s\n' "$2" >"$work/stamps/$1"
}

# ---- the machine

# DISK_NEEDED_MIB is here to be set by whoever wants to see the refusal.
need_disk()
{
	local need=${DISK_NEEDED_MIB:-$1} dir=$2 have

	mkdir -p "$dir"
	have=$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')
	[ "$have" -ge "$need" ] ||
		die "not enough disk space in $dir: $need MiB needed, $have MiB free"
}

# ---- one run at a time

# What the shell waits for in the background, besides a phase.
lock_pid=

lock()
{
	[ -z "${locked:-}" ] || return 0
	mkdir -p "$top/work"
	exec 9>>"$top/work/lock"
	if ! flock -n 9; then
		say "waiting for another run in this checkout to end ..."
		# Not in the foreground: a signal must be heard meanwhile.
		flock 9 &
		lock_pid=$!
		wait "$lock_pid" || die "cannot lock $top/work/lock"
		lock_pid=
	fi
	locked=1
}

# ---- phases

# A phase runs in a process group of its own, so that all of it can be ended.
phase_group=

end_phase()
{
	local i

	[ -z "$lock_pid" ] || kill "$lock_pid" 2>/dev/null || true
	[ -n "$phase_group" ] || return 0
	kill -TERM -- "-$phase_group" 2>/dev/null || true
	for ((i = 0; i < 50; i++)); do
		kill -0 -- "-$phase_group" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL -- "-$phase_group" 2>/dev/null || true
	phase_group=
}

interrupted()
{
	trap '' INT TERM HUP
	end_phase
	printf '\ninterrupted; the next run goes on from here\n' >&2
	exit "$1"
}

trap 'interrupted 130' INT
trap 'interrupted 143' TERM
trap 'interrupted 129' HUP
trap end_phase EXIT

# The lines of a log that say why it failed: our own words for it if there are
# any, else what programs say.
reason()
{
	local log=$1 pattern lines

	for pattern in '^(error|vmtest\.sh|bases/[^:]*): ' \
		'(^|[^[:alnum:]_])([Ee]rror|ERROR|WARNING|CHECK|fatal):|^E: |No space left' '[^[:space:]]'; do
		lines=$(grep -aE "$pattern" "$log" | grep -avE '^make(\[[0-9]+\])?: ' | tail -n 3 || true)
		[ -z "$lines" ] || break
	done
	printf '%s\n' "${lines:-(the log is empty)}" | cut -c 1-200 | sed 's/^error: //; s/^/    /'
}

# What a running phase has got to: the number of files compiled, if it compiles.
progress()
{
	local n

	n=$(grep -acE '^  (CC|AS|HOSTCC|LD|AR) ' "$1" || true)
	if [ "$n" != 0 ]; then
		printf ', %d files built' "$n"
		return
	fi
	n=$(grep -acE '^ *(not )?ok ' "$1" || true)
	[ "$n" = 0 ] || printf ', %d tests' "$n"
}

watch_phase()
{
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

# try_phase LOGNAME TITLE COMMAND...: run COMMAND with its output in a log, show
# that time passes, leave its exit status in phase_status. Not to be called
# where the shell ignores errexit ("if", "||"): COMMAND relies on it.
try_phase()
{
	local log=$logs/$1.log title=$2 start=$SECONDS pid

	shift 2
	mkdir -p "$logs"
	[ -t 1 ] || printf '%s\n' "$title"
	set -m
	( set +m; trap - INT TERM HUP EXIT; set -e; "$@" ) >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
	phase_group=$pid
	watch_phase "$title" "$log" "$start" "$pid"
	phase_status=0
	wait "$pid" || phase_status=$?
	end_phase
	[ ! -t 1 ] || printf '\r\033[K'
	phase_result "$title" "$log" $((SECONDS - start)) "$phase_status"
}

phase_result()
{
	local title=$1 log=$2 t=$3 status=$4 mark

	if [ "$status" != 0 ]; then
		mark="FAILED after $(elapsed "$t")"
	elif [ "$(tail -n 1 "$log" 2>/dev/null)" = "up to date" ]; then
		mark="up to date"
	else
		mark="done in $(elapsed "$t")"
	fi
	if [ -t 1 ]; then
		printf '%-58s %s\n' "$title" "$mark"
	else
		printf '    %s\n' "$mark"
	fi
	if [ "$status" != 0 ]; then
		reason "$log"
		printf '    log: %s\n' "$log"
	fi >&2
}

# shown_phase LOGNAME COMMAND...: the same for what is to be seen while it runs.
shown_phase()
{
	local log=$logs/$1.log pid status=0

	shift
	mkdir -p "$logs"
	set -m
	( set +m; trap - INT TERM HUP EXIT; set -eo pipefail; "$@" 2>&1 | tee "$log" ) </dev/null &
	pid=$!
	set +m
	phase_group=$pid
	wait "$pid" || status=$?
	end_phase
	[ "$status" = 0 ] || die "it did not end well; log: $log"
}

phase()
{
	try_phase "$@"
	[ "$phase_status" = 0 ] || exit 1
}

up_to_date()
{
	echo "up to date"
}
