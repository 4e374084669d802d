#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""Judges what tests/vm/guest-judge.sh (or guest-qemu.sh) left in a directory.

  judge.py KVMSCHED DIRECTORY

Prints "ok" or "not ok" for every run and judge, with the figures, and writes them to DIRECTORY/verdict.json. Exit
status 1 if one is not ok.
"""
import json
import os
import sys

import counts
import flags
import rules
import schedstat
import switches
from ktrace import Trace
from recording import Recording

SHOWN = 10  # errors of one judge


def judges(kvmsched, directory, all_delays):
    """(name, function) of every judge that this run's data is enough for."""
    recording, trace = Recording(directory + "/rec"), Trace(directory)
    with open(directory + "/live.json", encoding="utf-8") as f:
        report = json.load(f)
    pairing = switches.Pairing(recording, trace)
    lossless = not recording.discarded
    vmm_tgids = flags.vmms(directory, trace)
    with_loads = recording.env["loads"] == "1"

    yield "sched_switch", lambda: switches.judge(pairing, trace)
    if os.path.exists(directory + "/samples"):
        yield "schedstat", lambda: schedstat.judge_schedstat(recording, directory)
    if lossless:
        delays = schedstat.delays(pairing, trace)
        all_delays.append((directory, delays))
        yield "delays", lambda: ([], schedstat.text_of(delays))
        yield "sums", lambda: counts.judge_sums(recording, report)
    yield "babeltrace2", lambda: counts.judge_babeltrace(recording, report)
    yield "partition", lambda: counts.judge_partition(report)
    yield "replay", lambda: counts.judge_replay(kvmsched, directory)
    yield "per vCPU", lambda: counts.judge_vcpus(recording)
    # In storm, bare loads and puts are lost too; amid begins and ends within runs.
    if with_loads and os.path.basename(directory) not in ("storm", "amid"):
        yield "per ring", lambda: counts.judge_rings(recording, trace)
    yield "names", lambda: counts.judge_names(report, directory)
    yield "flags", lambda: flags.judge_flags(recording)
    yield "reason", lambda: flags.judge_reason(pairing)
    yield "class", lambda: flags.judge_class(recording, pairing, trace, vmm_tgids)
    if os.path.exists(directory + "/cpu.stat"):
        yield "quota", lambda: flags.judge_quota(report, directory)
    yield "check", lambda: rules.judge_check(kvmsched, directory, lossless)


def check_run(directory, recording_expected_lost):
    """The run itself: kvmsched's status, and loss where it was meant to happen."""
    with open(directory + "/status", encoding="utf-8") as f:
        status = int(f.read())
    want = 3 if recording_expected_lost else 0
    return [] if status == want else [f"kvmsched ended with {status}, not {want}"], f"status {status}"


def judge_run(kvmsched, directory, all_delays):
    name = os.path.basename(directory)
    verdicts = {"run": check_run(directory, name in ("overflow", "storm"))}
    try:
        for judge, function in judges(kvmsched, directory, all_delays):
            verdicts[judge] = function()
    except (OSError, ValueError, KeyError) as e:
        verdicts["data"] = [f"{type(e).__name__}: {e}"], "-"
    return say(name, verdicts)


def say(name, verdicts):
    for judge, (errors, text) in verdicts.items():
        print(f"{'not ok' if errors else 'ok'} - {name}: {judge}: {text}")
        for error in errors[:SHOWN]:
            print(f"# {error}")
        if len(errors) > SHOWN:
            print(f"# and {len(errors) - SHOWN} more")
    return {judge: {"ok": not errors, "errors": errors, "text": text} for judge, (errors, text) in verdicts.items()}


def main():
    kvmsched, top = sys.argv[1:]
    runs = sorted(name for name in os.listdir(top) if os.path.exists(f"{top}/{name}/status"))
    all_delays = []
    verdict = {name: judge_run(kvmsched, f"{top}/{name}", all_delays) for name in runs}
    # QEMU's guests wait too little: what it takes from a switch to its hook is more than 1 % of it.
    if runs != ["qemu"]:
        verdict["all"] = say("all", {"run delay": schedstat.judge_reconstruction(all_delays)})
    with open(top + "/verdict.json", "w", encoding="utf-8") as f:
        json.dump(verdict, f, indent=1)
    return 0 if runs and all(v["ok"] for run in verdict.values() for v in run.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
