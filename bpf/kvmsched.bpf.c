// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The kernel side: hooks on KVM's preempt notifiers and on the load and put of a vCPU, which turn
 * every transition of a vCPU into one record in its CPU's ring.
 *
 *	kvm_sched_out  entry ── put entry ── put exit ── exit            => OUT (at exit)
 *	kvm_sched_in   entry ── load entry ── load exit ── exit          => IN  (at exit; light:
 *entry) bare load, bare put (vcpu_load(), vcpu_put())  added up in the slot => LOADS (before OUT,
 *or when the last record is 100 ms old), or LOAD/PUT each
 *
 * Which of these programs are loaded is the mode's choice (user/source_live.c); each works with
 * whatever subset is attached, and says in the record which points it saw. All of them run with
 * preemption disabled except create, destroy and the iterator, whose records go to a ring of
 * their own (meta) because their times may not be in order.
 */
#include "kvm_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "wire.h"
#include "step.h"
#include "compat.bpf.h"

#define FLUSH_NS  100000000ULL /* bare loads and puts become a record at least this often */
#define SLOT_BITS 12
_Static_assert(1 << SLOT_BITS == KS_SLOTS, "a bucket per slot");
#define TASKS_BITS 8 /* preemptors remembered per CPU */
#define META_BYTES (1 << 20)

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct ks_config cfg = {};
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
	__u32 vcpu; /* 0 = not a vCPU's thread */
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
	__u8 kind;
	__u8 known;
	__u8 pad[2];
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

#define FLAGS(vcpu) vcpu_flags(vcpu, cfg.packed)

static __always_inline __u64 now(void)
{
	return bpf_ktime_get_ns();
}

static __always_inline bool in_window(__u64 ts)
{
	return ts >= ctl.start_ns && ts < ctl.end_ns;
}

/* ---- descriptors -------------------------------------------------------------------------- */

static int describe(void *rec, __u64 size)
{
	__u64 flags = bpf_ringbuf_query(&meta, BPF_RB_AVAIL_DATA) > META_BYTES / 2
			      ? BPF_RB_FORCE_WAKEUP
			      : BPF_RB_NO_WAKEUP;
	long err = bpf_ringbuf_output(&meta, rec, size, flags);

	__sync_fetch_and_add(&ctl.meta_produced, 1);
	if (err)
		__sync_fetch_and_add(&ctl.meta_lost, 1);
	return err;
}

static void vm_describe(struct vm *vm, struct task_struct *t, __u64 ts)
{
	struct task_struct *leader = t->group_leader;
	struct ks_vm rec = {};

	rec.h.ts = ts;
	rec.h.type = KS_VM;
	rec.vm = vm->id;
	rec.tgid = t->tgid;
	rec.cgroup = leader->cgroups->dfl_cgrp->kn->id;
	bpf_probe_read_kernel(rec.comm, sizeof(rec.comm), leader->comm);
	vm->described = !describe(&rec, sizeof(rec));
}

static __u32 vm_get(__u64 kvm, struct task_struct *t)
{
	struct vm *vm = bpf_map_lookup_elem(&vms, &kvm), fresh = {};
	__u32 tgid = t->tgid;
	struct owner own = {};

	if (!vm) {
		fresh.id = __sync_fetch_and_add(&ctl.next_vm, 1) + 1;
		own.vm = fresh.id;
		/* NOEXIST: another of its vCPUs may be faster */
		if (!bpf_map_update_elem(&vms, &kvm, &fresh, BPF_NOEXIST)) {
			bpf_map_update_elem(&vmms, &tgid, &own, BPF_ANY);
			__sync_fetch_and_add(&ctl.task_gen, 1);
		}
		vm = bpf_map_lookup_elem(&vms, &kvm);
		if (!vm)
			return 0;
	}
	__sync_fetch_and_add(&vm->vcpus, 1);
	return vm->id;
}

static void vm_put(__u64 kvm)
{
	struct vm *vm = bpf_map_lookup_elem(&vms, &kvm);

	if (vm && __sync_fetch_and_add(&vm->vcpus, -1) == 1)
		bpf_map_delete_elem(&vms, &kvm);
}

/* Introduces a vCPU and, the first time, its VM. What does not fit into the ring is tried again at
 * the vCPU's next event (see filter()). */
static void slot_describe(struct ks_slot *s, struct task_struct *t)
{
	__u64 kvm = s->kvm;
	struct vm *vm = bpf_map_lookup_elem(&vms, &kvm);
	struct ks_vcpu rec = {};

	if (vm && !vm->described)
		vm_describe(vm, t, s->born_ts);
	rec.h.ts = s->born_ts;
	rec.h.type = KS_VCPU;
	rec.h.mask = s->created ? KS_M_CREATED : 0;
	rec.vcpu = s->id;
	rec.vm = s->vm;
	rec.vcpu_id = s->vcpu_id;
	rec.tgid = s->tgid;
	rec.tid = s->tid;
	s->undescribed = describe(&rec, sizeof(rec)) || (vm && !vm->described);
}

