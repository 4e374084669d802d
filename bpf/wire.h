/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The wire format: the one contract between the BPF programs, user space and the disk.
 *
 * Every record starts with struct ks_head; a recording holds the records byte for byte, so what is
 * said here is also the payload layout of the CTF stream (docs/kvmsched-ctf.5). The file is
 * append-only: a new record type or a use for a reserved byte keeps KS_WIRE_VERSION, anything else
 * raises it. No pointer, no kernel address, no bool and no bare enum appears in a record.
 *
 * Times are CLOCK_MONOTONIC nanoseconds. Distances inside one kernel function are 32-bit and stop
 * at KS_DT_MAX instead of wrapping; absences and run delays are 64-bit.
 */
#ifndef KVMSCHED_WIRE_H
#define KVMSCHED_WIRE_H

#include <linux/types.h>

#define KS_WIRE_VERSION 1
#define KS_DT_MAX	0xffffffffU
#define KS_COMM_LEN	16 /* TASK_COMM_LEN */

/* Record types. Those below KS_VCPU carry a vCPU's sequence number. */
enum {
	KS_OUT = 1,   /* kvm_sched_out(): the vCPU lost its CPU */
	KS_IN = 2,    /* kvm_sched_in(): it is back */
	KS_LOADS = 3, /* what bare loads and puts added up to since the vCPU's previous record */
	KS_LOAD = 4,  /* one bare kvm_arch_vcpu_load() (--loads) */
	KS_PUT = 5,   /* one bare kvm_arch_vcpu_put() (--loads) */
	KS_VCPU = 16, /* introduces a vCPU */
	KS_GONE = 17, /* a vCPU was destroyed */
	KS_TASK = 18, /* introduces a preemptor: from here on, this tid is this task */
	KS_SNAP = 19, /* a vCPU's state as the snapshot found it */
	KS_VM = 20,   /* introduces a VM: its VMM process */
	KS_NAME = 21, /* what user space knows of a VM: name, uuid, cgroup */
	KS_TYPE_MAX = 22,
};

/* The points of one transition, in the order in which they are reached: indices of flags[] and bits
 * of head.mask. OUT: kvm_sched_out entry, put entry, put exit, kvm_sched_out exit.
 * IN: kvm_sched_in entry, load entry, load exit, kvm_sched_in exit. LOAD, PUT: only the middle two.
 */
enum { KS_PT_ENTRY, KS_PT_INNER_ENTRY, KS_PT_INNER_EXIT, KS_PT_EXIT, KS_PT_CNT };

/* head.mask: bits 0-3 say which points were seen; the others what is known, or how to read it. */
#define KS_M_POINT(pt)	   (1U << (pt))
#define KS_M_POINTS	   0x000fU
#define KS_M_SCHEDULED_OUT 0x0010U /* this kernel has kvm_vcpu.scheduled_out (6.11) */
#define KS_M_WANTS_TO_RUN  0x0020U /* ... kvm_vcpu.wants_to_run */
#define KS_M_BLOCKING	   0x0040U /* ... a way to tell kvm_vcpu_block() */
#define KS_M_SCHED_DELAYED 0x0080U /* ... sched_entity.sched_delayed (6.12) */
#define KS_M_RUN_DELAY	   0x0100U /* IN: run_delay is known */
#define KS_M_QUOTA	   0x0200U /* this kernel tells whether CPU bandwidth throttled a task */
#define KS_M_SKIPPED	   0x0400U /* a CPU filter left out transitions just before this record */
#define KS_M_USER	   0x0800U /* LOADS, SNAP: the vCPU is not loaded at head.ts */
#define KS_M_THROTTLED	   0x1000U /* the vCPU's cgroup was throttled at this moment */
#define KS_M_END	   0x2000U /* SNAP: the one at the end of the window */
#define KS_M_OUT	   0x4000U /* SNAP: the vCPU is scheduled out at head.ts */
#define KS_M_CREATED	   0x8000U /* VCPU: created inside the window, at head.ts */

/* What every kernel since 6.12 has, as configured by any distribution. */
#define KS_FIELDS_MODERN                                                               \
	(KS_M_SCHEDULED_OUT | KS_M_WANTS_TO_RUN | KS_M_BLOCKING | KS_M_SCHED_DELAYED | \
	 KS_M_RUN_DELAY | KS_M_QUOTA)

