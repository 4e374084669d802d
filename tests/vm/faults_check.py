#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Judges, on the host, the recordings that tests/vm/guest-faults.sh left: faults_check.py KVMSCHED DIR.

Reads the files itself, knowing only the format (docs/kvmsched-ctf.5), and compares that with what
`kvmsched report` and babeltrace2 say. Prints "ok NAME" or "not ok NAME: why"; a check whose recording is
not there is left out. Exit status 1 if any is not ok.
"""
import collections
import json
import os
import re
import struct
import subprocess
import sys

HEADER = struct.Struct("<I16sIQQQQQQQq")  # of a packet
HEAD = struct.Struct("<QBBH")  # of a record
OUT, IN, LOADS, LOAD, PUT, VCPU, GONE, TASK, SNAP, VM, NAME = 1, 2, 3, 4, 5, 16, 17, 18, 19, 20, 21
SIZE = {OUT: 56, IN: 56, LOADS: 56, LOAD: 56, PUT: 56, VCPU: 40, GONE: 24, TASK: 56, SNAP: 32, VM: 48, NAME: 416}
CREATED, END = 0x8000, 0x2000  # bits of a record's mask
LOSS = re.compile(r"^WARNING: Tracer discarded (\d+) event")

kvmsched = ""


class Wrong(Exception):
    """A check failed; str() says why."""


def want(condition, why):
    if not condition:
        raise Wrong(why)


Record = collections.namedtuple("Record", "ts type what mask body offset")


class Recording:
    """One directory, as its bytes are."""

    def __init__(self, path):
        self.path = path
        self.content, self.discarded = {}, collections.Counter()
        text = self.file("metadata")
        self.begun = text is not None
        if not self.begun:
            text = b""
        env = re.search(rb"env \{(.*?)\};", text, re.S)
        self.env = dict(re.findall(r"(\w+) = (\S+);", env.group(1).decode())) if env else {}
        progress = self.file(".progress")
        whole = progress and len(progress) == 24
        self.progress = struct.unpack("<QQQ", progress) if whole else None  # records, watermark, bytes
        for name in sorted(os.listdir(path)):
            if re.fullmatch(r"(cpu\d{4,}|meta)_\d{6,}", name):
                self.read_packet(name)

    def file(self, name):
        try:
            with open(os.path.join(self.path, name), "rb") as f:
                return f.read()
        except FileNotFoundError:
            return None

    def read_packet(self, name):
        data = self.file(name)
        h = HEADER.unpack_from(data)
        stream = name.split("_")[0]
        want(h[0] == 0xC1FC1FC1 and h[8] == 8 * len(data) and h[7] <= h[8], f"{name}: its header is wrong")
        self.content[stream] = self.content.get(stream, b"") + data[HEADER.size : h[7] // 8]
        self.discarded[stream] = h[6]

    def int(self, key):
        return int(self.env[key], 0)

    def records(self, stream=None):
        for s in self.content if stream is None else [stream]:
            data, at = self.content[s], 0
            while at < len(data):
                ts, kind, what, mask = HEAD.unpack_from(data, at)
                want(kind in SIZE and at + SIZE[kind] <= len(data), f"{s}: not a record at {at}")
                yield Record(ts, kind, what, mask, data[at : at + SIZE[kind]], at)
                at += SIZE[kind]

    def count(self):
        return sum(1 for _ in self.records())

    def bytes(self):
        return sum(len(c) for c in self.content.values())

    def lost(self):
        return sum(self.discarded.values())


def u32(record, offset):
    return struct.unpack_from("<I", record.body, offset)[0]


def report(path, *args, live=None):
    """Exit status, what --json printed (or the text live), stderr."""
    got = subprocess.run([kvmsched, "report", "--json", "-i", path, *args], capture_output=True, timeout=60, check=False)
    want(got.returncode in (0, 1, 3), f"{path}: report ends with {got.returncode}")
    want(live is None or got.stdout == live, f"{path}: a replay is not what live said")
    return got.returncode, json.loads(got.stdout) if got.stdout else None, got.stderr.decode()


def check_sums(path, j):
    for v in j["vcpus"]:
        states = sum(n for k, n in v.items() if k.endswith("_ns") and k != "run_delay_ns")
        want(states == j["window_ns"], f"{path}: vCPU {v['vm']}/{v['vcpu']}: states add up to {states}, window {j['window_ns']}")


def check_babeltrace(r):
    """It opens the recording, sees as many events, and complains of nothing but losses that there are."""
    got = subprocess.run(["babeltrace2", r.path], capture_output=True, timeout=60, env={**os.environ, "LC_ALL": "C"}, check=False)
    said = got.stderr.decode().splitlines()
    lost = sum(int(LOSS.match(s).group(1)) for s in said if LOSS.match(s))
    other = [s for s in said if not LOSS.match(s)]
    want(not got.returncode and not other, f"{r.path}: babeltrace2: status {got.returncode}: {other[:2]}")
    want(got.stdout.count(b"\n") == r.count(), f"{r.path}: babeltrace2 sees {got.stdout.count(10)} of {r.count()} events")
    want(lost == r.lost(), f"{r.path}: babeltrace2 sees {lost} of {r.lost()} losses")


def check_accounts(r):
    """Per vCPU and in all: produced = recorded + lost, by the kernel's own sequence numbers."""
    seen, last = collections.Counter(), {}
    for e in r.records():
        if e.type < VCPU:
            seen[u32(e, 12)] += 1
            last[u32(e, 12)] = max(last.get(u32(e, 12), 0), u32(e, 16))
        elif e.type in (SNAP, GONE):
            last[u32(e, 12)] = max(last.get(u32(e, 12), 0), u32(e, 16))
    missing = sum(last[v] - seen[v] for v in last)
    want(missing == r.lost(), f"{r.path}: by sequence numbers {missing} records are missing, {r.lost()} said to be lost")


