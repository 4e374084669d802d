#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs inside the emulated machine (tests/vm/vm), under busybox too: records the same workloads with kvmsched
# and with the kernel's own tracing, so that tests/judge can compare the two.
#
#   guest-judge.sh KVMSCHED WORKLOAD [RUN…]
#
# Leaves below $VM_OUT, for every run, what guest-lib.sh says, workload.json, and samples of schedstat; of the run
# agree, which compares records with the kernel's sums, what build/agree (beside KVMSCHED) said: agree.log.
set -u
kvmsched=$1 workload=$2
# shellcheck source=tests/vm/guest-lib.sh
. "${0%/*}/guest-lib.sh"

# ---- what runs as kvmsched's CMD ---------------------------------------------------------------

# Reads schedstat of the vCPU threads while they run, and the clock before and after. Only built-in commands:
# the vCPUs leave little time for others.
sample()
{
	pid=$1 out=$2
	while [ -d "/proc/$pid/task" ]; do
		for task in /proc/"$pid"/task/*; do
			comm=''
			read -r comm <"$task/comm" || continue
			case $comm in
			CPU*) ;;
			*) continue ;;
			esac
			read -r before _ </proc/uptime
			read -r _ wait_ns _ <"$task/schedstat" || continue
			read -r after _ </proc/uptime
			echo "${task##*/} $wait_ns $before $after"
		done
		sleep 0.05
	done >"$out" 2>/dev/null
}

# inside host WORKLOAD…: runs it, with a process of the host's own that competes with the vCPUs.
# inside quota DIR WORKLOAD…: the same in a cgroup that may use 30 % of a CPU, and what the kernel says of it then.
# inside sample DIR PID: lets the waiting workload PID go, and samples until its end.
# inside stop DIR PID: lets it go, and stops kvmsched for a while, so that its rings overflow.
inside()
{
	what=$1
	shift
	case $what in
	host)
		(while :; do :; done) &
		"$@"
		status=$?
		kill $!
		return $status
		;;
	quota)
		group=/sys/fs/cgroup/quota of=$1
		shift
		echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
		mkdir $group
		(
			while [ ! -e "$of/created" ]; do sleep 0.1; done
			echo "30000 100000" >$group/cpu.max
			: >"$of/start"
		) &
		inside host /bin/sh -c "echo \$\$ >$group/cgroup.procs && exec \"\$@\"" sh "$@" \
			--start-file "$of/start" --created-file "$of/created"
		status=$?
		cat $group/cpu.stat >"$of/cpu.stat"
		rmdir $group
		return $status
		;;
	sample)
		: >"$1/start"
		renice -n -20 -p $$ >/dev/null
		sample "$2" "$1/samples"
		;;
	stop)
		renice -n -20 -p $$ "$PPID" >/dev/null
		: >"$1/start"
		sleep 0.7
		kill -STOP "$PPID"
		sleep 1
		kill -CONT "$PPID"
		while [ -d "/proc/$2/task" ]; do
			sleep 0.1
		done
		;;
	esac
}

if [ "$kvmsched" = inside ]; then
	shift
	inside "$@"
	exit
fi
shift 2

# ---- the runs ----------------------------------------------------------------------------------

# run NAME KVMSCHED-OPTIONS WORKLOAD-OPTIONS [COMMAND…]: kvmsched starts the workload when it has attached.
run()
{
	name=$1 options=$2 load=$3
	shift 3
	begin_run "$name"
	# shellcheck disable=SC2086
	"$kvmsched" report $options --buffer 8M -o "$dir/rec" --json -- \
		"$@" "$workload" $load --seed 7 --json "$dir/workload.json" >"$dir/live.json" 2>"$dir/err"
	end_run "$name" $?
}

# The VMs exist before kvmsched does: wait_for FILE, which the workload creates.
wait_for()
{
	while [ ! -e "$1" ] && [ -d "/proc/$pid/task" ]; do
		sleep 0.1
	done
}

