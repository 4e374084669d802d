#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Inside the emulated machine: two VMs side by side, recorded. Called by tests/vm/demo.
set -eu
cat > /tmp/vms.sh <<'END'
build/workload -name guest=web,debug-threads=on --vcpus 2 --mode spin,halt --wake-us 2000-20000 \
	--time 6 --seed 1 --json /tmp/web.json &
build/workload -name guest=batch,debug-threads=on --vcpus 2 --mode spin --time 6 --seed 2 \
	--json /tmp/batch.json &
wait
END
build/kvmsched record -o "$VM_OUT/demo.ctf" -- sh /tmp/vms.sh
