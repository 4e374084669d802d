// SPDX-License-Identifier: BSD-2-Clause
/*
 * A vCPU's last transitions lie at places given by their sequence numbers, so an OUT finds its IN
 * whichever comes first. A vCPU whose absence may become too long is in the heap once, with the
 * time of that; when the time comes, and it is another absence that goes on by then, it goes back
 * with that one's time. So the heap is as small as there are vCPUs, and the many short absences
 * never touch it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "compare.h"
#include "flight_watch.h"

#define LAST 8U /* a power of two: how far apart a vCPU's records may come in the wrong order */

struct transition {
	__u64 ts;
	__u64 run_delay_ns; /* IN */
	__u32 seq, tid;
	__u32 next_tid, next_vm; /* OUT */
	__u16 cpu;
	__u16 mask;
	__u8 type; /* KS_OUT, KS_IN, KS_SNAP: out since before; else 0 */
	__u8 reason, by;
	bool told;
};

struct watch_vcpu {
	__u32 seq; /* the latest of its records */
	bool waits;
	struct transition last[LAST]; /* by sequence number */
};

struct watch_wait {
	__u64 ts;
	__u32 vcpu;
};

/* ---- bounds ------------------------------------------------------------------------------- */

/* As long as it may be and hold: one less than what breaks it. */
static __u64 longest(const struct assertion *a)
{
	return a->op == CMP_GE && a->value ? a->value - 1 : a->value;
}

/* What the absence would be if it ended now. */
static struct absence so_far(const struct transition *out, __u64 now)
{
	struct absence a = {.from = out->ts,
			    .to = now > out->ts ? now : out->ts,
			    .next_tid = out->next_tid,
			    .next_vm = out->next_vm,
			    .cpu_out = out->cpu,
			    .reason = out->reason,
			    .by = out->by,
			    .whole = true};

	a.has_run_delay = out->reason == KS_R_PREEMPTED || out->reason == KS_R_IOCTL;
	a.run_delay_ns = a.has_run_delay ? a.to - a.from : 0;
	return a;
}

static const struct assertion *broken(const struct watch *w, const struct absence *a)
{
	__u64 ns;

	for (unsigned i = 0; i < w->bounds; i++)
		if (measure__of_absence(w->bound[i]->measure, a, &ns) &&
		    compare__holds(w->bound[i]->op, ns, w->bound[i]->value))
			return w->bound[i];
	return NULL;
}

void watch__init(struct watch *w, const struct assertion *bound, unsigned bounds)
{
	__u64 ns;

	*w = (struct watch){.vcpus.size = sizeof(struct watch_vcpu), .shortest = ~0ULL};
	memset(w->patience, 0xff, sizeof(w->patience));
	for (unsigned i = 0; i < bounds; i++) {
		w->bound[w->bounds++] = &bound[i];
		if (longest(&bound[i]) < w->shortest)
			w->shortest = longest(&bound[i]);
		for (unsigned r = 0; r < KS_R_CNT; r++) {
			const struct transition t = {.reason = r};
			const struct absence a = so_far(&t, 0);

			if (measure__of_absence(bound[i].measure, &a, &ns) &&
			    longest(&bound[i]) < w->patience[r])
				w->patience[r] = longest(&bound[i]);
		}
	}
}

void watch__free(struct watch *w)
{
	idmap__free(&w->vcpus);
	free(w->heap);
	w->heap = NULL;
}

/* ---- the heap ----------------------------------------------------------------------------- */

static void sift_up(struct watch *w, __u32 at)
{
	struct watch_wait x = w->heap[at];

	for (; at && w->heap[(at - 1) / 2].ts > x.ts; at = (at - 1) / 2)
		w->heap[at] = w->heap[(at - 1) / 2];
	w->heap[at] = x;
}

