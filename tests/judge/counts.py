# SPDX-License-Identifier: BSD-2-Clause
"""Judges: babeltrace2's count, the partition of the window, replay against live, what was made against what was
recorded and lost; and that report's run delay is what its records add up to."""
import collections
import json
import os
import subprocess

from recording import FOREVER, MASK_END, RUNNABLE_REASONS
from switches import is_loaded

STATES = ("running_ns", "user_ns", "on_or_user_ns", "preempted_ns", "halted_ns", "sleeping_ns", "absent_ns",
          "unknown_ns")
IN_RINGS = ("out", "in", "loads", "load", "put")


def judge_babeltrace(recording, report):
    errors = []
    if recording.status:
        errors.append(f"babeltrace2 ended with {recording.status}")
    if len(recording.events) != report["events"]:
        errors.append(f"babeltrace2 reads {len(recording.events)} events, report {report['events']}")
    lost = sum(recording.discarded.values())
    if lost != report["lost"]:
        errors.append(f"babeltrace2 says {lost} were lost, report {report['lost']}")
    for line in recording.stderr.splitlines():
        if not (lost and "Tracer discarded" in line):
            errors.append("babeltrace2 says: " + line)
    return errors, f"{len(recording.events)} events, {lost} lost, {len(recording.stderr.splitlines())} warnings"


def judge_partition(report):
    errors = []
    for v in report["vcpus"]:
        total = sum(v.get(state, 0) for state in STATES)
        if total != report["window_ns"]:
            errors.append(f"{v['vm']} vCPU {v['vcpu']}: the states add up to {total}, the window is "
                          f"{report['window_ns']}")
    if not report["vcpus"]:
        errors.append("no vCPU")
    return errors, f"{len(report['vcpus'])} vCPUs, window {report['window_ns']} ns"


def judge_replay(kvmsched, directory):
    with open(directory + "/live.json", "rb") as f:
        live = f.read()
    done = subprocess.run([kvmsched, "report", "--json", "-i", directory + "/rec"], capture_output=True, check=False)
    errors = []
    if done.stdout != live:
        errors.append(f"replayed, the report differs: {len(live)} bytes live, {len(done.stdout)} replayed"
                      f" {done.stderr.decode().strip()}")
    return errors, f"{len(live)} bytes"


def final_counts(recording):
    """By vCPU, (records made, records lost) as the kernel side counted them."""
    final = {}
    for e in recording.of("snap", "gone"):
        if e.type == "gone" or e.mask & MASK_END:
            final.setdefault(e.vcpu, (e.seq, e.lost))
    return final


def judge_vcpus(recording):
    errors, made_all, lost_all = [], 0, 0
    final = final_counts(recording)
    numbers = collections.defaultdict(list)
    for e in recording.of(*IN_RINGS):
        numbers[e.vcpu].append(e.seq)
    for vcpu, seen in numbers.items():
        if vcpu not in final:
            errors.append(f"vCPU {vcpu} has records and no end")
        if len(set(seen)) != len(seen):
            errors.append(f"vCPU {vcpu}: a sequence number twice")
    for vcpu, (made, lost) in final.items():
        seen = numbers[vcpu]
        made_all += made
        lost_all += lost
        if len(seen) + lost != made or any(n < 1 or n > made for n in seen):
            errors.append(f"vCPU {vcpu}: made {made}, recorded {len(seen)}, lost {lost}")
    discarded = sum(recording.discarded.values())
    if lost_all != discarded:
        errors.append(f"the vCPUs lost {lost_all} records, the rings {discarded}")
    return errors, f"{len(final)} vCPUs: {made_all} made, {made_all - lost_all} recorded, {lost_all} lost"


def loaded_steps(recording, trace):
    """By tid, the switches of a loaded vCPU; and whether its last put is not recorded. Then the vCPU's own count of
    records tells how many of the thread's switches came before: of a thread that was loaded once."""
    final = final_counts(recording)
    vcpu_of = {e.tid: e.vcpu for e in recording.of("load")}
    for tid, spans in recording.loaded().items():
        steps = [s for s in trace.steps[tid] if s.ts >= spans[0][0]]
        if spans[-1][1] == FOREVER:
            if len(spans) > 1:
                raise ValueError("puts were lost of a thread that was loaded more than once")
            bare = sum(e.vcpu == vcpu_of[tid] for e in recording.of("load", "put"))
            yield steps[:final[vcpu_of[tid]][0] - bare - 1], True
            continue
        taken, away = [], False
        for step in steps:
            away = is_loaded(spans, step.ts) if step.out else away
            if away:
                taken.append(step)
        yield taken, False


