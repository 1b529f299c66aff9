# SPDX-License-Identifier: GPL-2.0-only
#
# Reads KTAP, nested to any depth, and prints "pass|fail|skip<TAB>name" for
# each test case. What encloses cases is no case itself, unless it failed and
# none of its cases did. Fewer results than planned, no plan for the whole and
# "Bail out!" are failures, too: a run that was cut short must not pass. (KUnit
# plans no parameters; if some are missing, so is what encloses them.)

BEGIN { deepest = -1 }

function report(status, name) { printf "%s\t%s\n", status, name }

# The name of a case, after the program or suite that it belongs to.
function full_name(indent, name,	i, prefix) {
	for (i = indent; i >= 0; i--)
		if (i in subtest) {
			prefix = subtest[i] ": "
			break
		}
	return prefix name
}

function end_of_plan(indent,	name) {
	name = indent in subtest ? subtest[indent] : "tests"
	if (!(indent in plan) && indent)
		return
	else if (!(indent in plan))
		report("fail", name ": no plan (1..N)")
	else if (seen[indent] + 0 != plan[indent])
		report("fail", name ": " seen[indent] + 0 " results, " plan[indent] " planned")
	else
		return
	failures++
}

function close_level(indent) {
	if (indent in plan || indent in seen)
		end_of_plan(indent)
	delete plan[indent]
	delete seen[indent]
	delete subtest[indent]
}

function open_level(indent,	i) {
	for (i = deepest + 1; i <= indent; i++) {
		cases_before[i] = cases
		failures_before[i] = failures
	}
	if (indent > deepest)
		deepest = indent
}

function close_deeper(indent,	i) {
	for (i = deepest; i > indent; i--)
		close_level(i)
	if (deepest > indent)
		deepest = indent
}

function result(indent, ok, skip, name,	inner, inner_failures) {
	inner = cases - cases_before[indent]
	close_deeper(indent)
	inner_failures = failures - failures_before[indent]
	if (!inner || (!ok && !inner_failures)) {
		report(skip ? "skip" : ok ? "pass" : "fail", full_name(indent, name))
		if (!ok && !skip)
			failures++
		cases++
	}
	seen[indent]++
	cases_before[indent] = cases
	failures_before[indent] = failures
}

{
	sub(/\r$/, "")
	match($0, /^ */)
	indent = RLENGTH
	line = substr($0, indent + 1)
}

line ~ /^Bail out!/ {
	report("fail", full_name(indent, line))
	failures++
	next
}

line ~ /^# Subtest: / {
	close_deeper(indent - 1)
	open_level(indent)
	subtest[indent] = substr(line, 12)
	next
}

line ~ /^1\.\.[0-9]+/ {
	open_level(indent)
	if (indent in plan) {
		name = subtest[indent]
		close_level(indent)
		if (name != "")
			subtest[indent] = name
	}
	plan[indent] = substr(line, 4) + 0
	next
}

line ~ /^(not )?ok( |$)/ {
	open_level(indent)
	skip = line ~ /# *[Ss][Kk][Ii][Pp]/
	ok = line ~ /^ok/
	name = line
	sub(/^(not )?ok *[0-9]* *(- *)?/, "", name)
	sub(/ *# *[Ss][Kk][Ii][Pp].*/, "", name)
	result(indent, ok, skip, name)
}

END {
	close_deeper(0)
	if (!(0 in plan) && !(0 in seen))
		report("fail", "no test results at all")
	close_level(0)
}
