#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Does what a page of docs/howto says, and sees whether what comes back is what
the page shows: page.py PAGE.md [SECONDS]. Prints KTAP, a case for each heading.
What takes SECONDS (120) for one command is taken to hang.

In a page, each block

    ```console NAME
    # command
    what it prints
    ```

is typed into the terminal NAME: a shell of its own, or the program that was
started there and has not ended. A line that begins with a prompt is typed, and
the lines after it must come back. "..." stands for any text within a line, and
for any number of lines where it is all of a line. A command that ends in a
backslash goes on in the next line. Other blocks are only to be read.
"""
import os
import pty
import re
import select
import sys
import time

# Prompts as the page shows them, and as they are: no line that a program prints
# must be taken for the shell's.
PROMPTS = {"# ": "page.py# ", "$ ": "page.py$ "}
PROMPTS.update((prompt, prompt) for prompt in ("testpmd> ", "(qemu) ", "guest:/extra# "))
AT_PROMPT = re.compile("^(%s)" % "|".join(map(re.escape, PROMPTS.values())), re.M)
# How lines are edited on a terminal.
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\b\0]")
PATIENCE = int(sys.argv[2]) if len(sys.argv) > 2 else 120


class NotAsShown(Exception):
    pass


class Terminal:
    def __init__(self):
        pid, self.fd = pty.fork()
        if pid == 0:
            os.environ.update(PS1=r"page.py\$ ", TERM="dumb")
            os.execlp("bash", "bash", "--norc", "--noediting", "-i")
        self.text = ""
        self.hangs = False
        self.prompt = None
        self.wait_for_prompt()

    def read(self):
        if select.select([self.fd], [], [], 1)[0]:
            self.text += ESCAPES.sub("", os.read(self.fd, 65536).decode(errors="replace"))

    def wait_for_prompt(self, prompt=None):
        """What comes before the next prompt, or before this one."""
        end = time.monotonic() + (0 if self.hangs else PATIENCE)
        while True:
            for match in AT_PROMPT.finditer(self.text):
                if prompt in (None, match[1]):
                    before = self.text[:match.start()]
                    self.prompt, self.text = match[1], self.text[match.end():]
                    return before
            if time.monotonic() > end:
                self.hangs = True
                raise NotAsShown("no prompt after %d s, but:\n%s" % (PATIENCE, self.text))
            self.read()

    def type(self, prompt, command):
        """The lines that come back."""
        if self.prompt != PROMPTS[prompt]:
            self.wait_for_prompt(PROMPTS[prompt])
        self.text = ""
        os.write(self.fd, command.encode() + b"\n")
        echo_and_answer = self.wait_for_prompt().split("\n", 1)
        return echo_and_answer[1].splitlines() if len(echo_and_answer) > 1 else []


class Step:
    def __init__(self, terminal, prompt, command, number):
        self.terminal, self.prompt, self.command, self.number = terminal, prompt, command, number
        self.shown = []

    def pattern(self):
        parts = []
        for line in self.shown:
            if line.strip() == "...":
                parts.append(r"(?:.*\n)*?")
            else:
                parts.append(".*?".join(map(re.escape, line.rstrip().split("..."))) + r"[ \t]*\n")
        return "".join(parts)

    def run(self, terminals):
        say("%s %s%s" % (self.terminal, self.prompt, self.command))
        if self.terminal not in terminals:
            terminals[self.terminal] = Terminal()
        answer = terminals[self.terminal].type(self.prompt, self.command)
        for line in answer:
            say("  " + line)
        if not re.fullmatch(self.pattern(), "".join(line + "\n" for line in answer)):
            raise NotAsShown("line %d and after:\n%s" % (self.number, "\n".join(self.shown)))


def say(line):
    print("    # " + line.rstrip())


def sections(page):
    """(heading, steps) for each heading that has steps."""
    found, terminal, continued = [], None, False
    for number, line in enumerate(page, 1):
        line = line.rstrip("\n")
        if terminal is None:
            if line.startswith("#"):
                found.append((line.lstrip("# "), []))
            elif line.startswith("```console"):
                terminal = line[len("```console"):].strip() or "shell"
            continue
        if line == "```":
            terminal = None
            continue
        steps = found[-1][1]
        prompt = next((prompt for prompt in PROMPTS if line.startswith(prompt)), "")
        if continued:
            steps[-1].command += line.lstrip()
        elif prompt:
            steps.append(Step(terminal, prompt, line[len(prompt):], number))
        else:
            steps[-1].shown.append(line)
        continued = bool(continued or prompt) and steps[-1].command.endswith("\\")
        if continued:
            steps[-1].command = steps[-1].command[:-1]
    return [(heading, steps) for heading, steps in found if steps]


def run_section(steps, terminals):
    try:
        for step in steps:
            step.run(terminals)
    except (NotAsShown, OSError) as problem:
        for line in str(problem).splitlines():
            say("NOT AS SHOWN: " + line)
        return False
    return True


def main(path):
    name = os.path.basename(path)
    with open(path, encoding="utf-8") as page:
        todo = sections(page)
    terminals, good = {}, bool(todo)
    print("KTAP version 1\n1..1\n    # Subtest: %s\n    1..%d" % (name, len(todo)), flush=True)
    for number, (heading, steps) in enumerate(todo, 1):
        start = time.monotonic()
        ok = run_section(steps, terminals)
        good = good and ok
        say("took %d s" % (time.monotonic() - start))
        print("    %s %d %s" % ("ok" if ok else "not ok", number, heading), flush=True)
    print("%s 1 %s" % ("ok" if good else "not ok", name), flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