def check_whole(path, status=0):
    """A recording that was ended and lost nothing, in every respect. Returns it and its report."""
    r = Recording(path)
    got, j, said = report(path)
    want(got == status, f"{path}: report ends with {got}: {said}")
    want(r.begun and r.int("end_ns"), f"{path}: was not ended")
    want(not r.lost() and not j["lost"], f"{path}: records were lost")
    want(j["events"] == r.count() == r.int("records"), f"{path}: the events are not {r.count()}")
    want(j["window_ns"] == r.int("end_ns") - r.int("start_ns"), f"{path}: another window")
    want(not [n for n in os.listdir(path) if n[0] == "." and n != ".log"], f"{path}: leftovers: {os.listdir(path)}")
    check_sums(path, j)
    check_accounts(r)
    check_babeltrace(r)
    return r, j


# ---- recordings of the sections ------------------------------------------------------------------


def vcpus_of(j, vm):
    return [v for v in j["vcpus"] if v["vm"] == vm]


def check_reload(path):
    _, j = check_whole(path)
    for vm in "reloaded", "again":
        got = vcpus_of(j, vm)
        want(len(got) == 2 and all(v["running_ns"] and v["absent_ns"] for v in got), f"{vm}: {got}")


def check_churn(path):
    r, j = check_whole(path)
    kinds = collections.Counter(e.type for e in r.records())
    want(kinds[VCPU] == kinds[GONE] == 1000, f"{kinds[VCPU]} vCPUs introduced, {kinds[GONE]} gone")
    want(kinds[VM] == kinds[NAME] == 20, f"{kinds[VM]} VMs introduced, {kinds[NAME]} named")
    want(len(j["vcpus"]) == 1000, f"report shows {len(j['vcpus'])} vCPUs")
    want(r.int("untracked") == 0, "vCPUs were not tracked")
    known = {u32(e, 12) for e in r.records() if e.type == VCPU}
    want(all(u32(e, 12) in known for e in r.records() if e.type < VCPU), "a vCPU was not introduced")


def check_lives(r, j):
    """absent_ns is exactly what lies before a vCPU's creation and after its end."""
    born = {u32(e, 12): e for e in r.records() if e.type == VCPU}
    gone = {u32(e, 12): e.ts for e in r.records() if e.type == GONE}
    for number, e in born.items():
        got = [v for v in j["vcpus"] if v["vm_pid"] == u32(e, 28) and v["vcpu"] == u32(e, 24)]
        absent = (e.ts - r.int("start_ns") if e.mask & CREATED else 0) + r.int("end_ns") - gone.get(number, r.int("end_ns"))
        want(len(got) == 1 and got[0]["absent_ns"] == absent, f"absent_ns is not {absent}: {got}")
    return born, gone


