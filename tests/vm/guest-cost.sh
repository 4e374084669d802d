#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Inside the emulated machine: the three bench workloads, once for each row, with that row's tool attached. Called
# by tests/vm/cost-lib.sh.
#
#   guest-cost.sh [--keep] ROW...
#
# Rows: none; default, full, light, flight (kvmsched record); sums, sums-by (aggregation, without and with classes of preemptors); hooks-MODE (that mode's hooks with empty programs); trace-cmd,
# perf, bpftrace-absences, bpftrace-offcpu, bpftrace-runqlat. Leaves in $VM_OUT for each: ROW.json (what the workloads
# measured), ROW.err, ROW.status. --keep: also ROW.rec (what the tool wrote) and ROW.short (how many bytes it
# writes when there are only $HALTS cycles; a whole run has $HALTS times $REPEATS, after the same warm-up).
set -u
HALTS=2000 REPEATS=6

# It also says how long whoever started it, the recorder, has been on a CPU.
cat > /tmp/bench.sh <<END
set -e
ran()
{
	read -r ns _ < /proc/\$PPID/schedstat
	echo "recorder_ns \$ns"
}
ran
build/workload --bench-halt $HALTS --warmup 200 --repeat \$1
ran
[ \$1 = 1 ] && exit
build/workload --bench-exit 2000 --warmup 200 --repeat 3
build/workload --bench-preempt 1000 --warmup 200 --repeat 4
END

cat > /tmp/bpftrace-absences.bt <<'END'
kfunc:kvm_sched_out { @out[tid] = nsecs; }
kfunc:kvm_sched_in /@out[tid]/ { @absence_us = hist((nsecs - @out[tid]) / 1000); delete(@out[tid]); }
END
cat > /tmp/bpftrace-offcpu.bt <<'END'
tracepoint:sched:sched_switch
{
	@out[args->prev_pid] = nsecs;
	$out = @out[args->next_pid];
	if ($out) { @offcpu_us = hist((nsecs - $out) / 1000); delete(@out[args->next_pid]); }
}
END
# bpftrace's own, but for a kernel header that this machine does not have and the constant it is for.
sed '/^#include/d; s/TASK_RUNNING/0/' /usr/sbin/runqlat.bt > /tmp/bpftrace-runqlat.bt 2>/dev/null

# tool ROW COMMAND...: the command, with the row's tool attached from before it begins until it has ended. What the
# tool writes becomes /tmp/ROW (trace-cmd would compress its file when all is over: that says nothing about tracing).
tool()
{
	row=$1
	shift
	case $row in
	none) "$@" ;;
	default) build/kvmsched record -o "/tmp/$row" -- "$@" ;;
	flight) build/kvmsched record --flight 10s,64M -o "/tmp/$row" -- "$@" ;;
	full | light) build/kvmsched record "--$row" -o "/tmp/$row" -- "$@" ;;
	sums) build/kvmsched hist -- "$@" ;;
	sums-by) build/kvmsched top --json --interval 1h -- "$@" ;; # one interval: its hooks tell who took the CPU
	hooks-*) build/hooks "${row#hooks-}" "$@" ;;
	trace-cmd) trace-cmd record --compression none -e sched_switch -o "/tmp/$row" "$@" ;;
	perf) perf record -a -e sched:sched_switch -o "/tmp/$row" -- "$@" ;;
	bpftrace-*) bpftrace "/tmp/$row.bt" -c "$*" ;;
	*)
		echo "guest-cost: no row $row" >&2
		return 1
		;;
	esac
}

echo "$VM_RELEASE" > "$VM_OUT/release"
keep=false
if [ "$1" = --keep ]; then
	keep=true
	shift
fi
for row; do
	tool "$row" /bin/sh /tmp/bench.sh $REPEATS > "$VM_OUT/$row.json" 2> "$VM_OUT/$row.err"
	echo $? > "$VM_OUT/$row.status"
	if $keep && [ -e "/tmp/$row" ]; then
		cp -r "/tmp/$row" "$VM_OUT/$row.rec"
		rm -r "/tmp/$row"
		tool "$row" /bin/sh /tmp/bench.sh 1 > /dev/null 2>&1
		du -sb "/tmp/$row" | cut -f 1 > "$VM_OUT/$row.short"
	fi
	rm -rf "/tmp/$row"
done
