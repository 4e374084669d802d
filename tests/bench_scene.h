/* SPDX-License-Identifier: BSD-2-Clause */
/* What benchmarks look at: VMs of four vCPUs, each preempted and halted some times a second. */
#ifndef KVMSCHED_TESTS_BENCH_SCENE_H
#define KVMSCHED_TESTS_BENCH_SCENE_H

#include "scene.h"

#define ROUNDS 20 /* a second */

static inline int record(struct model *model, union rec r)
{
	return model__record(model, &r.h);
}

static inline int introduce(struct model *model, __u32 vcpus)
{
	char name[32];
	int err = 0;

	for (__u32 i = 1; !err && i <= vcpus; i++) {
		struct ks_name n;

		if (i % 4 == 1) {
			snprintf(name, sizeof(name), "guest-%u", i / 4);
			n = rec_name(1 + i / 4, SCENE_START, name);
			err = record(model, rec_vm(1 + i / 4, SCENE_START)) ||
			      model__record(model, &n.h);
		}
		err = err ||
		      record(model, rec_vcpu(i, SCENE_START, 1 + (i - 1) / 4, (i - 1) % 4, 0)) ||
		      record(model, rec_task(100 + i, SCENE_START, KS_K_VCPU, "CPU 0/KVM",
					     1 + (i - 1) / 4, i));
	}
	return err;
}

/* Every vCPU once away and back, taken by another one. */
static inline int go_round(struct model *model, __u32 vcpus, unsigned round, __u64 at, __u64 step)
{
	int err = 0;

	for (__u32 i = 1; !err && i <= vcpus; i++) {
		union rec out =
			rec_out(i, 2 * round + 1, at + i, round % 3 ? KS_R_PREEMPTED : KS_R_HALTED);

		if (out.out.h.what) {
			out.out.h.what = KS_BY_OTHER_VM;
			out.out.next_tid = 101 + (i * 7 + round) % vcpus;
		}
		err = record(model, out);
	}
	for (__u32 i = 1; !err && i <= vcpus; i++)
		err = record(model, rec_in(i, 2 * round + 2, at + step / 2 + i * (i % 13),
					   1000 * (i % 50)));
	return err;
}

#endif