/* ---- filters ------------------------------------------------------------------------------ */

static __always_inline bool cpu_wanted(__u32 cpu)
{
	if (!cfg.by_cpu)
		return true;
	return cpu < KS_CPUS_MAX &&
	       (cfg.cpus[(cpu / 64) & (KS_CPUS_MAX / 64 - 1)] >> (cpu % 64)) & 1;
}

static bool vcpu_id_wanted(__s32 id)
{
	if (!cfg.vcpu_ranges)
		return true;
	for (int i = 0; i < KS_VCPU_RANGES; i++)
		if (i < cfg.vcpu_ranges && id >= cfg.vcpus[i].from && id <= cfg.vcpus[i].to)
			return true;
	return false;
}

static bool cgroup_wanted(const struct task_struct *t)
{
	struct cgroup *cg;

	if (!cfg.cgroups)
		return true;
	cg = t->cgroups->dfl_cgrp;
	for (int i = 0; i < KS_CGROUPS; i++)
		if (i < (int)cfg.cgroups && cgroup_below(cg, cfg.cgroup[i].level, cfg.cgroup[i].id))
			return true;
	return false;
}

static bool listed(void *map, __u32 key, bool otherwise)
{
	__u32 *v = bpf_map_lookup_elem(map, &key);

	return v ? *v : otherwise;
}

/* Kinds AND, values of a kind OR. Run when the vCPU is new, changes its thread, or a list changed.
 */
static __noinline int filter(struct ks_slot *s, struct task_struct *t)
{
	bool keep;

	if (!s)
		return 0;
	keep = vcpu_id_wanted(s->vcpu_id);
	if (keep && cfg.by_tgid)
		keep = listed(&filter_tgid, s->tgid, cfg.by_name);
	if (keep && cfg.by_tid)
		keep = listed(&filter_tid, s->run_tid ?: s->tid, false);
	if (t->tgid == (pid_t)s->tgid)
		s->in_cgroup = cgroup_wanted(t);
	keep = keep && s->in_cgroup;
	if (keep && (s->undescribed || !s->introduced)) {
		s->introduced = 1;
		slot_describe(s, t);
	}
	s->keep = !keep ? KS_DROP : s->undescribed ? KS_ASK : KS_KEEP; /* ASK: come again */
	return keep;
}

/* The thread that last did KVM_RUN on this vCPU; VMs also load vCPUs from other threads. */
static __u32 vcpu_run_tid(__u64 vcpu)
{
	struct pid *pid = BPF_CORE_READ((struct kvm_vcpu *)vcpu, pid);

	return pid ? BPF_CORE_READ(pid, numbers[0].nr) : 0;
}

static __noinline int bind(struct ks_slot *s, struct task_struct *t)
{
	__u32 tid = t->pid;
	struct owner own = {};

	if (!s)
		return 0;
	s->tid = tid;
	own.vcpu = s->id;
	own.vm = s->vm;
	if (s->run_tid != tid && vcpu_run_tid(s->vcpu) == tid) {
		s->run_tid = tid;
		bpf_map_update_elem(&threads, &tid, &own, BPF_ANY);
		__sync_fetch_and_add(&ctl.task_gen, 1);
		filter(s, t);
	}
	return 0;
}

/* ---- slots -------------------------------------------------------------------------------- */

static __always_inline struct ks_slot *slot_at(__u32 index)
{
	return &slots[index & (KS_SLOTS - 1)];
}

/* 32 bits of a pointer are a number to the verifier; it may also be compared with one. */
static __always_inline __u32 slot_bucket(__u64 vcpu)
{
	return ((__u32)vcpu * 0x9e3779b1U) >> (32 - SLOT_BITS);
}

struct claim {
	__u64 vcpu;
	__u32 first;
	__u32 at; /* + 1; 0 = none free */
};

static long claim_one(__u32 i, struct claim *c)
{
	__u32 at = (c->first + i) & (KS_SLOTS - 1);
	struct ks_slot *s = &slots[at];

	if (at >= cfg.slots || s->vcpu || __sync_val_compare_and_swap(&s->vcpu, 0, c->vcpu))
		return 0;
	c->at = at + 1;
	return 1;
}

/* The first free slot from the vCPU's own on; returns its index + 1. */
static __u32 slot_claim(__u64 vcpu)
{
	struct claim c = {.vcpu = vcpu, .first = slot_bucket(vcpu)};

	bpf_loop(KS_SLOTS, claim_one, &c, 0); /* 5.17 */
	return c.at;
}

