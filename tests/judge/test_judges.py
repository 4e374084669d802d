#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""The judges judged: they accept a small made-up run, and notice every way in which it can be wrong."""
import collections
import types
import tempfile
import unittest

import counts
import flags
import schedstat
import switches
from ktrace import Step
from recording import Recording

MS = 1000000
S, P, R, W = 1, 2, 4, 8


def event(kind, ts, **fields):
    return types.SimpleNamespace(type=kind, ts=ts, ring=fields.get("cpu", -1), mask=0x3FF, **fields)


def make_out(ts, seq, next_tid=20):
    return event("out", ts, vcpu=1, seq=seq, tid=10, cpu=0, next_tid=next_tid, entry_ns=100, task=1, reason="PREEMPTED",
                 what="HOST", flags=[W, S | P | R | W, S | P | R | W, S | P | R | W])


def make_in(ts, seq):
    return event("in", ts, vcpu=1, seq=seq, tid=10, cpu=1, cpu_arg=1, load_cpu_arg=1, reason="PREEMPTED",
                 run_delay_ns=5 * MS, flags=[S | P | R | W, S | W, S | W, W])


class Run(unittest.TestCase):
    """Thread 10 is loaded from 1 to 99 ms and absent twice: 10 to 15 and 30 to 35 ms. Before and after, it is
    switched outside load and put."""

    def setUp(self):
        self.rec = Recording.__new__(Recording)
        self.rec.env = {"loads": "1", "start_ns": str(-900 * MS), "end_ns": str(900 * MS)}
        self.rec.discarded = collections.Counter()
        self.rec.status, self.rec.stderr = 0, ""
        self.rec.events = [
            event("vcpu", 0, vcpu=1, vm=1, vcpu_id=0, tgid=9, tid=10),
            event("load", MS, vcpu=1, seq=1, tid=10, cpu=0, flags=[W, W]),
            make_out(10 * MS + 2000, 2), make_in(15 * MS + 2000, 3),
            make_out(30 * MS + 2000, 4), make_in(35 * MS + 2000, 5),
            event("put", 99 * MS, vcpu=1, seq=6, tid=10, cpu=1, flags=[W, W]),
            event("gone", 150 * MS, vcpu=1, seq=6, lost=0),
        ]
        self.trace = types.SimpleNamespace(switches=7, lost=0, tgid={10: 9, 20: 20}, kthreads=set(),
                                           wakeups=collections.defaultdict(list),
                                           steps=collections.defaultdict(list))
        times = [(0, False), (10, True), (15, False), (30, True), (35, False), (120, True), (130, False)]
        self.trace.steps[10] = [Step(n, ms * MS, out, 0 if out else 1, 20, "other", "R" if out else "")
                                for n, (ms, out) in enumerate(times)]

    def find(self, kind, nth=0):
        return self.rec.of(kind)[nth]

    def switch_errors(self):
        return switches.judge(switches.Pairing(self.rec, self.trace), self.trace)[0]

    def test_all_is_well(self):
        pairing = switches.Pairing(self.rec, self.trace)
        self.assertEqual(switches.judge(pairing, self.trace)[0], [])
        self.assertEqual((len(pairing.outs), len(pairing.ins)), (2, 2))
        self.assertEqual(counts.judge_vcpus(self.rec)[0], [])
        self.assertEqual(flags.judge_flags(self.rec)[0], [])
        self.assertEqual(flags.judge_reason(pairing)[0], [])
        self.assertEqual(flags.judge_class(self.rec, pairing, self.trace, {9})[0], [])
        delays = schedstat.delays(pairing, self.trace)
        self.assertEqual(schedstat.judge_reconstruction([("run", delays)])[0], [])

    def test_switch_without_record(self):
        for kind in ("out", "in"):
            self.setUp()
            self.rec.events.remove(self.find(kind, 1))
            self.assertTrue(self.switch_errors(), kind)

    def test_record_without_switch(self):
        for extra in (make_out(12 * MS, 7), make_in(20 * MS, 7), make_out(120 * MS + 2000, 7), make_in(5 * MS, 7)):
            self.setUp()
            self.rec.events.append(extra)
            self.rec.events.sort(key=lambda e: e.ts)
            self.assertTrue(self.switch_errors(), extra)

    def test_wrong_next_or_cpu(self):
        for kind, field in (("out", "next_tid"), ("out", "cpu"), ("out", "ring"), ("in", "cpu"), ("in", "ring"),
                            ("in", "cpu_arg")):
            self.setUp()
            setattr(self.find(kind), field, 7)
            self.assertTrue(self.switch_errors(), field)

    def test_record_too_early(self):
        self.find("out").ts = 10 * MS - 2000
        self.assertTrue(self.switch_errors())

    def test_lost_trace(self):
        self.trace.lost = 1
        self.assertTrue(self.switch_errors())

    def test_loss_that_does_not_add_up(self):
        self.rec.events.remove(self.find("out"))
        self.assertTrue(counts.judge_vcpus(self.rec)[0])
        self.find("gone").lost = 1
        self.assertTrue(counts.judge_vcpus(self.rec)[0], "the ring says nothing")
        self.rec.discarded[0] = 1
        self.assertEqual(counts.judge_vcpus(self.rec)[0], [])
        self.assertEqual(counts.judge_rings(self.rec, self.trace)[0], [])
        self.rec.discarded = collections.Counter({1: 1})
        self.assertTrue(counts.judge_rings(self.rec, self.trace)[0], "the wrong ring")

    def test_schedstat(self):
        ins = self.rec.of("in")
        ins[1].run_delay_ns = 7 * MS
        before = schedstat.Sample(1000, 5 * MS, 5 * MS)
        for wait_ns, fits in ((1000 + 12 * MS, True), (1001 + 12 * MS, False), (1000 + 5 * MS, False)):
            after = schedstat.Sample(wait_ns, 50 * MS, 50 * MS)
            self.assertEqual(schedstat.thread_fits([before, after], ins), fits, wait_ns)

    def test_run_delay_off(self):
        self.find("in").ts += 200000
        pairing = switches.Pairing(self.rec, self.trace)
        self.assertTrue(schedstat.judge_reconstruction([("run", schedstat.delays(pairing, self.trace))])[0])

    def test_flags(self):
        for kind, point, bit in (("out", 0, P), ("out", 0, S), ("out", 3, P), ("out", 3, R), ("out", 1, S),
                                 ("in", 0, P), ("in", 1, P), ("in", 1, S), ("in", 3, S), ("load", 0, P), ("put", 1, S)):
            self.setUp()
            self.find(kind).flags[point] ^= bit
            self.assertTrue(flags.judge_flags(self.rec)[0], (kind, point, bit))

    def test_reason_and_class(self):
        out = self.find("out")
        out.task, out.what = 0, "SAME_VM"
        pairing = switches.Pairing(self.rec, self.trace)
        self.assertTrue(flags.judge_reason(pairing)[0])
        self.assertTrue(flags.judge_class(self.rec, pairing, self.trace, {9})[0])

    def test_quota(self):
        quota = {"class": "quota", "time_ns": 950000000, "count": 9}
        host = {"class": "host", "time_ns": 1000, "count": 1}
        with tempfile.TemporaryDirectory() as directory:
            with open(directory + "/cpu.stat", "w", encoding="utf-8") as f:
                f.write("nr_throttled 9\nthrottled_usec 1000000\n")
            self.assertEqual(flags.judge_quota({"preemptors": [quota, host]}, directory)[0], [])
            self.assertTrue(flags.judge_quota({"preemptors": [quota]}, directory)[0])
            self.assertTrue(flags.judge_quota({"preemptors": [quota | {"time_ns": 1}, host]}, directory)[0])
            self.assertTrue(flags.judge_quota({"preemptors": [host]}, directory)[0])

    def test_partition(self):
        vcpu = {"vm": "a", "vcpu": 0, "running_ns": 60, "preempted_ns": 40, "unknown_ns": 0}
        self.assertEqual(counts.judge_partition({"window_ns": 100, "vcpus": [vcpu]})[0], [])
        self.assertTrue(counts.judge_partition({"window_ns": 101, "vcpus": [vcpu]})[0])


if __name__ == "__main__":
    unittest.main()
