#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What bench.sh counted, as a table, as a chart, and as the ratios that the check
compares with.

report.py table|chart DIR
report.py record DIR COMPILER
report.py check DIR RECORDED COMPILER
report.py limit DIR RATIO   a table of one run, which fails if a ratio is larger
"""
import re
import sys

MARGIN = 1.02       # a ratio may be this much above the recorded one ...
OTHER_MARGIN = 1.1  # ... and this much if another compiler made the kernels
BY_COMPILER = "# compiler: "


def rows(path):
    with open(path, encoding="ascii") as lines:
        return [line.split("\t") for line in lines.read().splitlines()
                if not line.startswith("#")]


def read(path):
    """Case -> (answer, instructions), in the order of the file."""
    figures = {name: (answer, int(cost)) for name, answer, cost in rows(path)}
    return figures or sys.exit(f"error: {path}: nothing was counted")


def load(directory):
    """Lists of case, answer, cost, stock's answer and cost, ratio or None."""
    series, stock = read(directory + "/series.1"), read(directory + "/stock.1")
    if list(series) != list(stock):
        sys.exit("error: the two kernels did not run the same cases")
    # Two answers are two different pieces of work.
    return [(name, *ours, *stock[name],
             ours[1] / stock[name][1] if ours[0] == stock[name][0] else None)
            for name, ours in series.items()]


def ratios(directory):
    return {case[0]: case[5] for case in load(directory) if case[5] is not None}


def table_line(name, answer, cost, stock_answer, stock_cost, ratio):
    words = ["ok" if word == "0" else word for word in (answer, stock_answer)]
    last = f"{ratio:>7.3f}" if ratio is not None else f"{'-':>7}  stock: {words[1]}"
    return f"{name:<46} {words[0]:<7}{cost:>13,}{stock_cost:>13,}  {last}"


def per_vf(cases):
    """Instructions for each VF more, from one number of VFs to the next."""
    for what in "enabled", "disabled":
        steps = [(int(match[1]), case[2], case[4]) for case in cases
                 if (match := re.fullmatch(rf"nvme: (\d+) VFs {what}", case[0]))]
        for (low, *few), (high, *many) in zip(steps, steps[1:]):
            ours, stock = [(b - a) // (high - low) for a, b in zip(few, many)]
            name = f"nvme, each VF from {low} to {high}: {what}"
            yield f"{name:<53}{ours:>13,}{stock:>13,}  {ours / stock:>7.3f}"


def differences(directory):
    """Figures of the second run that are not those of the first."""
    for kernel in "series", "stock":
        second = read(f"{directory}/{kernel}.2")
        for name, first in read(f"{directory}/{kernel}.1").items():
            if first != second.get(name):
                yield f"  {kernel}: {name}: {first[1]:,} and {second.get(name, (0, 0))[1]:,}"


def table(directory):
    cases, differing = load(directory), list(differences(directory))
    print("Guest instructions; the least of five repetitions", "",
          f"{'':<46} {'answer':<7}{'series':>13}{'stock':>13}  {'ratio':>7}",
          *(table_line(*case) for case in cases), "", *per_vf(cases), "",
          f"{2 * len(cases)} figures were counted twice, {len(differing)} of them differ",
          *differing, sep="\n")


def chart(directory, bar=13, step=18, left=340, longest=400, top=48):
    cases = ratios(directory)
    scale = longest / max(cases.values())
    height, one = top + len(cases) * step + 12, round(left + scale, 1)
    print('<!-- SPDX-License-Identifier: GPL-2.0-only -->',
          f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + 480}" '
          f'height="{height}" font-family="sans-serif" font-size="12">',
          f'<rect width="{left + 480}" height="{height}" fill="#ffffff"/>',
          '<text x="8" y="18" font-size="14">Guest instructions with the series, '
          'divided by those of the unpatched kernel; bars begin at 0</text>',
          f'<text x="{left}" y="38" text-anchor="middle">0</text>',
          f'<text x="{one}" y="38" text-anchor="middle">1.00</text>', sep="\n")
    for y, (name, ratio) in zip(range(top, height, step), cases.items()):
        width = ratio * scale
        colour = "#2a7f62" if ratio <= 1.0 else "#c77d0a"
        print(f'<text x="{left - 8}" y="{y + 11}" text-anchor="end">{name}</text>'
              f'<rect x="{left}" y="{y}" width="{width:.1f}" height="{bar}" fill="{colour}"/>'
              f'<text x="{left + width + 5:.1f}" y="{y + 11}">{ratio:.2f}</text>')
    print(f'<line x1="{one}" y1="42" x2="{one}" y2="{height - 8}" '
          'stroke="#333333" stroke-dasharray="3,3"/>\n</svg>')


def record(directory, compiler):
    """The largest ratio of what was counted twice: where the figures differ from run
    to run, as for VFs, a check must not depend on which of them was recorded."""
    twice = {kernel: [read(f"{directory}/{kernel}.{run}") for run in (1, 2)]
             for kernel in ("series", "stock")}
    largest = {name: max(run[name][1] for run in twice["series"]) /
               min(run[name][1] for run in twice["stock"]) for name in ratios(directory)}
    print("# SPDX-License-Identifier: GPL-2.0-only",
          "# Ratios series / stock; written by harness/bench.sh --record",
          BY_COMPILER + compiler,
          *(f"{name}\t{ratio:.4f}" for name, ratio in largest.items()), sep="\n")


def check(directory, path, compiler):
    now, before = ratios(directory), {name: float(ratio) for name, ratio in rows(path)}
    with open(path, encoding="ascii") as lines:
        recorded_by = re.search(f"^{BY_COMPILER}(.*)", lines.read(), re.M)[1]
    margin = MARGIN if compiler == recorded_by else OTHER_MARGIN
    bad = [f"{name}: counted now, not recorded" for name in now if name not in before]
    for name, ratio in before.items():
        if name not in now:
            bad.append(f"{name}: recorded, not counted now")
        elif now[name] > ratio * margin:
            bad.append(f"{name}: {now[name]:.4f}, recorded {ratio:.4f}")
    print(*(f"error: {line}" for line in bad),
          f"{len(now)} ratios compared with those that {recorded_by} gave; "
          f"{margin - 1:.0%} more is allowed with {compiler}: {len(bad)} wrong", sep="\n")
    sys.exit(1 if bad or not now else 0)


def limit(directory, largest):
    cases = load(directory)
    print(*(table_line(*case) for case in cases), sep="\n")
    too_much = [name for name, ratio in ratios(directory).items() if ratio > float(largest)]
    print(*(f"error: {name}: more than {largest}" for name in too_much), sep="\n")
    sys.exit(bool(too_much) or not cases)


reports = {"table": (table, 1), "chart": (chart, 1), "record": (record, 2), "check": (check, 3),
           "limit": (limit, 2)}
function, arguments = reports.get((sys.argv + [""])[1], (None, 0))
if len(sys.argv) != arguments + 2:
    sys.exit(__doc__)
function(*sys.argv[2:])