/* A vCPU seen for the first time. t: a task of its VMM. Returns the slot's index + 1. */
static __noinline __u32 slot_new(__u64 vcpu, __u64 ts, __u32 created, struct task_struct *t)
{
	const struct kvm_vcpu *v = (const struct kvm_vcpu *)vcpu;
	__u32 index = slot_claim(vcpu);
	struct ks_slot *s;

	if (!index) {
		__sync_fetch_and_add(&ctl.untracked, 1);
		return 0;
	}
	index--;
	s = slot_at(index);
	if (bpf_map_update_elem(&slot_of, &vcpu, &index, BPF_NOEXIST)) {
		__u32 *other = bpf_map_lookup_elem(&slot_of, &vcpu);

		s->vcpu = 0; /* the snapshot and a hook met; or the map is full */
		return other ? *other + 1 : 0;
	}
	__builtin_memset(&s->kvm, 0, sizeof(*s) - sizeof(s->vcpu));
	s->in_cgroup = 1;
	s->kvm = (__u64)BPF_CORE_READ(v, kvm);
	s->vcpu_id = BPF_CORE_READ(v, vcpu_id);
	s->id = __sync_fetch_and_add(&ctl.next_vcpu, 1) + 1;
	s->tid = t->pid;
	s->tgid = t->tgid;
	s->vm = vm_get(s->kvm, t);
	s->born_ts = s->flush_ts = ts;
	s->created = created;
	if (created) {
		s->phase = KS_P_USER;
		s->put_ts = ts;
	}
	bind(s, t);
	filter(s, t);
	return index + 1;
}

static __noinline __u32 slot_slow(__u64 vcpu)
{
	__u32 bucket = slot_bucket(vcpu), at = moved[bucket & (KS_SLOTS - 1)], *index;

	if (slot_at(at)->vcpu == vcpu)
		return at + 1;
	index = bpf_map_lookup_elem(&slot_of, &vcpu);
	at = index ? *index + 1 : slot_new(vcpu, now(), 0, bpf_get_current_task_btf());
	if (at)
		moved[bucket & (KS_SLOTS - 1)] = at - 1;
	return at;
}

static __always_inline bool wanted(struct ks_slot *s)
{
	if (s->keep == KS_KEEP)
		return true;
	return s->keep == KS_ASK && filter(s, bpf_get_current_task_btf());
}

/* The slot of the vCPU at `vcpu`, which lies `before` bytes before the hooked function's argument;
 * NULL: none, or the filters do not want it. */
static __always_inline struct ks_slot *slot_find(void *ctx, const void *vcpu, __u32 before)
{
	struct ks_slot *s = &slots[slot_bucket((__u64)vcpu)];
	__u32 at;

	if (s->vcpu != (__u64)vcpu) {
		at = slot_slow(first_arg(ctx) - before);
		if (!at)
			return NULL;
		s = slot_at(at - 1);
	}
	return wanted(s) ? s : NULL;
}

static __always_inline struct ks_slot *slot_notified(void *ctx, struct preempt_notifier *pn)
{
	return slot_find(ctx, notified(pn),
			 bpf_core_field_offset(struct kvm_vcpu, preempt_notifier));
}

/* ---- records ------------------------------------------------------------------------------ */

static __always_inline void ring_doorbell(void)
{
	void *bell = bpf_ringbuf_reserve(&meta, 8, 0);

	if (bell)
		bpf_ringbuf_discard(bell, BPF_RB_FORCE_WAKEUP);
}

/* Counts the record and finds its place in this CPU's ring; NULL: the ring is full (counted).
 * ring_put() hands it over. */
static __always_inline void *ring_get(struct ks_slot *s, __u32 cpu, struct ks_ring **ring,
				      __u64 *ts)
{
	struct ks_ring *r = bpf_map_lookup_elem(&rings, &cpu);
	__u64 used;

	if (!r)
		return NULL;
	if (*ts < r->last_ts)
		*ts = r->last_ts;
	r->last_ts = s->flush_ts = *ts;
	s->seq++;
	used = r->head - *(volatile __u64 *)&r->tail;
	if (used >= cfg.ring_places) {
		r->lost++;
		s->lost++;
		return NULL;
	}
	if (used == cfg.ring_places / 2)
		ring_doorbell();
	*ring = r;
	return (char *)(r + 1) + (r->head & (cfg.ring_places - 1)) * KS_RECORD_MAX;
}

static __always_inline void ring_put(struct ks_ring *r)
{
#ifdef __TARGET_ARCH_x86
	barrier_var(
		r); /* stores are not reordered with stores: the compiler is all there is to stop */
	*(volatile __u64 *)&r->head = r->head + 1;
#else
	__sync_lock_test_and_set(&r->head, r->head + 1); /* BPF's exchange is a full barrier */
#endif
}

static __always_inline __u16 take_skipped(struct ks_slot *s)
{
	__u16 m;

	if (!cfg.by_cpu)
		return 0;
	m = s->skipped ? KS_M_SKIPPED : 0;
	s->skipped = 0;
	return m;
}

