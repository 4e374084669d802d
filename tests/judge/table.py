#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""The tables of the matrix, from what judge.py left.

  table.py TOP KERNEL…        TOP/KERNEL/verdict.json -> TOP/matrix.md; TOP/KERNEL/RUN/check.json -> TOP/rules.md
"""
import glob
import json
import re
import sys

import rules

JUDGES = ("run", "sched_switch", "schedstat", "run delay", "sums", "babeltrace2", "partition", "replay", "per vCPU",
          "per ring", "names", "flags", "reason", "class", "quota", "check")

INTRO = """# The matrix

Written by `tests/vm/matrix --write`: each kernel booted as an emulated KVM host (Debian's, 2 CPUs), the same
workloads recorded by kvmsched and by the kernel's own tracing, compared by tests/judge.

"""
LEGEND = """
- **hooks**: functions that kvmsched found and can trace. **fields**: of those that tell what `kvmsched info` lists.
- **switches**: seen by the kernel's tracing; **OUT**, **IN**: records, each paired with its own switch.
- **lost**: in the runs that were to lose nothing; where rings were made to overflow, lost and accounted for.
- **run**: kvmsched's exit status. **sched_switch**: every switch of a loaded vCPU has its OUT and IN record, with the
  same thread, CPU and next task, and no other switch has one. **schedstat**: growth of run delay, to the nanosecond.
  **run delay**: all runs', against wake-ups and switches, within 1 %. **sums**: report's run delay is its records'.
  **babeltrace2**: same count of events and of lost ones, no other warning. **partition**: states add up to the window.
  **replay**: same bytes as live. **per vCPU**, **per ring**: made = recorded + lost. **names**: of the VMs. **flags**:
  kvm_vcpu's rules. **reason**: runnable or blocked, as prev_state has it. **class**: who took the CPU. **quota**: time
  taken by CPU bandwidth, against the cgroup's account. **check**: no rule of `kvmsched check` is violated
  ([which are decided](rules.md)), and it passes over no loss.
- ok: in all runs; a number: of runs that were not; -: not judged there.
"""


def load(path):
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        return {}


def cell(verdict, judge):
    results = [run[judge]["ok"] for run in verdict.values() if judge in run]
    if not results:
        return "-"
    return "ok" if all(results) else f"**{results.count(False)}**"


def total(verdict, judge, pattern):
    """Sum of the numbers that a pattern finds in a judge's texts."""
    return sum(int(n) for run in verdict.values() if judge in run for n in re.findall(pattern, run[judge]["text"]))


def lost(verdict):
    quiet = [run for name, run in verdict.items() if name not in ("overflow", "storm")]
    loud = [run for name, run in verdict.items() if name in ("overflow", "storm")]
    numbers = [sum(int(n) for run in runs if "babeltrace2" in run
                   for n in re.findall(r"(\d+) lost", run["babeltrace2"]["text"])) for runs in (quiet, loud)]
    return f"{numbers[0]}" + (f"; overflow {numbers[1]}" if loud else "")


def row(top, kernel):
    verdict = load(f"{top}/{kernel}/verdict.json")
    info = load(f"{top}/{kernel}/info.json")
    hooks = info.get("hooks", [])
    fields = info.get("fields", {})
    found = f"{sum(h['present'] and h['traceable'] for h in hooks)} of {len(hooks)}" if hooks else "-"
    lacking = [name for name, there in fields.items() if not there]
    cells = [kernel, info.get("kernel", "-"), found,
             ("all" + (f" but {', '.join(lacking)}" if lacking else "")) if fields else "-",
             str(total(verdict, "sched_switch", r"^(\d+) switches")),
             str(total(verdict, "sched_switch", r"(\d+) OUT")), str(total(verdict, "sched_switch", r"(\d+) IN")),
             lost(verdict)]
    return cells + [cell(verdict, judge) for judge in JUDGES], bool(verdict)


def main():
    top, kernels = sys.argv[1], sys.argv[2:]
    head = ["kernel", "release", "hooks", "fields", "switches", "OUT", "IN", "lost", *JUDGES]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    complete = True
    for kernel in kernels:
        cells, judged = row(top, kernel)
        complete &= judged
        lines.append("| " + " | ".join(cells) + " |")
    with open(top + "/matrix.md", "w", encoding="utf-8") as f:
        f.write(INTRO + "\n".join(lines) + "\n" + LEGEND)
    reports = {kernel: [load(path) for path in sorted(glob.glob(f"{top}/{kernel}/*/check.json"))] for kernel in kernels}
    with open(top + "/rules.md", "w", encoding="utf-8") as f:
        f.write(rules.table({kernel: [r for r in found if r] for kernel, found in reports.items()}))
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
