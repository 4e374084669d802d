// SPDX-License-Identifier: BSD-2-Clause
/* Adding up; what there is of a vCPU is found by its slot. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "by_id.h"
#include "summary_parts.h"

static struct summary_vcpu *first_of(struct summary *s, struct model_vcpu *v)
{
	struct summary_vcpu **at = by_id__at(&s->by_slot, &s->slots, sizeof(*at), v->slot);

	if (at)
		*at = calloc(1, sizeof(**at));
	if (!at || !*at) {
		s->err = -ENOMEM;
		return NULL;
	}
	(*at)->v = v;
	return *at;
}

static inline struct summary_vcpu *of(struct summary *s, struct model_vcpu *v)
{
	if (v->slot < s->slots && s->by_slot[v->slot])
		return s->by_slot[v->slot];
	return first_of(s, v);
}

struct summary_vcpu *summary__of(struct summary *s, struct model_vcpu *v)
{
	return of(s, v);
}

struct summary_vcpu *summary__fold(struct summary *s, const struct model_vcpu *v)
{
	struct summary_vcpu *p = realloc(s->fold, (s->folds + 1) * sizeof(*p));

	if (!p) {
		s->err = -ENOMEM;
		return NULL;
	}
	s->fold = p;
	p += s->folds++;
	memset(p, 0, sizeof(*p));
	p->v = v;
	p->folded = true;
	return p;
}

static bool inside(const struct summary *s, __u64 ts)
{
	return ts >= s->from_ns && ts < s->to_ns;
}

/* An absence that ends with the window's last nanosecond still ends inside it. */
static bool ends_inside(const struct summary *s, __u64 ts)
{
	return ts > s->from_ns && ts <= s->to_ns;
}

static void count(struct summary *s, struct hist *h, __u64 v)
{
	if (hist__add(h, v))
		s->err = -ENOMEM;
}

/* ---- the model's listener ----------------------------------------------------------------- */

bool summary__clip(const struct summary *s, const struct span *sp, struct span *out)
{
	*out = *sp;
	if (out->from < s->from_ns)
		out->from = s->from_ns;
	if (out->to > s->to_ns)
		out->to = s->to_ns;
	if (out->from >= out->to)
		return false;
	if (s->by_cpu && sp->state < ST_ABSENT && !filter__cpu(s->filter, sp->cpu)) {
		out->state = ST_ELSEWHERE;
		out->user_ns = 0;
	}
	if (out->user_ns && out->to - out->from < sp->to - sp->from)
		/* its place in the span is not known: in proportion */
		out->user_ns = (unsigned __int128)sp->user_ns * (out->to - out->from) /
			       (sp->to - sp->from);
	return true;
}

static void on_span(void *ctx, struct model_vcpu *v, const struct span *sp, const struct absence *a,
		    const struct model_task *task)
{
	struct summary *s = ctx;
	struct model_task unknown;
	struct summary_vcpu *sv;
	struct span cut;

	if (s->adds_up && sp->state == ST_ABSENT)
		return;
	sv = of(s, v);
	if (!sv || !summary__clip(s, sp, &cut))
		return;
	sv->state_ns[cut.state] += cut.to - cut.from - cut.user_ns;
	sv->state_ns[ST_USER] += cut.user_ns;
	if (cut.state != ST_PREEMPTED || a->by == KS_BY_NONE)
		return;
	if (!task)
		unknown = (struct model_task){.tid = a->next_tid, .vm = a->next_vm};
	summary_parts__taken(s, v, a->by, task ?: &unknown, cut.to - cut.from,
			     !s->adds_up || sp->from >= s->from_ns);
}

/* The part of an absence's wait that lies in the window, or from from_ns to its end: it waits last,
 * for what woke it, then for a CPU. */
static __u64 wait_since(const struct summary *s, const struct absence *a, __u64 from_ns)
{
	__u64 from = a->to - a->run_delay_ns, to = a->to < s->to_ns ? a->to : s->to_ns;

	from = from > from_ns ? from : from_ns;
	return from < to ? to - from : 0;
}