/* The record's contents, and a fresh start for the sums. */
static __always_inline void take_loads(struct ks_slot *s, struct ks_loads *r, __u32 cpu, __u64 ts)
{
	r->h.ts = ts;
	r->h.type = KS_LOADS;
	r->h.what = 0;
	r->h.mask = cfg.fields | take_skipped(s) | KS_M_POINT(KS_PT_INNER_ENTRY) |
		    (cfg.full ? KS_M_POINT(KS_PT_INNER_EXIT) : 0);
	r->vcpu = s->id;
	r->seq = s->seq;
	r->loads = s->loads;
	r->user_ns = s->user_ns;
	r->puts = s->puts;
	r->load_ns = s->load_ns;
	r->put_ns = s->put_ns;
	r->load_max_ns = s->load_max_ns;
	r->put_max_ns = s->put_max_ns;
	r->load_flags = s->load_flags;
	r->put_flags = s->put_flags;
	r->cpu = cpu;
}

static __always_inline void reset_loads(struct ks_slot *s)
{
	__builtin_memset(&s->user_ns, 0, sizeof(*s) - __builtin_offsetof(struct ks_slot, user_ns));
}

/* Sums that find no room are lost with their record: the sequence number says so. */
static __noinline int flush_loads(struct ks_slot *s, __u32 cpu, __u64 ts)
{
	struct ks_ring *ring;
	struct ks_loads *r;

	if (!s)
		return 0;
	r = ring_get(s, cpu, &ring, &ts);
	if (r) {
		take_loads(s, r, cpu, ts);
		ring_put(ring);
	}
	reset_loads(s);
	return 0;
}

static __always_inline __u64 user_since(const struct ks_slot *s)
{
	return s->put_ts > ctl.start_ns ? s->put_ts : ctl.start_ns;
}

static __always_inline bool pending(const struct ks_slot *s)
{
	return s->loads | s->puts;
}

/* ---- kvm_sched_out ------------------------------------------------------------------------ */

SEC("fentry/kvm_sched_out")
int BPF_PROG(out_entry, struct preempt_notifier *pn)
{
	struct ks_slot *s = slot_notified(ctx, pn);

	if (!s)
		return 0;
	s->phase = KS_P_GOING;
	s->points = KS_M_POINT(KS_PT_ENTRY);
	*(__u32 *)s->flags = FLAGS(notified(pn)); /* flags[KS_PT_ENTRY], the others 0 */
	s->entry_ts = now();
	return 0;
}

/* The preemptor's kind and VM; introduces it where this CPU has not done so yet. */
static __noinline int task_new(struct task *e, struct task_struct *t, __u64 ts)
{
	__u32 tid = t->pid, tgid = t->tgid;
	bool kthread = t->flags & PF_KTHREAD;
	struct owner *own;
	struct ks_task rec = {};

	if (!e)
		return 0;
	e->tid = tid;
	e->start_ns = t->start_time;
	e->gen = ctl.task_gen;
	e->vm = 0;
	e->kind = kthread ? KS_K_KERNEL : KS_K_HOST;
	if (!kthread) {
		own = bpf_map_lookup_elem(&threads, &tid);
		if (own) {
			e->kind = KS_K_VCPU;
		} else {
			own = bpf_map_lookup_elem(&vmms, &tgid);
			if (own)
				e->kind = KS_K_VMM;
		}
		if (own) {
			e->vm = own->vm;
			rec.vcpu = own->vcpu;
		}
	}
	rec.h.ts = ts;
	rec.h.type = KS_TASK;
	rec.h.what = e->kind;
	rec.tid = tid;
	rec.start_ns = e->start_ns;
	rec.tgid = tgid;
	rec.vm = e->vm;
	__builtin_memcpy(rec.comm, e->comm, sizeof(rec.comm));
	e->known = !describe(&rec, sizeof(rec));
	return 0;
}

static __always_inline __u8 preemptor(const struct ks_slot *s, struct task_struct *next, __u32 cpu,
				      bool throttled, __u64 ts, __u32 *vm)
{
	__u32 tid = next->pid, at = cpu << TASKS_BITS | (tid & ((1 << TASKS_BITS) - 1));
	struct task *e = bpf_map_lookup_elem(&tasks, &at);
	__u64 start = next->start_time, comm[2] = {};

	*vm = 0;
	if (!e)
		return KS_BY_NONE;
	bpf_probe_read_kernel(comm, sizeof(comm), next->comm);
	if (e->tid != tid || e->start_ns != start || e->gen != ctl.task_gen || !e->known ||
	    e->comm[0] != comm[0] || e->comm[1] != comm[1]) {
		e->comm[0] = comm[0];
		e->comm[1] = comm[1];
		task_new(e, next, ts);
	}
	*vm = e->vm;
	return ks_class(throttled, s->vm, e->kind, e->vm);
}

/* May this transition be left out, because a CPU filter wants neither of its ends? */
static __always_inline bool out_wanted(struct ks_slot *s, __u32 cpu)
{
	if (!cfg.by_cpu)
		return true;
	s->kept_out = cpu_wanted(cpu);
	if (!s->kept_out)
		s->skipped = 1;
	return s->kept_out;
}

