#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs inside the emulated KVM host, booted without KVM by tests/vm/faults: does to kvmsched what can go
# wrong, and leaves the recordings in $VM_OUT/rec for the checks on the host. $kvmsched, $workload and
# $step are the programs, $models a directory of rules.
#
#   guest-faults.sh [SECTION...]
#
# stdout: "ok NAME" or "not ok NAME: why" followed by what was said as comments.
# shellcheck disable=SC2016 # $kvmsched and the like are for the shells that are started
set -u
export kvmsched workload step models
self=$(realpath "$0")
tmp=/tmp/faults
err=$tmp/stderr
keep=$VM_OUT/rec

# shellcheck source=tests/vm/guest-ok.sh
. "${self%/*}/guest-ok.sh"

# keep NAME: brings a recording, or a directory of some, out.
keep()
{
	tar -C $tmp -cSf "$keep/$1.tar" "$1" || not_ok "keep $1" "tar failed"
}

# until_there FILE: waits for it.
until_there()
{
	there_tries=0
	while [ ! -e "$1" ] && [ $there_tries -lt 400 ]; do
		sleep 0.1
		there_tries=$((there_tries + 1))
	done
	[ -e "$1" ]
}

load()
{
	for module in irqbypass ccp kvm kvm-amd; do
		[ ! -e "$VM_MODULES/$module.ko" ] || insmod "$VM_MODULES/$module.ko" 2>/dev/null
	done
	[ -e /dev/kvm ]
}

# run_with CAPS WANTED NAME TEXT -- CMD...: as run, as nobody with these capabilities (in setpriv's
# words).
run_with()
{
	with=$1 with_wanted=$2 with_name=$3 with_text=$4
	shift 5
	run "$with_wanted" "$with_name" "$with_text" -- setpriv --reuid 65534 --regid 65534 --clear-groups \
		--inh-caps "$with" --ambient-caps "$with" "$@"
}

# ---- what needs no trace -----------------------------------------------------------------------

no_kvm()
{
	run 1 "no kvm: says what to load" 'KVM is not loaded.*modprobe kvm_amd' -- \
		"$kvmsched" record -o x -- touch ran
	check "no kvm: the command has not run" "it has" test ! -e ran
	run 1 "no kvm: report" 'KVM is not loaded' -- "$kvmsched" report -d 1s
	check "no kvm: leaves nothing behind" "there is a directory" test ! -e x
	check "kvm loaded later" "no /dev/kvm" load # all that follows needs it
}

btf()
{
	mkdir -p empty
	mount --bind empty /sys/kernel/btf
	run 1 "no BTF" 'it has no BTF (CONFIG_DEBUG_INFO_BTF)' -- "$kvmsched" record -o x -d 1s
	umount /sys/kernel/btf
	mount --bind /dev/null /sys/kernel/btf/kvm
	run 1 "BTF of kvm not readable" '/sys/kernel/btf/kvm' -- "$kvmsched" record -o x -d 1s
	umount /sys/kernel/btf/kvm
	run 1 "--btf not there" '--btf /nowhere: No such file' -- "$kvmsched" record --btf /nowhere -o x -d 1s
	run 1 "--btf not BTF" '--btf /etc/passwd: not BTF' -- "$kvmsched" record --btf /etc/passwd -o x -d 1s
	run 1 "--btf a directory" '--btf /etc: not BTF' -- "$kvmsched" record --btf /etc -o x -d 1s
	head -c 100000 /sys/kernel/btf/vmlinux >cut.btf
	run 1 "--btf truncated" '--btf cut.btf: not BTF' -- "$kvmsched" record --btf cut.btf -o x -d 1s
	check "BTF: leaves nothing behind" "there is a directory" test ! -e x
	cp /sys/kernel/btf/vmlinux own.btf
	run 0 "--btf: fields from a file" '!lost [1-9]' -- \
		"$kvmsched" record --btf own.btf -o own_btf -- "$workload" --mode halt --vcpus 2 --time 0.5 --json /dev/null
	keep own_btf
}