def check_brief(path):
    r, j = check_whole(path)
    born, gone = check_lives(r, j)
    want(len(born) == len(gone) == 1 and len(j["vcpus"]) == 1, f"{len(born)} vCPUs")
    before, after = [float(t) * 1e9 for t in r.file(".log").split()]
    tick = 2e7  # of /proc/uptime, with some to spare
    want(before - tick < min(e.ts for e in born.values()), "it was born before it was started")
    want(max(gone.values()) < after + tick, "it was gone after it had ended")


def check_killed_vm(path):
    r, j = check_whole(path)
    born, gone = check_lives(r, j)
    want(len(born) == len(gone) == 2, f"{len(born)} vCPUs, {len(gone)} gone")
    want(all(v["running_ns"] and v["absent_ns"] for v in j["vcpus"]), "not absent, or never there")


def check_loss(path):
    """Ended, but records were lost: shown in every place."""
    r = Recording(path)
    status, j, said = report(path)
    want(status == 3 and "records were lost" in said, f"report ends with {status}: {said}")
    want(r.lost() and j["lost"] == r.lost(), f"lost: {j['lost']}, by the packets {r.lost()}")
    want(j["events"] == r.count() == r.int("records"), "events")
    check_sums(path, j)
    check_accounts(r)
    check_babeltrace(r)
    want(sum(v["lost"] for v in j["vcpus"]) == r.lost(), f"the vCPUs lost {[v['lost'] for v in j['vcpus']]}, not {r.lost()}")
    want(all(not v["lost"] or v["unknown_ns"] for v in j["vcpus"]), "a vCPU lost records and nothing of it is unknown")
    return r, j


def check_ring_live(path):
    check_loss(path)
    with open(os.path.join(path, ".live.json"), "rb") as f:
        report(path, live=f.read())


def check_max_size(path):
    r, _ = check_whole(path)
    size = r.bytes()
    want(90 << 10 < size < 400 << 10, f"{size} bytes")


def check_nothing(path):
    status, j, said = report(path)
    want(status == 3 and "no vCPU matches the filter" in said and not j["vcpus"], f"report ends with {status}: {said}")
    check_babeltrace(Recording(path))


def check_top(path):
    """Interval by interval a replay says what live said; together they say what report says."""
    with open(os.path.join(path, "live.json"), encoding="utf-8") as f:
        live = [json.loads(line) for line in f]
    r, j = check_whole(os.path.join(path, "rec"))
    got = subprocess.run([kvmsched, "top", "--json", "--interval", "200ms", "-i", r.path], capture_output=True, timeout=60,
                         check=False)
    replay = [json.loads(line) for line in got.stdout.splitlines()]
    want(len(live) == len(replay) and len(live) > 10, f"{len(live)} intervals live, {len(replay)} replayed")
    for a, b in zip(live, replay):
        want(a == b, f"interval {a['interval']} differs")
    for key in "events", "window_ns":
        want(sum(d[key] for d in live) == j[key], f"{key} do not add up")
    for v in j["vcpus"]:
        for key in "preempted_ns", "halted_ns", "sleeping_ns", "switches", "reloads":
            have = sum(w[key] for d in live for w in d["vcpus"] if (w["vm_pid"], w["vcpu"]) == (v["vm_pid"], v["vcpu"]))
            want(have == v[key], f"{v['vm']}/{v['vcpu']}: {key}: {have}, not {v[key]}")
    want({v["vm"] for v in j["vcpus"]} >= {"alpha", "beta", "guest1", "guest2"}, "a VM is missing")
    for name in "guest1", "guest2":
        there = [d["interval"] for d in live if any(v["vm"] == name for v in d["vcpus"])]
        want(there and len(there) < len(live), f"{name} is there all the time, or never")
    return f"{len(live)} intervals, {len(j['vcpus'])} vCPUs"


def check_two(path):
    """Where their windows overlap, two recorders saw the same switches of each thread."""
    both = [check_whole(os.path.join(path, "..", n))[0] for n in ("two_a", "two_b")]
    begin = max(r.int("start_ns") for r in both)
    end = min(r.int("end_ns") for r in both)
    counts = [collections.Counter(u32(e, 20) for e in r.records() if e.type == OUT and begin <= e.ts < end) for r in both]
    want(counts[0].keys() == counts[1].keys(), f"threads {counts}")
    want(sum(counts[0].values()) > 50, "hardly a switch")
    want(all(abs(counts[0][t] - counts[1][t]) <= 1 for t in counts[0]), f"switches {counts}")