/* A transition whose first points passed before everything was attached. */
static __always_inline void out_partly(struct ks_slot *s, struct ks_out *r, __u16 points, __u64 ts)
{
	*(__u32 *)r->flags = 0;
	r->entry_ns = r->put_entry_ns = r->put_exit_ns = 0;
	if (points & KS_M_POINT(KS_PT_INNER_ENTRY)) {
		r->flags[KS_PT_INNER_ENTRY] = s->flags[KS_PT_INNER_ENTRY];
		r->put_entry_ns = ks_dt(s->inner_entry_ts, ts);
	}
	if (points & KS_M_POINT(KS_PT_INNER_EXIT)) {
		r->flags[KS_PT_INNER_EXIT] = s->flags[KS_PT_INNER_EXIT];
		r->put_exit_ns = ks_dt(s->inner_exit_ts, ts);
	}
}

SEC("fexit/kvm_sched_out")
int BPF_PROG(out_exit, struct preempt_notifier *pn, struct task_struct *next)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__u32 cpu = bpf_get_smp_processor_id(), next_vm = 0;
	struct ks_slot *s = slot_notified(ctx, pn);
	__u16 mask = (cfg.fields & ~KS_M_RUN_DELAY) | KS_M_POINT(KS_PT_EXIT), points = 0;
	__u8 at_exit, task, reason, by = KS_BY_NONE;
	struct ks_ring *ring;
	struct ks_out *r;
	__u64 ts;

	if (!s)
		return 0;
	if (!cfg.light && s->phase == KS_P_GOING)
		points = s->points;
	s->phase = KS_P_OUT;
	s->run_delay = task_run_delay(t);
	if (s->run_tid != (__u32)t->pid)
		bind(s, t);
	/* Nothing in kvm_sched_out() changes BLOCKING; where the put was seen, it has been read
	 * there. */
	at_exit = FLAGS(notified(pn));
	at_exit |= points & KS_M_POINT(KS_PT_INNER_ENTRY)
			   ? s->flags[KS_PT_INNER_ENTRY] & KS_F_BLOCKING
			   : vcpu_blocking(notified(pn));
	task = task_bits(t);
	s->reason = reason = ks_reason(task, at_exit, mask);
	s->cpu = cpu;
	ts = now();
	if (!in_window(ts) || !out_wanted(s, cpu))
		return 0;
	if (ks_runnable(task)) {
		bool throttled = task_throttled(t);

		mask |= throttled ? KS_M_THROTTLED : 0;
		by = preemptor(s, next, cpu, throttled, ts, &next_vm);
	}
	if (pending(s))
		flush_loads(s, cpu, ts);
	r = ring_get(s, cpu, &ring, &ts);
	if (!r)
		return 0;
	r->h.ts = ts;
	r->h.type = KS_OUT;
	r->h.what = by;
	r->h.mask = mask | points | take_skipped(s);
	r->vcpu = s->id;
	r->seq = s->seq;
	r->tid = t->pid;
	r->next_tid = next->pid;
	if (points == cfg.out_points) {
		*(__u32 *)r->flags = *(__u32 *)s->flags;
		r->entry_ns = cfg.light ? 0 : ks_dt(s->entry_ts, ts);
		r->put_entry_ns = cfg.light ? 0 : ks_dt(s->inner_entry_ts, ts);
		r->put_exit_ns = cfg.full ? ks_dt(s->inner_exit_ts, ts) : 0;
	} else {
		out_partly(s, r, points, ts);
	}
	r->flags[KS_PT_EXIT] = at_exit;
	r->state = t->__state;
	r->task = task;
	r->reason = reason;
	r->cpu = cpu;
	r->next_vm = next_vm;
	ring_put(ring);
	return 0;
}

/* ---- kvm_sched_in ------------------------------------------------------------------------- */

