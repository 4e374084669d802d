// SPDX-License-Identifier: BSD-2-Clause
/*
 * The command line of the workload program: its help, and what it becomes.
 */
#include "workload.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: workload [OPTION]...\n"
	"Run KVM virtual machines whose vCPUs behave in known ways, and print a JSON line for each.\n"
	"\n"
	"What runs:\n"
	"  --mode MODE[,MODE]...  dealt round-robin to the vCPUs of all VMs (default spin):\n"
	"       spin    the guest loops and never exits by itself\n"
	"       halt    HLT or WFI; woken by an interrupt from another thread\n"
	"       timer   HLT or WFI; woken by the guest's own timer\n"
	"       exit    exits to user space all the time, which works a little each time\n"
	"       fault   the guest writes to pages that user space keeps taking away\n"
	"       ioctl   exits, register ioctls (also from another thread), immediate_exit\n"
	"       uffd    the guest sleeps in page faults that userfaultfd delays\n"
	"       mixed   changes between the first six\n"
	"  --vms N                VMs, one process each if more than 1 (default 1)\n"
	"  --vcpus N              vCPUs of each VM (default 2)\n"
	"  --seed N               of all random choices (default 1)\n"
	"  --wake-us MIN-MAX      interval between wake-ups, timers and page removals, and the delay\n"
	"                         of uffd (default 200-5000)\n"
	"  --halt-poll-ns N       KVM_CAP_HALT_POLL of the VM (default: the host's)\n"
	"  --affinity CPULIST     CPUs of the vCPU threads, as in 0,2-3\n"
	"  --pin                  with --affinity: one CPU each, round-robin\n"
	"\n"
	"How long, and when:\n"
	"  --time SECONDS         (default 5, or unlimited with --cycles; 0: until a signal)\n"
	"  --cycles N             each vCPU ends after N rounds of its guest program\n"
	"  --steady               allow only modes that never leave KVM_RUN, and check it\n"
	"  --start-file PATH      enter KVM_RUN only when this file exists\n"
	"  --created-file PATH    created when all vCPUs and their threads exist\n"
	"  --ready-file PATH      created when all guests have completed a round\n"
	"  --hold                 when the time is up print, but keep VMs and threads until SIGTERM\n"
	"\n"
	"Names and results:\n"
	"  -name NAME, -name guest=NAME,...   of a single VM; as QEMU has it (default: workload-PID)\n"
	"  -uuid UUID             accepted and ignored, for the command line's sake\n"
	"  --name-prefix TEXT     of several VMs: TEXT1, TEXT2... (default vm)\n"
	"  --plain-names          give them -name NAME instead of -name guest=NAME,debug-threads=on\n"
	"  --json FILE            append the results to FILE (default: standard output)\n"
	"\n"
	"Instead of the above, each as exact as its machine (see QEMU's -icount):\n"
	"  --bench-halt N         N wake-ups of one SCHED_FIFO vCPU that stays in one KVM_RUN: each is\n"
	"                         one kvm_sched_in and one kvm_sched_out\n"
	"  --bench-exit N         N times KVM_RUN on a guest that exits at once\n"
	"  --bench-preempt N      N times a SCHED_FIFO thread that takes the CPU of a vCPU, each time the\n"
	"                         guest has done 20,000 loops more\n"
	"  --warmup N             unmeasured ones before (default 1000)\n"
	"  --repeat R             measurements (default 1)\n"
	"  --churn N              create, run for --cycles (default 1) and destroy N vCPUs in VMs of\n"
	"                         --vcpus each (default mode exit)\n"
	"\n"
	"SIGTERM and SIGINT end it cleanly. Exit status: 0, or 1 after any error.\n";

enum {
	OPT_AFFINITY = 256,
	OPT_BENCH_EXIT,
	OPT_BENCH_HALT,
	OPT_BENCH_PREEMPT,
	OPT_CHURN,
	OPT_CREATED_FILE,
	OPT_CYCLES,
	OPT_HALT_POLL,
	OPT_HELP,
	OPT_HOLD,
	OPT_JSON,
	OPT_MODE,
	OPT_NAME,
	OPT_NAME_PREFIX,
	OPT_PIN,
	OPT_PLAIN_NAMES,
	OPT_READY_FILE,
	OPT_REPEAT,
	OPT_REPORT_FD,
	OPT_SEED,
	OPT_START_FILE,
	OPT_STEADY,
	OPT_TIME,
	OPT_UUID,
	OPT_VCPUS,
	OPT_VM_INDEX,
	OPT_VMS,
	OPT_WAKE_US,
	OPT_WARMUP,
};

