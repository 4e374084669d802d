#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Inside the emulated machine, two CPUs: three recordings of a VM "shop" that does not get its CPUs, each for a
# reason of its own. $VM_OUT/hog: four busy processes "backup" of the host; $VM_OUT/noisy: a VM "batch" of four busy
# vCPUs; $VM_OUT/quota: its cgroup may use 40 % of a CPU.
set -eu

pids=''

start_vm()
{
	name=$1
	shift
	build/workload -name "guest=$name,debug-threads=on" --time 0 --json /dev/null --ready-file "/tmp/ready-$name" "$@" &
	pids="$pids $!"
	tries=0
	while [ ! -e "/tmp/ready-$name" ]; do
		sleep 0.1
		[ $((tries += 1)) -lt 600 ] || exit 1
	done
}

shop()
{
	start_vm shop --vcpus 2 --mode spin,halt --wake-us 2000-20000 --seed 1
}

# scene NAME: what runs is recorded, then ended.
scene()
{
	build/kvmsched record -d 3s -o "$VM_OUT/$1"
	# shellcheck disable=SC2086
	kill $pids
	wait
	pids=''
	rm -f /tmp/ready-*
}

cp /bin/sh /tmp/backup
shop
for _ in 1 2 3 4; do
	/tmp/backup -c 'while :; do :; done' &
	pids="$pids $!"
done
scene hog

shop
start_vm batch --vcpus 4 --mode spin --seed 2
scene noisy

echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/small
echo "40000 100000" >/sys/fs/cgroup/small/cpu.max
shop
for pid in $pids; do
	echo "$pid" >/sys/fs/cgroup/small/cgroup.procs
done
scene quota