static void sift_down(struct watch *w, struct watch_wait x)
{
	__u32 at = 0, child;

	for (; (child = 2 * at + 1) < w->waiting; at = child) {
		if (child + 1 < w->waiting && w->heap[child + 1].ts < w->heap[child].ts)
			child++;
		if (w->heap[child].ts >= x.ts)
			break;
		w->heap[at] = w->heap[child];
	}
	w->heap[at] = x;
}

static void wait_for(struct watch *w, __u32 vcpu, struct watch_vcpu *v, __u64 ts)
{
	struct watch_wait *grown;
	__u32 room = w->room ? w->room * 2 : 64;

	if (w->waiting == w->room) {
		grown = realloc(w->heap, room * sizeof(*grown));
		if (!grown) {
			w->err = -ENOMEM;
			return;
		}
		w->heap = grown;
		w->room = room;
	}
	v->waits = true;
	w->heap[w->waiting] = (struct watch_wait){ts, vcpu};
	sift_up(w, w->waiting++);
}

/* ---- records ------------------------------------------------------------------------------ */

static struct transition *at(struct watch_vcpu *v, __u32 seq)
{
	return &v->last[seq % LAST];
}

/* The absence that it is in, if it is in one that was not told of. */
static struct transition *away(struct watch_vcpu *v)
{
	struct transition *t = at(v, v->seq);

	return t->seq == v->seq && (t->type == KS_OUT || t->type == KS_SNAP) && !t->told ? t : NULL;
}

/* When the absence it is in becomes too long; ~0: never. */
static __u64 end_of_patience(const struct watch *w, const struct transition *t)
{
	__u64 patience = w->patience[t->reason < KS_R_CNT ? t->reason : KS_R_UNKNOWN];

	return patience >= ~0ULL - t->ts ? ~0ULL : t->ts + patience + 1;
}

static bool ended(const struct watch *w, __u32 vcpu, struct transition *out,
		  const struct transition *in, struct watch_hit *hit)
{
	if (in->ts < out->ts || in->ts - out->ts <= w->shortest || out->told)
		return false;
	hit->absence = so_far(out, in->ts);
	hit->absence.cpu_in = in->cpu;
	if (!hit->absence.has_run_delay && in->mask & KS_M_RUN_DELAY) {
		__u64 length = in->ts - out->ts;

		hit->absence.has_run_delay = true;
		hit->absence.run_delay_ns = in->run_delay_ns < length ? in->run_delay_ns : length;
	}
	hit->bound = broken(w, &hit->absence);
	if (!hit->bound)
		return false;
	out->told = true;
	hit->vcpu = vcpu;
	hit->tid = out->tid;
	hit->at_ns = in->ts;
	return true;
}

static struct watch_vcpu *vcpu_of(struct watch *w, __u32 id, __u32 seq)
{
	struct watch_vcpu *v = idmap__get(&w->vcpus, id) ?: idmap__make(&w->vcpus, id);

	if (!v)
		w->err = -ENOMEM;
	else if ((__s32)(seq - v->seq) > 0)
		v->seq = seq;
	return v;
}

static bool on_out(struct watch *w, const struct ks_out *r, struct watch_hit *hit)
{
	struct watch_vcpu *v = vcpu_of(w, r->vcpu, r->seq);
	struct transition *t, *in;

	if (!v)
		return false;
	t = at(v, r->seq);
	*t = (struct transition){.ts = r->h.ts,
				 .seq = r->seq,
				 .tid = r->tid,
				 .next_tid = r->next_tid,
				 .next_vm = r->next_vm,
				 .cpu = r->cpu,
				 .type = KS_OUT,
				 .reason = r->reason,
				 .by = r->h.what};
	if (v->seq == r->seq) {
		if (!v->waits && end_of_patience(w, t) != ~0ULL)
			wait_for(w, r->vcpu, v, end_of_patience(w, t));
		return false;
	}
	in = at(v, r->seq + 1);
	return in->type == KS_IN && in->seq == r->seq + 1 && ended(w, r->vcpu, t, in, hit);
}

