# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# Sourced by the guest-*.sh that run inside the emulated machine (POSIX sh; busybox): the kernel's own trace of a
# run, beside kvmsched's. A run leaves in $VM_OUT/NAME what tests/judge/judge.py reads: rec (the recording),
# live.json, err, status, trace (the kernel's text), stats (of its buffers), tgids (tid and process), kthreads.

tracing=/sys/kernel/tracing

say()
{
	echo "${0##*/}: $*" >&2
}

# trace_setup KB: buffers of that size per CPU.
trace_setup()
{
	echo nop >$tracing/current_tracer
	echo mono >$tracing/trace_clock || return
	echo "$1" >$tracing/buffer_size_kb || return
	echo 1 >$tracing/options/record-tgid || return
	for event in sched_switch sched_wakeup sched_wakeup_new; do
		echo 1 >$tracing/events/sched/$event/enable || return
	done
}

trace_begin()
{
	echo 0 >$tracing/tracing_on
	echo >$tracing/trace
	echo 1 >$tracing/tracing_on
}

# kthreads: tids of kernel threads, by PF_KTHREAD in their flags.
kthreads()
{
	for stat in /proc/[0-9]*/stat; do
		read -r line <"$stat" 2>/dev/null || continue
		pid=${line%% *}
		# shellcheck disable=SC2086
		set -- ${line##*) }
		[ $(($7 & 0x200000)) = 0 ] || echo "$pid"
	done
}

trace_end()
{
	echo 0 >$tracing/tracing_on
	grep -h sched_ $tracing/trace >"$1/trace"
	head -n 100 $tracing/per_cpu/cpu*/stats >"$1/stats"
	cat $tracing/saved_tgids >"$1/tgids"
	kthreads >"$1/kthreads"
}

# begin_run NAME; sets dir.
begin_run()
{
	dir=/tmp/$1
	mkdir -p "$dir"
	trace_begin
}

# end_run NAME STATUS
end_run()
{
	echo "$2" >"$dir/status"
	trace_end "$dir"
	rm -f "$dir/start" "$dir/created"
	rm -rf "${VM_OUT:?}/$1"
	cp -r "$dir" "$VM_OUT/" || exit 1
	say "$1: status $2, $(grep -c sched_switch "$dir/trace") switches"
}
