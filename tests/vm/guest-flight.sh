#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs inside the emulated KVM host for tests/vm/flight: the flight recorder beside VMs whose vCPUs are held
# up. Leaves its dumps in $VM_OUT/rec for tests/vm/flight_check.py on the host. $kvmsched, $workload and
# $stall are the programs.
#
#   guest-flight.sh [SECTION...]
# shellcheck disable=SC2016 # $kvmsched and the like are for the shells that are started
set -u
export kvmsched workload stall
self=$(realpath "$0")
tmp=/tmp/flight
err=$tmp/stderr
said=$tmp/said
keep=$VM_OUT/rec
# shellcheck source=tests/vm/guest-ok.sh
. "${self%/*}/guest-ok.sh"

# keep NAME...: brings recordings, or directories of some, out.
keep()
{
	for keep_name; do
		tar -C $tmp -cSf "$keep/$keep_name.tar" "$keep_name" || not_ok "keep $keep_name" "tar failed"
	done
}

# wait_for TEXT: until the recorder says it.
wait_for()
{
	for_tries=0
	until grep -q -e "$1" $said; do
		for_tries=$((for_tries + 1))
		[ $for_tries -lt 300 ] || return 1
		sleep 0.1
	done
}

# fly OPTION...: a recorder in the background, which comes before all others on the CPU; sets pid.
fly()
{
	chrt -f 90 "$kvmsched" record --light "$@" 2>$said &
	pid=$!
	sleep 2 # it says nothing when it has begun
}

# land WANTED NAME [TEXT...]: ends and judges it.
land()
{
	kill -INT "$pid"
	wait "$pid"
	land_got=$?
	cp $said $err
	judge $land_got "$@"
}

# ---- an absence that still goes on -------------------------------------------------------------

# A vCPU that never halts waits for 50 ms, five times.
stalls()
{
	fly --flight 2s,16M --on 'run_delay > 20ms' --after 100ms --cooldown 0s -o stalled
	check "flight: nothing is written before a trigger" "there is" sh -c '! ls -d stalled.* 2>/dev/null'
	"$workload" --time 0 --mode spin --vcpus 1 -name web --ready-file web.ready >/dev/null &
	web=$!
	until [ -e web.ready ]; do sleep 0.1; done
	"$stall" 0 50 5 $tmp/stalled $tmp/during >stalls.txt || not_ok "stalls" "failed"
	sleep 0.2
	kill $web
	wait $web
	land 0 "flight: 50 ms stalls" 'run_delay > 20ms: web vCPU 0 (tid [0-9]*): preempted since 20.000 ms, CPU 0, by stall (tid' \
		'written to stalled.1 from .* before' 'stalled.1: [0-9]* records, 0 lost'
	mkdir -p stalled
	mv stalled.* during.* stalled
	cp stalls.txt stalled/log
	cp $said stalled/.said
	keep stalled
}

# ---- other triggers, and what becomes of them ---------------------------------------------------

asked()
{
	fly --flight 10s --after 300ms -o asked
	kill -USR1 $pid
	wait_for 'written to asked.1' || not_ok "SIGUSR1" "nothing is written"
	kill -USR1 $pid # in the dump
	wait_for 'asked.1: ' || not_ok "SIGUSR1" "it does not end"
	kill -USR1 $pid # in its cooldown, which does not matter
	wait_for 'asked.2: ' || not_ok "SIGUSR1" "not in the cooldown"
	land 0 "flight: SIGUSR1" 'asked for (SIGUSR1), at [0-9:.]*: written to asked.1' \
		'asked.1 is being written, with this moment' '1 more trigger fell into a dump'
	mkdir -p asked
	mv asked.* asked
	keep asked
}

none()
{
	run 0 "flight: no trigger, no dump" 'nothing was a trigger: nothing was written' -- \
		"$kvmsched" record --flight 1s --on 'run_delay > 900ms' --light -d 1s -o none
	check "flight: no dump, no directory" "there is one" sh -c '! ls -d none*'
	run 7 "flight: a command's status is passed on" 'nothing was written' 'exited with 7' -- \
		"$kvmsched" record --flight 1s --on 'run_delay > 900ms' --light -o none -- sh -c 'sleep 0.3; exit 7'
	run 1 "flight: a dump's place is not there" 'nowhere/x.1: cannot be created' -- \
		"$kvmsched" record --flight 1s -o nowhere/x --light -d 1s
}

flood()
{
	run 0 "flight: --max-dumps stops" '--max-dumps reached: stopped' 'flood.3: ' '!flood.4' -- \
		"$kvmsched" record --flight 1s --on 'absence > 1us' --cooldown 0s --after 10ms --max-dumps 3 --light \
		-o flood -d 30s
	run 0 "flight: a flood of triggers is one dump" '[1-9][0-9]* more triggers fell into a dump' 'flood.4: ' '!flood.5' -- \
		"$kvmsched" record --flight 1s --on 'absence > 1us' --after 10ms --light -o flood -d 2s
	run 0 "flight: --force begins anew" 'written to flood.1' -- \
		"$kvmsched" record --flight 1s --on 'absence > 1us' --after 10ms --light -o flood -d 1s --force
	mkdir -p flood
	mv flood.* flood
	keep flood
}

room()
{
	run 0 "flight: no more than fits" '(no more fits into 64K)' -- \
		"$kvmsched" record --loads --flight 20s,64K -o room -- sh -c \
		'"$workload" --mode exit --vcpus 2 --time 2 --json /dev/null & sleep 1.5; kill -USR1 $PPID; wait'
	mkdir -p room
	mv room.* room
	keep room
}

disk()
{
	mkdir -p disk
	mount -t tmpfs -o size=200k disk disk
	run 1 "flight: disk full: says so, goes on" 'No space left on device' 'disk/d.1: not written: the trace goes on' \
		'!disk/d.2' 'exited with 0' -- \
		"$kvmsched" record --loads --flight 5s -o disk/d -- sh -c \
		'"$workload" --mode exit --vcpus 2 --time 2 --json /dev/null; kill -USR1 $PPID; sleep 1
		ls -A disk >disk.txt; head -c 190k /dev/zero >disk/x; rm disk/x'
	check "flight: disk full: nothing is left" "there is" sh -c '! test -s disk.txt'
	umount -l disk
}

# Rules, of which this kernel breaks none.
rules()
{
	run 0 "flight: rules beside a bound" 'nothing was a trigger: nothing was written' '!lost' -- \
		"$kvmsched" record --flight 1s --on check --on 'run_delay > 900ms' -o rules -- \
		"$workload" --mode mixed --vcpus 2 --time 0.5 --json /dev/null
	run 0 "flight: rules: a dump in full mode" 'rules.1: [0-9]* records, 0 lost' -- \
		"$kvmsched" record --flight 1s --on 'rule:same_*' --on 'absence > 1ms' --after 100ms -o rules -d 500ms
	run 0 "flight: what check says of the dump" '!.' -- "$kvmsched" check --rule same_task -i rules.1
}

# ---- all of it ---------------------------------------------------------------------------------

mkdir -p $tmp "$keep"
cd $tmp || exit 1
[ $# -gt 0 ] || set -- stalls asked none flood room disk rules
"$workload" --time 0 --mode halt --vcpus 2 --wake-us 8000-20000 -name idle --ready-file idle.ready >/dev/null &
idle=$!
until [ -e idle.ready ]; do sleep 0.1; done
for section; do
	start=$(cut -d. -f1 /proc/uptime)
	$section
	echo "# $section: $(($(cut -d. -f1 /proc/uptime) - start)) s"
done
kill $idle
wait $idle
