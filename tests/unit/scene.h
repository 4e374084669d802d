/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records as the kernel side would make them: one constructor per type, and a scene, in which vCPUs
 * run, halt, are preempted and migrate by a seeded random number. A scene's records come in order
 * of time, as the order hands them out.
 */
#ifndef KVMSCHED_TESTS_SCENE_H
#define KVMSCHED_TESTS_SCENE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "model.h"
#include "record.h"
#include "summary.h"

#define SCENE_START 1000000000ULL
#define SCENE_FIELDS \
	(KS_M_SCHEDULED_OUT | KS_M_WANTS_TO_RUN | KS_M_BLOCKING | KS_M_RUN_DELAY | KS_M_QUOTA)

/* Room for any record but a name. */
union rec {
	struct ks_head h;
	struct ks_out out;
	struct ks_in in;
	struct ks_loads loads;
	struct ks_load load;
	struct ks_vcpu vcpu;
	struct ks_gone gone;
	struct ks_task task;
	struct ks_snap snap;
	struct ks_vm vm;
};

static inline union rec rec_out(__u32 vcpu, __u32 seq, __u64 ts, __u8 reason)
{
	union rec r = {
		.out = {.h = {.ts = ts, .type = KS_OUT, .mask = SCENE_FIELDS | KS_M_POINT(3)},
			.vcpu = vcpu,
			.seq = seq,
			.tid = 100 + vcpu,
			.reason = reason,
			.cpu = 1}};

	if (reason == KS_R_PREEMPTED || reason == KS_R_IOCTL) {
		r.out.h.what = KS_BY_HOST;
		r.out.next_tid = 7;
	}
	return r;
}

static inline union rec rec_in(__u32 vcpu, __u32 seq, __u64 ts, __u64 run_delay_ns)
{
	return (union rec){
		.in = {.h = {.ts = ts, .type = KS_IN, .mask = SCENE_FIELDS | KS_M_POINT(0)},
		       .vcpu = vcpu,
		       .seq = seq,
		       .tid = 100 + vcpu,
		       .run_delay_ns = run_delay_ns,
		       .cpu = 1}};
}

static inline union rec rec_loads(__u32 vcpu, __u32 seq, __u64 ts, __u32 count, __u64 user_ns)
{
	return (union rec){.loads = {.h = {.ts = ts, .type = KS_LOADS, .mask = SCENE_FIELDS},
				     .vcpu = vcpu,
				     .seq = seq,
				     .loads = count,
				     .puts = count,
				     .user_ns = user_ns,
				     .cpu = 1}};
}

static inline union rec rec_load(__u8 type, __u32 vcpu, __u32 seq, __u64 ts)
{
	return (union rec){.load = {.h = {.ts = ts, .type = type, .mask = SCENE_FIELDS},
				    .vcpu = vcpu,
				    .seq = seq,
				    .tid = 100 + vcpu,
				    .cpu = 1}};
}

static inline union rec rec_gone(__u32 vcpu, __u32 seq, __u64 ts)
{
	return (union rec){.gone = {.h = {.ts = ts, .type = KS_GONE}, .vcpu = vcpu, .seq = seq}};
}

/* mask: KS_M_OUT, KS_M_USER, KS_M_END */
static inline union rec rec_snap(__u32 vcpu, __u32 seq, __u64 ts, __u16 mask, __u8 reason)
{
	return (union rec){.snap = {.h = {.ts = ts, .type = KS_SNAP, .mask = mask},
				    .vcpu = vcpu,
				    .seq = seq,
				    .tid = 100 + vcpu,
				    .cpu = 2,
				    .reason = reason}};
}

static inline union rec rec_vcpu(__u32 vcpu, __u64 ts, __u32 vm, __s32 vcpu_id, __u16 mask)
{
	return (union rec){.vcpu = {.h = {.ts = ts, .type = KS_VCPU, .mask = mask},
				    .vcpu = vcpu,
				    .vm = vm,
				    .vcpu_id = vcpu_id,
				    .tgid = 10 * vm,
				    .tid = 100 + vcpu}};
}

static inline union rec rec_task(__u32 tid, __u64 ts, __u8 kind, const char *comm, __u32 vm,
				 __u32 vcpu)
{
	union rec r = {.task = {.h = {.ts = ts, .type = KS_TASK, .what = kind},
				.tid = tid,
				.tgid = tid,
				.start_ns = tid,
				.vm = vm,
				.vcpu = vcpu}};

	strncpy(r.task.comm, comm, sizeof(r.task.comm));
	return r;
}

static inline union rec rec_vm(__u32 vm, __u64 ts)
{
	union rec r = {.vm = {.h = {.ts = ts, .type = KS_VM}, .vm = vm, .tgid = 10 * vm}};

	strcpy(r.vm.comm, "qemu");
	return r;
}

static inline struct ks_name rec_name(__u32 vm, __u64 ts, const char *name)
{
	struct ks_name r = {.h = {.ts = ts, .type = KS_NAME}, .vm = vm};

	snprintf(r.name, sizeof(r.name), "%s", name);
	return r;
}

