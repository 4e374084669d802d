/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a dump is made, in words: which vCPU of which VM, what happened, who took its CPU. Names are
 * as they came: whoever shows the text escapes it.
 */
#ifndef KVMSCHED_FLIGHT_NAME_H
#define KVMSCHED_FLIGHT_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include "filter.h"
#include "flight_hold.h"
#include "flight_watch.h"
#include "flight_who.h"

/* What is known of a vCPU, and of the task that took its CPU; type 0: not introduced. */
struct flight_names {
	struct ks_vcpu vcpu;
	struct ks_vm vm;
	struct ks_name name;
	struct ks_task task;
};

/* As they are now. task: its tid, 0 = none. */
void flight_names__find(struct flight_names *n, const struct who *w, const struct hold *h,
			__u32 vcpu, __u32 task);

/* Do the filters want this absence to be a trigger? */
bool flight_names__wanted(const struct flight_names *n, const struct filter *f,
			  const struct watch_hit *hit);

/* "web vCPU 3 (tid 17)" */
void flight_names__vcpu(const struct flight_names *n, __u32 tid, char *out, size_t size);

void flight_names__hit(const struct flight_names *n, const struct watch_hit *hit, char *out,
		       size_t size);

#endif