rights()
{
	set -- -- "$kvmsched" record -o /tmp/norights -d 1s
	run_with -all 1 "no root: names what is missing" \
		'^no CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN: run as root' "$@"
	run_with -all,+bpf 1 "only CAP_BPF" '^no CAP_PERFMON, CAP_SYS_ADMIN:' "$@"
	run_with -all,+perfmon 1 "only CAP_PERFMON" '^no CAP_BPF, CAP_SYS_ADMIN:' "$@"
	run_with -all,+bpf,+perfmon 1 "all but CAP_SYS_ADMIN" '^no CAP_SYS_ADMIN:' "$@"
	check "no rights: leaves nothing behind" "there is a directory" test ! -e /tmp/norights
}

# ---- with only the VMs that the test makes ------------------------------------------------------

# What happens while reload traces; each step's status goes to reload.log.
inside_reload()
{
	rmmod kvm_amd
	echo "rmmod kvm_amd: $?"
	rmmod kvm
	echo "rmmod kvm: $?"
	insmod "$VM_MODULES/kvm-amd.ko"
	echo "insmod kvm_amd: $?"
	"$workload" --time 0.3 --vcpus 2 -name reloaded >/dev/null
	echo "workload: $?"
	rmmod kvm_amd
	insmod "$VM_MODULES/kvm-amd.ko"
	"$workload" --time 0.3 --vcpus 2 -name again >/dev/null
	echo "workload again: $?"
}

reload()
{
	run 3 "no VM: nothing was seen" 'no vCPU was seen' -- "$kvmsched" record --light -o none -d 1ms
	run 0 "kvm_amd reloaded while tracing" 'kvm is in use' -- \
		"$kvmsched" record -o reload -- sh -c "exec sh $self --inside reload >reload.log"
	cat >reload.wanted <<-LOG
		rmmod kvm_amd: 0
		rmmod kvm: 1
		insmod kvm_amd: 0
		workload: 0
		workload again: 0
	LOG
	check "rmmod kvm while tracing: busy" "other results" diff reload.wanted reload.log
	rmmod kvm_amd
	check "rmmod kvm after tracing" "rmmod says" rmmod kvm
	check "kvm loaded again" "no /dev/kvm" load
	keep reload
}

churn()
{
	run 0 "1000 vCPUs created and destroyed, 64 at once" '!untracked' '!did not fit' ', 0 lost,' -- \
		"$kvmsched" record --max-vcpus 64 -o churn -- "$workload" --churn 1000 --vcpus 50
	keep churn
	run 3 "four vCPUs, room for one: three did not fit" ': 3 vCPUs did not fit' -- \
		"$kvmsched" record --light --max-vcpus 1 -o crowd -- \
		"$workload" --mode halt --vcpus 4 --time 1 --json /dev/null
}

inside_brief()
{
	sleep 0.3
	cut -d' ' -f1 /proc/uptime
	"$workload" --time 0.3 --vcpus 1 --mode halt -name brief >/dev/null
	cut -d' ' -f1 /proc/uptime
	sleep 0.3
}

brief()
{
	run 0 "a VM that starts and dies meanwhile" -- \
		"$kvmsched" record -o brief -- sh -c "exec sh $self --inside brief >brief.log"
	cp brief.log brief/.log
	keep brief
	run 0 "a VM that is killed meanwhile" -- "$kvmsched" record -o killed_vm -- sh -c '
		"$workload" --time 0 --vcpus 2 -name killed --ready-file vm.ready >/dev/null & pid=$!
		while [ ! -e vm.ready ]; do sleep 0.1; done
		sleep 0.2; kill -9 $pid; wait $pid; sleep 0.2'
	keep killed_vm
}

