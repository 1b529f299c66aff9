# SPDX-License-Identifier: GPL-2.0-only
#
# The lines of memory-guest.sh: "PF|VF EVENT: call_site=... ptr=... ...". Prints
# what was allocated and not freed: "PF|VF function bytes", a line for each
# function that allocates, and one with "-" for all of them.

function field(name)
{
	return match($0, " " name "=[^ ]*") ? substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 2) : ""
}

/alloc: call_site=/ {
	held[field("ptr")] = $1 " " field("call_site") " " field("bytes_alloc")
}

/free: call_site=/ {
	delete held[field("ptr")]
}

END {
	for (ptr in held) {
		split(held[ptr], part, " ")
		sub(/\+0x.*/, "", part[2])
		bytes[part[1] " " part[2]] += part[3]
		bytes[part[1] " -"] += part[3]
	}
	for (name in bytes)
		print name, bytes[name] | "sort"
}
