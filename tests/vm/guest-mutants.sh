#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs inside the emulated KVM host, booted without KVM by tests/vm/mutants: loads one buggy kvm.ko after the other, and
# has kvmsched check it around the same work: vCPUs that spin, halt, block beside CPU hogs, and call other ioctls.
#
#   guest-mutants.sh DIRECTORY NAME...		DIRECTORY/NAME.ko
#
# Leaves in $VM_OUT for each: NAME.json, NAME.txt (the explanation), NAME.status.
set -u
ko=$1
shift

modules()
{
	for module in irqbypass ccp; do
		[ ! -e "$VM_MODULES/$module.ko" ] || insmod "$VM_MODULES/$module.ko" 2>/dev/null
	done
	insmod "$1" && insmod "$VM_MODULES/kvm-amd.ko"
}

# What is traced. The hogs begin with it: attaching beside them takes long.
work()
{
	for _ in 1 2; do
		(while :; do :; done) &
		hogs="${hogs-} $!"
	done
	build/workload --vms 2 --vcpus 3 --mode spin,halt,timer,mixed,ioctl,exit --time 1 --seed 7 --json /dev/null
	status=$?
	# shellcheck disable=SC2086
	kill $hogs
	return $status
}

if [ "$ko" = work ]; then
	work
	exit
fi
for name; do
	if modules "$ko/$name.ko"; then
		build/kvmsched check --format json -o /tmp/rec -- /bin/sh "$0" work >"$VM_OUT/$name.json" 2>"$VM_OUT/$name.err"
		echo $? >"$VM_OUT/$name.status"
		build/kvmsched check --color never -i /tmp/rec >"$VM_OUT/$name.txt" 2>&1
		rm -rf /tmp/rec
	else
		echo "not loaded" >"$VM_OUT/$name.status"
	fi
	rmmod kvm_amd kvm
done
