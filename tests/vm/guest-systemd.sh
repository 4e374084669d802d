#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Inside the emulated machine, where process 1 is systemd: kvmsched's units as they are installed, and what is left
# of their privileges. Called by tests/vm/systemd; prints "ok ..." and "not ok ..." lines.
url=http://127.0.0.1:10098/metrics

result()
{
	if [ "$1" = 0 ]; then echo "ok systemd: $2"; else echo "not ok systemd: $2"; fi
}

# check WHAT COMMAND...: is the command's status 0?
check()
{
	what=$1
	shift
	"$@"
	result $? "$what"
}

# refused WHAT COMMAND...: does it fail?
refused()
{
	what=$1
	shift
	! "$@"
	result $? "$what"
}

# The machine's one clock hand is slow: waits up to 90 s for COMMAND.
wait_for()
{
	for _ in $(seq 90); do
		"$@" && return
		sleep 1
	done
	echo "never: $*" >&2
	return 1
}

metrics()
{
	curl -fsS --max-time 100 -o /tmp/metrics $url
}

# value PATTERN: of the first metric that matches
value()
{
	sed -n "s/^$1 //p" /tmp/metrics | head -n 1
}

main_pid()
{
	systemctl show -P MainPID kvmsched
}

ours()
{
	bpftool prog list | grep -c ': tracing '
}

none_of_ours()
{
	[ "$(ours)" = 0 ]
}

# field NAME of the service's /proc/PID/status
field()
{
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$(main_pid)/status" | tr '\t' ' '
}

is()
{
	[ "$1" = "$2" ] || { echo "$1, not $2" >&2; false; }
}

install_units()
{
	cp build/kvmsched /usr/local/bin/
	for unit in kvmsched.service kvmsched.socket; do
		sed 's|/usr/bin/kvmsched|/usr/local/bin/kvmsched|' tools/systemd/$unit >/etc/systemd/system/$unit
	done
	mkdir -p /etc/systemd/system/kvmsched.service.d
	printf '[Service]\nRestartSec=1s\n' >/etc/systemd/system/kvmsched.service.d/soon.conf
	systemctl daemon-reload
}

# denied NAME ARGS WHY: kvmsched ARGS, under the unit's own settings, fails for WHY.
denied()
{
	sed "s|^ExecStart=.*|ExecStart=/usr/local/bin/kvmsched $2|; s/^Type=.*/Type=oneshot/; s/^Restart=.*/Restart=no/" \
		/etc/systemd/system/kvmsched.service >"/etc/systemd/system/$1.service"
	systemctl daemon-reload
	systemctl start "$1" 2>/dev/null
	status=$?
	journalctl --sync
	journalctl --no-pager -o cat -u "$1" >"/tmp/$1"
	grep -E "$3" "/tmp/$1" || { cat "/tmp/$1"; status=0; }
	[ "$status" != 0 ]
}

restarted()
{
	[ "$(systemctl show -P NRestarts kvmsched)" -gt 0 ] && [ "$(main_pid)" != 0 ] && [ "$(main_pid)" != "$1" ]
}

unload_kvm()
{
	rmmod kvm_amd && rmmod kvm
}

load_kvm()
{
	insmod "$VM_MODULES/kvm.ko" && insmod "$VM_MODULES/kvm-amd.ko"
}

workload()
{
	build/workload -name guest="$1" --vcpus 2 --mode spin,halt --wake-us 5000-20000 --time 1000 >/dev/null &
	workload=$!
}

end_workload()
{
	kill $workload
	wait $workload 2>/dev/null
}

for tool in bpftool curl systemctl journalctl setcap setpriv; do
	command -v $tool >/dev/null || { echo "no $tool" >&2; exit 1; }
done
is "$(cat /proc/1/comm)" systemd || exit 1
install_units

# Started before KVM is there, it waits for it.
unload_kvm
systemctl start kvmsched.socket kvmsched.service
wait_for sh -c 'journalctl -o cat -u kvmsched | grep "KVM is not loaded"'
result $? "without KVM it says so, and systemd tries again"
load_kvm
check "metrics come through the socket, once KVM is there" wait_for metrics
[ "$(ours)" -gt 0 ]
result $? "its $(ours) programs are attached"
rmmod kvm_amd
refused "kvm.ko cannot be removed while they are" rmmod kvm
insmod "$VM_MODULES/kvm-amd.ko"

