# SPDX-License-Identifier: BSD-2-Clause
"""Judges: kvm_vcpu's flags at every point, by what kvm_main.c does with them; the reason against the kernel's own
word for the task's state; and the class of who took the CPU, by thread and process as the kernel's trace has them."""
import collections
import json
import os
import re

from recording import (HAS_SCHEDULED_OUT, HAS_WANTS_TO_RUN, MASK_USER, ON_RQ, POINT, PREEMPTED, READY,
                       SCHEDULED_OUT, WANTS_TO_RUN, runnable)

KTHREAD = re.compile(r"swapper/|kworker/|ksoftirqd/|migration/|rcu|rcuc/|ktimers/|irq_work/|irq/|kthreadd|kcompactd|"
                     r"khugepaged|kauditd|jbd2|kvm-")
VCPU_THREAD = re.compile(r"CPU \d+/KVM")


def points(e):
    """(index, flags) of the points that were seen."""
    return [(i, e.flags[i]) for i in range(4) if e.mask & POINT[i]]


def out_rules(out, broken):
    has_s = out.mask & HAS_SCHEDULED_OUT
    wants = not out.mask & HAS_WANTS_TO_RUN or out.flags[3] & WANTS_TO_RUN
    # P means runnable; since 6.11 (scheduled_out) also wanting to run, since 6.12 not delayed-dequeued either.
    preempted = runnable(out) and wants if has_s else out.task & ON_RQ != 0
    for i, f in points(out):
        broken["OUT entry: P"] += i == 0 and f & PREEMPTED != 0
        broken["OUT entry: S"] += i == 0 and f & SCHEDULED_OUT != 0
        broken["OUT: P not as the task is"] += i > 0 and (f & PREEMPTED != 0) != bool(preempted)
        broken["OUT: P without R"] += i > 0 and f & PREEMPTED != 0 and not f & READY
        broken["OUT: no S"] += bool(i > 0 and has_s and not f & SCHEDULED_OUT)


def in_rules(out, into, broken):
    has_s = into.mask & HAS_SCHEDULED_OUT
    for i, f in points(into):
        if i == 0 and out and out.seq + 1 == into.seq:
            broken["IN entry: P not as at OUT"] += f & PREEMPTED != out.flags[3] & PREEMPTED
        broken["IN: P"] += i > 0 and f & PREEMPTED != 0
        broken["IN: no S"] += bool(i < 3 and has_s and not f & SCHEDULED_OUT)
        broken["IN exit: S"] += i == 3 and f & SCHEDULED_OUT != 0
    broken["IN: CPU not as the argument"] += into.cpu != into.cpu_arg
    broken["IN: load's CPU not as the argument"] += bool(into.mask & POINT[1] and into.load_cpu_arg != into.cpu_arg)


def judge_flags(recording):
    broken, seen, last = collections.Counter(), 0, {}
    for e in recording.of("out", "in", "load", "put", "loads"):
        seen += 1
        if e.type == "out":
            out_rules(e, broken)
            last[e.vcpu] = e
        elif e.type == "in":
            in_rules(last.pop(e.vcpu, None), e, broken)
        elif e.type == "loads":
            broken["bare load: P or S"] += (e.load_flags | e.put_flags) & (PREEMPTED | SCHEDULED_OUT) != 0
        else:
            broken["bare load: P or S"] += (e.flags[0] | e.flags[1]) & (PREEMPTED | SCHEDULED_OUT) != 0
    return [f"{rule}: {count}" for rule, count in broken.items() if count], f"{seen} records"


def judge_reason(pairing):
    """prev_state is R where the task stays runnable. 6.1 may show an old S for a task with a signal pending."""
    wrong = collections.Counter()
    count = 0
    for a in pairing.absences:
        if a.out:
            count += 1
            if runnable(a.out) != a.switch_out.state.startswith("R"):
                wrong[f"{a.out.reason} with prev_state {a.switch_out.state}"] += 1
    return [f"{what}: {n}" for what, n in wrong.items()], f"{count} absences"


def vmms(directory, trace):
    """The processes of the VMs: as the workload says, else those that have vCPU threads (QEMU)."""
    if os.path.exists(directory + "/workload.json"):
        with open(directory + "/workload.json", encoding="utf-8") as f:
            return {json.loads(line)["pid"] for line in f}
    return {trace.tgid[step.other] for steps in trace.steps.values() for step in steps
            if VCPU_THREAD.match(step.comm) and step.other in trace.tgid}