small()
{
	mkdir -p disk
	mount -t tmpfs -o size=200k disk disk
	run 1 "disk full: says so, ends" 'No space left on device' -- \
		"$kvmsched" record --loads -o disk/full -- "$workload" --mode exit --vcpus 2 --time 6 --json /dev/null
	cp -a disk/full disk_full
	keep disk_full
	umount -l disk
	run 3 "rings too small: says what was lost" '[1-9][0-9]* lost,' -- \
		"$kvmsched" record --loads --buffer 1K -o ring_full -- "$workload" --mode exit --vcpus 2 --time 1 --json /dev/null
	keep ring_full
	run 3 "rings too small: live report" 'records were lost' -- \
		"$kvmsched" report --json --loads --buffer 1K -o ring_live -- "$workload" --mode exit --vcpus 2 --time 1 --json /dev/null
	cp $tmp/stdout ring_live/.live.json
	keep ring_live
	run 0 "--max-size stops, and says so" '--max-size reached' -- \
		"$kvmsched" record --loads --max-size 100K -o max_size -d 30s -- \
		"$workload" --mode exit --vcpus 2 --time 6 --json /dev/null
	keep max_size
}

# ---- beside two VMs that halt and wake ---------------------------------------------------------

fleet_begin()
{
	mkdir -p /sys/fs/cgroup/faults/deep
	"$workload" --time 0 --mode halt --vcpus 2 --wake-us 8000-20000 -name alpha --ready-file alpha.ready \
		>/dev/null &
	alpha=$!
	sh -c 'echo $$ >/sys/fs/cgroup/faults/deep/cgroup.procs; exec "$workload" --time 0 --mode halt \
		--vcpus 2 --wake-us 8000-20000 -name beta --ready-file beta.ready' >/dev/null &
	beta=$!
	until_there alpha.ready && until_there beta.ready
}

fleet_end()
{
	kill "$alpha" "$beta"
	wait "$alpha" "$beta"
}

output()
{
	mkdir -p taken ro
	echo mine >taken/file
	run 1 "output exists: refused" 'taken (--force' -- \
		"$kvmsched" record --light -o taken -d 1ms
	run 1 "output is not a recording: --force refuses" 'file that is not kvmsched' -- \
		"$kvmsched" record --light --force -o taken -d 1ms
	check "what is not ours is left alone" "file has gone" grep -q mine taken/file
	run 1 "output is a file" 'cut.txt' -- sh -c 'echo x >cut.txt; exec "$kvmsched" record --light -o cut.txt -d 1ms'
	run 1 "output below nothing" 'nowhere/x: cannot be created: No such file' -- \
		"$kvmsched" record --light -o nowhere/x -d 1ms
	mount -t tmpfs -o ro ro ro
	run 1 "output not writable" 'ro/x: cannot be created: Read-only' -- "$kvmsched" record --light -o ro/x -d 1ms
	umount ro
	mkdir -m 777 open
	run_with -all,+sys_admin 0 "only CAP_SYS_ADMIN suffices" ', 0 lost,' -- \
		"$kvmsched" record --light -o open/mine -d 100ms
	run 0 "--force replaces a recording" -- "$kvmsched" record --light --force -o open/mine -d 100ms
	mv open/mine forced
	keep forced
}

# What is printed while tracing is what the recording prints later. (report: in each run of the matrix.)
replays()
{
	for view in "timehist --json" "timehist --state halted" hist "hist --json --by vcpu"; do
		rm -rf replayed
		# shellcheck disable=SC2086
		run 0 "$view: live" -- "$kvmsched" $view -o replayed -d 300ms
		cp $tmp/stdout live.txt
		# shellcheck disable=SC2086
		run 0 "$view: replayed" -- "$kvmsched" $view -i replayed
		check "$view: live and replayed are the same" "they differ" cmp live.txt $tmp/stdout
		check "$view: says something" "too little" test "$(wc -c <live.txt)" -gt 300
	done
}