workload web
sleep 3
check "metrics go on" metrics
grep '^kvmsched_vm_info' /tmp/metrics
check "a VM has its name" grep -q '^kvmsched_vm_info{.*vm="web"' /tmp/metrics

cp "/proc/$(main_pid)/status" "${VM_OUT:-/tmp}/status"
grep -E '^(Name|Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)' "/proc/$(main_pid)/status"
uid=$(field Uid)
check "it runs as nobody in particular" [ "${uid%% *}" -gt 60000 ]
for set in CapInh CapPrm CapEff CapAmb; do
	check "$set is empty" is "$(field $set)" 0000000000000000
done
check "CapBnd has only what loading takes" is "$(field CapBnd)" 000000c000200000
check "no_new_privs is set" is "$(field NoNewPrivs)" 1
check "a seccomp filter is in force" is "$(field Seccomp)" 2
check "its network is empty" is "$(tail -n +3 "/proc/$(main_pid)/net/dev" | grep -vc 'lo:')" 0

before=$(value 'kvmsched_switches_total{vm="web"}')
sleep 2
metrics
after=$(value 'kvmsched_switches_total{vm="web"}')
check "counters grow: $before, $after" [ "${after:-0}" -gt "${before:-0}" ]

check "it cannot write" denied kvmsched-write "serve --once /etc/kvmsched.prom -d 100ms" 'Read-only file system'
check "... not even record into /var" denied kvmsched-record "record -d 100ms -o /var/lib/x" 'Read-only file system'
check "it cannot listen elsewhere" denied kvmsched-listen "serve --listen 127.0.0.1:9999" \
	'not supported by protocol|not permitted'

pid=$(main_pid)
kill -KILL "$pid"
check "killed, it comes back" wait_for restarted "$pid"
check "... and answers on the same socket" metrics
check "... knowing the VM" grep -q 'vm="web"' /tmp/metrics

systemctl stop kvmsched.service kvmsched.socket
check "stopped, it is no failure" is "$(systemctl show -P Result kvmsched)" success
check "... and leaves nothing attached" wait_for none_of_ours
end_workload
check "kvm.ko can be removed then" wait_for unload_kvm
load_kvm

workload "db"
systemctl start kvmsched.socket
check "with KVM loaded anew, the socket alone starts it" metrics
check "... and it sees the new VM" grep -q 'vm="db"' /tmp/metrics
systemctl stop kvmsched.service kvmsched.socket

# Without systemd: a program with file capabilities, run by nobody.
cp build/kvmsched /usr/local/bin/kvmsched-caps
setcap cap_bpf,cap_perfmon,cap_sys_admin+ep /usr/local/bin/kvmsched-caps
setpriv --reuid 65534 --regid 65534 --clear-groups /usr/local/bin/kvmsched-caps report --json -d 300ms >/tmp/report
check "nobody can use one that has file capabilities" grep -q '"vm": "db"' /tmp/report

# Where /proc hides whatever one may not trace, root keeps what it takes to see the names.
mount -o remount,hidepid=4 /proc
build/kvmsched report --json -- sh -c "sleep 1; grep CapPrm /proc/\$PPID/status >/tmp/caps" >/tmp/report
check "names are found where /proc hides processes" grep -q '"vm": "db"' /tmp/report
check "... by CAP_SYS_PTRACE, which stays for that" grep -q 0000000000080000 /tmp/caps
mount -o remount,hidepid=0 /proc

# A full screen, which puts the terminal back; and what is written at the end: files of somebody else's directory.
script -qec "build/kvmsched top -n 2 --interval 300ms" /tmp/typescript >/dev/null
result $? "top has its terminal"
mkdir -m 755 /tmp/theirs
chown 65534 /tmp/theirs
(cd /tmp/theirs && "$OLDPWD/build/kvmsched" timeline -d 300ms -o x.svg && "$OLDPWD/build/kvmsched" export --to html -d 300ms -o x.html &&
	"$OLDPWD/build/kvmsched" record --light -d 300ms -o x.ctf && ls x.svg x.html x.ctf/metadata)
result $? "root writes into somebody else's directory"
end_workload
dmesg | grep 'type=1326.*comm="kvmsched'
result $((! $?)) "the kernel has refused kvmsched nothing"
journalctl --no-pager -o short-monotonic -u kvmsched >"${VM_OUT:-/tmp}/journal"
none_of_ours
result $? "nothing is left"