# ---- filters ---------------------------------------------------------------------------------------


def identity(j):
    return {(v["vm"], v["vcpu"], v["tid"]) for v in j["vcpus"]}


def check_filters(path):
    top = os.path.dirname(path)
    with open(os.path.join(top, "f_ids"), encoding="ascii") as f:
        alpha, beta, tid = f.read().split()
    _, everything = check_whole(path)
    want(len(identity(everything)) == 4, f"not four vCPUs: {identity(everything)}")
    rows = {(v["vm"], v["vcpu"], v["tid"]): v for v in everything["vcpus"]}
    for name, args, keep in (
        ("vm", ["--vm", "al*"], lambda v: v["vm"] == "alpha"),
        ("pid", ["-p", beta], lambda v: v["vm_pid"] == int(beta)),
        ("vcpu", ["--vcpu", "1,3-9"], lambda v: v["vcpu"] == 1),
        ("tid", ["-t", tid], lambda v: v["tid"] == int(tid)),
        ("cgroup", ["--cgroup", "/faults"], lambda v: v["vm"] == "beta"),
        ("and", ["--vm", "alpha", "--vm", "beta", "--vcpu", "0", "-p", alpha], lambda v: v["vm"] == "alpha" and not v["vcpu"]),
    ):
        wanted = {i for i, v in rows.items() if keep(v)}
        status, j, said = report(path, *args)
        want(status == 0 and identity(j) == wanted, f"-i {name}: {identity(j)}: {said}")
        want(all(v == rows[i] for i, v in zip(map(key, j["vcpus"]), j["vcpus"])), f"-i {name}: other numbers than without")
        live_path = os.path.join(top, "f_" + name)
        r, live = check_whole(live_path)
        want(identity(live) == wanted, f"live {name}: {identity(live)}")
        want(all(v["switches"] for v in live["vcpus"]), f"live {name}: a vCPU that never switches")
        introduced = {(u32(e, 28), u32(e, 24)) for e in r.records() if e.type == VCPU}
        named = "--vm" in args  # until user space has looked up its name, a VM is recorded
        want(named or introduced == {(rows[i]["vm_pid"], i[1]) for i in wanted}, f"live {name}: introduces {introduced}")
        want(report(live_path, *args)[1] == live, f"{name} once more changes what it had let through")
    status, j, said = report(path, "--vm", "nosuch")
    want(status == 3 and "no vCPU matches the filter" in said, f"-i: matches nothing: {status}: {said}")


def key(v):
    return v["vm"], v["vcpu"], v["tid"]


def check_cpu_filter(path):
    """-C 1 live; and of a recording of all CPUs, -C 0 and -C 1 share it out."""
    r, live = check_whole(path)
    want(all(struct.unpack_from("<H", e.body, 50)[0] == 1 for e in r.records() if e.type == OUT), "a record of another CPU")
    want(report(path, "-C", "1")[1] == live, "-C once more changes what it had let through")
    want(any(v["switches"] for v in live["vcpus"]), "no switch")
    everything = os.path.join(os.path.dirname(path), "f_all")
    parts = [report(everything, "-C", str(c))[1] for c in (0, 1)]
    whole = {key(v): v for v in report(everything)[1]["vcpus"]}
    for part in parts:
        check_sums("-C", part)
    want(all("elsewhere_ns" in v for p in [live, *parts] for v in p["vcpus"]), "no elsewhere_ns")
    want(any(v["elsewhere_ns"] for v in live["vcpus"]), "live: nothing was elsewhere")
    for v in whole.values():
        both = [w for p in parts for w in p["vcpus"] if key(w) == key(v)]
        for state in "running_ns", "user_ns":
            want(sum(w[state] for w in both) == v[state], f"{key(v)}: {state} on both CPUs is {[w[state] for w in both]}, not {v[state]}")
        want(sum(w["switches"] for w in both) == v["switches"], f"{key(v)}: switches {[w['switches'] for w in both]}, not {v['switches']}")


# ---- kill -9 ---------------------------------------------------------------------------------------


