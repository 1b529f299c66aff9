# SPDX-License-Identifier: GPL-2.0-only
#
# Reads KTAP, nested to any depth, and prints "pass|fail|skip<TAB>name" for each
# test case. What encloses cases is no case itself, unless it failed and none of
# its cases did. Fewer results than planned, a subtest that passes without a case, no plan
# for the whole and "Bail out!" are failures, too: a run that was cut short must not pass.

# A case at this indentation, after the program or suite that it belongs to
function report(status, name, indent,	i, prefix) {
	for (i = 0; i <= indent; i++) {
		if (i in subtest)
			prefix = subtest[i] ": "
		if (i < indent) { cases[i]++; bad[i] += status == "fail" }
	}
	printf "%s\t%s%s\n", status, prefix, name
}

# The levels below this one end, each with as many results as it planned.
function close_deeper(indent,	i) {
	for (i = deepest; i > indent; i--) {
		if (i in plan && seen[i] + 0 != plan[i])
			report("fail", seen[i] + 0 " results, " plan[i] " planned", i)
		delete plan[i]; delete seen[i]; delete subtest[i]; cases[i] = bad[i] = 0
	}
	deepest = indent
}

{
	sub(/\r$/, "")
	match($0, /^ */)
	indent = RLENGTH
	line = substr($0, indent + 1)
}
line ~ /^Bail out!/ { report("fail", line, indent) }
line ~ /^# Subtest: / { close_deeper(indent - 1); deepest = indent; subtest[indent] = substr(line, 12) }
line ~ /^1\.\.[0-9]+/ {
	if (indent in plan) { name = subtest[indent]; close_deeper(indent - 1); if (name != "") subtest[indent] = name }
	else close_deeper(indent)
	deepest = indent
	plan[indent] = substr(line, 4) + 0
}
line ~ /^(not )?ok( |$)/ {
	empty = deepest > indent && !cases[indent]
	close_deeper(indent)
	ok = line ~ /^ok/
	skip = sub(/ *# *[Ss][Kk][Ii][Pp].*/, "", line)
	sub(/^(not )?ok *[0-9]* *(- *)?/, "", line)
	if (ok && !skip && empty) {
		ok = 0
		line = line ": no case ran"
	}
	if (!cases[indent] || (!ok && !bad[indent]))
		report(skip ? "skip" : ok ? "pass" : "fail", line, indent)
	cases[indent] = bad[indent] = 0
	seen[indent]++
}
END {
	close_deeper(0)
	if (!(0 in plan))
		report("fail", 0 in seen ? "tests: no plan (1..N)" : "no test results at all", 0)
	subtest[0] = "tests"
	close_deeper(-1)
}