static __always_inline void emit_in(struct ks_slot *s, struct task_struct *t, __u32 cpu, int arg,
				    __u64 exit_ts)
{
	__u64 ts = s->entry_ts;
	struct ks_ring *ring;
	struct ks_in *r;

	if (!in_window(ts))
		return;
	if (cfg.by_cpu) {
		if (!s->kept_out && !cpu_wanted(cpu)) {
			s->skipped = 1;
			return;
		}
		s->kept_out = 0;
	}
	r = ring_get(s, cpu, &ring, &ts);
	if (!r)
		return;
	r->h.ts = ts;
	r->h.type = KS_IN;
	r->h.what = 0;
	r->h.mask = cfg.fields | take_skipped(s) |
		    (s->reason <= KS_R_IOCTL && task_throttled(t) ? KS_M_THROTTLED : 0) | s->points;
	r->vcpu = s->id;
	r->seq = s->seq;
	r->tid = t->pid;
	*(__u32 *)r->flags = *(__u32 *)s->flags;
	if (s->points == cfg.in_points) {
		r->load_entry_ns = cfg.light ? 0 : ks_dt(ts, s->inner_entry_ts);
		r->load_exit_ns = cfg.full ? ks_dt(ts, s->inner_exit_ts) : 0;
	} else { /* attached meanwhile */
		r->load_entry_ns = s->points & KS_M_POINT(KS_PT_INNER_ENTRY)
					   ? ks_dt(ts, s->inner_entry_ts)
					   : 0;
		r->load_exit_ns =
			s->points & KS_M_POINT(KS_PT_INNER_EXIT) ? ks_dt(ts, s->inner_exit_ts) : 0;
	}
	r->exit_ns = exit_ts ? ks_dt(ts, exit_ts) : 0;
	r->run_delay_ns = task_run_delay(t) - s->run_delay;
	r->cpu = cpu;
	r->cpu_arg = arg;
	r->load_cpu_arg = cfg.light ? 0 : s->load_cpu_arg;
	r->reason = s->reason ?: s->snap_reason;
	r->reserved = 0;
	ring_put(ring);
}

SEC("fentry/kvm_sched_in")
int BPF_PROG(in_entry, struct preempt_notifier *pn, int cpu)
{
	__u64 ts = now();
	struct ks_slot *s = slot_notified(ctx, pn);

	if (!s)
		return 0;
	*(__u32 *)s->flags = FLAGS(notified(pn));
	s->points = KS_M_POINT(KS_PT_ENTRY);
	s->entry_ts = ts;
	if (s->phase != KS_P_OUT)
		s->run_delay = task_run_delay(bpf_get_current_task_btf());
	if (cfg.light) {
		s->phase = KS_P_LOADED;
		emit_in(s, bpf_get_current_task_btf(), bpf_get_smp_processor_id(), cpu, 0);
	} else {
		s->phase = KS_P_COMING;
	}
	return 0;
}

SEC("fexit/kvm_sched_in")
int BPF_PROG(in_exit, struct preempt_notifier *pn, int cpu)
{
	struct ks_slot *s = slot_notified(ctx, pn);

	if (!s || s->phase != KS_P_COMING)
		return 0;
	s->phase = KS_P_LOADED;
	s->flags[KS_PT_EXIT] = FLAGS(notified(pn));
	s->points |= KS_M_POINT(KS_PT_EXIT);
	emit_in(s, bpf_get_current_task_btf(), bpf_get_smp_processor_id(), cpu, now());
	return 0;
}

/* ---- kvm_arch_vcpu_load, kvm_arch_vcpu_put ------------------------------------------------ */

static __always_inline void emit_single(struct ks_slot *s, __u8 type, __u64 exit_ts)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 ts = s->inner_entry_ts;
	struct ks_ring *ring;
	struct ks_load *r;

	if (!in_window(ts))
		return;
	if (!cpu_wanted(cpu)) {
		s->skipped = 1;
		return;
	}
	r = ring_get(s, cpu, &ring, &ts);
	if (!r)
		return;
	r->h.ts = ts;
	r->h.type = type;
	r->h.what = 0;
	r->h.mask = cfg.fields | take_skipped(s) | KS_M_POINT(KS_PT_INNER_ENTRY) |
		    (exit_ts ? KS_M_POINT(KS_PT_INNER_EXIT) : 0);
	r->vcpu = s->id;
	r->seq = s->seq;
	r->tid = ((struct task_struct *)bpf_get_current_task_btf())->pid;
	r->flags[0] = s->flags[KS_PT_INNER_ENTRY];
	r->flags[1] = exit_ts ? s->flags[KS_PT_INNER_EXIT] : 0;
	r->cpu = cpu;
	r->cpu_arg = type == KS_LOAD ? s->load_cpu_arg : 0;
	r->reserved = 0;
	r->cost_ns = exit_ts ? ks_dt(ts, exit_ts) : 0;
	__builtin_memset(r->reserved2, 0, sizeof(r->reserved2));
	ring_put(ring);
}

/* A bare load begins: the time since the put, or the window's start, was the VMM's. */
static __always_inline void load_bare(struct ks_slot *s, struct task_struct *t, __u8 flags,
				      __u64 ts)
{
	__u64 from = s->put_ts, start = ctl.start_ns;

	if (s->run_tid != (__u32)t->pid)
		bind(s, t);
	s->phase = KS_P_LOADED;
	if (cfg.loads || ts < start || ts >= ctl.end_ns)
		return;
	if (from < start)
		from = start;
	else
		s->puts++;
	s->user_ns += ts - from;
	s->loads++;
	s->load_flags |= flags;
	if (ts - s->flush_ts > FLUSH_NS) {
		__u32 cpu = bpf_get_smp_processor_id();

		if (cpu_wanted(cpu)) {
			flush_loads(s, cpu, ts);
		} else {
			s->skipped = 1;
			s->flush_ts = ts;
		}
	}
}

