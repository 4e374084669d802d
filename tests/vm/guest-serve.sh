#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs inside the emulated KVM host for tests/vm/serve: a Prometheus, on loopback, scrapes kvmsched every second while
# VMs compete, come and go. Leaves in $VM_OUT what it stored, and a recording of the same seconds, for
# tests/vm/serve_check.py on the host. $kvmsched and $workload are the programs.
#
#   guest-serve.sh [SECTION...]
set -u
self=$(realpath "$0")
tmp=/tmp/serve
err=$tmp/stderr
# one of aggregates, one of records, one with a small table
sums=127.0.0.1:10098 ring=127.0.0.1:10099 small=127.0.0.1:10100
prometheus=127.0.0.1:9090
: "${kvmsched:?}" "${workload:?}"
# shellcheck source=tests/vm/guest-ok.sh
. "${self%/*}/guest-ok.sh"

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for()
{
	for_tries=$(($1 * 5))
	shift
	until "$@" >/dev/null 2>&1; do
		for_tries=$((for_tries - 1))
		[ $for_tries -gt 0 ] || return 1
		sleep 0.2
	done
}

scrape()
{
	curl -fsS --max-time 30 "http://$1/metrics"
}

# metric NAME: of the text on standard input
metric()
{
	sed -n "s/^$1 //p"
}

# serve ADDRESS OPTION...: one in the background that is ready; sets pid. What it says: $tmp/said.ADDRESS.
serve()
{
	serve_at=$1
	shift
	"$kvmsched" serve --listen "$serve_at" "$@" 2>"$tmp/said.$serve_at" &
	pid=$!
	wait_for 60 scrape "$serve_at" && return
	cp "$tmp/said.$serve_at" "$err"
	not_ok "serve: $serve_at answers" "it does not"
}

# land PID ADDRESS NAME [TEXT...]: ended by SIGTERM.
land()
{
	land_pid=$1 land_at=$2
	shift 2
	kill -TERM "$land_pid"
	wait "$land_pid"
	land_got=$?
	cp "$tmp/said.$land_at" "$err"
	judge $land_got 0 "$@"
}

nothing_attached()
{
	! bpftool prog show | grep -qE 'name (agg_|out_|in_|snapshot|vcpu_)' && [ "$(bpftool prog show | grep -c tracing)" = 0 ]
}

load()
{
	insmod "$VM_MODULES/kvm.ko" && insmod "$VM_MODULES/kvm-amd.ko"
}

# ---- Prometheus ---------------------------------------------------------------------------------

prometheus_begin()
{
	cat >prometheus.yml <<-YML
		global: {scrape_interval: 1s, scrape_timeout: 1s}
		scrape_configs:
		  - job_name: kvmsched
		    static_configs: [{targets: ['$sums', '$ring', '$small']}]
	YML
	prometheus --config.file prometheus.yml --storage.tsdb.path data --web.listen-address $prometheus \
		--log.level=warn 2>prometheus.log &
	prometheus_pid=$!
	wait_for 90 curl -fsS http://$prometheus/-/ready && return
	cp prometheus.log "$err"
	not_ok "Prometheus begins" "it is not ready"
}

# ask NAME QUERY: leaves the answer in $VM_OUT/NAME.json.
ask()
{
	curl -fsS --max-time 60 -G --data-urlencode "query=$2" "http://$prometheus/api/v1/query" >"$1.json" 2>"$err" ||
		not_ok "Prometheus' query $1" "it fails"
	cp "$1.json" "$VM_OUT/"
}

# ---- sections -----------------------------------------------------------------------------------

# What it costs where nobody asks. Prints only.
idle_cost()
{
	idle_before=$(scrape $sums | metric process_cpu_seconds_total)
	sleep 10
	scrape $sums >idle.txt
	echo "# idle: $1: CPU seconds in 10 s: $idle_before to $(metric process_cpu_seconds_total <idle.txt)," \
		"$(metric process_resident_memory_bytes <idle.txt) bytes resident"
}

idle()
{
	serve $sums
	idle_cost "no vCPU"
	"$workload" --time 0 --vms 4 --vcpus 5 --mode halt --wake-us 500000-1000000 --name-prefix idle \
		--ready-file idle.ready >/dev/null &
	idle_pid=$!
	wait_for 60 test -e idle.ready
	idle_cost "20 vCPUs"
	kill $idle_pid
	wait $idle_pid
	land $pid $sums "serve: idle, SIGTERM: ends"
}