/* What of an absence's wait no summary before this one has counted. */
static __u64 wait_not_counted(struct summary *s, const struct model_vcpu *v,
			      const struct absence *a)
{
	struct summary_ledger *l = s->ledger;
	struct summary_counted *c = by_id__at(&l->open, &l->room, sizeof(*c), v->slot);
	__u64 ns = wait_since(s, a, l->from_ns), before;

	if (!c) {
		s->err = -ENOMEM;
		return 0;
	}
	before = c->from == a->from ? c->ns : 0;
	*c = (struct summary_counted){a->from, a->open ? ns : 0};
	return ns - before;
}

enum summary_apart summary__apart(const struct summary *s, const struct absence *a)
{
	if (a->open)
		return APART_OPEN;
	if (!a->whole)
		return APART_UNSEEN;
	return ends_inside(s, a->to) ? APART_NOT : APART_LATER;
}

static void keep_apart(const struct summary *s, struct summary_vcpu *v, const struct absence *a)
{
	if (!a->has_run_delay || a->run_delay_ns <= v->apart.run_delay_ns ||
	    !wait_since(s, a, s->from_ns))
		return;
	v->apart.why = summary__apart(s, a);
	v->apart.whole = a->whole;
	v->apart.run_delay_ns = a->run_delay_ns;
}

static void on_absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		       const struct model_task *task)
{
	struct summary *s = ctx;
	struct summary_vcpu *sv = of(s, v);
	enum state state = state__of_reason(a->reason);
	__u64 length = a->to - a->from;

	(void)task;
	if (!sv || (s->by_cpu && !filter__cpu(s->filter, a->cpu_out)))
		return;
	if (a->has_run_delay)
		sv->run_delay_ns +=
			s->ledger ? wait_not_counted(s, v, a) : wait_since(s, a, s->from_ns);
	if (summary__apart(s, a) != APART_NOT) {
		keep_apart(s, sv, a);
		return;
	}
	sv->state_cnt[state]++;
	sv->migrations += a->cpu_in != a->cpu_out;
	count(s, &sv->absence, length);
	count(s, &sv->by_state[state], length);
	if (a->has_run_delay)
		count(s, &sv->run_delay, a->run_delay_ns);
	else
		sv->unmeasured++;
	sv->clamped += a->clamped;
}

static void cost_one(struct summary *s, struct cost *c, __u64 ns)
{
	c->count++;
	c->sum_ns += ns;
	if (ns > c->max_ns)
		c->max_ns = ns;
	count(s, &c->dist, ns);
}

static void cost_sum(struct cost *c, __u64 n, __u64 sum_ns, __u64 max_ns)
{
	c->count += n;
	c->sum_ns += sum_ns;
	if (max_ns > c->max_ns)
		c->max_ns = max_ns;
}

#define BOTH_INNER (KS_M_POINT(KS_PT_INNER_ENTRY) | KS_M_POINT(KS_PT_INNER_EXIT))

static void on_out(struct summary *s, struct summary_vcpu *sv, const struct ks_out *r)
{
	if (s->by_cpu && !filter__cpu(s->filter, r->cpu))
		return;
	sv->switches++;
	if ((r->h.mask & BOTH_INNER) == BOTH_INNER)
		cost_one(s, &sv->sched_put, r->put_entry_ns - r->put_exit_ns);
}

static void on_in(struct summary *s, struct summary_vcpu *sv, const struct ks_in *r)
{
	if (s->by_cpu && !filter__cpu(s->filter, r->cpu))
		return;
	sv->reloads++;
	if ((r->h.mask & BOTH_INNER) == BOTH_INNER)
		cost_one(s, &sv->reload, r->load_exit_ns - r->load_entry_ns);
}

static void on_loads(const struct summary *s, struct summary_vcpu *sv, const struct ks_loads *r)
{
	if (s->by_cpu && !filter__cpu(s->filter, r->cpu))
		return;
	sv->loads += r->loads;
	sv->puts += r->puts;
	if (!(r->h.mask & KS_M_POINT(KS_PT_INNER_EXIT)))
		return;
	cost_sum(&sv->load, r->loads, r->load_ns, r->load_max_ns);
	cost_sum(&sv->put, r->puts, r->put_ns, r->put_max_ns);
}

static void on_single(struct summary *s, struct summary_vcpu *sv, const struct ks_load *r)
{
	bool load = r->h.type == KS_LOAD;

	if (s->by_cpu && !filter__cpu(s->filter, r->cpu))
		return;
	if (load)
		sv->loads++;
	else
		sv->puts++;
	if (r->h.mask & KS_M_POINT(KS_PT_INNER_EXIT))
		cost_one(s, load ? &sv->load : &sv->put, r->cost_ns);
}

