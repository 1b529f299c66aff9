#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""endure.py MINUTES: about twice in a minute of the guest's time, the PF driver is killed
and started again, and so are the drivers of two VFs. DPDK sends packets from VF to VF
for half a minute, and other programs open two more VFs all the time, with the token, with
a wrong one and without. Prints KTAP, a case for each minute, which fails if a packet is
lost, an open is not answered as it must be, or something counts as in use that is not.
"""
import re
import subprocess
import sys
import threading
import time
import uuid

import page

# Nothing is judged by how long it takes.
page.PATIENCE = 900
PF, SENDER, RECEIVER, WITH_TOKEN, WITHOUT = "0000:01:00.0", *("0000:01:10.%d" % n for n in (0, 2, 4, 6))
TOKEN = str(uuid.uuid4())
ADDRESS = "02:00:00:00:00:01"
SHELL = page.PROMPTS["# "]
# Held by whom opens a VF, and by the main thread while no VF may be in use.
turn = threading.Lock()
SKIPPED = 4   # exit status of vfio_leaks_test without kmemleak
opens = {"open": 0, "refused, EACCES (Permission denied)": 0}
wrong = []


class Driver(page.Terminal):
    """testpmd on one device"""
    def start(self, device, options=""):
        lines = self.type("# ", "dpdk-testpmd -l 0,%d --in-memory -m 64 -a %s --vfio-vf-token=%s -- "
                          "-i --total-num-mbufs=4096 %s" % (DRIVERS.index(device) + 1, device, TOKEN, options))
        if not any(re.match("Port 0: ", line) for line in lines):
            raise page.NotAsShown("%s: no port:\n%s" % (device, "\n".join(lines)))

    def tell(self, command):
        return "\n".join(self.type("testpmd> ", command))

    def count(self, name):
        return int(re.search(name + r": *(\d+)", self.tell("show port stats 0"))[1])

    def kill(self, device):
        subprocess.run(["pkill", "-KILL", "-f", "^dpdk-testpmd.* -a " + device], check=True)
        self.wait_for_prompt(SHELL)


DRIVERS = [PF, SENDER, RECEIVER]


def expect(answer, device, path, token=None):
    command = ["vfio_open", "-p", path, *(["-t", token] if token else []), device]
    said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False).stdout.strip()
    opens[answer] += 1
    if said != "%s: %s" % (device, answer):
        wrong.append("%s: %s, must be: %s" % (" ".join(command), said, answer))


OPEN, REFUSED = opens


def others(ended):
    while not ended.is_set():
        for path in "type1", "cdev":
            with turn:
                expect(OPEN, WITH_TOKEN, path, TOKEN)
                expect(REFUSED, WITHOUT, path, str(uuid.uuid4()))
                expect(REFUSED, WITHOUT, path)
                # Another file of a VF that is refused and one that opens are no different.
                expect(OPEN, WITHOUT, path, TOKEN)
            # The lock is not fair.
            time.sleep(0.01)


def send_packets(sender, receiver):
    """All that are sent arrive, however long it takes."""
    until, sent = time.monotonic() + 30, 0
    receiver.tell("mac_addr set 0 " + ADDRESS)
    receiver.tell("start")
    while time.monotonic() < until:
        # 8 bursts of 32
        sender.tell("start tx_first 8")
        sender.tell("stop")
        sent += 256
        lost = time.monotonic() + page.PATIENCE
        while receiver.count("RX-packets") < sent:
            if time.monotonic() > lost:
                raise page.NotAsShown("of %d packets, %d arrived" % (sent, receiver.count("RX-packets")))
    receiver.tell("stop")
    for name in "RX-missed", "RX-errors":
        if receiver.count(name):
            wrong.append("%s: %d %s" % (RECEIVER, receiver.count(name), name))
    if receiver.count("RX-packets") != sent:
        wrong.append("%d packets sent, %d received" % (sent, receiver.count("RX-packets")))
    return sent


def minute(pf, sender, receiver):
    pf.start(PF, "--no-lsc-interrupt")
    receiver.start(RECEIVER, "--forward-mode=rxonly")
    sender.start(SENDER, "--forward-mode=mac --eth-peer=0," + ADDRESS)
    sent = send_packets(sender, receiver)
    # The PF driver dies under traffic; the VFs are in use, and only the token opens the PF.
    sender.tell("set fwd txonly")
    sender.tell("start")
    pf.kill(PF)
    for path in "type1", "cdev":
        expect(REFUSED, PF, path)
        expect(REFUSED, PF, path, str(uuid.uuid4()))
    pf.start(PF, "--no-lsc-interrupt")
    sender.tell("quit")
    receiver.tell("quit")
    # Nothing counts as in use that is not.
    with turn:
        pf.kill(PF)
        for path in "type1", "cdev":
            expect(OPEN, PF, path)
    return sent


def kernel_memory():
    """Of slabs that the kernel cannot give back, in KiB"""
    with open("/proc/meminfo", encoding="ascii") as lines:
        return int(next(line for line in lines if line.startswith("SUnreclaim")).split()[1])


def no_leaks():
    told = subprocess.run(["sh", "vfio_leaks_test"], stdout=subprocess.PIPE, text=True, check=False)
    for line in told.stdout.splitlines():
        page.say(line)
    return told.returncode


def minutes_are_good(minutes):
    drivers, ended = [Driver() for _ in DRIVERS], threading.Event()
    opener = threading.Thread(target=others, args=(ended,))
    memory = []
    expect(OPEN, PF, "type1", TOKEN)
    opener.start()
    for number in range(1, minutes + 1):
        try:
            sent = minute(*drivers)
            memory.append((kernel_memory(), sum(opens.values())))
            page.say("%d packets sent and received; opens: %s; SUnreclaim: %d KiB" % (sent, opens, memory[-1][0]))
            # In ten minutes, 1 KiB lost in each open is more than this.
            grown, opened = (memory[-1][i] - memory[0][i] for i in (0, 1))
            if grown > 1024 + opened / 2:
                wrong.append("kernel memory has grown by %d KiB in %d opens" % (grown, opened))
        except (page.NotAsShown, OSError, subprocess.SubprocessError) as problem:
            wrong.append(str(problem))
        for line in "\n".join(wrong).splitlines():
            page.say(line)
        print("    %sok %d minute_%d" % ("not " if wrong else "", number, number), flush=True)
        if wrong:
            break
    ended.set()
    opener.join()
    return not wrong


def main(minutes):
    print("KTAP version 1\n1..1\n    # Subtest: endure\n    1..%d" % (minutes + 1), flush=True)
    good = minutes_are_good(minutes)
    leaks = no_leaks()
    leak_free = leaks in (0, SKIPPED)
    print("    %sok %d no_leaks%s" % ("" if leak_free else "not ", minutes + 1,
                                      " # SKIP no kmemleak" if leaks == SKIPPED else ""))
    print("%sok 1 endure" % ("" if good and leak_free else "not "), flush=True)
    return 0 if good and leak_free else 1


sys.exit(main(int(sys.argv[1])))