def judge_rings(recording, trace):
    """How many records each CPU's ring should have been given, by the kernel's trace: one for each switch of a
    loaded vCPU. Bare loads and puts are their own witnesses."""
    made, recorded, errors = collections.Counter(), collections.Counter(), []
    for e in recording.of(*IN_RINGS):
        if e.ring >= 0:
            recorded[e.ring] += 1
            made[e.ring] += e.type not in ("out", "in")
    for steps, put_lost in loaded_steps(recording, trace):
        for step in steps:
            made[step.cpu] += 1
        if put_lost:
            made[steps[-1].cpu] += 1
    for ring in set(made) | set(recording.discarded):
        if made[ring] != recorded[ring] + recording.discarded[ring]:
            errors.append(f"ring {ring}: {made[ring]} made, {recorded[ring]} recorded, "
                          f"{recording.discarded[ring]} lost")
    return errors, ", ".join(f"CPU {ring}: {made[ring]} = {recorded[ring]} + {recording.discarded[ring]}"
                             for ring in sorted(made))


def judge_names(report, directory):
    """The VMs' names, by what the runs called them: workload.json, or names (pid and name)."""
    names = {}
    if os.path.exists(directory + "/workload.json"):
        with open(directory + "/workload.json", encoding="utf-8") as f:
            names = {vm["pid"]: vm["vm"] for vm in map(json.loads, f)}
    else:
        with open(directory + "/names", encoding="utf-8") as f:
            names = {int(pid): name for pid, name in map(str.split, f)}
    errors = [f"VM of pid {v['vm_pid']} is called {v['vm']}, not {names.get(v['vm_pid'])}" for v in report["vcpus"]
              if names.get(v["vm_pid"]) != v["vm"]]
    seen = {v["vm_pid"] for v in report["vcpus"]}
    errors += [f"VM {name} is missing" for pid, name in names.items() if pid not in seen]
    return errors, " ".join(sorted(names.values()))


def judge_sums(recording, report):
    """report's run delay and absences against sums over the records, where none was lost."""
    errors, compared = [], 0
    delays, open_out = collections.defaultdict(list), {}
    for e in recording.of("out", "in"):
        if e.type == "out":
            open_out[e.vcpu] = e
        elif e.vcpu in open_out:
            out = open_out.pop(e.vcpu)
            absence = e.ts - out.ts
            whole = out.reason in RUNNABLE_REASONS
            delays[e.vcpu].append((absence, absence if whole else min(e.run_delay_ns, absence)))
    vm_pid = {e.vm: e.tgid for e in recording.of("vm")}
    ids = {(vm_pid[e.vm], e.vcpu_id): e.vcpu for e in recording.of("vcpu")}
    for v in report["vcpus"]:
        mine = delays[ids[v["vm_pid"], v["vcpu"]]]
        compared += len(mine)
        for name, values in (("absence", [a for a, _ in mine]), ("run_delay", [d for _, d in mine])):
            if (v[name]["count"], v[name]["sum_ns"]) != (len(values), sum(values)):
                errors.append(f"{v['vm']} vCPU {v['vcpu']} {name}: report {v[name]['count']}, {v[name]['sum_ns']} ns; "
                              f"records {len(values)}, {sum(values)} ns")
        # as times both also have what is open at the recording's ends, of runnable absences
        edges = [v[f"{name}_ns"] - v[name]["sum_ns"] for name in ("run_delay", "preempted") if f"{name}_ns" in v]
        if edges[0] != edges[-1]:
            errors.append(f"{v['vm']} vCPU {v['vcpu']}: open at the ends: {edges[0]} ns of run delay, {edges[-1]} ns preempted")
    return errors, f"{compared} absences"