static void on_event(void *ctx, struct model_vcpu *v, const struct ks_head *r,
		     const struct step *st)
{
	struct summary *s = ctx;
	struct summary_vcpu *sv = of(s, v);

	(void)st;
	/* what user space adds when the window closes has the window's end as its time */
	if (!sv || !(inside(s, r->ts) || (r->type == KS_LOADS && ends_inside(s, r->ts))))
		return;
	if (r->type == KS_OUT)
		on_out(s, sv, (const void *)r);
	else if (r->type == KS_IN)
		on_in(s, sv, (const void *)r);
	else if (r->type == KS_LOADS)
		on_loads(s, sv, (const void *)r);
	else if (r->type == KS_LOAD || r->type == KS_PUT)
		on_single(s, sv, (const void *)r);
}

void summary__init(struct summary *s, const struct session *ses, const struct filter *f,
		   __u64 from_ns, __u64 to_ns, struct model_listener *l)
{
	memset(s, 0, sizeof(*s));
	s->session = ses;
	s->filter = f;
	s->by_cpu = f->by_cpu;
	s->from_ns = from_ns > ses->start_ns ? from_ns : ses->start_ns;
	s->to_ns = to_ns;
	*l = (struct model_listener){
		.event = on_event, .span = on_span, .absence = on_absence, .ctx = s};
}

/* ---- finishing ---------------------------------------------------------------------------- */

static const struct summary *sorting; /* qsort() takes no context */

static int by_vm(const void *a, const void *b)
{
	const struct summary_vcpu *x = a, *y = b;
	const struct model_vm *p = model__vm(sorting->model, x->v->vm);
	const struct model_vm *q = model__vm(sorting->model, y->v->vm);
	int d = p && q ? strcmp(p->name, q->name) : !p - !q;

	if (d)
		return d;
	if (x->v->tgid != y->v->tgid)
		return x->v->tgid < y->v->tgid ? -1 : 1;
	if (x->v->vm != y->v->vm)
		return x->v->vm < y->v->vm ? -1 : 1;
	if (x->v->vcpu_id != y->v->vcpu_id)
		return x->v->vcpu_id < y->v->vcpu_id ? -1 : 1;
	return x->v->id < y->v->id ? -1 : x->v->id > y->v->id;
}

static int add_cost(struct cost *to, const struct cost *c)
{
	to->known |= c->known;
	to->whole = c->whole;
	cost_sum(to, c->count, c->sum_ns, c->max_ns);
	return hist__merge(&to->dist, &c->dist);
}

int summary__add_lean(struct summary_vcpu *t, const struct summary_vcpu *v)
{
	for (int i = 0; i < ST_CNT; i++) {
		t->state_ns[i] += v->state_ns[i];
		t->state_cnt[i] += v->state_cnt[i];
	}
	t->switches += v->switches;
	t->migrations += v->migrations;
	t->reloads += v->reloads;
	t->loads += v->loads;
	t->puts += v->puts;
	t->run_delay_ns += v->run_delay_ns;
	t->clamped += v->clamped;
	t->unmeasured += v->unmeasured;
	if (v->apart.run_delay_ns > t->apart.run_delay_ns)
		t->apart = v->apart;
	return hist__merge(&t->run_delay, &v->run_delay);
}

int summary__add(struct summary_vcpu *t, const struct summary_vcpu *v)
{
	int err = summary__add_lean(t, v);

	for (int i = 0; i < ST_CNT; i++)
		err |= hist__merge(&t->by_state[i], &v->by_state[i]);
	err |= hist__merge(&t->absence, &v->absence);
	err |= add_cost(&t->reload, &v->reload) | add_cost(&t->sched_put, &v->sched_put);
	err |= add_cost(&t->load, &v->load) | add_cost(&t->put, &v->put);
	return err ? -ENOMEM : 0;
}

static void total(struct summary *s)
{
	summary__sort_preemptors(s);
	for (unsigned i = 0; i < s->vcpus; i++)
		if (summary__add(&s->total, &s->vcpu[i]))
			s->err = -ENOMEM;
}

static void mark_costs(struct summary_vcpu *v, const struct session *ses)
{
	bool full = ses->mode == MODE_FULL;

	v->reload.known = v->sched_put.known = v->load.known = v->put.known = full;
	v->reload.whole = v->sched_put.whole = full;
	v->load.whole = v->put.whole = full && ses->loads;
}