/* What one point saw of struct kvm_vcpu. A bit that head.mask calls unknown is 0. */
#define KS_F_SCHEDULED_OUT 0x01
#define KS_F_PREEMPTED	   0x02
#define KS_F_READY	   0x04
#define KS_F_WANTS_TO_RUN  0x08
#define KS_F_BLOCKING	   0x10

/* OUT.task: the task's own state as kvm_sched_out() found it. */
#define KS_T_ON_RQ	   0x03 /* task_struct.on_rq: 1 TASK_ON_RQ_QUEUED, 2 TASK_ON_RQ_MIGRATING */
#define KS_T_SCHED_DELAYED 0x04

/* Why a vCPU is absent: decided once, by ks_reason() in step.h. */
enum {
	KS_R_UNKNOWN = 0,
	KS_R_PREEMPTED, /* still runnable, inside KVM_RUN */
	KS_R_IOCTL,	/* still runnable, inside a vCPU ioctl that does not run the guest */
	KS_R_HALTED,	/* blocked in kvm_vcpu_block() */
	KS_R_SLEEPING,	/* blocked for anything else */
	KS_R_CNT,
};

/* Who took the CPU of a runnable vCPU: decided once, by ks_class() in step.h. */
enum {
	KS_BY_NONE = 0, /* nobody: the vCPU was not runnable */
	KS_BY_OTHER_VM, /* a vCPU or another thread of a different VM's VMM */
	KS_BY_SAME_VM,	/* another vCPU of the same VM */
	KS_BY_EMULATOR, /* another thread of the vCPU's own VMM */
	KS_BY_KERNEL,	/* a kernel thread, the idle task included */
	KS_BY_HOST,	/* any other task */
	KS_BY_QUOTA,	/* the vCPU's cgroup had used up its CPU bandwidth */
	KS_BY_CNT,
};

/* The first 12 bytes of every record; ts and type are CTF's event header. */
struct ks_head {
	__u64 ts;   /* the transition's time; see each record */
	__u8 type;  /* KS_OUT ... */
	__u8 what;  /* OUT: KS_BY_*; TASK: KS_K_*; else 0 */
	__u16 mask; /* KS_M_* */
} __attribute__((packed));

/* ts: the last instruction of kvm_sched_out() (fexit); the absence begins here. */
struct ks_out {
	struct ks_head h;
	__u32 vcpu; /* the vCPU's id in this recording */
	__u32 seq;  /* the vCPU's own sequence number; the first record has 1 */
	__u32 tid;
	__u32 next_tid; /* the task switched in */
	__u8 flags[KS_PT_CNT];
	__u32 entry_ns; /* how long before ts each point was reached */
	__u32 put_entry_ns;
	__u32 put_exit_ns;
	__u32 state; /* task_struct.__state */
	__u8 task;   /* KS_T_* */
	__u8 reason; /* KS_R_* */
	__u16 cpu;
	__u32 next_vm; /* runnable: the VM that the next task belongs to, 0 = none */
};

/* ts: the first instruction of kvm_sched_in() (fentry); the absence ends here. */
struct ks_in {
	struct ks_head h;
	__u32 vcpu;
	__u32 seq;
	__u32 tid;
	__u8 flags[KS_PT_CNT];
	__u32 load_entry_ns; /* how long after ts each point was reached */
	__u32 load_exit_ns;
	__u32 exit_ns;
	__u64 run_delay_ns; /* raw growth of sched_info.run_delay since OUT, on the run queue's
			       clock */
	__u16 cpu;	    /* smp_processor_id() */
	__u16 cpu_arg;	    /* kvm_sched_in()'s argument */
	__u16 load_cpu_arg; /* kvm_arch_vcpu_load()'s */
	__u8 reason; /* of the absence that ends, as its OUT had it; KS_R_UNKNOWN: not seen */
	__u8 reserved;
};

/* ts: when it was emitted: at a bare load, just before an OUT, or at the end. The vCPU is loaded
 * then unless KS_M_USER. User time runs from a bare put's entry to the next bare load's entry. */
struct ks_loads {
	struct ks_head h;
	__u32 vcpu;
	__u32 seq;
	__u32 loads; /* bare kvm_arch_vcpu_load() calls since the previous record */
	__u64 user_ns;
	__u32 puts;
	__u32 load_ns; /* --full: time inside them; sum and longest */
	__u32 put_ns;
	__u32 load_max_ns;
	__u32 put_max_ns;
	__u8 load_flags; /* KS_F_* seen at any of their points: SCHEDULED_OUT, PREEMPTED break a
			    rule */
	__u8 put_flags;
	__u16 cpu;
};