def class_of(step, victim, tgid, trace, vmm_tgids, is_vcpu):
    if step.other == 0 or step.other in trace.kthreads or (step.other == tgid and KTHREAD.match(step.comm)):
        return "KERNEL"
    if tgid not in vmm_tgids:
        return "HOST"
    if tgid != victim:
        return "OTHER_VM"
    return "SAME_VM" if is_vcpu else "EMULATOR"


def judge_class(recording, pairing, trace, vmm_tgids):
    with_loads = recording.env["loads"] == "1"
    wrong, classes, untold = collections.Counter(), collections.Counter(), 0
    # Of a vCPU that was in user space when the trace began, no record tells whether its thread had run it before.
    unsure = {e.tid for e in recording.of("snap") if e.mask & MASK_USER}
    first_seen = {}
    for e in recording.of("snap", "load", "out", "in"):
        if e.type == "snap" and e.mask & MASK_USER:
            continue
        if e.type != "snap" and e.mask & HAS_WANTS_TO_RUN and not any(f & WANTS_TO_RUN for f in e.flags):
            continue  # another ioctl than KVM_RUN
        first_seen.setdefault(e.tid, e.ts)
    # A process is a VMM's from the creation of its first vCPU on.
    born = {e.tgid: e.ts for e in reversed(recording.of("vm"))}
    victims = {e.vcpu: e.tgid for e in recording.of("vcpu")}
    for a in pairing.absences:
        if not a.out or a.out.what == "QUOTA":
            continue
        if not runnable(a.out):
            wrong[f"{a.out.what} of a blocked vCPU"] += a.out.what != "NONE"
            continue
        tgid = trace.tgid.get(a.out.next_tid)
        if tgid is None and a.out.next_tid:
            untold += 1
            continue
        # Before its first KVM_RUN a thread is no vCPU's yet; without --loads that moment is not recorded.
        is_vcpu = VCPU_THREAD.match(a.switch_out.comm) and first_seen.get(a.out.next_tid, a.out.ts) < a.out.ts
        want = class_of(a.switch_out, victims[a.out.vcpu], tgid, trace,
                        {vmm for vmm in vmm_tgids if born.get(vmm, a.out.ts) <= a.out.ts}, is_vcpu)
        classes[want] += 1
        if not is_vcpu and VCPU_THREAD.match(a.switch_out.comm) and a.out.what == "SAME_VM" and (
                not with_loads or a.out.next_tid in unsure):
            continue
        if a.out.what != want:
            wrong[f"{a.out.what} for {want} {a.switch_out.comm}"] += 1
    text = ", ".join(f"{name} {count}" for name, count in sorted(classes.items()))
    return [f"{what}: {n}" for what, n in wrong.items() if n], text + (f", untold {untold}" if untold else "")


def judge_quota(report, directory):
    """Time taken by the quota, as preemptors have it, against the cgroup's own account (cpu.stat). That one counts
    each CPU's run queue, so the workload has one pinned vCPU on each; and it counts the VMM's other threads too. An
    absence goes on where a throttled vCPU then waits for its CPU: a time slice or two of the host's task beside it."""
    with open(directory + "/cpu.stat", encoding="utf-8") as f:
        stat = {key: int(value) for key, value in (line.split() for line in f)}
    quota = [p for p in report["preemptors"] if p["class"] == "quota"]
    ours, count = sum(p["time_ns"] for p in quota) / 1e9, sum(p["count"] for p in quota)
    kernels = stat["throttled_usec"] / 1e6
    others = sum(p["count"] for p in report["preemptors"]) - count
    text = f"{count} times, {ours:.3f} s; the cgroup's account: {stat['nr_throttled']} periods, {kernels:.3f} s"
    errors = []
    if not stat["nr_throttled"]:
        errors.append("nothing was throttled")
    if not 0.85 * kernels <= ours <= kernels + 0.01 * count:
        errors.append(f"{ours:.3f} s is not what the kernel counts")
    if not others:
        errors.append("every preemption is called quota, though a task of the host competes")
    return errors, text
