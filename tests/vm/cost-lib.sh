# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Sourced by tests/vm/cost and tests/vm/bench: what tools cost, in guest instructions. An emulated machine in which one
# nanosecond of guest time is one instruction (-icount) runs the same work with nothing and with each tool attached
# (tests/vm/guest-cost.sh knows the tools; a ROW is one of them). Everything counts: hooks, records, and what the tool's
# own processes do, since the machine has one CPU.
#
# A cycle: one kvm_sched_out and one kvm_sched_in (workload --bench-halt). A run: one KVM_RUN that does not switch
# (--bench-exit). In a cycle of those figures the vCPU halts; --bench-preempt has others, with work: a vCPU that runs
# 40,000 instructions of its guest and then loses its CPU to another thread, again and again.

# cost_boot KERNEL OUT SECONDS [--keep] ROW...: boots once, for all rows; what it leaves is below OUT.
cost_boot()
{
	cost_out=$2
	rm -rf "$cost_out" && mkdir -p "$cost_out"
	tests/vm/vm -k "$1" --icount --timeout "$3" --out "$cost_out" -- sh tests/vm/guest-cost.sh "${@:4}" > "$cost_out/log"
}

# cost_failure ROW: why it has no figures; fails if it has.
cost_failure()
{
	local status

	status=$(cat "$cost_out/$1.status" 2>/dev/null) || status="no status"
	[ "$status" != 0 ] || return 1
	echo "ended with $status: $(tail -n 1 "$cost_out/$1.err" 2>/dev/null)"
}

# cost_results ROW halt|exit|preempt: of each repeat cycles, instructions, switches
cost_results()
{
	sed -n "s/.*\"bench\":\"$2\".*\"cycles\":\([0-9]*\),\"total_ns\":\([0-9]*\),.*\"switches\":\([-0-9]*\).*/\1 \2 \3/p" "$cost_out/$1.json"
}

# cost_figure ROW halt|exit|preempt: mean instructions of a cycle, of a run, over the repeats
cost_figure()
{
	cost_results "$1" "$2" | awk '{ ns += $2; n += $1 } END { if (!n) exit 1; printf "%.0f", ns / n }'
}

# cost_extra ROW halt|exit|preempt: how many more than with nothing attached
cost_extra()
{
	echo $(($(cost_figure "$1" "$2") - $(cost_figure none "$2")))
}