static const struct option long_options[] = {
	{"affinity", required_argument, NULL, OPT_AFFINITY},
	{"bench-exit", required_argument, NULL, OPT_BENCH_EXIT},
	{"bench-halt", required_argument, NULL, OPT_BENCH_HALT},
	{"bench-preempt", required_argument, NULL, OPT_BENCH_PREEMPT},
	{"churn", required_argument, NULL, OPT_CHURN},
	{"created-file", required_argument, NULL, OPT_CREATED_FILE},
	{"cycles", required_argument, NULL, OPT_CYCLES},
	{"halt-poll-ns", required_argument, NULL, OPT_HALT_POLL},
	{"help", no_argument, NULL, OPT_HELP},
	{"hold", no_argument, NULL, OPT_HOLD},
	{"json", required_argument, NULL, OPT_JSON},
	{"mode", required_argument, NULL, OPT_MODE},
	{"name", required_argument, NULL, OPT_NAME},
	{"name-prefix", required_argument, NULL, OPT_NAME_PREFIX},
	{"pin", no_argument, NULL, OPT_PIN},
	{"plain-names", no_argument, NULL, OPT_PLAIN_NAMES},
	{"ready-file", required_argument, NULL, OPT_READY_FILE},
	{"repeat", required_argument, NULL, OPT_REPEAT},
	{"report-fd", required_argument, NULL, OPT_REPORT_FD}, /* internal, like vm-index */
	{"seed", required_argument, NULL, OPT_SEED},
	{"start-file", required_argument, NULL, OPT_START_FILE},
	{"steady", no_argument, NULL, OPT_STEADY},
	{"time", required_argument, NULL, OPT_TIME},
	{"uuid", required_argument, NULL, OPT_UUID},
	{"vcpus", required_argument, NULL, OPT_VCPUS},
	{"vm-index", required_argument, NULL, OPT_VM_INDEX},
	{"vms", required_argument, NULL, OPT_VMS},
	{"wake-us", required_argument, NULL, OPT_WAKE_US},
	{"warmup", required_argument, NULL, OPT_WARMUP},
	{0},
};

static int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || *value < min || *value > max)
		return refuse("\"%s\" is not a number from %ju to %ju", text, (uintmax_t)min,
			      (uintmax_t)max);
	return 0;
}

static int parse_uint(const char *text, unsigned int min, unsigned int max, unsigned int *value)
{
	uint64_t number;
	int err = parse_number(text, min, max, &number);

	if (!err)
		*value = (unsigned int)number;
	return err;
}

static int parse_time(const char *text, uint64_t *ns)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0 && seconds < 1e6))
		return refuse("\"%s\" is not a time in seconds", text);
	*ns = (uint64_t)(seconds * 1e9);
	return 0;
}

static int parse_wake(const char *text, struct options *opts)
{
	unsigned int min, max;
	char rest;

	if (sscanf(text, "%u-%u%c", &min, &max, &rest) != 2 || min < 1 || min > max ||
	    max > 1000000)
		return refuse("--wake-us: \"%s\" is not MIN-MAX, 1 to 1000000", text);
	opts->wake_min_ns = min * 1000ULL;
	opts->wake_max_ns = max * 1000ULL;
	return 0;
}

static int parse_mode(const char *text, size_t len, enum mode *mode)
{
	for (int i = 0; i < MODES; i++) {
		if (strlen(mode_names[i]) == len && !strncmp(mode_names[i], text, len)) {
			*mode = (enum mode)i;
			return 0;
		}
	}
	return refuse("--mode: \"%.*s\" is no mode (see --help)", (int)len, text);
}

static int parse_modes(const char *text, struct options *opts)
{
	opts->mode_cnt = 0;
	for (;;) {
		size_t len = strcspn(text, ",");
		int err;

		if (opts->mode_cnt == MAX_MODES)
			return refuse("--mode: more than %d", MAX_MODES);
		err = parse_mode(text, len, &opts->modes[opts->mode_cnt++]);
		if (err || !text[len])
			return err;
		text += len + 1;
	}
}

static int parse_cpus(const char *text, struct options *opts)
{
	CPU_ZERO(&opts->cpus);
	opts->has_cpus = true;
	while (*text) {
		unsigned int first, last;
		int used = 0;

		if (sscanf(text, "%u%n", &first, &used) != 1)
			return refuse("--affinity: \"%s\" is no CPU list", text);
		text += used;
		last = first;
		if (sscanf(text, "-%u%n", &last, &used) == 1)
			text += used;
		if (last < first || last >= CPU_SETSIZE || (*text && *text != ','))
			return refuse("--affinity: not a CPU list near \"%s\"", text);
		for (unsigned int cpu = first; cpu <= last; cpu++)
			CPU_SET(cpu, &opts->cpus);
		text += *text == ',';
	}
	return CPU_COUNT(&opts->cpus) ? 0 : refuse("--affinity: empty CPU list");
}