def check_killed(path, whole=None):
    """What a killed recorder left. whole: the recording that it would have become, where known. Returns
    the published count, None if there is no recording yet."""
    r = Recording(path)
    status, j, said = report(path)
    if not r.begun:
        want(status == 1 and "not a recording" in said, f"{path}: report of nothing: {status}: {said}")
        want(not r.bytes() and not (r.progress and r.progress[0]), f"{path}: records without metadata")
        return None
    ended = r.int("end_ns") != 0
    want(ended or r.progress, f"{path}: neither an end nor .progress")
    records, watermark, size = r.progress or (r.int("records"), r.int("end_ns"), r.int("event_bytes"))
    want(r.bytes() >= size and r.count() >= records, f"{path}: {r.count()} records, {records} were published")
    want(status == (0 if j["vcpus"] and not r.lost() else 3), f"{path}: report ends with {status}: {said}")
    want(ended or "the recorder was killed" in said, f"{path}: not a word of the kill: {said}")
    want(j["events"] == r.count() and j["lost"] == r.lost(), f"{path}: report has {j['events']} of {r.count()} events")
    check_sums(path, j)
    check_babeltrace(r)
    for stream, content in whole.content.items() if whole else []:
        mine = r.content.get(stream, b"")
        want(content.startswith(mine), f"{path}: {stream} is not the beginning of the whole")
        due = sum(len(e.body) for e in whole.records(stream) if e.ts < watermark)
        want(len(mine) >= due, f"{path}: {stream} has {len(mine)} of {due} bytes from before the watermark")
    return records


def check_copies(path):
    whole, _ = check_whole(os.path.join(path, "whole"))
    names = [n for n in os.listdir(path) if n not in ("whole", "log")]
    got = [check_killed(os.path.join(path, n), whole) for n in sorted(names)]
    counts = [n for n in got if n is not None]
    want(len(counts) >= 50 or path.endswith("steps") and len(counts) > 20, f"only {len(counts)} copies")
    return f"{len(got)} copies, {len(counts)} with a recording, up to {max(counts)} of {whole.count()} records published"


def check_kills(path):
    got = [check_killed(os.path.join(path, n)) for n in sorted(os.listdir(path))]
    return f"{len(got)} kills, published {[n for n in got]}"


CHECKS = (
    ("--btf: a complete recording", "own_btf", check_whole),
    ("kvm_amd reloaded: both VMs were seen", "reload", check_reload),
    ("1000 vCPUs: all described, nothing lost", "churn", check_churn),
    ("a VM that starts and dies: absent_ns", "brief", check_brief),
    ("a VM that is killed: absent_ns", "killed_vm", check_killed_vm),
    ("disk full: what was stored is sound, the rest is lost", "disk_full", check_loss),
    ("rings too small: produced = recorded + lost", "ring_full", check_loss),
    ("rings too small: the same live and replayed", "ring_live", check_ring_live),
    ("--max-size: a complete recording of about that size", "max_size", check_max_size),
    ("--force: a complete recording", "forced", check_whole),
    ("SIGINT: a complete recording", "stop_INT", check_whole),
    ("SIGTERM: a complete recording", "stop_TERM", check_whole),
    ("a filter that matches nothing: an empty recording", "cmd3", check_nothing),
    ("stdout closed: a complete recording", "closed", check_whole),
    ("stderr closed: a complete recording", "closed2", check_whole),
    ("top: live as replayed, and its intervals add up", "top", check_top),
    ("two recorders at once: they saw the same", "two_b", check_two),
    ("filters: the same live and replayed", "f_all", check_filters),
    ("-C: the states and elsewhere", "f_cpu", check_cpu_filter),
    ("kill -9 after every system call", "steps", check_copies),
    ("kill -9 at 50 random moments", "moments", check_copies),
    ("kill -9 for good", "killed", check_kills),
)


def main():
    global kvmsched
    kvmsched, top = sys.argv[1:]
    failed = 0
    for name, part, check in CHECKS:
        path = os.path.join(top, part)
        if not os.path.isdir(path):
            continue
        try:
            result = check(path)
            print(f"ok {name}" + (f" # {result}" if isinstance(result, str) else ""))
        except (Wrong, OSError, ValueError, KeyError, struct.error, subprocess.TimeoutExpired) as e:
            failed = 1
            print(f"not ok {name}: {type(e).__name__ + ': ' if not isinstance(e, Wrong) else ''}{e}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
