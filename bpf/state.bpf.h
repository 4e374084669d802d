/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the programs keep: the configuration, the vCPUs' slots, and the maps.
 */
#ifndef KVMSCHED_STATE_BPF_H
#define KVMSCHED_STATE_BPF_H

#include "kvm_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "step.h"
#include "wire.h"

#define SLOT_BITS 12
_Static_assert(1 << SLOT_BITS == KS_SLOTS, "a bucket per slot");
#define TASKS_BITS 8 /* preemptors remembered per CPU */
#define META_BYTES (1 << 20)

const volatile struct ks_config cfg = {};
const volatile __u8 bucket_rest[KS_BUCKET_REST] = {0}; /* ks_bucket() of them: user space's */
struct ks_ctl ctl = {.start_ns = ~0ULL, .end_ns = ~0ULL};

/* Plain arrays: an index is one multiplication, and user space has them mapped. */
struct ks_slot slots[KS_SLOTS];
static __u32 moved[KS_SLOTS]; /* where the last vCPU asked for is that should be in this slot */

/* One struct ks_ring and its places per CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* the number of CPUs */
	__uint(key_size, 4);
	__uint(value_size, 128 + 56); /* sizeof(struct ks_ring) + places * KS_RECORD_MAX */
} rings SEC(".maps");

__u32 agg_owner[KS_SLOTS]; /* of each struct ks_agg */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* cfg.aggs */
	__type(key, __u32);
	__type(value, struct ks_agg);
} aggs SEC(".maps");

/* Descriptors; also the doorbell that wakes user space when a CPU's ring is half full. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, META_BYTES);
} meta SEC(".maps");

/* Not read: changing a map of maps is how user space waits for programs in flight. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(max_entries, 1);
			__type(key, __u32);
			__type(value, __u32);
		});
} barrier SEC(".maps");

/* struct kvm_vcpu * -> its slot. The hash decides; but most vCPUs are in the slot that their
 * address points to, which proves itself (slots[i].vcpu must be the vCPU asked for), or in moved[]
 * of it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KS_SLOTS);
	__type(key, __u64);
	__type(value, __u32);
} slot_of SEC(".maps");

/* The vCPUs that found no slot: each counts once, as far as there is room to remember it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KS_SLOTS);
	__type(key, __u64); /* struct kvm_vcpu * */
	__type(value, __u32);
} refused SEC(".maps");

struct vm {
	__u32 id;
	__u32 vcpus;
	__u32 described;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64); /* struct kvm * */
	__type(value, struct vm);
} vms SEC(".maps");

struct owner {
	__u32 vm;
	__u32 vcpu;	/* 0 = not a vCPU's thread */
	__u64 start_ns; /* of the thread or VMM that has the number; 0 = not known */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32); /* tid of a thread that did KVM_RUN */
	__type(value, struct owner);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32); /* tgid of a VMM */
	__type(value, struct owner);
} vmms SEC(".maps");

/* The preemptors that this CPU has introduced. Per CPU by index: a plain array's look-up is
 * inlined. */
struct task {
	__u32 tid;
	__u32 gen;
	__u64 start_ns;
	__u64 comm[2];
	__u32 vm;
	__u32 tgid;
	__u8 kind;
	__u8 known;
	__u8 pad[6];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << TASKS_BITS); /* times the number of CPUs */
	__type(key, __u32);
	__type(value, struct task);
} tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u32);
} filter_tgid SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u32);
} filter_tid SEC(".maps");

/*
 * What a set of programs is compiled for. The modes' own sets are constant throughout, so nothing
 * of another mode is left in them, not even a look at the configuration; the set for anything else
 * (--loads, -C, -t, an older kernel) asks cfg.
 */
struct mode {
	bool light;
	bool full;
	bool loads;
	bool by_cpu;
	bool by_tid;
	bool aggregate;
	bool records;
	bool classes;
	bool modern; /* see compat.bpf.h */
	__u16 fields;
};

#define MODE_DEFAULT ((struct mode){.records = true, .modern = true, .fields = KS_FIELDS_MODERN})
#define MODE_FULL \
	((struct mode){.full = true, .records = true, .modern = true, .fields = KS_FIELDS_MODERN})
#define MODE_LIGHT \
	((struct mode){.light = true, .records = true, .modern = true, .fields = KS_FIELDS_MODERN})
#define MODE_AGG        \
	((struct mode){ \
		.light = true, .aggregate = true, .modern = true, .fields = KS_FIELDS_MODERN})
#define MODE_AGG_BY                       \
	((struct mode){.light = true,     \
		       .aggregate = true, \
		       .classes = true,   \
		       .modern = true,    \
		       .fields = KS_FIELDS_MODERN})
#define MODE_ANY                                   \
	((struct mode){.light = cfg.light,         \
		       .full = cfg.full,           \
		       .loads = cfg.loads,         \
		       .by_cpu = cfg.by_cpu,       \
		       .by_tid = cfg.by_tid,       \
		       .aggregate = cfg.aggregate, \
		       .records = cfg.records,     \
		       .classes = cfg.classes,     \
		       .fields = cfg.fields})

static __always_inline __u64 now(void)
{
	return bpf_ktime_get_ns();
}

static __always_inline bool in_window(__u64 ts)
{
	return ts >= ctl.start_ns && ts < ctl.end_ns;
}

#endif
