// SPDX-License-Identifier: BSD-2-Clause
/*
 * The live source. A CPU's ring is memory shared with the kernel (struct ks_ring): batches point
 * right into it, and a place is given back once the batch's consumer is done with it. The
 * descriptors' ring, a BPF ring buffer, is drained last in every pass, so that whatever a record
 * refers to has been handed out by the end of the same pass; it is also the doorbell that
 * live__wait() sleeps on.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "clock.h"
#include "err.h"
#include "ident.h"
#include "live.h"
#include "live_load.h"
#include "record.h"
#include "kvmsched.skel.h"

#define LEAD_NS	     10000000 /* from deciding when the window begins or ends to that time */
#define IN_FLIGHT_NS 20000000 /* longer than a program takes from reading its clock to storing */

/* Descriptors of one pass: they are put in order before they are handed out. */
struct queue {
	char *buf;
	size_t bytes, room;
	__u32 count;
	__u64 last_ts; /* of the stream: its times never go backwards */
};

struct live {
	struct kvmsched_bpf *skel;
	struct ring_buffer *meta;
	struct ks_agg *aggs; /* of aggregation, else NULL */
	__u32 agg_places;
	char *rings; /* cpus times struct ks_ring and its places */
	size_t ring_bytes;
	__u32 places;
	struct queue queue;
	__u64 *lost;
	unsigned cpus;
	__u32 vcpus_seen;
	const struct filter *filter;
	__u64 start_ns;
	__u64 pass_ns; /* when a recent pass over the rings began */
	__u64 safe_ns; /* every record before this time has been handed out */
	int barrier;   /* a map for quiesce(), which may not make one any more; -1 */
	int err;
};

/* CLOCK_REALTIME - CLOCK_MONOTONIC, from the tightest of a few readings. */
__s64 live__wall_offset(void)
{
	__u64 best = ~0ULL;
	__s64 offset = 0;

	for (int i = 0; i < 8; i++) {
		__u64 a = now_ns(), w = clock_ns(CLOCK_REALTIME);
		__u64 b = now_ns();

		if (b - a < best) {
			best = b - a;
			offset = (__s64)w - (__s64)(a + (b - a) / 2);
		}
	}
	return offset;
}