int summary__finish(struct summary *s, const struct model *m, __u64 lost)
{
	struct model_vcpu *v;
	unsigned n = 0;

	s->model = m;
	s->events = model__events(m);
	s->lost = lost;
	s->odd = model__odd(m);
	for (unsigned at = 0; (v = model__next(m, &at));)
		n += s->only_told || of(s, v) != NULL;
	s->vcpu = malloc((n + s->folds + 1) * sizeof(*s->vcpu)); /* all of it is copied to */
	if (!s->vcpu)
		return s->err = -ENOMEM;
	for (unsigned at = 0; (v = model__next(m, &at));) {
		struct summary_vcpu *sv = v->slot < s->slots ? s->by_slot[v->slot] : NULL;

		if (!sv)
			continue;
		mark_costs(sv, s->session);
		s->vcpu[s->vcpus++] = *sv;
		free(sv); /* its histograms now belong to the copy */
		s->by_slot[v->slot] = NULL;
	}
	for (unsigned i = 0; i < s->folds; i++)
		s->vcpu[s->vcpus++] = s->fold[i];
	s->folds = 0; /* their histograms now belong to the copies, too */
	sorting = s;
	qsort(s->vcpu, s->vcpus, sizeof(*s->vcpu), by_vm);
	for (unsigned i = 0; i < s->preemptors; i++) {
		struct model_task *t = &s->preemptor[i].task;
		const struct model_task *now = model__task(m, t->tid);

		if (now && now->start_ns == t->start_ns) /* introduced again since */
			*t = *now;
	}
	if (!s->ledger)
		total(s);
	return s->err;
}

unsigned summary__group(const struct summary *s, enum summary_by by, unsigned first)
{
	unsigned n = 1;

	if (by == SUMMARY_BY_ALL)
		return s->vcpus - first;
	while (by == SUMMARY_BY_VM && first + n < s->vcpus &&
	       s->vcpu[first + n].v->vm == s->vcpu[first].v->vm)
		n++;
	return n;
}

bool summary__known(const struct summary_vcpu *v)
{
	__u64 known = v->run_delay_ns;

	for (int i = 0; i < ST_CNT; i++)
		known += i == ST_UNKNOWN || i == ST_ABSENT ? 0 : v->state_ns[i];
	return known || !v->state_ns[ST_UNKNOWN];
}

bool summary__nothing(const struct summary *s)
{
	const struct summary_vcpu *t = &s->total;
	__u64 seen = t->switches + t->reloads + t->loads + t->puts;

	for (int i = 0; i < ST_ABSENT; i++)
		seen += t->state_ns[i];
	return !s->vcpus || (s->by_cpu && !seen);
}

const char *summary__vm_name(const struct summary *s, __u32 id, char *out, size_t size)
{
	return model__vm_name(s->model, id, out, size);
}

int summary__add_up(const struct summary *s, unsigned first, unsigned count,
		    struct summary_vcpu *out)
{
	int err = 0;

	memset(out, 0, sizeof(*out));
	for (unsigned i = first; i < first + count; i++)
		err |= summary__add(out, &s->vcpu[i]);
	return err ? -ENOMEM : 0;
}

void summary__free_vcpu(struct summary_vcpu *v)
{
	hist__free(&v->absence);
	hist__free(&v->run_delay);
	for (int i = 0; i < ST_CNT; i++)
		hist__free(&v->by_state[i]);
	hist__free(&v->reload.dist);
	hist__free(&v->sched_put.dist);
	hist__free(&v->load.dist);
	hist__free(&v->put.dist);
}

void summary__free(struct summary *s)
{
	for (unsigned i = 0; i < s->vcpus; i++)
		summary__free_vcpu(&s->vcpu[i]);
	for (__u32 i = 0; i < s->slots; i++) {
		if (s->by_slot[i])
			summary__free_vcpu(s->by_slot[i]);
		free(s->by_slot[i]);
	}
	for (unsigned i = 0; i < s->folds; i++)
		summary__free_vcpu(&s->fold[i]);
	summary__free_vcpu(&s->total);
	free(s->fold);
	free(s->by_slot);
	free(s->vcpu);
	free(s->preemptor);
	free(s->hash);
	memset(s, 0, sizeof(*s));
}
