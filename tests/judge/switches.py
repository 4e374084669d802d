# SPDX-License-Identifier: BSD-2-Clause
"""Judge: sched_switch. Pairs every OUT and IN record with the switch that made it.

kvm_sched_out() runs between the sched_switch that takes the CPU away from a thread and the one that gives it
back; kvm_sched_in() between that one and the next that takes it away. So the interval that a record must lie in
is known exactly, however long an emulated machine takes; only the trace's rounding is allowed for.
"""
import bisect
import collections

from ktrace import ROUNDING_NS
from recording import FOREVER

# A switch this close to an edge of the window may or may not have its record: the hook runs a little later.
EDGE_NS = 50000000

# A vCPU thread's absence: the switch out, its OUT, the switch in, its IN. Each may be None.
Absence = collections.namedtuple("Absence", "tid switch_out out switch_in into")


def is_loaded(spans, ts):
    at = bisect.bisect_right(spans, (ts, FOREVER)) - 1
    return at >= 0 and ts < spans[at][1]


class Pairing:
    """absences: every switch of a thread that has records, with its records. errors: what does not fit.
    With loads, also the other direction: no switch of a loaded vCPU may lack its record."""

    def __init__(self, recording, trace):
        self.absences, self.errors = [], []
        self.outs, self.ins = set(), set()  # the switches that have one
        self.out_ns, self.in_ns = [], []  # from the switch to kvm_sched_out(), kvm_sched_in()
        self.both_ways = recording.env["loads"] == "1"
        self.lossy = bool(recording.discarded)
        loaded = recording.loaded()
        outs, ins = recording.by("tid", "out"), recording.by("tid", "in")
        window = int(recording.env["start_ns"]), int(recording.env["end_ns"])
        for tid in set(outs) | set(ins) | set(loaded):
            self._thread(tid, trace.steps[tid], outs[tid], ins[tid], loaded[tid], window)

    def _error(self, tid, what, ts):
        self.errors.append(f"tid {tid}: {what} at {ts / 1e9:.6f}")

    def _take(self, tid, records, begin, end, kind):
        """Of the records (in order), those within [begin, end): there may be one."""
        found = []
        while records and records[0].ts < begin - ROUNDING_NS:
            self._error(tid, f"{kind} without a switch", records.popleft().ts)
        while records and records[0].ts < end + ROUNDING_NS:
            found.append(records.popleft())
        for extra in found[1:]:
            self._error(tid, f"second {kind} for one switch", extra.ts)
        return found[0] if found else None

    def _thread(self, tid, steps, outs, ins, loaded, window):
        outs, ins = collections.deque(outs), collections.deque(ins)
        expect_in = None  # None: unknown, the trace begins inside an absence
        open_absence = None
        for i, step in enumerate(steps):
            end = steps[i + 1].ts if i + 1 < len(steps) else FOREVER
            if i and step.out == steps[i - 1].out:
                self._error(tid, "the trace lacks a switch", step.ts)
            if min(abs(step.ts - edge) for edge in window) < EDGE_NS:
                inside = None
            else:
                inside = window[0] < step.ts < window[1]
            if step.out:
                out = self._take(tid, outs, step.ts, end, "OUT")
                self._check_out(tid, step, out, inside and is_loaded(loaded, step.ts))
                expect_in = None if not inside and step.ts < window[1] else bool(out) or is_loaded(loaded, step.ts)
                open_absence = (step, out)
                continue
            into = self._take(tid, ins, step.ts, end, "IN")
            if expect_in is None and self.both_ways and not is_loaded(loaded, step.ts):
                expect_in = False
            self._check_in(tid, step, into, expect_in and inside)
            expect_in = None
            if open_absence:
                self.absences.append(Absence(tid, open_absence[0], open_absence[1], step, into))
        for left in list(outs) + list(ins):
            self._error(tid, f"{left.type.upper()} without a switch", left.ts)

    def _check_out(self, tid, step, out, expected):
        if not out:
            if expected and self.both_ways and not self.lossy:
                self._error(tid, "switch of a loaded vCPU without OUT", step.ts)
            return
        self.outs.add(step.number)
        if self.both_ways and expected is False and not self.lossy:
            self._error(tid, "OUT for a switch outside load and put", step.ts)
        if (out.next_tid, out.cpu, out.ring) != (step.other, step.cpu, step.cpu):
            self._error(tid, f"OUT says next {out.next_tid} CPU {out.cpu} ring {out.ring}, the switch "
                        f"{step.other} CPU {step.cpu}", step.ts)
        self.out_ns.append(out.ts - out.entry_ns - step.ts)

    def _check_in(self, tid, step, into, expected):
        if not into:
            if expected and self.both_ways and not self.lossy:
                self._error(tid, "switch back without IN", step.ts)
            return
        self.ins.add(step.number)
        if expected is False and not self.lossy:
            self._error(tid, "IN for a switch that brings no loaded vCPU back", step.ts)
        if (into.cpu, into.cpu_arg, into.ring) != (step.cpu, step.cpu, step.cpu):
            self._error(tid, f"IN says CPU {into.cpu} (argument {into.cpu_arg}, ring {into.ring}), the switch "
                        f"{step.cpu}", step.ts)
        self.in_ns.append(into.ts - step.ts)


def spread(values):
    values = sorted(values)
    if not values:
        return "-"
    return "/".join(f"{values[int(q * (len(values) - 1))] / 1e3:.0f}" for q in (0.5, 0.99, 1)) + " us"


def judge(pairing, trace):
    others = trace.switches - len(pairing.outs | pairing.ins)
    text = (f"{trace.switches} switches, {len(pairing.outs)} OUT, {len(pairing.ins)} IN, {others} others; "
            f"to kvm_sched_out {spread(pairing.out_ns)}, to kvm_sched_in {spread(pairing.in_ns)} (p50/p99/max)")
    errors = list(pairing.errors)
    if trace.lost:
        errors.append(f"the kernel's tracing lost {trace.lost} events")
    if not pairing.outs:
        errors.append("nothing was compared")
    return errors, text