/* LOAD and PUT. ts: the function's entry. */
struct ks_load {
	struct ks_head h;
	__u32 vcpu;
	__u32 seq;
	__u32 tid;
	__u8 flags[2]; /* entry, exit */
	__u16 cpu;
	__u16 cpu_arg; /* LOAD only */
	__u16 reserved;
	__u32 cost_ns; /* --full: exit - entry */
	__u32 reserved2[5];
};

/* ts: when the vCPU was first seen. seq: its records so far. */
struct ks_vcpu {
	struct ks_head h;
	__u32 vcpu;
	__u32 seq;
	__u32 vm;      /* the VM's id in this recording */
	__s32 vcpu_id; /* KVM's */
	__u32 tgid;    /* the VMM process */
	__u32 tid;     /* the thread that has it now */
	__u32 reserved;
};

/* ts: kvm_arch_vcpu_destroy() entry. seq: the vCPU's last. lost: how many of its records were lost.
 */
struct ks_gone {
	struct ks_head h;
	__u32 vcpu;
	__u32 seq;
	__u32 lost;
};

/* what: KS_K_*. */
enum { KS_K_HOST, KS_K_KERNEL, KS_K_VCPU, KS_K_VMM };
struct ks_task {
	struct ks_head h;
	__u32 tid;
	__u64 start_ns; /* task_struct.start_time: with tid, the task's identity */
	__u32 tgid;
	__u32 vm;   /* its VM, 0 = none */
	__u32 vcpu; /* KS_K_VCPU: the vCPU it runs */
	__u32 reserved;
	char comm[KS_COMM_LEN];
};

/* ts: when the snapshot looked. seq, lost: the vCPU's counts at that moment. With KS_M_END, bit
 * KS_PT_ENTRY of the mask says that a hook has seen the vCPU, so that its state is sure. */
struct ks_snap {
	struct ks_head h;
	__u32 vcpu;
	__u32 seq;
	__u32 lost;
	__u32 tid;
	__u16 cpu;
	__u8 flags;
	__u8 reason; /* KS_M_OUT: KS_R_* */
};

struct ks_vm {
	struct ks_head h;
	__u32 vm;
	__u32 tgid;
	__u32 reserved;
	__u64 cgroup;		/* cgroup v2 id, 0 = unknown */
	char comm[KS_COMM_LEN]; /* the VMM's */
};

/* Written by user space: NUL-terminated, cut at a UTF-8 boundary where too long. */
struct ks_name {
	struct ks_head h;
	__u32 vm;
	__u32 reserved;
	char name[96];
	char uuid[40];
	char cgroup[260];
};

#define KS_RECORD_MAX \
	56 /* the longest record the kernel makes; those in a CPU's ring all have it */

_Static_assert(sizeof(struct ks_head) == 12, "head");
_Static_assert(sizeof(struct ks_out) == 56, "out");
_Static_assert(sizeof(struct ks_in) == 56, "in");
_Static_assert(sizeof(struct ks_loads) == 56, "loads");
_Static_assert(sizeof(struct ks_load) == 56, "load");
_Static_assert(sizeof(struct ks_vcpu) == 40, "vcpu");
_Static_assert(sizeof(struct ks_gone) == 24, "gone");
_Static_assert(sizeof(struct ks_task) == 56, "task");
_Static_assert(sizeof(struct ks_snap) == 32, "snap");
_Static_assert(sizeof(struct ks_vm) == 48, "vm");
_Static_assert(sizeof(struct ks_name) == 416, "name");
_Static_assert(__builtin_offsetof(struct ks_in, run_delay_ns) == 40, "in.run_delay_ns");
_Static_assert(__builtin_offsetof(struct ks_loads, user_ns) == 24, "loads.user_ns");
_Static_assert(__builtin_offsetof(struct ks_task, start_ns) == 16, "task.start_ns");

/* ---- shared memory, not recorded ---------------------------------------------------------- */

/*
 * One CPU's ring: an array of places of KS_RECORD_MAX bytes behind this header, in memory that user
 * space maps. One producer, because the hooks run on their CPU with preemption off and do not nest;
 * one consumer. Record number n (from 0) lies in place n % places; head counts those written, tail
 * those taken. A record is written before head says so, and taken before tail says so.
 * produced = head + lost.
 */
