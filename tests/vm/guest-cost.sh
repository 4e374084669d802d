#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Inside the emulated machine: the two bench workloads, alone and recorded in each mode. Called by tests/vm/cost.
set -eu
cat > /tmp/bench.sh <<'END'
build/workload --bench-halt 2000 --warmup 200 --repeat 6
build/workload --bench-exit 2000 --warmup 200 --repeat 3
END
sh /tmp/bench.sh > "$VM_OUT/none.json"
for mode in default full light; do
	option=--$mode
	[ $mode != default ] || option=
	# shellcheck disable=SC2086
	build/kvmsched record $option -o /tmp/rec -- sh /tmp/bench.sh > "$VM_OUT/$mode.json"
	rm -rf /tmp/rec
done
