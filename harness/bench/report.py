#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What bench.sh counted, as a table, as a chart, and as the ratios that the check
compares with.

report.py table|chart DIR
report.py record DIR COMPILER
report.py check DIR RECORDED COMPILER
"""
import os
import re
import sys

MARGIN = 1.02       # a ratio may be this much above the recorded one ...
OTHER_MARGIN = 1.1  # ... and this much if another compiler made the kernels


def read(path):
    """Case -> (answer, instructions), in the order of the file."""
    figures = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            fields = line.rstrip("\n").split("\t")
            if len(fields) != 3 or not fields[2].isdigit():
                sys.exit(f"error: {path}: {line.strip()}")
            figures[fields[0]] = (fields[1], int(fields[2]))
    if not figures:
        sys.exit(f"error: {path}: nothing was counted")
    return figures


def load(directory):
    series = read(os.path.join(directory, "series.1"))
    stock = read(os.path.join(directory, "stock.1"))
    if list(series) != list(stock):
        sys.exit("error: the two kernels did not run the same cases")
    cases = []
    for name, (answer, cost) in series.items():
        stock_answer, stock_cost = stock[name]
        same = answer == stock_answer
        cases.append({
            "case": name,
            "series": cost, "series_answer": answer,
            "stock": stock_cost, "stock_answer": stock_answer,
            # Two answers are two different pieces of work.
            "ratio": cost / stock_cost if same else None,
        })
    return cases


def differences(directory):
    """Figures of the second run that are not those of the first."""
    found = []
    for kernel in "series", "stock":
        first = read(os.path.join(directory, kernel + ".1"))
        second = read(os.path.join(directory, kernel + ".2"))
        for name in first:
            if first[name] != second.get(name):
                found.append({"kernel": kernel, "case": name,
                              "first": first[name][1],
                              "second": second.get(name, ("", None))[1]})
    return found


def answer_of(answer):
    return "ok" if answer == "0" else answer


def table_line(case):
    if case["ratio"] is None:
        ratio = "-"
        note = f"  stock: {answer_of(case['stock_answer'])}"
    else:
        ratio = f"{case['ratio']:.3f}"
        note = ""
    return (f"{case['case']:<46} {answer_of(case['series_answer']):<7}"
            f"{case['series']:>13,}{case['stock']:>13,}  {ratio:>7}{note}")


def per_vf(cases):
    """Instructions for each VF more, from one number of VFs to the next."""
    lines = []
    for what in "enabled", "disabled":
        steps = []
        for case in cases:
            match = re.fullmatch(rf"nvme: (\d+) VFs {what}", case["case"])
            if match:
                steps.append((int(match[1]), case["series"], case["stock"]))
        for (low, *few), (high, *many) in zip(steps, steps[1:]):
            cost = [(b - a) // (high - low) for a, b in zip(few, many)]
            name = f"nvme, each VF from {low} to {high}: {what}"
            lines.append(f"{name:<53}{cost[0]:>13,}{cost[1]:>13,}  "
                         f"{cost[0] / cost[1]:>7.3f}")
    return lines


def table(directory):
    cases = load(directory)
    heading = f"{'':<46} {'answer':<7}{'series':>13}{'stock':>13}  {'ratio':>7}"
    lines = ["Guest instructions; the least of five repetitions", "", heading]
    lines += [table_line(case) for case in cases]
    lines += [""] + per_vf(cases) + [""]
    differing = differences(directory)
    lines.append(f"{2 * len(cases)} figures were counted twice, "
                 f"{len(differing)} of them differ")
    for item in differing:
        lines.append(f"  {item['kernel']}: {item['case']}: "
                     f"{item['first']:,} and {item['second']:,}")
    return "\n".join(lines)


# ---- chart

BAR, GAP, LEFT, WIDTH = 13, 5, 340, 400     # WIDTH: of the longest bar


def colour(ratio):
    return "#2a7f62" if ratio <= 1.0 else "#c77d0a"


def chart_bar(case, y, scale):
    ratio = case["ratio"]
    width = ratio * scale
    return (f'<text x="{LEFT - 8}" y="{y + 11}" text-anchor="end">'
            f'{case["case"]}</text>'
            f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" '
            f'fill="{colour(ratio)}"/>'
            f'<text x="{LEFT + width + 5:.1f}" y="{y + 11}">{ratio:.2f}</text>')


def chart(directory):
    """Black on a white background of its own, for light and dark pages."""
    cases = [c for c in load(directory) if c["ratio"] is not None]
    top = 48
    height = top + len(cases) * (BAR + GAP) + 12
    scale = WIDTH / max(c["ratio"] for c in cases)
    one = LEFT + scale
    parts = [
        '<!-- SPDX-License-Identifier: GPL-2.0-only -->',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 60}" '
        f'height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{LEFT + WIDTH + 60}" height="{height}" fill="#ffffff"/>',
        '<text x="8" y="18" font-size="14">Guest instructions with the series, '
        'divided by those of the unpatched kernel; bars begin at 0</text>',
        f'<text x="{LEFT}" y="38" text-anchor="middle">0</text>',
        f'<text x="{one:.1f}" y="38" text-anchor="middle">1.00</text>',
    ]
    parts += [chart_bar(c, top + i * (BAR + GAP), scale)
              for i, c in enumerate(cases)]
    parts.append(f'<line x1="{one:.1f}" y1="42" x2="{one:.1f}" y2="{height - 8}" '
                 'stroke="#333333" stroke-dasharray="3,3"/>')
    parts.append('</svg>')
    return "\n".join(parts)


# ---- recorded ratios

BY_COMPILER = "# compiler: "


def record(directory, compiler):
    lines = ["# SPDX-License-Identifier: GPL-2.0-only",
             "# Ratios series / stock; written by harness/bench.sh --record",
             BY_COMPILER + compiler]
    lines += [f"{c['case']}\t{c['ratio']:.4f}"
              for c in load(directory) if c["ratio"] is not None]
    return "\n".join(lines)


def read_recorded(path):
    compiler, ratios = None, {}
    if not os.path.exists(path):
        sys.exit(f"error: {path} is not there; bench.sh --record writes it")
    with open(path, encoding="ascii") as lines:
        for line in lines.read().splitlines():
            if line.startswith(BY_COMPILER):
                compiler = line[len(BY_COMPILER):]
            elif not line.startswith("#"):
                name, ratio = line.split("\t")
                ratios[name] = float(ratio)
    return compiler, ratios


def check(directory, path, compiler):
    now = {c["case"]: c["ratio"] for c in load(directory)
           if c["ratio"] is not None}
    recorded_by, before = read_recorded(path)
    margin = MARGIN if compiler == recorded_by else OTHER_MARGIN
    bad = [f"{name}: counted now, not recorded" for name in now
           if name not in before]
    for name, ratio in before.items():
        if name not in now:
            bad.append(f"{name}: recorded, not counted now")
        elif now[name] > ratio * margin:
            bad.append(f"{name}: {now[name]:.4f}, recorded {ratio:.4f}")
    for line in bad:
        print(f"error: {line}")
    print(f"{len(now)} ratios compared with those that {recorded_by} gave; "
          f"{margin - 1:.0%} more is allowed with {compiler}: {len(bad)} wrong")
    if bad or not now:
        sys.exit(1)


def main():
    reports = {"table": table, "chart": chart}
    if len(sys.argv) == 3 and sys.argv[1] in reports:
        print(reports[sys.argv[1]](sys.argv[2]))
    elif len(sys.argv) == 4 and sys.argv[1] == "record":
        print(record(sys.argv[2], sys.argv[3]))
    elif len(sys.argv) == 5 and sys.argv[1] == "check":
        check(*sys.argv[2:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
