#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Inside the emulated machine: recordings for tests/check-diff. Two VMs work side by side all the time; they are
# recorded for $1 seconds ($VM_OUT/steady), and, beside a busy process of the host's that is called "hog", for $2
# ($VM_OUT/hog). All have their CPUs: else who competes with whom changes every ten seconds or so, when the
# scheduler balances, and no part of such a recording is like another.
set -eu

vm()
{
	build/workload -name "guest=$1,debug-threads=on" --vcpus 2 --mode "$2" --wake-us 2000-20000 \
		--affinity 0-1 --pin \
		--time 0 --seed "$3" --json /dev/null --ready-file "/tmp/$1" &
	pids="${pids-} $!"
}

# A process that has not been ready within a minute never will be.
await()
{
	tries=0
	while [ ! -e "$1" ]; do
		sleep 0.1
		[ $((tries += 1)) -lt 600 ] || exit 1
	done
}

vm web spin,halt 1
vm batch spin 2
await /tmp/web
await /tmp/batch
build/kvmsched record -d "$1s" -o "$VM_OUT/steady"
cp /bin/sh /tmp/hog
taskset 2 /tmp/hog -c 'while :; do :; done' &
pids="$pids $!"
build/kvmsched record -d "$2s" -o "$VM_OUT/hog"
# shellcheck disable=SC2086
kill $pids
wait
