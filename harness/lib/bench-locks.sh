# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of the other parts
#
# Who waits for which of vfio's locks while VFs are opened and one is flooded
# with wrong tokens (contend.c). Sourced after instructions.sh.

locks=$work/locks

# count_locks IMAGE SOURCE: kernels with CONFIG_LOCK_STAT
count_locks()
{
	mkdir -p "$locks"
	vmtest -w -k "$1" -t 1200 -o "$logs/vm.locks.$2" -f "$counts/contend" \
		-c './contend && sed "s/^/lock_stat: /" /proc/lock_stat && cat /sys/kernel/tracing/trace' \
		>"$locks/$2"
	grep -q '^lock_stat: .*->device_lock: ' "$locks/$2" || die "no lock was counted"
}

# What /proc/lock_stat says of vfio's locks, and of those that they are next to.
# Times are in microseconds of the guest.
report_lock_stat()
{
	awk -v source="$1" '
		BEGIN { printf "%-34s %11s %9s %12s %9s %9s\n", source, "contentions", "wait max", "acquisitions", "hold max", "hold avg" }
		/^lock_stat: .*: +[0-9]/ {
			sub(/^lock_stat: +/, "")
			match($0, /: +[0-9]/)
			name = substr($0, 1, RSTART - 1)
			if (name !~ /pf->lock|vf_token|vfio|rs->lock|dev_set|memory_lock|(group|container)->(device|group)_lock/)
				next
			split(substr($0, RSTART + 1), f, " ")
			printf "%-34s %11d %9.1f %12d %9.1f %9.1f\n", name, f[2], f[4], f[8], f[10], f[12]
		}' "$locks/$1"
}

# How often each of the threads waited for a lock of any kind.
report_waits()
{
	awk -v source="$1" '
		/^ *(flooder|same-pf|other-pf)-.* lock_contended: / {
			thread = $1
			sub(/-[0-9]+$/, "", thread)
			sub(/^.* lock_contended: [^ ]+ /, "")
			waits[thread "\t" $0]++
		}
		END {
			for (name in waits)
				print source "\t" name "\t" waits[name] | "sort"
		}' "$locks/$1"
}

# Names of all locks that SOURCE took.
lock_names()
{
	sed -nE 's/^lock_stat: +(.*): +[0-9].*/\1/p' "$locks/$1" | sed 's/-[RW]$//' | sort -u
}

# The locks that the patches add are those that the unpatched kernel has not. It
# has rate limits, but not for each device.
check_waits()
{
	comm -23 <(lock_names series) <(lock_names stock) >"$locks/ours"
	echo '&rs->lock' >>"$locks/ours"
	report_waits series >"$locks/waits"
	[ -s "$locks/waits" ] || die "nobody waited for any lock: was that seen?"
	! awk -F '\t' '$2 == "other-pf" { print $3 }' "$locks/waits" | grep -xF -f "$locks/ours" ||
		die "openers of another PF waited for these locks of the patches"
}

report_locks()
{
	local source

	for source in series stock; do
		grep '^contend: ' "$locks/$source" | sed "s/^contend/$source/"
	done
	echo
	for source in series stock; do
		report_lock_stat "$source"
		echo
	done
	printf '%-8s %-10s %-40s %8s\n' '' thread 'waited for' times
	for source in series stock; do
		report_waits "$source"
	done | awk -F '\t' '{ printf "%-8s %-10s %-40s %8d\n", $1, $2, $3, $4 }'
}