SEC("fentry/kvm_arch_vcpu_load")
int BPF_PROG(load_entry, struct kvm_vcpu *vcpu, int cpu)
{
	struct ks_slot *s = slot_find(ctx, vcpu, 0);
	__u8 flags;
	__u64 ts;

	if (!s)
		return 0;
	flags = FLAGS(vcpu);
	ts = now();
	if (s->phase == KS_P_COMING) {
		s->inner_entry_ts = ts;
		s->load_cpu_arg = cpu;
		s->flags[KS_PT_INNER_ENTRY] = flags;
		s->points |= KS_M_POINT(KS_PT_INNER_ENTRY);
		return 0;
	}
	if (cfg.loads || cfg.full)
		s->inner_entry_ts = ts;
	if (cfg.loads) {
		s->load_cpu_arg = cpu;
		s->flags[KS_PT_INNER_ENTRY] = flags;
	}
	load_bare(s, bpf_get_current_task_btf(), flags, ts);
	if (cfg.loads && !cfg.full)
		emit_single(s, KS_LOAD, 0);
	return 0;
}

SEC("fexit/kvm_arch_vcpu_load")
int BPF_PROG(load_exit, struct kvm_vcpu *vcpu, int cpu)
{
	struct ks_slot *s = slot_find(ctx, vcpu, 0);
	__u32 cost;
	__u64 ts;

	if (!s)
		return 0;
	ts = now();
	if (s->phase == KS_P_COMING) {
		s->flags[KS_PT_INNER_EXIT] = FLAGS(vcpu);
		s->inner_exit_ts = ts;
		s->points |= KS_M_POINT(KS_PT_INNER_EXIT);
		return 0;
	}
	s->flags[KS_PT_INNER_EXIT] = FLAGS(vcpu);
	if (cfg.loads) {
		emit_single(s, KS_LOAD, ts);
		return 0;
	}
	if (!in_window(s->inner_entry_ts))
		return 0;
	cost = ks_dt(s->inner_entry_ts, ts);
	s->load_ns = ks_add_sat(s->load_ns, cost);
	if (cost > s->load_max_ns)
		s->load_max_ns = cost;
	s->load_flags |= s->flags[KS_PT_INNER_EXIT];
	return 0;
}

SEC("fentry/kvm_arch_vcpu_put")
int BPF_PROG(put_entry, struct kvm_vcpu *vcpu)
{
	struct ks_slot *s = slot_find(ctx, vcpu, 0);
	__u8 flags;
	__u64 ts;

	if (!s)
		return 0;
	flags = FLAGS(vcpu);
	ts = now();
	if (s->phase == KS_P_GOING) {
		s->inner_entry_ts = ts;
		s->flags[KS_PT_INNER_ENTRY] = flags | vcpu_blocking(vcpu);
		s->points |= KS_M_POINT(KS_PT_INNER_ENTRY);
		return 0;
	}
	if (cfg.loads || cfg.full)
		s->inner_entry_ts = ts;
	s->phase = KS_P_USER;
	s->put_ts = ts; /* the next load counts the put */
	s->put_flags |= flags;
	if (cfg.loads) {
		s->flags[KS_PT_INNER_ENTRY] = flags;
		if (!cfg.full)
			emit_single(s, KS_PUT, 0);
	}
	return 0;
}

SEC("fexit/kvm_arch_vcpu_put")
int BPF_PROG(put_exit, struct kvm_vcpu *vcpu)
{
	struct ks_slot *s = slot_find(ctx, vcpu, 0);
	__u32 cost;
	__u64 ts;

	if (!s)
		return 0;
	ts = now();
	if (s->phase == KS_P_GOING) {
		s->flags[KS_PT_INNER_EXIT] = FLAGS(vcpu);
		s->inner_exit_ts = ts;
		s->points |= KS_M_POINT(KS_PT_INNER_EXIT);
		return 0;
	}
	s->flags[KS_PT_INNER_EXIT] = FLAGS(vcpu);
	if (cfg.loads) {
		emit_single(s, KS_PUT, ts);
		return 0;
	}
	if (!in_window(s->inner_entry_ts))
		return 0;
	cost = ks_dt(s->inner_entry_ts, ts);
	s->put_ns = ks_add_sat(s->put_ns, cost);
	if (cost > s->put_max_ns)
		s->put_max_ns = cost;
	s->put_flags |= s->flags[KS_PT_INNER_EXIT];
	return 0;
}

/* ---- life and death ----------------------------------------------------------------------- */

SEC("fentry/kvm_arch_vcpu_create")
int BPF_PROG(vcpu_create, struct kvm_vcpu *vcpu)
{
	slot_new(first_arg(ctx), now(), 1, bpf_get_current_task_btf());
	return 0;
}