static inline struct session scene_session(enum session_mode mode)
{
	return (struct session){
		.host = "testhost",
		.release = "6.12.0-test",
		.arch = "x86_64",
		.mode = mode,
		.fields = SCENE_FIELDS,
		.cpus = 4,
		.start_ns = SCENE_START,
		.wall_start_ns = 1700000000123456789LL,
		.wall_end_ns = 1700000000123456789LL,
	};
}

/* ---- a scene ------------------------------------------------------------------------------ */

#define SCENE_VCPUS 6 /* two VMs of three; both are called "web" */

/* Takes the next record; 0 or an error, which ends the scene. */
typedef int (*scene_fn)(void *ctx, const struct ks_head *r, unsigned stream);

struct scene {
	enum session_mode mode;
	unsigned long long seed;
	__u64 now;
	scene_fn fn;
	void *ctx;
	struct {
		__u32 seq;
		__u8 reason; /* 0: not out */
		__u16 cpu;
		__u64 out_ts;
	} vcpu[SCENE_VCPUS + 1];
};

static inline __u32 scene_random(struct scene *s, __u32 below)
{
	s->seed = s->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (s->seed >> 33) % below;
}

static inline int scene_introduce(struct scene *s, unsigned streams)
{
	int err = 0;

	for (__u32 vm = 1; !err && vm <= 2; vm++) {
		union rec r = rec_vm(vm, SCENE_START);
		struct ks_name n = rec_name(vm, SCENE_START, "web\033[31m");

		err = s->fn(s->ctx, &r.h, streams - 1) || s->fn(s->ctx, &n.h, streams - 1);
	}
	for (__u32 v = 1; !err && v <= SCENE_VCPUS; v++) {
		union rec r = rec_vcpu(v, SCENE_START, 1 + (v - 1) / 3, (v - 1) % 3, 0);

		err = s->fn(s->ctx, &r.h, streams - 1);
		r = rec_task(100 + v, SCENE_START, KS_K_VCPU, "CPU 0/KVM", 1 + (v - 1) / 3, v);
		err = err ?: s->fn(s->ctx, &r.h, streams - 1);
	}
	return err;
}

static inline union rec scene_out(struct scene *s, __u32 v)
{
	static const __u8 reasons[] = {KS_R_PREEMPTED, KS_R_HALTED, KS_R_HALTED, KS_R_SLEEPING,
				       KS_R_IOCTL};
	union rec r = rec_out(v, ++s->vcpu[v].seq, s->now, reasons[scene_random(s, 5)]);

	s->vcpu[v].reason = r.out.reason;
	s->vcpu[v].out_ts = s->now;
	r.out.cpu = s->vcpu[v].cpu;
	if (r.out.h.what) {
		__u32 by = 1 + scene_random(s, SCENE_VCPUS);

		r.out.h.what = (by - 1) / 3 == (v - 1) / 3 ? KS_BY_SAME_VM : KS_BY_OTHER_VM;
		r.out.next_tid = 100 + by;
		r.out.next_vm = 1 + (by - 1) / 3;
	}
	if (s->mode == MODE_FULL) {
		r.out.h.mask |= KS_M_POINTS;
		r.out.put_entry_ns = 3000 + scene_random(s, 2000);
		r.out.put_exit_ns = 500;
	}
	return r;
}

static inline union rec scene_in(struct scene *s, __u32 v)
{
	__u64 growth = s->vcpu[v].reason >= KS_R_HALTED ? scene_random(s, 20000) : 0;
	union rec r = rec_in(v, ++s->vcpu[v].seq, s->now, growth);

	if (!scene_random(s, 4))
		s->vcpu[v].cpu = scene_random(s, 4);
	r.in.cpu = s->vcpu[v].cpu;
	r.in.reason = s->vcpu[v].reason;
	s->vcpu[v].reason = 0;
	if (s->mode == MODE_FULL) {
		r.in.h.mask |= KS_M_POINTS;
		r.in.load_entry_ns = 500;
		r.in.load_exit_ns = 2000 + scene_random(s, 3000);
	}
	return r;
}

/* Makes `records` transitions and hands them out. Returns 0 or fn's error. */
static inline int scene_play(struct scene *s, unsigned records)
{
	int err = scene_introduce(s, 5);

	s->now = SCENE_START;
	for (unsigned i = 0; !err && i < records; i++) {
		__u32 v = 1 + scene_random(s, SCENE_VCPUS);
		union rec r;

		s->now += 1 + scene_random(s, 1U << scene_random(s, 20));
		if (s->vcpu[v].reason) {
			r = scene_in(s, v);
		} else if (s->mode != MODE_LIGHT && !scene_random(s, 3)) {
			r = rec_loads(v, ++s->vcpu[v].seq, s->now, 3, 100);
			r.loads.cpu = s->vcpu[v].cpu;
		} else {
			r = scene_out(s, v);
		}
		err = s->fn(s->ctx, &r.h, s->vcpu[v].cpu);
	}
	s->now += 1000;
	return err;
}

#endif
