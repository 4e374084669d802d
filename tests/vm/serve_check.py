#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Judges, on the host, what tests/vm/guest-serve.sh left: serve_check.py KVMSCHED DIR.

What a Prometheus has stored, beside the recording of the same VMs' whole lives: two sources of the kernel's events that share
nothing but the events. Prints "ok NAME" or "not ok NAME: why"; a check whose files are not there is left out. Exit status 1 if
any is not ok.
"""
import bisect
import collections
import json
import math
import os
import re
import subprocess
import sys
import tarfile

SUMS, RING, SMALL = (f"127.0.0.1:{port}" for port in (10098, 10099, 10100))
TRUE_STATES = {"on_or_user": ("running_ns", "user_ns", "on_or_user_ns"), "preempted": ("preempted_ns",),
               "halted": ("halted_ns",), "sleeping": ("sleeping_ns",)}
EDGES = (5e-05, 1e-04, 2.5e-04, 5e-04, 1e-03, 2.5e-03, 5e-03, 1e-02, 2.5e-02, 5e-02, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)
# Each tracer takes its own time of an event, some us apart in an emulated machine; much more where the machine at hand is busy
# and stops the emulated CPU in between. (That both are equal to the nanosecond is what tests/vm/agree.c shows.)
EVENT_S = 100e-6
PAUSE_S = 300e-3
failed = False


class Wrong(Exception):
    """What is not as it should be."""


def want(condition, why):
    if not condition:
        raise Wrong(why)


def load(path, name):
    with open(os.path.join(path, name + ".json"), encoding="utf-8") as f:
        answer = json.load(f)
    want(answer["status"] == "success", f"{name}: {answer}")
    return answer["data"]["result"]


def kvmsched(*args):
    got = subprocess.run([program, *args], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    want(got.returncode == 0, f"{args} ends with {got.returncode}: {got.stderr.decode()}")
    return got.stdout


def recorded(path):
    """{vm: its vCPUs' rows}"""
    vms = collections.defaultdict(list)
    for row in json.loads(kvmsched("report", "--json", "-i", os.path.join(path, "rec")))["vcpus"]:
        vms[row["vm"]].append(row)
    want(len(vms) == 3, f"the recording has {sorted(vms)}")
    return vms


def last_values(path, instance):
    found = collections.defaultdict(float)
    for row in load(path, "totals"):
        m = row["metric"]
        if m["instance"] == instance:
            found[m["__name__"], m.get("vm"), m.get("state") or m.get("le") or m.get("by")] += float(row["value"][1])
    return found


def quantiles(path, instance):
    said = {r["metric"]["vm"]: float(r["value"][1]) for r in load(path, "quantiles") if r["metric"]["instance"] == instance}
    for vm in recorded(path):
        rows = kvmsched("export", "--to", "json", "-i", os.path.join(path, "rec"), "-o", "-", "--vm", vm).splitlines()
        delays = sorted(r["run_delay_ns"] for r in map(json.loads, rows) if r["whole"] and "run_delay_ns" in r)
        exact = delays[math.ceil(0.99 * len(delays)) - 1] / 1e9
        want(vm in said, f"{vm}: Prometheus has {said}")
        print(f"# {instance}: {vm}: p99 of {len(delays)} run delays: Prometheus {said[vm]:.6f} s, recording {exact:.6f} s")
        apart = abs(bisect.bisect_left(EDGES, said[vm]) - bisect.bisect_left(EDGES, exact))
        want(apart <= 1, f"{vm}: p99 {said[vm]}, not {exact}")


def counters(path, instance):
    got = last_values(path, instance)
    for vm, rows in recorded(path).items():
        switches = sum(r["switches"] for r in rows)
        want(got["kvmsched_switches_total", vm, None] == switches,
             f"{vm}: {got['kvmsched_switches_total', vm, None]} switches, not {switches}")
        count = sum(r["run_delay"]["count"] for r in rows)
        want(got["kvmsched_run_delay_seconds_count", vm, None] == count,
             f"{vm}: {got['kvmsched_run_delay_seconds_count', vm, None]} run delays, not {count}")
        for state, keys in TRUE_STATES.items():
            true = sum(r.get(key, 0) for r in rows for key in keys) / 1e9
            names = {key.removesuffix("_ns") for key in keys}
            have = sum(v for (name, of, s), v in got.items() if name == "kvmsched_state_seconds_total" and of == vm and s in names)
            print(f"# {instance}: {vm}: {state}: {have:.6f} s, recording {true:.6f} s")
            want(abs(have - true) <= switches * EVENT_S + PAUSE_S, f"{vm}: {state}: {have} s, not {true}")
        taken = sum(v for (name, of, _), v in got.items() if name == "kvmsched_preempted_seconds_total" and of == vm)
        preempted = got["kvmsched_state_seconds_total", vm, "preempted"]
        want(0 < taken <= preempted * 1.000001, f"{vm}: {taken} s by class of {preempted} s preempted")


def never_fall(path):
    series = scraped = 0
    for row in load(path, "samples"):
        m = row["metric"]
        values = [float(v) for _, v in row["values"]]
        # a churning process makes one VM after the other, all of one name: each begins anew
        if not m["__name__"].startswith("kvmsched_") or m.get("vm", "").startswith(("churn", "warm")):
            continue
        series += 1
        scraped += len(values)
        for a, b in zip(values, values[1:]):
            want(b >= a, f"{m}: {a}, then {b}")
    want(scraped > 1000, f"only {scraped} samples")
    print(f"# {series} series, {scraped} samples")


def scraped_each_second(path):
    for row in load(path, "samples"):
        if row["metric"]["__name__"] == "up" and row["metric"]["instance"] != SMALL:
            up = [v for _, v in row["values"]]
            first = up.index("1") if "1" in up else len(up)
            print(f"# {row['metric']['instance']}: {len(up) - first} scrapes since it is up, {up[first:].count('0')} failed")
            want(len(up) - first > 20, "hardly any")
    with open(os.path.join(path, "prometheus.log"), encoding="utf-8") as f:
        said = f.read()
    want(not re.search("duplicate|out of order|level=error", said), said)


def text(path, name):
    with open(os.path.join(path, name), encoding="utf-8") as f:
        return {k: float(v) for k, v in re.findall(r"^(\w+(?:\{.*\})?) (\S+)$", f.read(), re.M)}


def crowded(path):
    before, amid, after, room = (text(path, f"churn.{when}") for when in ("before", "amid", "after", "room"))
    untracked = "kvmsched_vcpus_untracked"
    want(before[untracked] == 0, f"{before[untracked]} untracked before there was a crowd")
    want(after[untracked] > 0, "a table of 64 was never full")
    want(room[untracked] == after[untracked], f"40 vCPUs do not fit when all others are gone: {after[untracked]}, {room[untracked]}")
    want(room['kvmsched_switches_total{vm="after"}'] > 0, "they have no switches")
    for vm in ("churn", "churn2"):
        total = sum(v for k, v in after.items() if k.startswith(f'kvmsched_state_seconds_total{{vm="{vm}"'))
        print(f"# {vm}: {total:.3f} s of vCPUs that are gone")
        want(total > 0, f"{vm}: nothing is left of its vCPUs")
    rss = "process_resident_memory_bytes"
    kb = ", ".join(f"{n} vCPUs: {at[rss] / 1024:.0f} KB" for n, at in (("300", before), ("3,300", amid), ("10,300", after)))
    print(f"# {kb}; {after[untracked]:.0f} untracked")
    # VMs that are gone are still shown for five minutes, at most 256
    want(after[rss] - before[rss] < 16 << 20, f"grows from {before[rss]} to {after[rss]} bytes")


def test(name, needs, function, *args):
    global failed
    if not os.path.exists(os.path.join(args[0], needs)):
        return
    try:
        function(*args)
        print(f"ok {name}", flush=True)
    except (Wrong, OSError, KeyError, ValueError) as e:
        failed = True
        print(f"not ok {name}: {'' if isinstance(e, Wrong) else type(e).__name__ + ': '}{e}", flush=True)


def main(path):
    if os.path.exists(os.path.join(path, "rec.tar")):
        with tarfile.open(os.path.join(path, "rec.tar")) as tar:
            tar.extractall(path, filter="data")
    for name, instance in ("serve", SUMS), ("serve --ring", RING):
        test(f"{name}: Prometheus' p99 of run delay is within one bucket of the recording's", "totals.json", quantiles, path, instance)
        test(f"{name}: the counters are the recording's", "totals.json", counters, path, instance)
    test("serve: counters never fall between scrapes", "samples.json", never_fall, path)
    test("serve: scraped every second", "samples.json", scraped_each_second, path)
    test("serve: 10,000 vCPUs, a table of 64: bounded, counted, folded", "churn.room", crowded, path)
    return 1 if failed else 0


if __name__ == "__main__":
    program = sys.argv[1]
    sys.exit(main(sys.argv[2]))