# The VMs begin when all look, and end before the first stops looking.
agree()
{
	prometheus_begin
	serve $sums
	sums_pid=$pid
	serve $ring --ring
	ring_pid=$pid
	"$kvmsched" record --light -o rec 2>record.log &
	record_pid=$!
	while [ ! -f rec/metadata ] && kill -0 $record_pid; do
		sleep 0.2
	done
	"$workload" --time 12 --vms 3 --vcpus 2 --mode spin,halt --wake-us 2000-20000 --name-prefix vm \
		--json workload.json
	sleep 3 # a scrape or two
	kill -INT $record_pid
	wait $record_pid
	cp record.log "$err"
	judge $? 0 "serve: beside a recorder" '[0-9]* records, 0 lost'
	tar -cf "$VM_OUT/rec.tar" rec
	ask quantiles 'histogram_quantile(0.99, sum by (instance, vm, le) (kvmsched_run_delay_seconds_bucket))'
	ask totals '{__name__=~"kvmsched_.*_total|kvmsched_run_delay_seconds_.*|kvmsched_vcpus.*"}'
	for at in $sums $ring; do
		scrape "$at" >"text.$at"
		check "serve: promtool check metrics: $at" "it objects" sh -c "promtool check metrics <text.$at"
		cp "text.$at" "$VM_OUT/"
	done
}

# More vCPUs than the table has room for, and far more than it ever had at once.
churn()
{
	serve $small --max-vcpus 64
	small_pid=$pid
	"$workload" --churn 300 --vcpus 20 -name warm >/dev/null
	sleep 2
	scrape $small >churn.before
	"$workload" --churn 1500 --vcpus 50 -name churn >churn.log 2>&1 &
	churn_pid=$!
	"$workload" --churn 1500 --vcpus 50 -name churn2 >churn2.log 2>&1
	wait $churn_pid
	sleep 3
	scrape $small >churn.amid
	"$workload" --churn 3500 --vcpus 50 -name churn >churn.log 2>&1 &
	churn_pid=$!
	"$workload" --churn 3500 --vcpus 50 -name churn2 >churn2.log 2>&1
	wait $churn_pid
	sleep 3
	scrape $small >churn.after
	cp churn.before churn.amid churn.after "$VM_OUT/"
	# And that there is room again.
	"$workload" --time 0 --vcpus 40 --mode halt --wake-us 20000-50000 -name after --ready-file after.ready >/dev/null &
	after_pid=$!
	wait_for 60 test -e after.ready
	sleep 2
	scrape $small >churn.room
	cp churn.room "$VM_OUT/"
	kill $after_pid
	wait $after_pid
	land $small_pid $small "serve: after churn, SIGTERM: ends"
}

# Everything that Prometheus has scraped, before it is gone.
samples()
{
	ask samples '{__name__=~"kvmsched_.*_total|kvmsched_run_delay_seconds_.*|process_resident_memory_bytes|up"}[10m]'
	cp prometheus.log "$VM_OUT/"
	kill "$prometheus_pid"
	wait "$prometheus_pid"
	land "$ring_pid" $ring "serve --ring: SIGTERM: ends"
}

faults()
{
	run 1 "serve: a port that is taken" '10098.*in use' -- "$kvmsched" serve --listen $sums
	serve $small
	check "serve: a second one, on another port" "no metrics" sh -c "curl -fsS http://$small/metrics | grep -q kvmsched_build_info"
	kill -KILL $pid
	wait $pid 2>/dev/null
	# a scrape that waits for the end of its interval when the signal comes
	kill -STOP "$sums_pid"
	scrape $sums >last.txt 2>last.err &
	scrape_pid=$!
	sleep 1
	kill -TERM "$sums_pid"
	kill -CONT "$sums_pid"
	wait $scrape_pid
	cp last.err "$err"
	judge $? 0 "serve: a scrape during the shutdown is answered"
	check "serve: ... as a whole" "it is not" grep -q kvmsched_build_info last.txt
	wait "$sums_pid"
	judge $? 0 "serve: ends after that"
	check "serve: stopped and killed, nothing is left attached" "there is something" wait_for 5 nothing_attached
	check "serve: stopped, kvm can be unloaded" "it cannot" sh -c 'rmmod kvm_amd && rmmod kvm'
	check "serve: kvm is loaded again" "it cannot be" load
	serve $sums
	check "serve: works with the new kvm" "it sees no vCPU" again
	land $pid $sums "serve: ends with the new kvm"
}

again()
{
	"$workload" --time 1 --vcpus 2 -name again >/dev/null && sleep 1 &&
		scrape $sums | grep 'kvmsched_switches_total{vm="again"} [1-9]'
}

# ---- all of it ----------------------------------------------------------------------------------

mkdir -p $tmp
cd $tmp || exit 1
[ $# -gt 0 ] || set -- idle agree churn samples faults
for section; do
	start=$(cut -d. -f1 /proc/uptime)
	$section
	echo "# $section: $(($(cut -d. -f1 /proc/uptime) - start)) s"
done
