#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs the commands of a page of docs/howto and compares the output with the page:
page.py PAGE.md [SECONDS [TIMES]]. Prints KTAP, a case for each heading. A command that
takes longer than SECONDS (120) fails. The page is run TIMES.

A block that begins with "```console NAME" is typed into the terminal NAME: a shell of
its own, or the program that was started there and has not ended. Lines that begin with
a prompt are typed; the lines after them must be the output. "..." stands for any text
within a line, or for any number of lines if it is all of a line. A command that ends in
a backslash continues in the next line. A command without output must succeed. Other
blocks are not run.
"""
import collections
import os
import pty
import re
import select
import sys
import time

# Prompts as the page shows them, and as they are: no line that a program prints
# must be taken for the shell's, which also tells the exit status.
PROGRAMS = r"testpmd> |nvme> |\(qemu\) |guest:/extra# "
SHOWN_PROMPT = re.compile("[#$] |" + PROGRAMS)
PROMPT = re.compile(r"^(?:page\.py(\d+)([#$] )|(%s))" % PROGRAMS, re.M)
# A heading, or a block
PART = re.compile(r"^#+ (.*)|^```(console)?(.*)\n((?:.*\n)*?)(?:```$|\Z)", re.M)
# How lines are edited on a terminal.
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\b\0]")
PATIENCE = int(sys.argv[2]) if len(sys.argv) > 2 else 120


class NotAsShown(Exception):
    pass


class Terminal:
    def __init__(self):
        pid, self.fd = pty.fork()
        if pid == 0:
            os.environ.update(PS1=r"page.py$?\$ ", TERM="dumb")
            os.execlp("bash", "bash", "--norc", "--noediting", "-i")
        self.text, self.prompt, self.status, self.patience = "", None, None, PATIENCE
        self.wait_for_prompt()

    def wait_for_prompt(self, prompt=None):
        """What comes before the next prompt, or before this one."""
        end = time.monotonic() + self.patience
        while True:
            for match in PROMPT.finditer(self.text):
                if prompt in (None, match[2], match[3]):
                    before, self.text = self.text[:match.start()], self.text[match.end():]
                    self.status, self.prompt = match[1], match[2] or match[3]
                    return before
            if time.monotonic() > end:
                self.patience = 0
                raise NotAsShown("no prompt after %d s, but:\n%s" % (PATIENCE, self.text))
            if select.select([self.fd], [], [], 1)[0]:
                self.text += ESCAPES.sub("", os.read(self.fd, 65536).decode(errors="replace"))

    def run(self, prompt, command, shown):
        if self.prompt != prompt:
            self.wait_for_prompt(prompt)
        self.text = ""
        os.write(self.fd, command.encode() + b"\n")
        answer = self.wait_for_prompt().partition("\n")[2]
        say(answer, "  ")
        pattern = ""
        for line in shown:
            parts = map(re.escape, line.rstrip().split("..."))
            pattern += r"(?:.*\n)*?" if line.strip() == "..." else ".*?".join(parts) + r"[ \t]*\n"
        if not re.fullmatch(pattern, answer):
            raise NotAsShown("must come back:\n" + "\n".join(shown))
        if not shown and self.status not in (None, "0"):
            raise NotAsShown("exit status " + self.status)


def sections(page):
    """(heading, steps) for each heading that has steps."""
    found = []
    for heading, console, name, block in PART.findall(page):
        if heading:
            found.append((heading, []))
        for line in re.sub(r"\\\n\s*", "", block).splitlines() if console else ():
            prompt = SHOWN_PROMPT.match(line)
            if prompt:
                found[-1][1].append((name.strip() or "shell", prompt[0], line[prompt.end():], []))
            else:
                found[-1][1][-1][-1].append(line)
    return [(heading, steps) for heading, steps in found if steps]


def say(text, before=""):
    for line in text.splitlines():
        print("    # " + (before + line).rstrip())


terminals, results, path = collections.defaultdict(Terminal), set(), os.path.basename(sys.argv[1])
with open(sys.argv[1], encoding="utf-8") as page:
    todo = sections(page.read()) * (int(sys.argv[3]) if len(sys.argv) > 3 else 1)
print("KTAP version 1\n1..1\n    # Subtest: %s\n    1..%d" % (path, len(todo)), flush=True)
for number, (heading, steps) in enumerate(todo, 1):
    start, result = time.monotonic(), "ok"
    try:
        for name, prompt, command, shown in steps:
            say(prompt + command, name + " ")
            terminals[name].run(prompt, command, shown)
    except (NotAsShown, OSError) as problem:
        say(str(problem), "NOT AS SHOWN: ")
        result = "not ok"
    say("took %d s" % (time.monotonic() - start))
    print("    %s %d %s" % (result, number, heading), flush=True)
    results.add(result)
# A page without a heading has no result.
result = "ok" if results == {"ok"} else "not ok"
print("%s 1 %s" % (result, path), flush=True)
sys.exit(result != "ok")
