#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""draw.py race|path CASE LOG [SOURCE]: draw what guest.sh printed.

race: the first two calls that overlap, of two processes, a column each, and the
      result of the case
path: the first open that succeeds, and its close, with the file below SOURCE in
      which each function is
"""
import functools
import re
import subprocess
import sys

IOCTLS = ("vfio_group_fops_unl_ioctl", "vfio_device_fops_unl_ioctl")
# Between the ioctl and the reset; a race is easier to read without them.
DETAILS = ("vfio_df_open", "vfio_df_close", "vfio_pci_open_device", "pci_try_reset_function")
ROW = re.compile(r" *([0-9.]+) \| +\S*-(\d+) *\| *([0-9.]*)[^|]*\|  +(?:(\w+)[^(]*\(\)( \{)?|\})")


def calls(log, case, hidden=()):
    """Rows of time in ms, process, duration in ms, depth, name ("" at its end), nested."""
    rows, stacks, last = [], {}, {}
    for line in log.split(f"# trace {case}\n")[1].split("# trace ")[0].splitlines():
        match = ROW.match(line)
        if not match:
            continue
        time, process, took, name, nested = match.groups()
        stack = stacks.setdefault(process, [])
        if not name and not stack:
            continue
        shown = name or stack.pop()
        row = [float(time) * 1000, process, float(took or 0) / 1000,
               sum(above not in hidden for above in stack), name or "", bool(nested)]
        if nested:
            stack.append(name)
        if shown in hidden:
            continue
        begun = last.get(process)
        if not name and begun and begun[5]:
            # Nothing was seen inside: as if it were one line
            begun[5], begun[2] = False, row[2]
        else:
            rows.append(row)
            last[process] = row
    return rows


def text(took, depth, name, nested):
    if not name:
        return "  " * depth + "}"
    if nested:
        return "  " * depth + f"{name}() {{"
    return "  " * depth + f"{name}()" + (f"  {took:.0f} ms" if took >= 1 else "")


def race(log, case):
    rows = calls(log, case, DETAILS)
    running = {}
    for n, (_, process, _, depth, name, nested) in enumerate(rows):
        if name in IOCTLS and nested:
            running[process] = n
            if len(running) == 2:
                break
        elif not name and depth == 0:
            running.pop(process, None)
    else:
        sys.exit(f"{case}: no two calls overlap")
    start = min(running.values())
    left = rows[start][1]
    for time, process, took, depth, name, nested in rows[start:]:
        if process in running:
            column = "" if process == left else " " * 35
            print(f"{time - rows[start][0]:4.0f} ms  {column}{text(took, depth, name, nested)}")
            if not name and depth == 0:
                del running[process]
    print("\n" + re.search(rf"^(?:not )?ok .*{re.escape(case)}$", log, re.M).group())


@functools.cache
def file_of(function, source):
    found = subprocess.run(["grep", "-rlE", "--include=*.c", rf"^\w.*\b{function}\([^;]*$", "."], cwd=source,
                           stdout=subprocess.PIPE, text=True, check=False).stdout.split()
    return found[0][2:] if found else "PCI core"


def path(log, case, source):
    opener = None
    for _, process, _, depth, name, nested in calls(log, case):
        if not opener and name in IOCTLS and nested:
            opener = process
        if process == opener:
            print(f"{text(0, depth, name, nested):42}{name and file_of(name, source)}".rstrip())
            if name == "vfio_pci_sriov_put":
                return
    sys.exit(f"{case}: no open and close")


what, case_name, log_file = sys.argv[1:4]
with open(log_file, encoding="utf-8", errors="replace") as file_of_log:
    printed = file_of_log.read()
if what == "race":
    race(printed, case_name)
else:
    path(printed, case_name, sys.argv[4])