# kvmsched check, live: its verdicts as exit statuses.
checks()
{
	run 0 "check: live, around a command" -- "$kvmsched" check -o checked -- \
		"$workload" --mode mixed,exit,ioctl --vcpus 3 --time 0.5 --json /dev/null
	run 0 "check: on the recording" -- "$kvmsched" check -i checked
	run 2 "check: the same with an assertion that does not hold" -- \
		"$kvmsched" check --assert 'count(absence) > 0 by vm' --assert 'max(halted) < 1us' -i checked
	run 7 "check: the command's failure is passed on" -- \
		"$kvmsched" check -- sh -c '"$workload" --time 0.3 --json /dev/null; exit 7'
	run 2 "check: a violation comes before the command's failure" -- \
		"$kvmsched" check --assert 'count(absence) == 0' -- sh -c '"$workload" --time 0.3 --json /dev/null; exit 7'
	run 9 "check: a full recording does not end it" '--max-size reached: check_full ends' 'exited with 9' -- \
		"$kvmsched" check --loads --max-size 64K -o check_full -- \
		sh -c '"$workload" --mode exit --vcpus 2 --time 2 --json /dev/null; exit 9'
	run 0 "check: what was recorded until it was full is sound" '!.' -- "$kvmsched" report -i check_full
	run 3 "check -d: a command that outlives it" 'sleep is still running' -- "$kvmsched" check -d 300ms -- sleep 2
	run 3 "check: records were lost: inconclusive" -- \
		"$kvmsched" check --loads --buffer 1K -- "$workload" --mode exit,mixed --vcpus 2 --time 1 --json /dev/null
	check "check: loss is no violation" "it says so" sh -c "! grep -q ^violated: $tmp/stdout"
	run 3 "check: nothing seen: inconclusive" -- "$kvmsched" check --vm nobody -d 100ms
	sed 's/5ms/10s/' "$models/preempted-5ms.dot" >patient.dot
	run 0 "check --model: a clock that suffices" -- "$kvmsched" check --rule same_task --model patient.dot -d 500ms
	run 2 "check --model: a clock that does not, beside hogs; --keep" -- \
		"$kvmsched" check --model "$models/preempted-5ms.dot" --keep kept -- \
		sh -c 'for i in 1 2 3; do (while :; do :; done) & hogs="${hogs-} $!"; done
			"$workload" --mode spin --vcpus 3 --time 1 --json /dev/null; kill $hogs'
	run 2 "check: what was kept shows the violation" -- \
		"$kvmsched" check --model "$models/preempted-5ms.dot" -i kept
}

# stopped_by SIGNAL: a recorder that gets it ends cleanly, with all it has.
stopped_by()
{
	"$kvmsched" record --light -o "stop_$1" 2>$err &
	pid=$!
	until_there "stop_$1/metadata" || not_ok "SIG$1" "does not begin"
	sleep 0.3
	kill "-$1" $pid
	wait $pid
	judge $? 0 "SIG$1 ends it cleanly" ' records, 0 lost,'
	keep "stop_$1"
}

stop()
{
	stopped_by INT
	stopped_by TERM
	"$kvmsched" record --light -o stop_early 2>$err &
	pid=$!
	sleep 0.5
	kill -INT $pid
	wait $pid
	judge $? "0|130" "SIGINT while it attaches"
}

command()
{
	run 0 "CMD that succeeds" '!cannot' -- "$kvmsched" record --light -o cmd0 -- true
	run 5 "CMD's status is passed on" 'exited with 5' -- "$kvmsched" record --light -o cmd5 -- sh -c 'exit 5'
	run 137 "CMD killed by a signal" 'killed by signal 9' -- \
		"$kvmsched" record --light -o cmd9 -- sh -c 'kill -9 $$'
	run 1 "CMD not found" 'nosuch: cannot run: No such file' '!exited with' '!no vCPU' -- \
		"$kvmsched" record --light -o cmd1 -- /nosuch
	check "CMD not found: leaves nothing behind" "there is a directory" test ! -e cmd1
	run 1 "check: CMD cannot be run" '/etc/passwd: cannot run: Permission denied' '!exited with' -- \
		"$kvmsched" check --light -- /etc/passwd
	check "check: CMD cannot be run: no verdict" "there is one" test ! -s $tmp/stdout
	run 127 "CMD that exits with 127 itself" 'exited with 127' -- \
		"$kvmsched" record --light -o cmd127 -- sh -c 'exit 127'
	run 3 "3 comes before CMD's status" 'no vCPU matches the filter' 'exited with 5' -- \
		"$kvmsched" record --light --vm nosuch -o cmd3 -- sh -c 'exit 5'
	keep cmd3
}