struct ks_ring {
	__u64 head;
	__u64 lost;    /* records that found no place */
	__u64 last_ts; /* keeps a stream's times from going backwards */
	__u64 pad0[5];
	__u64 tail; /* user space's */
	__u64 pad1[7];
};
_Static_assert(sizeof(struct ks_ring) == 128, "ring: two cache lines");

/* Where a vCPU is, as its hooks last saw it. */
enum {
	KS_P_UNKNOWN = 0,
	KS_P_LOADED, /* between a load and the put or sched_out that ends it */
	KS_P_GOING,  /* inside kvm_sched_out() */
	KS_P_OUT,
	KS_P_COMING, /* inside kvm_sched_in() */
	KS_P_USER,   /* not loaded */
};

/* Is a vCPU recorded? NEW: its slot is being filled. ASK: yes, but look at the filters again at its
 * next event. CLOSED: it was, and what its slot holds is how it stood when the window ended. */
enum { KS_NEW = 0, KS_DROP, KS_KEEP, KS_ASK, KS_CLOSED };

/* Aggregation: what a vCPU does. */
enum {
	KS_A_NONE = 0, /* no event in the window */
	KS_A_EARLY,    /* ... but it went out just before, for `reason` */
	KS_A_IN,
	KS_A_OUT,
};
struct ks_now {
	__u64 since; /* in the window */
	__u32 what;  /* KS_A_* | KS_R_* << 8 | KS_BY_* << 16, the latter two of OUT; KS_A_BUSY */
	__u32 at;    /* the index of its struct ks_agg */
};
#define KS_A_BUSY (1U << 24) /* its hooks are writing here and to its struct ks_agg */

/* One per vCPU. A vCPU's own transitions never run concurrently, so its hooks write here without
 * atomics; a reader elsewhere must wait until recording has stopped, or compare seq around it. */
struct ks_slot {
	__u64 hot;  /* vcpu, while the filters want it: what the hooks look for first */
	__u64 vcpu; /* struct kvm_vcpu *, 0 = free; never leaves this machine's memory */
	__u64 kvm;
	__u32 id;
	__u32 vm;
	__u32 seq;
	__u32 lost;
	__u32 tid;     /* the task of the last load */
	__u32 run_tid; /* the task of the last KVM_RUN */
	__u32 tgid;
	__s32 vcpu_id;
	__u8 phase;	 /* KS_P_* */
	__u8 points;	 /* KS_M_POINT()s seen of the transition that phase is in */
	__u8 keep;	 /* KS_DROP ...: what the filters said */
	__u8 introduced; /* its descriptor was written, or tried */
	__u8 skipped;	 /* a CPU filter left out something since the last record */
	__u8 kept_out;
	__u8 reason;	/* of the last absence */
	__u8 in_cgroup; /* what the cgroup filter said of its thread */
	__u8 snapped;	/* the snapshot has introduced it */
	__u16 cpu;
	__u8 snap_reason; /* of the absence that the snapshot found */
	__u8 undescribed; /* its descriptor, or its VM's, did not fit into the ring: to be retried
			   */
	__u8 created;
	__u32 lists_gen; /* of the lists that keep was decided by */
	__u64 born_ts;
	/* scratch, entry to exit hook */
	__u64 entry_ts;
	__u64 inner_entry_ts;
	__u64 inner_exit_ts;
	__u8 flags[KS_PT_CNT];
	__u16 load_cpu_arg;
	__u16 pad0;
	__u64 run_delay; /* sched_info.run_delay at sched_out */
	__u64 put_ts;	 /* the last bare put */
	__u64 flush_ts;	 /* the last record; 0: its thread is not known yet */
	union {
		struct { /* since the last record: as in struct ks_loads */
			__u64 user_ns;
			__u32 loads;
			__u32 puts;
			__u32 load_ns;
			__u32 put_ns;
			__u32 load_max_ns;
			__u32 put_max_ns;
			__u8 load_flags;
			__u8 put_flags;
			__u8 pad[14];
		};
		struct ks_now agg; /* aggregation, which hooks neither loads nor puts */
	};
};
_Static_assert(sizeof(struct ks_slot) == 192, "slot: three cache lines");

