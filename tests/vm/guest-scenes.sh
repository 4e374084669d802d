#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Inside the emulated machine, two CPUs: three recordings of a VM "shop" that does not get its CPUs, each for a
# reason of its own. $VM_OUT/hog: after a second two busy processes "backup" of the host come to CPU 0; $VM_OUT/noisy:
# so does a vCPU of a VM "batch" that has six times the weight; $VM_OUT/quota: its cgroup may use 40 % of a CPU.
set -eu

pids=''

# await FILE: a process that has not made it within a minute never will.
await()
{
	tries=0
	while [ ! -e "$1" ]; do
		sleep 0.1
		[ $((tries += 1)) -lt 600 ] || exit 1
	done
}

# start_vm NAME NICE OPTION…
start_vm()
{
	name=$1 nice=$2
	shift 2
	nice -n "$nice" build/workload -name "guest=$name,debug-threads=on" --time 0 --json /dev/null --ready-file "/tmp/$name" \
		--pin "$@" &
	pids="$pids $!"
	await "/tmp/$name"
}

shop()
{
	start_vm shop 0 --vcpus 2 --affinity 0-1 --mode spin,halt --wake-us 10000-40000 --seed 1
}

# scene NAME: what runs is recorded, then ended.
scene()
{
	build/kvmsched record -d 4s -o "$VM_OUT/$1"
	# shellcheck disable=SC2046,SC2086
	[ ! -e /tmp/backup.1 ] || kill -KILL $(cat /tmp/backup.1 /tmp/backup.2) || true
	rm -f /tmp/backup.*
	# shellcheck disable=SC2086
	kill $pids 2>/dev/null || true # one that has done its work is gone
	wait
	pids=''
	rm -f /tmp/shop /tmp/batch
}

cp /bin/sh /tmp/backup
shop
# They are there already, and go on when it is time: nothing is started then, which may take long on a busy machine.
for i in 1 2; do
	# shellcheck disable=SC2016
	nice -n -3 taskset 1 /tmp/backup -c 'echo $$ >"/tmp/backup.$0" && kill -STOP $$ && while :; do :; done' $i &
	await "/tmp/backup.$i"
done
# shellcheck disable=SC2016
nice -n -15 sh -c 'while [ ! -e "$0" ]; do sleep 0.1; done; sleep 1
	kill -CONT $(cat /tmp/backup.1 /tmp/backup.2)' "$VM_OUT/hog/metadata" &
pids="$pids $!"
scene hog

shop
start_vm batch -8 --vcpus 1 --affinity 0 --mode spin --seed 2
scene noisy

echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/small
echo "40000 100000" >/sys/fs/cgroup/small/cpu.max
shop
for pid in $pids; do
	echo "$pid" >/sys/fs/cgroup/small/cgroup.procs
done
scene quota