streams()
{
	run 1 "stdout full: 1 comes before CMD's status" 'standard output: No space' -- sh -c '
		exec "$kvmsched" report --light -- sh -c "sleep 0.1; exit 5" >/dev/full'
	run 1 "stdout closed" 'standard output' -- sh -c '
		exec "$kvmsched" report --json --light -o closed -d 200ms >&-'
	keep closed
	run 1 "stdout full, from a recording" 'standard output: No space' -- sh -c '
		exec "$kvmsched" report -i closed >/dev/full'
	run 1 "stdout closed, from a recording" 'standard output' -- sh -c 'exec "$kvmsched" report -i closed >&-'
	run 0 "stdin and stderr closed" -- sh -c 'exec "$kvmsched" record --light -o closed2 -d 100ms <&- 2>&-'
	keep closed2
}

# Live intervals, kept beside their recording: with VMs that come and go, and ended by SIGINT.
top()
{
	mkdir top
	"$kvmsched" top --json --interval 200ms -o top/rec -- sh -c '
		for i in 1 2; do "$workload" --vcpus 2 --mode halt --time 1 --json /dev/null -name "guest$i" >/dev/null; done
		exec sleep 60' >top/live.json 2>$err &
	pid=$!
	until_there top/rec/metadata || not_ok "top" "does not begin"
	sleep 4
	kill -INT $pid
	wait $pid
	judge $? 0 "top: SIGINT ends it cleanly" ' 0 lost,'
	check "top: nothing is left attached" "there are programs" no_programs
	run 0 "top --once" '!.' -- "$kvmsched" top --once --interval 100ms
	check "top --once: both VMs" "they are not there" sh -c "grep -q ^alpha $tmp/stdout && grep -q ^beta $tmp/stdout"
	run 0 "top -n: the trace ends, not the command" 'plain text' -- "$kvmsched" top -n 2 --interval 100ms -- sleep 1
	check "top -n: so many screens" "there are others" test "$(grep -c '^kvmsched top' $tmp/stdout)" = 2
	keep top
}

# How much memory kvmsched, which has started this, has after each 500 vCPUs that came and went.
inside_sums()
{
	for i in 1 2 3; do
		"$workload" --churn 500 --vcpus 50 >/dev/null || exit
		sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$PPID/status
	done
}

# sums_of NAME CMD...: 1,500 vCPUs come and go, 50 at once beside the fleet, and 64 places. Those that find none are
# counted and said.
sums_of()
{
	sums_name=$1
	shift
	run "0|3" "$sums_name: 1500 vCPUs come and go in 64 places" -- \
		"$@" --max-vcpus 64 -- sh -c "exec sh $self --inside sums >sums.rss"
	cp $err sums.err
	echo "# $sums_name: exit status $run_got $(cat sums.err)"
	check "$sums_name: those without a place are said, and only then the exit status is 3" "exit status $run_got" \
		test "$(grep -c 'did not fit' sums.err)" = $((run_got != 0))
	# shellcheck disable=SC2046
	set -- $(cat sums.rss)
	echo "# $sums_name: resident memory after each 500 vCPUs: $* KB"
	check "$sums_name: memory does not grow with vCPUs" "from ${1-nothing} to ${3-nothing} KB" test "${3:-0}" -gt 0 -a \
		"$((${3:-0} - ${1:-0}))" -lt 2048
	check "$sums_name: nothing is left attached" "there are programs" no_programs
}