static bool on_in(struct watch *w, const struct ks_in *r, struct watch_hit *hit)
{
	struct watch_vcpu *v = vcpu_of(w, r->vcpu, r->seq);
	struct transition *t, *out;

	if (!v)
		return false;
	t = at(v, r->seq);
	*t = (struct transition){.ts = r->h.ts,
				 .run_delay_ns = r->run_delay_ns,
				 .seq = r->seq,
				 .tid = r->tid,
				 .cpu = r->cpu,
				 .mask = r->h.mask,
				 .type = KS_IN};
	out = at(v, r->seq - 1);
	return out->type == KS_OUT && out->seq == r->seq - 1 && ended(w, r->vcpu, out, t, hit);
}

/* Out since before the trace began: as long as that at least. */
static void on_snap(struct watch *w, const struct ks_snap *r)
{
	struct watch_vcpu *v;
	struct transition *t;

	if (!(r->h.mask & KS_M_OUT) || r->h.mask & KS_M_END)
		return;
	v = vcpu_of(w, r->vcpu, r->seq);
	if (!v || v->seq != r->seq)
		return;
	t = at(v, r->seq);
	if (t->type && t->seq == r->seq)
		return; /* its record is known */
	*t = (struct transition){.ts = r->h.ts,
				 .seq = r->seq,
				 .tid = r->tid,
				 .cpu = r->cpu,
				 .type = KS_SNAP,
				 .reason = r->reason};
	if (!v->waits && end_of_patience(w, t) != ~0ULL)
		wait_for(w, r->vcpu, v, end_of_patience(w, t));
}

bool watch__record(struct watch *w, const struct ks_head *r, struct watch_hit *hit)
{
	const struct ks_loads *l = (const void *)r; /* vcpu, seq: at the same place in all */

	switch (r->type) {
	case KS_OUT:
		return on_out(w, (const void *)r, hit);
	case KS_IN:
		return on_in(w, (const void *)r, hit);
	case KS_LOADS:
	case KS_LOAD:
	case KS_PUT:
		vcpu_of(w, l->vcpu, l->seq);
		break;
	case KS_SNAP:
		on_snap(w, (const void *)r);
		break;
	case KS_GONE:
		idmap__drop(&w->vcpus, l->vcpu); /* the heap finds out */
	}
	return false;
}

/* ---- time --------------------------------------------------------------------------------- */

/* Takes from the top what is no longer so, and puts back what is later: the top is true then. */
static void settle(struct watch *w)
{
	while (w->waiting) {
		struct watch_wait *top = &w->heap[0];
		struct watch_vcpu *v = idmap__get(&w->vcpus, top->vcpu);
		struct transition *t = v ? away(v) : NULL;
		__u64 ts = t ? end_of_patience(w, t) : ~0ULL;

		if (ts == top->ts)
			return;
		if (ts != ~0ULL) {
			sift_down(w, (struct watch_wait){ts, top->vcpu});
			continue;
		}
		if (v)
			v->waits = false;
		if (--w->waiting)
			sift_down(w, w->heap[w->waiting]);
	}
}

__u64 watch__next(struct watch *w)
{
	settle(w);
	return w->waiting ? w->heap[0].ts : ~0ULL;
}

bool watch__open(struct watch *w, __u64 now, struct watch_hit *hit)
{
	struct watch_vcpu *v;
	struct transition *t;

	/* what has ended meanwhile waits unseen until its time has come */
	if (!w->waiting || w->heap[0].ts >= now || watch__next(w) >= now)
		return false;
	hit->vcpu = w->heap[0].vcpu;
	hit->at_ns = w->heap[0].ts;
	v = idmap__get(&w->vcpus, hit->vcpu);
	t = away(v);
	hit->tid = t->tid;
	hit->absence = so_far(t, hit->at_ns);
	hit->bound = broken(w, &hit->absence);
	hit->absence.open = true;
	hit->absence.whole = t->type == KS_OUT;
	t->told = true; /* which takes it off the heap */
	return hit->bound;
}
