# SPDX-License-Identifier: BSD-2-Clause
"""Judges: run delay, against /proc/PID/task/TID/schedstat and against sched_wakeup and sched_switch.

schedstat: while a thread stays in one KVM_RUN, whenever it is given a CPU kvm_sched_in() follows, and the run
queue's wait was charged just before: field 2 (ns waited) can only grow by what an IN record holds. (Pinned
threads: a thread that is moved between run queues while it waits is charged in parts.) So two samples of field
2 must differ by exactly the sum of the IN records between them. Which those are, the clock that was read
before and after a sample tells up to the record or two that are close to it; some choice must make all of a
thread's samples fit, to the nanosecond.

reconstruction: the run delay that kvmsched defines (a runnable absence whole, a blocked one by the growth of
run_delay, at most the absence) against times that the kernel's trace has: a runnable absence from the switch
out to the switch in, a blocked one from its wake-up to the switch in. kvmsched's begin and end are the hooks', a
little later than the switches: where interrupts, or an emulator that runs its CPUs in turns, make that more than
FAR_NS, an absence is left out (and counted).
"""
import bisect
import collections

from ktrace import ROUNDING_NS
from recording import RUNNABLE_REASONS, runnable

UPTIME_NS = 10000000  # /proc/uptime has hundredths of a second, cut off
TOLERANCE = 0.01
FAR_NS = 500000

Sample = collections.namedtuple("Sample", "wait_ns before after")


def read_samples(directory):
    samples = collections.defaultdict(list)
    with open(directory + "/samples", encoding="utf-8") as f:
        for line in f:
            tid, wait_ns, before, after = line.split()
            samples[int(tid)].append(Sample(int(wait_ns), round(float(before) * 1e9), round(float(after) * 1e9)))
    return samples


def candidates(sample, ins):
    """How many of the IN records may have been charged when the sample was taken. The charge comes before
    kvm_sched_in(), so one more than those whose time had come."""
    times = [e.ts for e in ins]
    first = bisect.bisect_right(times, sample.before)
    last = bisect.bisect_right(times, sample.after + UPTIME_NS) + 1
    return range(first, min(last, len(ins)) + 1)


def thread_fits(samples, ins):
    total = [0]
    for e in ins:
        total.append(total[-1] + e.run_delay_ns)
    for k in candidates(samples[0], ins):
        base = samples[0].wait_ns - total[k]
        if all(any(base + total[n] == s.wait_ns for n in candidates(s, ins)) for s in samples):
            return True
    return False


def within_one_run(samples, spans, tid):
    """The samples that were taken while the thread was between one load and its put."""
    return [s for s in samples
            if any(begin <= s.before and s.after + UPTIME_NS < end for begin, end in spans[tid])]


def judge_schedstat(recording, directory):
    ins, spans = recording.by("tid", "in"), recording.loaded()
    errors, compared, threads, growth = [], 0, 0, 0
    for tid, samples in sorted(read_samples(directory).items()):
        samples = within_one_run(samples, spans, tid)
        if len(samples) < 2:
            continue
        threads += 1
        compared += len(samples) - 1
        growth += samples[-1].wait_ns - samples[0].wait_ns
        if not thread_fits(samples, ins[tid]):
            errors.append(f"tid {tid}: schedstat grew by {samples[-1].wait_ns - samples[0].wait_ns} ns over "
                          f"{len(samples)} samples, which no sums of its IN records make")
    if threads < 2 or compared < threads:
        errors.append(f"too few samples: {compared} intervals of {threads} threads")
    return errors, f"{threads} threads, {compared} intervals, {growth} ns waited: equal"


KINDS = ("runnable", "blocked")


class Delays:
    """Sums over absences, by kind: as kvmsched defines them, and as the trace has them."""

    def __init__(self):
        self.count = 0
        self.defined = self.traced = self.raw = self.clamped = self.zero = 0

    def add(self, other):
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def text(self, kind):
        """raw is on the run queue's clock, which stands still where the kernel skips its update."""
        return (f"{kind} {self.count}: {100 * (self.defined - self.traced) / (self.traced or 1):+.3f} %, run-queue "
                f"clock {(self.raw - self.traced) / (self.count or 1) / 1e3:+.1f} us each "
                f"({100 * (self.raw - self.traced) / (self.traced or 1):+.2f} %), more than the "
                f"absence {self.clamped}, zero {self.zero}")


def wakeup_in(times, begin, end):
    at = bisect.bisect_right(times, end + ROUNDING_NS) - 1
    return times[at] if at >= 0 and times[at] >= begin - ROUNDING_NS else None


def delays(pairing, trace):
    """By kind, the sums of one run; and what was left out."""
    kinds = {kind: Delays() for kind in KINDS}
    skipped = collections.Counter()
    for a in pairing.absences:
        if not a.out or not a.into or a.out.vcpu != a.into.vcpu or a.into.seq <= a.out.seq:
            continue
        if a.out.ts - a.switch_out.ts > FAR_NS or a.into.ts - a.switch_in.ts > FAR_NS:
            skipped["far"] += 1
            continue
        absence = a.into.ts - a.out.ts
        d = kinds["runnable" if runnable(a.out) else "blocked"]
        begin = a.switch_out.ts
        if a.out.reason in RUNNABLE_REASONS:
            defined = absence
        else:
            defined = min(a.into.run_delay_ns, absence)
            begin = wakeup_in(trace.wakeups[a.tid], begin, a.switch_in.ts)
            if begin is None:
                skipped["unwoken"] += 1
                continue
        d.count += 1
        d.defined += defined
        d.traced += a.switch_in.ts - begin
        d.raw += a.into.run_delay_ns
        d.clamped += a.into.run_delay_ns > absence
        d.zero += a.into.run_delay_ns == 0
    return kinds, skipped


def judge_reconstruction(all_delays):
    """One verdict over all runs of a kernel: (name, what delays() returned) of each."""
    defined = sum(d.defined for _, (kinds, _) in all_delays for d in kinds.values())
    traced = sum(d.traced for _, (kinds, _) in all_delays for d in kinds.values())
    errors = []
    if not traced or abs(defined - traced) > TOLERANCE * traced:
        errors.append(f"run delay is {defined} ns as recorded, {traced} ns as traced")
    text = [f"{100 * (defined - traced) / (traced or 1):+.3f} % of {traced / 1e6:.0f} ms"]
    for kind in KINDS:
        total = Delays()
        for _, (kinds, _) in all_delays:
            total.add(kinds[kind])
        text.append(total.text(kind))
    skipped = sum((skipped for _, (_, skipped) in all_delays), collections.Counter())
    text.append(f"left out: hooks far from the switch {skipped['far']}, no wake-up seen {skipped['unwoken']}")
    return errors, "; ".join(text)


def text_of(delays):
    return "; ".join(d.text(kind) for kind, d in delays[0].items() if d.count)