# Where the kernel adds up: vCPUs that come and go, too many of them, signals, and two at once.
sums()
{
	sums_of hist "$kvmsched" hist
	sums_of top "$kvmsched" top --json --interval 200ms
	run 3 "hist: eight vCPUs, room for two: six did not fit" ': 6 vCPUs did not fit' -- \
		"$kvmsched" hist --max-vcpus 2 -- "$workload" --mode halt --vcpus 4 --time 1 --json /dev/null
	run 3 "top: eight vCPUs, room for two: six did not fit" ': 6 vCPUs did not fit' -- \
		"$kvmsched" top --json --interval 500ms --max-vcpus 2 -- "$workload" --mode halt --vcpus 4 --time 1 --json /dev/null
	check "top: says so in its intervals, too" "it does not" grep -q '"untracked": *6' $tmp/stdout
	for view in hist "top --json --interval 200ms"; do
		rm -f sums.go
		# shellcheck disable=SC2086
		"$kvmsched" $view -- sh -c ': >sums.go; exec sleep 60' >$tmp/stdout 2>$err &
		pid=$!
		until_there sums.go || not_ok "$view" "does not begin"
		sleep 0.5
		kill -TERM $pid
		wait $pid
		judge $? 0 "$view: SIGTERM ends it cleanly" '!lost' '!did not fit'
		check "$view: SIGTERM: shows what there was" "too little" test "$(wc -c <$tmp/stdout)" -gt 200
	done
	check "SIGTERM: nothing is left attached" "there are programs" no_programs
	sums_two
}

sums_two()
{
	"$kvmsched" top --json --interval 200ms -- sh -c ': >sums.a; while [ ! -e sums.b ]; do sleep 0.1; done' \
		>sums.json 2>sums.err &
	pid=$!
	until_there sums.a
	run 0 "two that add up at once: the second" '!did not fit' -- "$kvmsched" hist --by vm -d 700ms
	check "two that add up at once: the second has both VMs" "they are not there" \
		sh -c "grep -q alpha $tmp/stdout && grep -q beta $tmp/stdout"
	: >sums.b
	wait $pid
	sums_status=$?
	cp sums.err $err
	judge $sums_status 0 "two that add up at once: the first" '!did not fit'
	check "two that add up at once: the first has both VMs" "they are not there" \
		sh -c "grep -q '\"alpha\"' sums.json && grep -q '\"beta\"' sums.json"
}

two()
{
	"$kvmsched" record --light -o two_a -- sh -c 'while [ ! -e two_b.done ]; do sleep 0.1; done' 2>two_a.err &
	pid=$!
	until_there two_a/metadata
	run 1 "a recording in progress is not replaced" 'another kvmsched is recording' -- \
		"$kvmsched" record --light --force -o two_a -d 100ms
	run 0 "two recorders at once: the second" ' 0 lost,' -- "$kvmsched" record --light -o two_b -d 700ms
	: >two_b.done
	wait $pid
	status=$?
	cp two_a.err $err
	judge $status 0 "two recorders at once: the first" ' 0 lost,'
	keep two_a
	keep two_b
}

filters()
{
	run 0 "filters: all" -- "$kvmsched" record -o f_all -d 700ms
	keep f_all
	tid=$("$kvmsched" report --json -i f_all | tr -d ' \n' | sed 's/.*"vm":"alpha","vm_pid":[0-9]*,"vcpu":1,"tid":\([0-9]*\).*/\1/')
	echo "$alpha $beta $tid" >f_ids
	cp f_ids "$keep"
	run 0 "filter --vm" -- "$kvmsched" record --light --vm 'al*' -o f_vm -d 300ms
	run 0 "filter -p" -- "$kvmsched" record --light -p "$beta" -o f_pid -d 300ms
	run 0 "filter --vcpu" -- "$kvmsched" record --light --vcpu 1,3-9 -o f_vcpu -d 300ms
	run 0 "filter -t" -- "$kvmsched" record --light -t "$tid" -o f_tid -d 300ms
	run 0 "filter --cgroup" -- "$kvmsched" record --light --cgroup /faults -o f_cgroup -d 300ms
	run 0 "filter -C" -- "$kvmsched" record -C 1 -o f_cpu -d 500ms
	run 0 "filters AND" -- "$kvmsched" record --light --vm alpha --vm beta --vcpu 0 -p "$alpha" -o f_and -d 300ms
	run 3 "filters that exclude each other" 'no vCPU matches the filter' -- \
		"$kvmsched" record --light --vm alpha -p "$beta" -o f_none -d 100ms
	run 3 "filter -C: no such CPU" 'no vCPU matches the filter' -- "$kvmsched" record -C 77 -o f_nocpu -d 300ms
	run 1 "filter --cgroup that is not there" '--cgroup /nosuch: not found' -- \
		"$kvmsched" record --light --cgroup /nosuch -o f_bad -d 100ms
	for name in vm pid vcpu tid cgroup cpu and; do
		keep f_$name
	done
	late_thread
}

