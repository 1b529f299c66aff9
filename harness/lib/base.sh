# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # variables for those who source this
#
# What every command shares: where things are, messages, lists, the base, the lock.

# What is written and compared must not depend on who runs it.
export LC_ALL=C
umask 022
# A function in $(...) fails like any other.
shopt -s inherit_errexit

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
base=${BASE:-linux-6.12}
basedir=$top/${BASES:-bases}/$base
work=$top/work/$base
out=$top/out/$base
logs=$out/logs
patches=$top/patches/$base
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vfio-sriov

say() { printf '%s\n' "$@"; }

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

elapsed() {
	if [ "$1" -ge 60 ]; then
		printf '%d min %02d s' $(($1 / 60)) $(($1 % 60))
	else
		printf '%d s' "$1"
	fi
}

# read_lines ARRAY COMMAND...: the lines that COMMAND prints. Fails if COMMAND
# does; a process substitution would not.
read_lines() {
	local -n lines_read=$1
	local text

	text=$("${@:2}")
	lines_read=()
	[ -z "$text" ] || mapfile -t lines_read <<<"$text"
}

# without_comments FILE...: the lines of a list, none if there are none
without_comments() { awk '!/^#/ && NF' "$@"; }

# all_at_once FUNCTION ARGUMENT...: FUNCTION with each argument, all at the same time;
# leaves in $failed how many failed. Not to be called in a condition.
all_at_once() {
	local argument pids=() pid

	for argument in "${@:2}"; do
		"$1" "$argument" &
		pids+=($!)
	done
	failed=0
	for pid in "${pids[@]}"; do
		wait "$pid" || failed=$((failed + 1))
	done
}

hash_of() { sha256sum | cut -d' ' -f1; }

# hash_files FILE...: of their names and contents; a directory stands for all in it
hash_files() {
	find "$@" -type f ! -name '*.pyc' | sort | xargs -d '\n' sha256sum | sed "s|$top/||" | hash_of
}

# publish FILE PAGE: show a result of a command, and write it to the page where that
# names the file. The pages have the results of one base.
publish() {
	local mark="<!-- out/${1##*/} -->"

	say ""
	cat "$1"
	[ "$base" = linux-6.12 ] || return 0
	mark=$mark result=$(cat "$1") perl -0777 -i -pe \
		's/^\Q$ENV{mark}\E\n```\n\K.*?(?=^```$)/$ENV{result}\n/ms or die "no place for $ENV{mark}\n"' "$2"
}

known_bases() { (cd "$top/bases" && dirname -- */source | paste -sd ' '); }

[[ $base != */* && -f $basedir/source ]] || die "BASE=$base: no such base (known: $(known_bases))"
# shellcheck source=bases/linux-6.12/source
. "$basedir/source"

# need_disk MIB DIR: asked where something is about to be written, not before.
# DISK_NEEDED_MIB is for trying the refusal.
need_disk() {
	local need=${DISK_NEEDED_MIB:-$1} dir=$2 have

	mkdir -p "$dir"
	have=$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')
	[ "$have" -ge "$need" ] ||
		die "not enough disk space in $dir: $need MiB needed, $have MiB free"
}

# ---- one run at a time in a checkout, and one download at a time in the cache

# take_lock FD FILE WHAT: the lock's file says who has it.
take_lock() {
	local fd=$1 file=$2 what=$3

	if ! flock -n "$fd"; then
		say "waiting for $what: $(cat "$file.holder" 2>/dev/null || echo 'it is busy') ..." >&2
		# Not in the foreground: a signal must be heard meanwhile.
		setpriv --pdeathsig TERM flock "$fd" &
		wait $! || die "cannot lock $file"
	fi
	printf '%s (process %d, since %s)\n' "${0##*/}" $$ "$(date +%H:%M)" >"$file.holder"
}

lock() {
	local theirs

	[ -z "${locked:-}" ] || return 0
	# A run as root leaves files that a later run as a user cannot replace.
	theirs=$( { find "$top"/{work,out,work/lock} "$cache" -maxdepth 0 ! -writable
		find "$work" "$out" -maxdepth 2 ! -type l ! -writable; } 2>/dev/null | head -n 1 || true)
	[ -z "$theirs" ] ||
		die "$theirs belongs to $(stat -c %U "$theirs"); remove it (sudo rm -r $theirs), or run as $(stat -c %U "$theirs")"
	mkdir -p "$top/work"
	exec 9>>"$top/work/lock"
	take_lock 9 "$top/work/lock" "another run in this checkout"
	locked=1
}

# with_cache COMMAND...: no other run writes to the cache meanwhile
with_cache() {
	mkdir -p "$cache"
	exec 8>>"$cache/lock"
	take_lock 8 "$cache/lock" "another download"
	"$@"
	exec 8>&-
}
