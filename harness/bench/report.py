#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""report.py DIR [MARGIN [COSTS]]: the table of what bench.sh counted in DIR. Fails if a
ratio is larger than MARGIN, or than MARGIN times that of the file COSTS.

VFs cost more in one run than in another: a ratio is that of the series' dearest run and
the unpatched kernel's cheapest.
"""
import sys


def rows(path):
    with open(path, encoding="ascii") as lines:
        return [line.rstrip("\n").split("\t") for line in lines if not line.startswith("#")]


def read(path):
    """Case -> answer, costs of all runs; in the order of the file."""
    figures = {}
    for name, answer, cost in rows(path):
        known, costs = figures.setdefault(name, (answer, []))
        if answer != known:
            sys.exit(f"error: {path}: {name}: {known} in one run, {answer} in another")
        costs.append(int(cost))
    return figures


series, stock = read(sys.argv[1] + "/series"), read(sys.argv[1] + "/stock")
if not series or list(series) != list(stock):
    sys.exit("error: nothing was counted, or the two kernels did not run the same cases")
ratios = {}
print(f"{'guest instructions':<46} {'answer':<7}{'series':>13}{'stock':>13}   ratio")
for name, (answer, costs) in series.items():
    stock_answer, stock_costs = stock[name]
    # Two answers are two different pieces of work.
    last = f"     -  stock: {stock_answer}"
    if answer == stock_answer:
        ratios[name] = max(costs) / min(stock_costs)
        last = f"{ratios[name]:.4f}"
    print(f"{name:<46} {answer:<7}{max(costs):>13,}{min(stock_costs):>13,}  {last}")
if len(sys.argv) > 2:
    margin, limits = float(sys.argv[2]), dict.fromkeys(ratios, 1)
    if len(sys.argv) > 3:
        limits = {name: float(ratio) for name, ratio in rows(sys.argv[3])}
    bad = 0
    for name in sorted(ratios.keys() | limits.keys()):
        now, before = ratios.get(name), limits.get(name)
        if not now or not before or now > before * margin:
            print(f"error: {name}: {now} now, {before} recorded; {margin} times as much is allowed")
            bad += 1
    print(f"{len(ratios)} ratios, {bad} of them wrong")
    sys.exit(bool(bad) or not ratios)