# A vCPU's thread that has not run it when tracing begins: until then the vCPU is its creator's.
late_thread()
{
	"$workload" --vcpus 2 --mode halt --time 1 --json /dev/null --created-file late_made --start-file late_go &
	late=$!
	until_there late_made
	tid=$(grep -l '^CPU 1' /proc/$late/task/*/comm)
	tid=${tid%/comm}
	run 0 "filter -t: a thread that has not run its vCPU yet" -- \
		"$kvmsched" report -t "${tid##*/}" --json -d 1500ms -o f_late -- sh -c ": >late_go; sleep 1"
	wait $late
	check "filter -t: that vCPU, and no other" "wrong vCPUs" \
		test "$(tr -d ' \n' <$tmp/stdout | grep -o '"vcpu":[0-9]*,"tid":[0-9]*,' | sort -u)" = "\"vcpu\":1,\"tid\":${tid##*/},"
}

# ---- kill -9 -----------------------------------------------------------------------------------

# chance MAX: a number below MAX, repeatable by its seed.
chance()
{
	seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
	echo $((seed / 65536 % $1))
}

# Copies of what is on disk at random moments, while the recorder stands still: what a kill -9 would leave.
moments()
{
	mkdir moments
	"$workload" --mode halt --wake-us 1000-3000 --vcpus 2 --time 0 --start-file go -name busy >/dev/null &
	busy=$!
	"$kvmsched" record -o moment -- sh -c ': >go; exec sleep 1000' 2>$err &
	pid=$!
	until_there moment/metadata
	for i in $(seq 50); do
		sleep "$(printf 0.%03d "$(chance 150)")"
		kill -STOP $pid || break
		cp -a --sparse=always moment "moments/$i"
		kill -CONT $pid
	done
	kill -INT $pid
	wait $pid
	judge $? 0 "a recorder that was stopped 50 times"
	kill $busy
	wait $busy
	check "50 copies" "there are fewer" test -d moments/50
	cp -a moment moments/whole
	keep moments
}

kills()
{
	seed=${SEED:-1}
	mkdir steps
	check "step through a short run" "it failed" "$step" step steps "$kvmsched" record -o step -d 300ms
	cp -a step steps/whole
	keep steps
	moments
	mkdir killed
	for i in $(seq "${KILLS:-12}"); do
		"$kvmsched" record --light -o "killed/$i" 2>$err &
		pid=$!
		until_there "killed/$i/metadata"
		sleep "$(printf 0.%03d "$(chance 800)")"
		kill -KILL $pid
		wait $pid 2>/dev/null
	done
	keep killed
	check "the programs of killed recorders are gone" "there are some" no_programs
}

no_programs()
{
	sleep 1
	! bpftool prog show 2>/dev/null | grep -q 'name out_exit'
}

# ---- all of it ---------------------------------------------------------------------------------

mkdir -p $tmp "$keep"
cd $tmp || exit 1
case ${1-} in
--inside)
	"inside_$2"
	exit
	;;
'') set -- no_kvm btf rights reload churn brief small output replays checks stop command streams top sums two filters kills ;;
esac
alpha=
for section; do
	start=$(cut -d. -f1 /proc/uptime)
	[ "$section" = no_kvm ] || [ -e /dev/kvm ] || load
	case $section in
	output | replays | checks | stop | command | streams | top | sums | two | filters | kills) [ -n "$alpha" ] || fleet_begin ;;
	esac
	$section
	echo "# $section: $(($(cut -d. -f1 /proc/uptime) - start)) s"
done
[ -z "$alpha" ] || fleet_end
