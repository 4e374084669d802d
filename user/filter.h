/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which vCPUs and CPUs the user asked for. Values of one kind OR, kinds AND. The live source has
 * the kernel decide (names apart, which user space looks up); a recording is filtered by the model.
 */
#ifndef KVMSCHED_FILTER_H
#define KVMSCHED_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include "wire.h"

#define FILTER_MAX 16 /* values of each kind */

struct filter {
	const char *vm[FILTER_MAX]; /* globs; owned by the caller (argv) */
	unsigned vms;
	const char *cgroup[FILTER_MAX]; /* as in /proc/PID/cgroup: "/machine.slice" */
	unsigned cgroups;
	__u32 tgid[FILTER_MAX];
	unsigned tgids;
	__u32 tid[FILTER_MAX];
	unsigned tids;
	struct {
		__s32 from, to;
	} vcpu[FILTER_MAX];
	unsigned vcpus;
	__u64 cpus[KS_CPUS_MAX / 64];
	bool by_cpu;
	const struct filter *also; /* NULL, or one that VMs have to pass too */
};

/* Adds one option's argument: kind is its letter ('v' --vm, 'p', 'V' --vcpu, 't', 'C', 'g'
 * --cgroup). 0, -EINVAL (malformed), -E2BIG (more than FILTER_MAX). */
int filter__add(struct filter *f, int kind, const char *arg);

bool filter__any(const struct filter *f);
bool filter__cpu(const struct filter *f, unsigned cpu);
bool filter__name(const struct filter *f, const char *name);
/* As far as a VM as a whole can tell: its name and its VMM. */
bool filter__vm(const struct filter *f, const char *name, __u32 tgid);
/* cgroup: the VMM's, "" if unknown. tid 0: unknown, passes unless tids are asked for. */
bool filter__vcpu(const struct filter *f, const char *vm, __u32 tgid, const char *cgroup,
		  __s32 vcpu, __u32 tid);

/* The filters as command line options, for the session's env. Cut at size. */
void filter__describe(const struct filter *f, char *out, size_t size);

/* Makes f also demand what a recording was made with, as filter__describe() wrote it: the VMs
 * and CPUs, which the kernel does not decide for good. text is taken apart, and with `made` must
 * live as long as f. 0, or -EINVAL if it cannot be read; f is as before then. */
int filter__recall(struct filter *f, struct filter *made, char *text);

#endif