static __noinline int slot_free(__u64 vcpu)
{
	__u32 *index = bpf_map_lookup_elem(&slot_of, &vcpu), at;
	struct ks_loads last = {};
	struct ks_gone rec = {};
	struct ks_slot *s;
	__u64 ts = now();

	if (!index)
		return 0;
	at = *index;
	s = slot_at(at);
	if (s->vcpu != vcpu)
		return 0;
	if (wanted(s) && in_window(ts)) {
		if (!cfg.loads && !cfg.light && s->phase == KS_P_USER) {
			s->seq++;
			s->user_ns += ts - user_since(s);
			s->puts += s->put_ts >= ctl.start_ns && s->put_ts != s->born_ts;
			take_loads(s, &last, s->cpu, ts);
			last.h.mask |= KS_M_USER;
			if (describe(&last, sizeof(last)))
				s->lost++;
		}
		rec.h.ts = ts;
		rec.h.type = KS_GONE;
		rec.vcpu = s->id;
		rec.seq = s->seq;
		rec.lost = s->lost;
		describe(&rec, sizeof(rec));
	}
	vm_put(s->kvm);
	bpf_map_delete_elem(&slot_of, &vcpu);
	s->vcpu = 0;
	return 0;
}

/* Creation that fails frees the vCPU without kvm_arch_vcpu_destroy(). */
SEC("fexit/kvm_arch_vcpu_create")
int BPF_PROG(vcpu_created, struct kvm_vcpu *vcpu, int ret)
{
	if (ret)
		slot_free(first_arg(ctx));
	return 0;
}

/* At exit: on some paths the destruction itself still loads and puts the vCPU. */
SEC("fexit/kvm_arch_vcpu_destroy")
int BPF_PROG(vcpu_destroy, struct kvm_vcpu *vcpu)
{
	slot_free(first_arg(ctx));
	return 0;
}

/* ---- the snapshot of what exists ---------------------------------------------------------- */

/* "kvm-vcpu:N" is the name that kvm_main.c gives to a vCPU's anonymous file. */
static bool is_vcpu_file(struct file *f)
{
	static const char want[] = "kvm-vcpu:";
	const unsigned char *name = f->f_path.dentry->d_name.name;
	char got[sizeof(want)] = {};

	bpf_probe_read_kernel(got, sizeof(got) - 1, name);
	for (int i = 0; i < (int)sizeof(want) - 1; i++)
		if (got[i] != want[i])
			return false;
	return true;
}

static void snap_state(struct ks_snap *r, __u64 vcpu)
{
	__u64 task = vcpu_task_at(vcpu);

	r->h.mask = cfg.fields;
	r->flags = vcpu_flags((void *)vcpu, false) | vcpu_blocking((void *)vcpu);
	r->reason = KS_R_UNKNOWN;
	if (!task) {
		r->h.mask |= KS_M_USER;
	} else if (vcpu_is_out_at(vcpu, task)) {
		r->h.mask |= KS_M_OUT;
		r->reason = ks_reason(task_bits_at(task), r->flags, r->h.mask);
	}
	r->cpu = BPF_CORE_READ((struct kvm_vcpu *)vcpu, cpu);
}

/* Introduces every vCPU that exists, and what it is doing, once: a vCPU that never switches is
 * shown, and one that is stuck is seen. A state that its own hooks changed meanwhile is read again.
 * Run once before the window too, for what a vCPU that is absent when the window begins is absent
 * for. */
SEC("iter/task_file")
int snapshot(struct bpf_iter__task_file *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *f = ctx->file;
	struct ks_snap rec = {};
	struct ks_slot *s;
	__u32 *index, at;
	__u64 vcpu;

	if (!t || !f || !is_vcpu_file(f))
		return 0;
	vcpu = (__u64)BPF_CORE_READ(f,
				    private_data); /* 7.3 does no arithmetic on a loaded void * */
	if (BPF_CORE_READ((struct kvm_vcpu *)vcpu, kvm, mm) != t->mm)
		return 0; /* a file handed to another process: that of the VMM itself counts */
	index = bpf_map_lookup_elem(&slot_of, &vcpu);
	at = index ? *index + 1 : slot_new(vcpu, now(), 0, t);
	if (!at)
		return 0;
	s = slot_at(at - 1);
	if (!in_window(now())) {
		snap_state(&rec, vcpu);
		s->snap_reason = rec.reason;
		return 0;
	}
	if (s->snapped || s->keep == KS_DROP)
		return 0;
	s->snapped = 1;
	rec.h.type = KS_SNAP;
	rec.vcpu = s->id;
	for (int i = 0; i < 3; i++) {
		rec.seq = *(volatile __u32 *)&s->seq;
		rec.lost = s->lost;
		rec.h.ts = now();
		snap_state(&rec, vcpu);
		if (*(volatile __u32 *)&s->seq == rec.seq)
			break;
	}
	rec.tid = vcpu_run_tid(vcpu) ?: s->tid;
	describe(&rec, sizeof(rec));
	return 0;
}
