# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel's own tracing (trace_clock mono) saw of the same run. Its text has microseconds, rounded."""
import collections
import re

ROUNDING_NS = 1000

HEAD = re.compile(r".{16}-\d+ .*?\[(\d+)\] \S+ +(\d+)\.(\d{6}): (\w+): (.*)$")
SWITCH = re.compile(r"prev_comm=(.*) prev_pid=(\d+) prev_prio=-?\d+ prev_state=(\S+) ==> "
                    r"next_comm=(.*) next_pid=(\d+) next_prio=-?\d+")
WAKEUP = re.compile(r"comm=.* pid=(\d+) ")

# number: the switch's, both tasks of it have the same; whether the task goes (out) or comes; the other task
Step = collections.namedtuple("Step", "number ts out cpu other comm state")


class Trace:
    """steps: by tid, the task's switches in order, out and in alternating. wakeups: by tid, their times."""

    def __init__(self, directory):
        self.steps = collections.defaultdict(list)
        self.wakeups = collections.defaultdict(list)
        self.switches = 0
        with open(directory + "/trace", encoding="utf-8", errors="replace") as f:
            for line in f:
                self._add(line.rstrip("\n"))
        with open(directory + "/stats", encoding="utf-8") as f:
            stats = f.read()
        self.lost = sum(int(n) for n in re.findall(r"^(?:overrun|commit overrun|dropped events): (\d+)", stats, re.M))
        self.tgid = {}
        with open(directory + "/tgids", encoding="utf-8") as f:
            for line in f:
                tid, tgid = line.split()
                self.tgid[int(tid)] = int(tgid)
        with open(directory + "/kthreads", encoding="utf-8") as f:
            self.kthreads = {int(line) for line in f}

    def _add(self, line):
        head = HEAD.match(line)
        if not head:
            raise ValueError("the kernel's trace has: " + line)
        ts = int(head[2]) * 1000000000 + int(head[3]) * 1000
        cpu = int(head[1])
        if head[4] == "sched_switch":
            comm, prev, state, next_comm, next_tid = SWITCH.match(head[5]).groups()
            self.switches += 1
            # The idle tasks of all CPUs share tid 0.
            if prev != "0":
                self.steps[int(prev)].append(Step(self.switches, ts, True, cpu, int(next_tid), next_comm, state))
            if next_tid != "0":
                self.steps[int(next_tid)].append(Step(self.switches, ts, False, cpu, int(prev), comm, ""))
        else:
            self.wakeups[int(WAKEUP.match(head[5])[1])].append(ts)
