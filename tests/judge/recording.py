# SPDX-License-Identifier: BSD-2-Clause
"""A kvmsched recording, as babeltrace2 reads it. Shares no code with kvmsched."""
import collections
import re
import subprocess

# The bits of docs/kvmsched-ctf.5, restated.
POINT = (1, 2, 4, 8)  # mask: which points of a transition were seen
HAS_SCHEDULED_OUT, HAS_WANTS_TO_RUN = 0x10, 0x20
MASK_USER, MASK_END = 0x800, 0x2000
SCHEDULED_OUT, PREEMPTED, READY, WANTS_TO_RUN = 1, 2, 4, 8
ON_RQ, SCHED_DELAYED = 3, 4  # task: on_rq, and whether only delayed dequeue left it there
RUNNABLE_REASONS = ("PREEMPTED", "IOCTL")

FOREVER = float("inf")

LINE = re.compile(r"\[(\d+)\] \(\+[?\d]+\) \S+ (\w+): \{ cpu_id = (-?\d+) \}, \{ (.*) \}$")
FIELD = re.compile(r'(\w+) = (?:\( "(\w+)" : container = \d+ \)|\[ (.*?) \]|"((?:[^"\\]|\\.)*)"|(-?\w+))')
ELEMENT = re.compile(r"= (\w+)")
DISCARDED = re.compile(r"Tracer discarded (\d+) events? between .*/(\w+?)_\d+\" ")


class Event:
    """ts, type, ring (-1: the descriptors') and the record's fields as attributes."""

    def __init__(self, line):
        match = LINE.match(line)
        if not match:
            raise ValueError("babeltrace2 said: " + line)
        self.ts, self.type, self.ring = int(match[1]), match[2], int(match[3])
        for name, label, array, text, number in FIELD.findall(match[4]):
            if number:
                value = int(number, 0)
            elif array:
                value = [int(x, 0) for x in ELEMENT.findall(array)]
            else:
                value = label or text
            setattr(self, name, value)


class Recording:
    def __init__(self, path):
        done = subprocess.run(["babeltrace2", "--clock-cycles", "--fields=all", path],
                              capture_output=True, text=True, check=False)
        self.status = done.returncode
        self.stderr = done.stderr
        self.events = [Event(line) for line in done.stdout.splitlines()]
        self.discarded = collections.Counter()  # by ring
        for count, stream in DISCARDED.findall(done.stderr):
            self.discarded[int(stream[3:]) if stream.startswith("cpu") else -1] += int(count)
        with open(path + "/metadata", encoding="utf-8") as f:
            self.env = dict(re.findall(r"^\t(\w+) = \"?([^\";]*)\"?;", f.read(), re.M))

    def of(self, *types):
        return [e for e in self.events if e.type in types]

    def by(self, key, *types):
        """Events of these types, in lists by a field's value."""
        lists = collections.defaultdict(list)
        for e in self.of(*types):
            lists[getattr(e, key)].append(e)
        return lists

    def loaded(self):
        """By tid, [begin, end) between a bare load's entry and the entry of the put that ends it, with --loads. What
        the snapshot found loaded has been so from the beginning."""
        spans = collections.defaultdict(list)
        start = int(self.env["start_ns"])
        since = {e.tid: start for e in self.of("snap") if not e.mask & (MASK_USER | MASK_END)}
        for e in self.of("load", "put"):
            if e.type == "load":
                since[e.tid] = e.ts
            elif e.tid in since:
                spans[e.tid].append((since.pop(e.tid), e.ts))
        for tid, begin in since.items():
            spans[tid].append((begin, FOREVER))
        return spans


def runnable(out):
    return out.task & ON_RQ != 0 and not out.task & SCHED_DELAYED