/* Options that stand for a number. */
static int parse_numeric(int option, const char *arg, struct options *opts)
{
	unsigned int number = 0;
	int err;

	switch (option) {
	case OPT_VMS:
		return parse_uint(arg, 1, MAX_VMS, &opts->vms);
	case OPT_VCPUS:
		return parse_uint(arg, 1, MAX_VCPUS, &opts->vcpus);
	case OPT_VM_INDEX:
		return parse_uint(arg, 0, MAX_VMS - 1, &opts->vm_index);
	case OPT_REPEAT:
		return parse_uint(arg, 1, INT_MAX, &opts->repeat);
	case OPT_CYCLES:
		return parse_uint(arg, 1, UINT_MAX, &opts->cycles);
	case OPT_SEED:
		return parse_number(arg, 0, UINT64_MAX, &opts->seed);
	case OPT_WARMUP:
		return parse_number(arg, 0, UINT_MAX, &opts->warmup);
	case OPT_BENCH_HALT:
		return parse_number(arg, 1, UINT_MAX, &opts->bench_halt);
	case OPT_BENCH_EXIT:
		return parse_number(arg, 1, UINT_MAX, &opts->bench_exit);
	case OPT_BENCH_PREEMPT:
		return parse_number(arg, 1, UINT_MAX, &opts->bench_preempt);
	case OPT_CHURN:
		return parse_number(arg, 1, UINT_MAX, &opts->churn);
	case OPT_HALT_POLL:
		err = parse_uint(arg, 0, INT_MAX, &number);
		opts->halt_poll_ns = (long)number;
		return err;
	case OPT_REPORT_FD:
		err = parse_uint(arg, 0, INT_MAX, &number);
		opts->report_fd = (int)number;
		return err;
	default:
		return refuse("try --help");
	}
}

static int parse_option(int option, const char *arg, struct options *opts)
{
	switch (option) {
	case OPT_AFFINITY:
		return parse_cpus(arg, opts);
	case OPT_MODE:
		return parse_modes(arg, opts);
	case OPT_TIME:
		return parse_time(arg, &opts->time_ns);
	case OPT_WAKE_US:
		return parse_wake(arg, opts);
	case OPT_HOLD:
		opts->hold = true;
		return 0;
	case OPT_PIN:
		opts->pin = true;
		return 0;
	case OPT_PLAIN_NAMES:
		opts->plain_names = true;
		return 0;
	case OPT_STEADY:
		opts->steady = true;
		return 0;
	case OPT_CREATED_FILE:
		opts->created_path = arg;
		return 0;
	case OPT_READY_FILE:
		opts->ready_path = arg;
		return 0;
	case OPT_START_FILE:
		opts->start_path = arg;
		return 0;
	case OPT_JSON:
		opts->json_path = arg;
		return 0;
	case OPT_NAME:
		opts->name = arg;
		return 0;
	case OPT_NAME_PREFIX:
		opts->name_prefix = arg;
		return 0;
	case OPT_UUID:
		return 0; /* for those who read command lines */
	default:
		return parse_numeric(option, arg, opts);
	}
}

static int check_steady(const struct options *opts)
{
	for (unsigned int i = 0; opts->steady && i < opts->mode_cnt; i++)
		if (opts->modes[i] == MODE_EXIT || opts->modes[i] == MODE_IOCTL ||
		    opts->modes[i] == MODE_MIXED)
			return refuse("--steady: mode %s leaves KVM_RUN",
				      mode_names[opts->modes[i]]);
	return opts->steady && opts->cycles ? refuse("--steady excludes --cycles") : 0;
}

static int complete_options(struct options *opts)
{
	int alone;

	if (opts->time_ns == UINT64_MAX)
		opts->time_ns = opts->cycles ? 0 : 5000000000ULL;
	if (opts->mode_cnt == 0)
		opts->modes[opts->mode_cnt++] = opts->churn ? MODE_EXIT : MODE_SPIN;
	if (opts->pin && !opts->has_cpus)
		return refuse("--pin needs --affinity");
	alone = !!opts->churn + !!opts->bench_exit + !!opts->bench_halt + !!opts->bench_preempt;
	if (alone > 1)
		return refuse("--churn and --bench-* exclude each other");
	if (alone && (opts->vms > 1 || opts->hold || opts->start_path))
		return refuse("--churn and --bench-* run one VM at a time, at once");
	return check_steady(opts);
}

int options__parse(int argc, char **argv, struct options *opts)
{
	int option, err = 0;

	*opts = (struct options){
		.time_ns = UINT64_MAX,
		.seed = 1,
		.vms = 1,
		.vcpus = 2,
		.wake_min_ns = 200000,
		.wake_max_ns = 5000000,
		.halt_poll_ns = -1,
		.name_prefix = "vm",
		.report_fd = -1,
		.warmup = 1000,
		.repeat = 1,
	};
	while (!err && (option = getopt_long_only(argc, argv, "", long_options, NULL)) != -1) {
		if (option == OPT_HELP)
			return fputs(help, stdout) == EOF ? fail(EIO, "stdout") : 1;
		err = parse_option(option, optarg, opts);
	}
	if (!err && optind < argc)
		err = refuse("unexpected argument \"%s\"; try --help", argv[optind]);
	return err ? err : complete_options(opts);
}