# run_waiting WHAT NAME KVMSCHED-OPTIONS WORKLOAD-OPTIONS: they run only when kvmsched has attached.
run_waiting()
{
	begin_run "$2"
	# shellcheck disable=SC2086
	"$workload" $4 --seed 7 --json "$dir/workload.json" --start-file "$dir/start" \
		--created-file "$dir/created" &
	pid=$!
	wait_for "$dir/created"
	# shellcheck disable=SC2086
	"$kvmsched" report $3 -o "$dir/rec" --json -- \
		/bin/sh "$0" inside "$1" "$dir" "$pid" >"$dir/live.json" 2>"$dir/err"
	status=$?
	wait "$pid"
	end_run "$2" $status
}

# run_amid NAME KVMSCHED-OPTIONS WORKLOAD-OPTIONS: they run already, and go on.
run_amid()
{
	begin_run "$1"
	# shellcheck disable=SC2086
	"$workload" $3 --time 0 --seed 7 --json "$dir/workload.json" --ready-file "$dir/created" &
	pid=$!
	wait_for "$dir/created"
	# shellcheck disable=SC2086
	"$kvmsched" report $2 -d 1s -o "$dir/rec" --json >"$dir/live.json" 2>"$dir/err"
	status=$?
	kill "$pid"
	wait "$pid"
	end_run "$1" $status
}

run_agree()
{
	"${kvmsched%/*}/agree" "$workload" --vms 2 --vcpus 3 --mode spin,halt,mixed,timer,uffd --time 1 --seed 7 \
		--json /tmp/agree.json >"$VM_OUT/agree.log" 2>&1
	echo $? >"$VM_OUT/agree.status"
	say "agree: status $(cat "$VM_OUT/agree.status"), $(tail -n 1 "$VM_OUT/agree.log")"
}

do_run()
{
	case $1 in
	loads)
		run loads --loads "--vms 2 --vcpus 4 --mode spin,halt,mixed,timer,fault,ioctl,uffd,exit --time 4" \
			/bin/sh "$0" inside host
		;;
	full-loads) run full-loads "--full --loads" "--vms 2 --vcpus 3 --mode halt,mixed,spin,timer --time 3" ;;
	full) run full --full "--vms 2 --vcpus 3 --mode spin,mixed,halt --time 1.5" ;;
	default) run default "" "--vms 2 --vcpus 3 --mode mixed,spin,exit,timer,ioctl --time 1.5" ;;
	light) run light --light "--vms 2 --vcpus 3 --mode spin,mixed,halt --time 1.5" ;;
	steady)
		run_waiting sample steady "--loads --buffer 8M" \
			"--vcpus 6 --mode spin,halt,timer --steady --affinity 0-1 --pin --halt-poll-ns 0 --time 4"
		;;
	overflow)
		run_waiting stop overflow "--loads --buffer 8K" \
			"--vcpus 6 --mode spin,halt,timer --steady --halt-poll-ns 0 --time 3.5"
		;;
	storm) run_waiting stop storm "--full --loads --buffer 16K" "--vms 2 --vcpus 3 --mode exit,mixed --time 3" ;;
	amid) run_amid amid --loads "--vcpus 3 --mode halt,timer,halt --steady --halt-poll-ns 0 --wake-us 1000-9000" ;;
	quota)
		run quota "" "--vcpus 2 --mode spin --affinity 0-1 --pin --time 2" \
			/bin/sh "$0" inside quota /tmp/quota
		;;
	agree) run_agree ;;
	*)
		say "no run $1"
		return 1
		;;
	esac
}

"$kvmsched" info --json >"$VM_OUT/info.json" 2>"$VM_OUT/info.err"
echo "$VM_RELEASE" >"$VM_OUT/release"
trace_setup 12288 || {
	say "the kernel's tracing could not be set up"
	exit 1
}
[ $# -gt 0 ] || set -- loads full-loads full default light steady overflow storm amid quota agree
for name; do
	do_run "$name" || exit 1
done
exit 0
