#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Judges, on the host, the dumps that tests/vm/guest-flight.sh left: flight_check.py KVMSCHED DIR.

Prints "ok NAME" or "not ok NAME: why"; a check whose dumps are not there is left out. Exit status 1 if any is
not ok.
"""
import collections
import json
import os
import re
import struct
import subprocess
import sys

import faults_check as fc
from faults_check import Recording, Wrong, u32, want

MS = 1000000


def dumps(path, name):
    found = [n for n in os.listdir(path) if re.fullmatch(name + r"\.\d+", n)]
    return [os.path.join(path, n) for n in sorted(found, key=lambda n: int(n.split(".")[1]))]


def env(r, key):
    text = r.file("metadata").decode()
    got = re.search(rf'\t{key} = (?:"(.*)"|(\S+));', text)
    return got and (got.group(1) or got.group(2))


def check_accounts(r):
    """Each vCPU's records are all there, from the number that its descriptor at the beginning says."""
    before, last, seen = {}, {}, collections.Counter()
    for e in r.records("meta"):
        if e.type == fc.VCPU:
            before.setdefault(u32(e, 12), u32(e, 16))
    for e in r.records():
        if e.type < fc.VCPU:
            v = u32(e, 12)
            want(v in before, f"{r.path}: vCPU {v} is not introduced")
            seen[v] += 1
            last[v] = max(last.get(v, 0), u32(e, 16))
        want(r.int("start_ns") <= e.ts <= (r.int("end_ns") or e.ts), f"{r.path}: a record outside of the window")
    missing = sum(last[v] - before[v] - seen[v] for v in last)
    want(missing == r.lost(), f"{r.path}: {missing} records are missing, {r.lost()} said to be lost")


def check_dump(path, lost=False):
    """A dump that was ended: sound in every respect, and it says why it is there. Returns it."""
    r = Recording(path)
    status, j, said = fc.report(path)
    want(r.begun and r.int("end_ns"), f"{path}: was not ended")
    want(status == (3 if lost else 0), f"{path}: report ends with {status}: {said}")
    want(lost or not r.lost(), f"{path}: records were lost")
    want(j["events"] == r.count() == r.int("records"), f"{path}: the events are not {r.count()}")
    want(not [n for n in os.listdir(path) if n[0] == "."], f"{path}: leftovers: {os.listdir(path)}")
    want(r.int("start_ns") <= r.int("trigger_ns") <= r.int("end_ns"), f"{path}: the trigger is outside")
    want(env(r, "trigger"), f"{path}: says no reason")
    fc.check_sums(path, j)
    fc.check_babeltrace(r)
    check_accounts(r)
    info = subprocess.run([fc.kvmsched, "info", "--json", "-i", path], capture_output=True, timeout=60, check=True)
    want(json.loads(info.stdout)["trigger"]["ns"] == r.int("trigger_ns"), f"{path}: info says another moment")
    return r


def absences(path):
    got = subprocess.run([fc.kvmsched, "timehist", "--json", "-i", path], capture_output=True, timeout=60, check=False)
    want(got.returncode in (0, 3), f"{path}: timehist ends with {got.returncode}: {got.stderr.decode()}")
    lines = [json.loads(line) for line in got.stdout.splitlines()]
    return [a for a in lines if a.get("type") == "absence"]


def by_stall(path):
    return [a for a in absences(path) if a.get("by", {}).get("comm") == "stall" and a["vm"] == "web"]


def check_stalls(path):
    """What the stall itself found on disk before it ended: the absence, going on, and that it is the cause."""
    written = 0
    late = []
    with open(os.path.join(path, "log"), encoding="ascii") as f:
        stalls = [line.split() for line in f]
    for begin, due, copy in ((int(b), int(d), c) for b, d, c in stalls):
        if copy == "none":
            continue
        copy = os.path.join(path, os.path.basename(copy))
        r = Recording(copy)
        want(not r.int("end_ns") and r.progress, f"{copy}: is not one that is being made")
        fc.check_babeltrace(r)
        gone_on = [a for a in by_stall(copy) if a["open"] and a["from_ns"] < due]
        want(len(gone_on) == 1, f"{copy}: the stall is not in it")
        want("by stall (tid" in env(r, "trigger"), f"{copy}: {env(r, 'trigger')}")
        want(r.int("trigger_ns") - gone_on[0]["from_ns"] == 20 * MS + 1, f"{copy}: not at its time")
        whole = [d for d in dumps(path, "stalled") if Recording(d).int("trigger_ns") == r.int("trigger_ns")]
        want(len(whole) == 1, f"{copy}: became {whole}")
        ended = [a for a in by_stall(whole[0]) if a["from_ns"] == gone_on[0]["from_ns"]]
        want(len(ended) == 1 and not ended[0]["open"], f"{whole[0]}: the stall has not ended")
        want(ended[0]["to_ns"] >= due, f"{whole[0]}: the stall ended before it was over")
        late.append(ended[0]["to_ns"] - r.int("trigger_ns"))
        written += 1
    want(len(stalls) == 5 and written == 5, f"{written} of {len(stalls)} stalls were on disk before they ended")
    for d in dumps(path, "stalled"):
        r = check_dump(d)
        want(r.int("end_ns") - r.int("trigger_ns") == 100 * MS, f"{d}: --after is not what was said")
    return f"{written} of {len(stalls)}, triggered {min(late) // MS} ms or more before their end"


def check_asked(path):
    first, second = (check_dump(d) for d in dumps(path, "asked"))
    for r in first, second:
        want(env(r, "trigger") == "asked for (SIGUSR1)", f"{r.path}: {env(r, 'trigger')}")
    idle = [v for v in fc.report(second.path)[1]["vcpus"] if v["vm"] == "idle"]
    want(len(idle) == 2, f"{second.path}: {len(idle)} vCPUs")
    want(not any(v.get("unknown_ns") for v in idle), f"{second.path}: a state is not known")


def check_flood(path):
    found = dumps(path, "flood")
    for d in found:
        check_dump(d)
    return f"{len(found)} dumps"


def check_room(path):
    (d,) = dumps(path, "room")
    r = check_dump(d, lost=Recording(d).lost() > 0)
    want(r.int("trigger_ns") - r.int("start_ns") < 2000 * MS, f"{d}: it goes back too far")


CHECKS = (
    ("flight: 50 ms stalls, on disk with their cause before they ended", "stalled", check_stalls),
    ("flight: SIGUSR1: whole recordings", "asked", check_asked),
    ("flight: a flood of triggers: whole recordings", "flood", check_flood),
    ("flight: little room: what is there is whole", "room", check_room),
)


def main():
    fc.kvmsched, top = sys.argv[1:]
    failed = 0
    for name, part, check in CHECKS:
        path = os.path.join(top, part)
        if not os.path.isdir(path):
            continue
        try:
            result = check(path)
            print(f"ok {name}" + (f" # {result}" if isinstance(result, str) else ""))
        except (Wrong, OSError, ValueError, KeyError, TypeError, struct.error, subprocess.SubprocessError) as e:
            failed = 1
            print(f"not ok {name}: {type(e).__name__ + ': ' if not isinstance(e, Wrong) else ''}{e}")
    return failed


sys.exit(main())
