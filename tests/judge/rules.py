# SPDX-License-Identifier: BSD-2-Clause
"""kvmsched check on a recording of an unchanged kernel: no rule is violated, and loss is never passed over. And the
table of which rules were decided where."""
import json
import subprocess

INTRO = """# Which rules are decided where

Written by `tests/vm/matrix --write`, and compared by each complete run, but for the counts: how often `kvmsched check` decided
each rule on the recordings of [the matrix](matrix.md). No rule is violated on any of these kernels.

"""


def judge_check(kvmsched, directory, lossless):
    done = subprocess.run([kvmsched, "check", "--format", "json", "-i", directory + "/rec"], capture_output=True,
                          text=True, check=False)
    with open(directory + "/check.json", "w", encoding="utf-8") as f:
        f.write(done.stdout)
    report = json.loads(done.stdout)
    errors = [f"{t['name']} is violated" for t in report["tests"] if t["verdict"] == "violated"]
    # A run may hold nothing that a rule is decided by: that is inconclusive too.
    without = [t["name"] for t in report["tests"] if t["verdict"] == "inconclusive" and not t.get("decided")]
    want = 0 if lossless and not without else 3
    if done.returncode != want:
        errors.append(f"exit status {done.returncode}, not {want}: {done.stderr.strip()[:200]}")
    if lossless:
        errors += [f"{t['name']} is inconclusive" for t in report["tests"]
                   if t["verdict"] == "inconclusive" and t["name"] not in without]
    decided = [t for t in report["tests"] if t.get("decided")]
    return errors, f"{len(decided)} rules decided by {sum(t['decided'] for t in decided)} events; {report['verdict']}"


def cells(reports):
    """{rule: how often it was decided, or why not} over the reports of one kernel's runs."""
    decided, why = {}, {}
    for report in reports:
        for test in report["tests"]:
            decided[test["name"]] = decided.get(test["name"], 0) + test.get("decided", 0)
            why.setdefault(test["name"], test.get("why", "?"))
    return {name: f"decided {count:,}" if count else "SKIP: " + why[name] for name, count in decided.items()}


def table(kernels):
    """Markdown, from {kernel: reports}."""
    columns = {kernel: cells(reports) for kernel, reports in kernels.items()}
    rules = sorted({rule for column in columns.values() for rule in column})
    lines = ["| rule | " + " | ".join(columns) + " |", "|" + "---|" * (len(columns) + 1)]
    for rule in rules:
        lines.append(f"| {rule} | " + " | ".join(column.get(rule, "-") for column in columns.values()) + " |")
    return INTRO + "\n".join(lines) + "\n"