/*
 * What is kept of a vCPU where no record leaves the kernel (aggregation): in its slot what every
 * event needs, here the rest. The vCPU's own hooks write it, as its slot. All sums begin with the
 * window. Its memory is zero when a vCPU begins to use it: user space sees to that once it has
 * taken what a vCPU that is gone has left (KS_GONE_OWNER). Time that is in no sum, it was on a CPU
 * or in user space.
 */
#define KS_AGG_SUB     8U /* buckets per octave: each at most 1/8 of its values wide */
#define KS_AGG_BUCKETS (62 * KS_AGG_SUB) /* any 64-bit number has one: ks_bucket() */

/* preempted, halted, sleeping: absences; woken: of halted and sleeping ones, the run delay. */
enum { KS_H_PREEMPTED, KS_H_HALTED, KS_H_SLEEPING, KS_H_WOKEN, KS_H_CNT };

struct ks_agg_hist {
	__u64 sum_ns, max_ns;
	__u64 bucket[KS_AGG_BUCKETS];
};

struct ks_agg {
	__u64 first_ns; /* how long the vCPU did .first, since the window or it began */
	__u64 unknown_ns;
	__u64 gone_ns; /* when the vCPU was destroyed; 0 = it lives */
	__u64 migrations;
	__u64 clamped; /* run delays that were longer than their absence */
	__u64 odd;     /* events that cannot follow what was before */
	__u64 born_ns; /* when it was first seen */
	__u8 first;    /* before its first event: KS_R_*, KS_R_CNT = on a CPU or in user space */
	__u8 created;  /* at born_ns; else it was there before */
	__u16 cpu;     /* of one that is gone, as its slot had them ... */
	__u32 tid;
	struct ks_now now;	    /* ... and this */
	__u64 by_ns[KS_BY_CNT + 1]; /* whole absences by who took the CPU */
	__u64 by_cnt[KS_BY_CNT + 1];
	struct ks_agg_hist hist[KS_H_CNT];
};
_Static_assert(KS_BY_CNT == 7 && KS_H_CNT == 4, "agg: masks of indices");

/* Whose a struct ks_agg is: the index of the vCPU's slot + 1; 0 = nobody's; or, of a vCPU that is
 * gone, user space's, who makes it zero and nobody's. */
#define KS_GONE_OWNER 0xffffffffU

/* The window: records are made for start_ns <= ts < end_ns; and the counters around it. */
struct ks_ctl {
	__u64 start_ns;
	__u64 end_ns;
	__u64 meta_lost; /* descriptors that found no room */
	__u64 untracked; /* vCPUs that did not fit into the table; at least so many */
	__u32 task_gen;	 /* raised when a thread's VM or vCPU changed */
	__u32 lists_gen; /* raised when a filter's list changed: user space's */
	__u32 next_vcpu; /* ids given out */
	__u32 next_vm;
	__u32 dead; /* vCPUs that went since user space last took what they left, and made it 0 */
};

/* What to record. Set before the programs are loaded, except the lists in maps. */
#define KS_VCPU_RANGES 16
#define KS_CGROUPS     8
#define KS_CPUS_MAX    1024
#define KS_SLOTS       4096 /* vCPUs that can be tracked at once */
struct ks_config {
	__u8 light;
	__u8 full;
	__u8 loads;
	__u8 by_tgid; /* filter_tgid holds 1 for VMMs to keep; unknown ones are dropped ... */
	__u8 by_name; /* ... or, while their name is being looked up, kept (0 = drop) */
	__u8 by_tid;
	__u8 by_cpu;
	__u8 vcpu_ranges;
	__u16 fields;	/* KS_M_*: what this kernel has */
	__u8 own_btf;	/* fields were found in a file: its type ids are not the kernel's */
	__u8 aggregate; /* keep sums (struct ks_agg) ... */
	__u8 records;	/* ... and, or, make records */
	__u8 classes;	/* sums: who took the CPU, too */
	__u8 pad0[2];
	__u32 cgroups;
	__u32 slots;	   /* at most KS_SLOTS */
	__u32 aggs;	   /* the same for aggregation: then slots is KS_SLOTS */
	__u32 ring_places; /* a power of two */
	struct {
		__s32 from, to;
	} vcpus[KS_VCPU_RANGES];
	struct {
		__u64 id;
		__s32 level;
		__u32 pad;
	} cgroup[KS_CGROUPS];
	__u64 cpus[KS_CPUS_MAX / 64];
};

#endif