static void sleep_until(__u64 mono_ns)
{
	struct timespec t = {.tv_sec = mono_ns / 1000000000ULL, .tv_nsec = mono_ns % 1000000000ULL};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* ---- queues ------------------------------------------------------------------------------- */

static int queue__room(struct queue *q, size_t size)
{
	size_t room = q->room ?: 65536;
	char *buf;

	while (room < q->bytes + size)
		room *= 2;
	if (room == q->room)
		return 0;
	buf = realloc(q->buf, room);
	if (!buf)
		return -ENOMEM;
	q->buf = buf;
	q->room = room;
	return 0;
}

static int queue__put(struct queue *q, const void *rec, size_t size)
{
	if (queue__room(q, size))
		return -ENOMEM;
	memcpy(q->buf + q->bytes, rec, size);
	q->bytes += size;
	q->count++;
	return 0;
}

/* ---- descriptors: names, and an order restored --------------------------------------------- */

static int set_tgid(struct live *l, __u32 tgid, __u32 keep)
{
	return bpf_map__update_elem(l->skel->maps.filter_tgid, &tgid, sizeof(tgid), &keep,
				    sizeof(keep), BPF_ANY);
}

/* A filter changed: every vCPU's next event looks at it again. */
static void ask_again(struct live *l)
{
	struct ks_slot *s = l->skel->bss->slots;

	__atomic_fetch_add(&l->skel->data->ctl.lists_gen, 1, __ATOMIC_SEQ_CST);
	for (__u32 i = 0; i < KS_SLOTS; i++)
		if (s[i].vcpu)
			__atomic_exchange_n(&s[i].hot, 0, __ATOMIC_SEQ_CST);
}

static int name_vm(struct live *l, const struct ks_vm *vm)
{
	struct ks_name name = {.h = {.ts = vm->h.ts, .type = KS_NAME}, .vm = vm->vm};
	bool keep;

	ident__resolve("/proc", vm->tgid, vm->comm, &name);
	if (l->filter->vms) {
		keep = filter__vm(l->filter, name.name, vm->tgid);
		set_tgid(l, vm->tgid, keep);
		ask_again(l);
	}
	return queue__put(&l->queue, &name, sizeof(name));
}

/* A VM comes before its vCPUs, so its name has been looked up. */
static bool vm_wanted(const struct live *l, __u32 tgid)
{
	__u32 keep = 1;

	if (l->filter->vms)
		bpf_map__lookup_elem(l->skel->maps.filter_tgid, &tgid, sizeof(tgid), &keep,
				     sizeof(keep), 0);
	return keep;
}

static int on_descriptor(void *ctx, void *rec, size_t size)
{
	const struct ks_head *h = rec;
	struct live *l = ctx;

	if (!l->err && queue__put(&l->queue, rec, size))
		l->err = -ENOMEM;
	if (!l->err && h->type == KS_VM && name_vm(l, rec))
		l->err = -ENOMEM;
	if (h->type == KS_VCPU && vm_wanted(l, ((const struct ks_vcpu *)h)->tgid))
		l->vcpus_seen++;
	return 0;
}

static int by_ts(const void *a, const void *b)
{
	const struct ks_head *x = *(const struct ks_head *const *)a,
			     *y = *(const struct ks_head *const *)b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Descriptors are made preemptibly, on any CPU: their times may come out of order. Sorts what this
 * pass brought; what still lies before an earlier pass, or before the window, is moved up to it. */
static int order_descriptors(struct live *l)
{
	struct queue *q = &l->queue;
	struct ks_head **at = calloc(q->count + 1, sizeof(*at));
	char *sorted = malloc(q->bytes + 1), *p = q->buf, *out = sorted;
	__u64 floor = q->last_ts > l->start_ns ? q->last_ts : l->start_ns;
	size_t size;

	if (!at || !sorted) {
		free(at);
		free(sorted);
		return -ENOMEM;
	}
	for (__u32 i = 0; i < q->count; i++, p += record__size(at[i - 1]->type))
		at[i] = (struct ks_head *)p;
	qsort(at, q->count, sizeof(*at), by_ts);
	for (__u32 i = 0; i < q->count; i++, out += size) {
		size = record__size(at[i]->type);
		memcpy(out, at[i], size);
		if (at[i]->ts > floor)
			floor = at[i]->ts;
		((struct ks_head *)out)->ts = floor;
	}
	q->last_ts = floor;
	memcpy(q->buf, sorted, q->bytes);
	free(at);
	free(sorted);
	return 0;
}

/* ---- opening ------------------------------------------------------------------------------ */

static struct ks_ring *ring_of(const struct live *l, unsigned cpu)
{
	return (struct ks_ring *)(l->rings + cpu * l->ring_bytes);
}

static size_t rings_size(const struct live *l)
{
	long page = sysconf(_SC_PAGESIZE);

	return (l->cpus * l->ring_bytes + page - 1) / page * page;
}

static int map_rings(struct live *l)
{
	void *at;

	l->places = l->skel->rodata->cfg.ring_places;
	l->ring_bytes = bpf_map__value_size(l->skel->maps.rings);
	/* populated: a reader's page fault per page costs more than reading it */
	at = mmap(NULL, rings_size(l), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		  bpf_map__fd(l->skel->maps.rings), 0);
	if (at == MAP_FAILED)
		return err__say(errno, "mapping the rings");
	l->rings = at;
	l->meta = ring_buffer__new(bpf_map__fd(l->skel->maps.meta), on_descriptor, l, NULL);
	return l->meta ? 0 : err__say(errno, "setting up the ring of descriptors");
}

static int map_aggs(struct live *l)
{
	void *at;

	if (!l->skel->rodata->cfg.aggregate)
		return 0;
	l->agg_places = bpf_map__max_entries(l->skel->maps.aggs);
	at = mmap(NULL, l->agg_places * sizeof(*l->aggs), PROT_READ | PROT_WRITE, MAP_SHARED,
		  bpf_map__fd(l->skel->maps.aggs), 0);
	if (at == MAP_FAILED)
		return err__say(errno, "mapping the aggregates");
	l->aggs = at;
	return 0;
}

void live__sums(const struct live *l, struct sums *out)
{
	*out = (struct sums){.slot = l->skel->bss->slots,
			     .agg = l->aggs,
			     .owner = l->skel->bss->agg_owner,
			     .ctl = &l->skel->data->ctl,
			     .places = l->agg_places};
}

/* Privileges are dropped before it is used. */
static int make_barrier(struct live *l)
{
	l->barrier = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ks_barrier", 4, 4, 1, NULL);
	return l->barrier < 0 ? err__say(errno, "setting up the end of the trace") : 0;
}

static int fill_filters(struct live *l)
{
	const struct filter *f = l->filter;
	__u32 one = 1;

	for (unsigned i = 0; !f->vms && i < f->tgids; i++)
		if (set_tgid(l, f->tgid[i], 1))
			return err__say(errno, "setting the filter -p");
	for (unsigned i = 0; i < f->tids; i++)
		if (bpf_map__update_elem(l->skel->maps.filter_tid, &f->tid[i], sizeof(__u32), &one,
					 sizeof(one), BPF_ANY))
			return err__say(errno, "setting the filter -t");
	return 0;
}

static void describe_session(const struct live *l, const struct live_opts *o, struct session *s)
{
	struct utsname u;

	memset(s, 0, sizeof(*s));
	uname(&u);
	snprintf(s->host, sizeof(s->host), "%s", u.nodename);
	snprintf(s->release, sizeof(s->release), "%s", u.release);
	snprintf(s->arch, sizeof(s->arch), "%s", u.machine);
	filter__describe(o->filter, s->filter, sizeof(s->filter));
	s->mode = o->mode;
	s->loads = o->loads;
	s->cpus = l->cpus;
	s->fields = l->skel->rodata->cfg.fields;
}

int live__open(struct live **out, const struct live_opts *o, struct session *s)
{
	struct live *l = calloc(1, sizeof(*l));
	int cpus = libbpf_num_possible_cpus();
	int err;

	if (!l || cpus < 1) {
		free(l);
		return err__say(ENOMEM, "starting");
	}
	l->cpus = cpus;
	l->barrier = -1;
	l->filter = o->filter;
	l->lost = calloc(cpus + 1, sizeof(*l->lost));
	err = l->lost ? 0 : err__say(ENOMEM, "starting");
	if (!err)
		err = live_load(&l->skel, o, l->cpus);
	if (!err)
		err = map_rings(l);
	if (!err)
		err = map_aggs(l);
	if (!err)
		err = make_barrier(l);
	if (!err)
		err = fill_filters(l);
	if (!err)
		err = live_attach(l->skel);
	if (err) {
		live__free(l);
		return err;
	}
	describe_session(l, o, s);
	*out = l;
	return 0;
}

/* ---- the window --------------------------------------------------------------------------- */

static int take_snapshot(struct live *l)
{
	int fd = bpf_iter_create(bpf_link__fd(l->skel->links.snapshot));
	char buf[256];
	ssize_t n;

	if (fd < 0)
		return err__say(errno, "taking the snapshot of existing vCPUs");
	do
		n = read(fd, buf, sizeof(buf));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	close(fd);
	return n < 0 ? err__say(errno, "reading the snapshot of existing vCPUs") : 0;
}

/* Tells the programs when the window begins or ends, ahead of that time: they judge each record by
 * its own. Were we kept off the CPU for so long in between that the time has passed, records may be
 * there or not. */
static int tell(__u64 *place, __u64 *when, const char *what)
{
	struct sched_param fifo = {.sched_priority = 1}, normal = {0};
	int policy = sched_getscheduler(0);
	bool boosted = policy != SCHED_FIFO && policy != SCHED_RR && /* as chrt(1) has it */
		       !sched_setscheduler(0, SCHED_FIFO, &fifo);
	bool late;

	*when = now_ns() + LEAD_NS;
	__atomic_store_n(place, *when, __ATOMIC_RELEASE);
	late = now_ns() >= *when;
	if (boosted)
		sched_setscheduler(0, policy, &normal);
	if (late)
		return err__say(ETIMEDOUT, "%s the trace: this host is overloaded", what);
	sleep_until(*when);
	return 0;
}

int live__begin(struct live *l, struct session *s)
{
	int err = take_snapshot(l);

	if (err)
		return err;
	s->wall_start_ns = live__wall_offset();
	err = tell(&l->skel->data->ctl.start_ns, &s->start_ns, "beginning");
	if (err)
		return err;
	l->start_ns = l->pass_ns = l->safe_ns = s->start_ns;
	return take_snapshot(l);
}

int live__wait(struct live *l, int fd, int input, int timeout_ms)
{
	struct pollfd p[3] = {
		{.fd = ring_buffer__epoll_fd(l->meta), .events = POLLIN},
		{.fd = fd, .events = POLLIN},
		{.fd = input, .events = POLLIN},
	};

	return poll(p, 3, timeout_ms) > 0 && (p[1].revents & POLLIN);
}

/* Hands out one CPU's records, where they lie: at most two stretches, because the ring wraps. */
static int drain_cpu(struct live *l, unsigned cpu, batch_fn fn, void *ctx)
{
	struct ks_ring *r = ring_of(l, cpu);
	const char *places = (const char *)(r + 1);
	__u64 tail = r->tail, head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
	int err = 0;

	while (!err && tail != head) {
		__u32 at = tail & (l->places - 1), n = l->places - at;
		const char *first = places + (size_t)at * KS_RECORD_MAX;
		struct batch b = {.stream = cpu, .records = first};

		if (n > head - tail)
			n = head - tail;
		b.count = n;
		b.bytes = (size_t)n * KS_RECORD_MAX;
		b.first_ts = ((const struct ks_head *)first)->ts;
		b.last_ts = ((const struct ks_head *)(first + b.bytes - KS_RECORD_MAX))->ts;
		err = fn(ctx, &b);
		tail += n;
		__atomic_store_n(&r->tail, tail, __ATOMIC_RELEASE);
	}
	return err;
}

static int hand_out_descriptors(struct live *l, batch_fn fn, void *ctx)
{
	struct queue *q = &l->queue;
	struct batch b = {.stream = l->cpus};
	int err = order_descriptors(l);

	if (err || !q->bytes)
		return err;
	b.records = q->buf;
	b.bytes = q->bytes;
	b.count = q->count;
	b.first_ts = ((const struct ks_head *)q->buf)->ts;
	b.last_ts = q->last_ts;
	q->bytes = q->count = 0;
	return fn(ctx, &b);
}

/* A program that had read its clock before a pass may still have stored after it: that pass counts
 * only once it is old. */
static __u64 safe_before(struct live *l)
{
	__u64 now = now_ns();

	if (now - l->pass_ns >= IN_FLIGHT_NS) {
		l->safe_ns = l->pass_ns;
		l->pass_ns = now;
	}
	return l->safe_ns;
}

int live__drain(struct live *l, batch_fn fn, void *ctx, __u64 *watermark)
{
	int err = 0;

	*watermark = safe_before(l);
	for (unsigned i = 0; !err && i < l->cpus; i++)
		err = drain_cpu(l, i, fn, ctx);
	if (err)
		return err;
	l->err = 0;
	err = ring_buffer__consume(l->meta);
	if (err < 0)
		return err__say(err, "reading the descriptors");
	return l->err ?: hand_out_descriptors(l, fn, ctx);
}

/* Returns once every program that was running when it was called has finished: changing a map of
 * maps waits for an RCU grace period (kernel/bpf/syscall.c, maybe_wait_bpf_programs()), which the
 * sections with preemption off that we hook are part of. */
static int quiesce(struct live *l)
{
	__u32 key = 0;
	int err = bpf_map__update_elem(l->skel->maps.barrier, &key, sizeof(key), &l->barrier,
				       sizeof(l->barrier), BPF_ANY);

	return err ? err__say(err, "waiting for running programs") : 0;
}

/* Not loaded when the window ended? A put may have come after that. */
static bool in_user(const struct ks_slot *s, const struct session *ses)
{
	return s->phase == KS_P_USER && s->put_ts < ses->end_ns;
}

/* The sums that no record has carried out yet; the vCPU is in user space since put_ts. */
static int close_loads(struct queue *q, const struct ks_slot *s, const struct session *ses)
{
	struct ks_loads r = {.h = {.ts = ses->end_ns, .type = KS_LOADS}};
	__u64 since = s->put_ts > ses->start_ns ? s->put_ts : ses->start_ns;

	r.h.mask = ses->fields | KS_M_POINT(KS_PT_INNER_ENTRY) |
		   (ses->mode == MODE_FULL ? KS_M_POINT(KS_PT_INNER_EXIT) : 0);
	if (in_user(s, ses))
		r.h.mask |= KS_M_USER;
	r.vcpu = s->id;
	r.seq = s->seq + 1;
	r.loads = s->loads;
	r.puts = s->puts;
	r.user_ns = s->user_ns;
	if (in_user(s, ses)) {
		r.user_ns += ses->end_ns - since;
		r.puts += s->put_ts >= ses->start_ns && s->put_ts != s->born_ts;
	}
	r.load_ns = s->load_ns;
	r.put_ns = s->put_ns;
	r.load_max_ns = s->load_max_ns;
	r.put_max_ns = s->put_max_ns;
	r.load_flags = s->load_flags;
	r.put_flags = s->put_flags;
	r.cpu = s->cpu;
	return queue__put(q, &r, sizeof(r));
}

static int close_vcpu(struct live *l, const struct ks_slot *s, const struct session *ses)
{
	struct queue *q = &l->queue;
	struct ks_snap r = {
		.h = {.ts = ses->end_ns, .type = KS_SNAP, .mask = ses->fields | KS_M_END}};
	int sums = !ses->loads && !session__two_hooks(ses->mode) &&
		   (s->loads || s->puts || in_user(s, ses));

	if (sums && close_loads(q, s, ses))
		return -ENOMEM;
	r.vcpu = s->id;
	r.seq = s->seq + sums;
	r.lost = s->lost;
	r.tid = s->run_tid ?: s->tid;
	r.cpu = s->cpu;
	r.reason = s->reason;
	r.h.mask |= in_user(s, ses) ? KS_M_USER : s->phase == KS_P_OUT ? KS_M_OUT : 0;
	if (s->phase != KS_P_UNKNOWN)
		r.h.mask |= KS_M_POINT(KS_PT_ENTRY);
	return queue__put(q, &r, sizeof(r));
}

int live__end(struct live *l, struct session *s, batch_fn fn, void *ctx)
{
	const struct ks_slot *slot = l->skel->bss->slots;
	struct ks_ctl *ctl = &l->skel->data->ctl;
	__u64 watermark;
	int err;

	s->wall_end_ns = live__wall_offset();
	err = tell(&ctl->end_ns, &s->end_ns, "ending");
	if (err) {
		live__drain(l, fn, ctx, &watermark); /* keep what there is */
		return err;
	}
	err = quiesce(l);
	if (err)
		return err;
	err = live__drain(l, fn, ctx, &watermark);
	if (err)
		return err;
	for (__u32 i = 0; l->skel->rodata->cfg.records && i < KS_SLOTS; i++)
		if (slot[i].vcpu && slot[i].keep > KS_DROP && close_vcpu(l, &slot[i], s))
			return -ENOMEM;
	s->untracked = ctl->untracked;
	return hand_out_descriptors(l, fn, ctx);
}

const __u64 *live__lost(struct live *l)
{
	for (unsigned i = 0; i < l->cpus; i++)
		l->lost[i] = __atomic_load_n(&ring_of(l, i)->lost, __ATOMIC_RELAXED);
	l->lost[l->cpus] = l->skel->data->ctl.meta_lost;
	return l->lost;
}

__u64 live__untracked(const struct live *l)
{
	return l->skel->data->ctl.untracked;
}

__u32 live__vcpus(const struct live *l)
{
	return l->vcpus_seen;
}

void live__free(struct live *l)
{
	if (!l)
		return;
	ring_buffer__free(l->meta);
	if (l->aggs)
		munmap(l->aggs, l->agg_places * sizeof(*l->aggs));
	if (l->rings)
		munmap(l->rings, rings_size(l));
	if (l->barrier >= 0)
		close(l->barrier);
	kvmsched_bpf__destroy(l->skel);
	free(l->queue.buf);
	free(l->lost);
	free(l);
}
