// SPDX-License-Identifier: BSD-2-Clause
/* See aggregate.h. What the sums mean is bpf/agg.bpf.h's; the rules are those of vcpu.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "aggregate.h"

/* What was said of a vCPU before its first event told what it had been doing: that stays. */
struct place {
	enum state said;
	__u64 said_ns;
	__u64 read_ns; /* the moment it was last read of */
	bool awaited;  /* it is dead, and its descriptor is still to come */
	bool shown;    /* that it is dead */
};

/* The vCPUs of a VM that are gone. */
struct fold {
	struct model_vcpu *who;
	struct summary_vcpu sums;
	__u64 by_ns[KS_BY_CNT], by_cnt[KS_BY_CNT];
	bool shown; /* all of it is in a summary */
};

struct aggregate {
	const struct session *session;
	const struct filter *filter;
	struct model *model;
	struct sums sums;
	struct place *place; /* of each of the sums' */
	struct fold **fold;
	unsigned folds;
	struct sums_vcpu one; /* the one that is being read */
};

/* Where the sums go: a vCPU's in a summary, or a fold's. */
struct account {
	struct summary_vcpu *sv;
	__u64 by_ns[KS_BY_CNT + 1], by_cnt[KS_BY_CNT + 1];
};

/* What a vCPU did before it was gone is still to be asked for. */
int aggregate__describe(struct model *m, const struct ks_head *r)
{
	return r->type == KS_GONE ? model__describe(m, r) : model__record(m, r);
}

struct aggregate *aggregate__new(const struct session *s, const struct filter *f, struct model *m,
				 const struct sums *sums)
{
	struct aggregate *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->session = s;
	g->filter = f;
	g->model = m;
	g->sums = *sums;
	g->place = calloc(sums->places, sizeof(*g->place));
	if (!g->place) {
		free(g);
		return NULL;
	}
	return g;
}

/* ---- one vCPU ----------------------------------------------------------------------------- */

static const enum state state_of[KS_H_CNT] = {
	[KS_H_PREEMPTED] = ST_PREEMPTED, [KS_H_HALTED] = ST_HALTED, [KS_H_SLEEPING] = ST_SLEEPING};

/* Time in a state that no distribution has: it was not seen from its beginning to its end. */
static void add_part(struct summary_vcpu *sv, enum state state, __u64 ns)
{
	sv->state_ns[state] += ns;
	if (state == ST_PREEMPTED)
		sv->run_delay_ns += ns;
}

static enum state first_state(__u8 first)
{
	return first == KS_R_CNT ? ST_ON_OR_USER : state__of_reason(first);
}

/* Until its first event only the snapshot tells what a vCPU does. */
static void add_eventless(const struct model_vcpu *v, struct place *p, struct account *to,
			  __u64 from, __u64 until)
{
	p->said = v->v.state;
	p->said_ns = until > from ? until - from : 0;
	add_part(to->sv, p->said, p->said_ns);
}

/* Absences from end to end. */
static int add_whole(const struct aggregate *g, const struct ks_agg *a, struct summary_vcpu *sv)
{
	int err = 0;

	for (int i = 0; !err && i < KS_H_WOKEN; i++) {
		const struct ks_agg_hist *h = &a->hist[i];
		struct hist *own = &sv->by_state[state_of[i]];
		__u64 before = own->count;

		err = hist__add_kernel(own, h) ?: hist__add_kernel(&sv->absence, h);
		if (!err && i == KS_H_PREEMPTED)
			err = hist__add_kernel(&sv->run_delay, h);
		sv->state_ns[state_of[i]] += h->sum_ns;
		sv->state_cnt[state_of[i]] += own->count - before;
		sv->switches += own->count - before;
		sv->reloads += own->count - before;
		if (i == KS_H_PREEMPTED)
			sv->run_delay_ns += h->sum_ns;
		else if (!(g->session->fields & KS_M_RUN_DELAY))
			sv->unmeasured += own->count - before;
	}
	if (err || !(g->session->fields & KS_M_RUN_DELAY))
		return err;
	sv->run_delay_ns += a->hist[KS_H_WOKEN].sum_ns;
	return hist__add_kernel(&sv->run_delay, &a->hist[KS_H_WOKEN]);
}

static __u8 state_byte(const struct ks_now *now)
{
	return now->what & 0xff;
}

/* Out at until_ns? An absence that began only then, at the window's end, is none. */
static bool is_out(const struct ks_now *now, __u64 until_ns)
{
	return state_byte(now) == KS_A_OUT && now->since < until_ns;
}

static enum state state_now(const struct ks_now *now, __u64 until_ns)
{
	return is_out(now, until_ns) ? state__of_reason(now->what >> 8 & 0xff) : ST_ON_OR_USER;
}

/* The absence that goes on. Returns its length. */
static __u64 add_open(const struct ks_now *now, struct account *to, __u64 until)
{
	__u64 ns = until - now->since;
	__u8 by = now->what >> 16 & 7;

	if (!is_out(now, until))
		return 0;
	add_part(to->sv, state_now(now, until), ns);
	to->sv->switches++;
	to->by_ns[by] += ns;
	to->by_cnt[by]++;
	return ns;
}

/* A vCPU that is gone ended when its end was noticed: it may have been read between that and when
 * it was told. */
static __u64 until_of(const struct sums_vcpu *in, struct place *p)
{
	__u64 gone = in->a.gone_ns > p->read_ns ? in->a.gone_ns : p->read_ns;

	if (!in->dead)
		p->read_ns = in->at_ns;
	return in->dead ? gone : in->at_ns;
}

static int add_vcpu(const struct aggregate *g, const struct sums_vcpu *in,
		    const struct model_vcpu *v, struct place *p, struct account *to)
{
	const struct ks_agg *a = &in->a;
	__u64 start = g->session->start_ns, until = until_of(in, p), said;
	__u64 from = a->created && a->born_ns > start ? a->born_ns : start, away;
	struct summary_vcpu *sv = to->sv;

	sv->state_ns[ST_ABSENT] += from - start + (in->at_ns > until ? in->at_ns - until : 0);
	if (state_byte(&in->now) <= KS_A_EARLY) {
		add_eventless(v, p, to, from, until);
		return 0;
	}
	said = p->said_ns < a->first_ns ? p->said_ns : a->first_ns;
	add_part(sv, p->said, said);
	add_part(sv, first_state(a->first), a->first_ns - said);
	sv->state_ns[ST_UNKNOWN] += a->unknown_ns;
	away = a->first_ns + a->unknown_ns + add_open(&in->now, to, until);
	for (int i = 0; i < KS_H_WOKEN; i++)
		away += a->hist[i].sum_ns;
	sv->state_ns[ST_ON_OR_USER] += until - from - away;
	sv->migrations += a->migrations;
	sv->clamped += a->clamped;
	sv->reloads += a->first != KS_R_CNT;
	for (int by = 0; by < KS_BY_CNT; by++) {
		to->by_ns[by] += a->by_ns[by];
		to->by_cnt[by] += a->by_cnt[by];
	}
	return add_whole(g, a, sv);
}

static void add_taken(struct summary *s, const struct model_vcpu *v, const __u64 *ns,
		      const __u64 *cnt)
{
	for (int by = KS_BY_NONE + 1; by < KS_BY_CNT; by++)
		if (cnt[by])
			summary__taken(s, v, by, ns[by], cnt[by]);
}

/* ---- those that are gone ------------------------------------------------------------------ */

static struct fold *fold_of(struct aggregate *g, const struct model_vcpu *v)
{
	struct fold **all, *f;

	for (unsigned i = 0; i < g->folds; i++)
		if (g->fold[i]->who->vm == v->vm)
			return g->fold[i];
	all = realloc(g->fold, (g->folds + 1) * sizeof(*all));
	if (!all)
		return NULL;
	g->fold = all;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->who = model__stand_in(g->model, v);
	if (!f->who) {
		free(f);
		return NULL;
	}
	return g->fold[g->folds++] = f;
}

static int fold(struct aggregate *g, const struct sums_vcpu *in, const struct model_vcpu *v,
		struct place *p)
{
	struct fold *f = fold_of(g, v);
	struct account to = {0};
	int err;

	if (!f)
		return -ENOMEM;
	f->shown = false;
	to.sv = &f->sums;
	err = add_vcpu(g, in, v, p, &to);
	f->sums.state_ns[ST_ABSENT] = 0; /* grows for ever, and says nothing of a VM */
	for (int by = 0; by < KS_BY_CNT; by++) {
		f->by_ns[by] += to.by_ns[by];
		f->by_cnt[by] += to.by_cnt[by];
	}
	return err;
}

/* A vCPU that died before its descriptor was read: once, that is waited for. */
static bool await(struct aggregate *g, __u32 place)
{
	struct place *p = &g->place[place];

	if (p->awaited || model__vcpu(g->model, g->one.id))
		return false;
	return p->awaited = true;
}

static int take(struct aggregate *g, __u32 place, const struct model_vcpu *v)
{
	struct place *p = &g->place[place];
	int err = v && g->one.a.gone_ns > g->session->start_ns ? fold(g, &g->one, v, p) : 0;

	model__forget_vcpu(g->model, g->one.id);
	memset(p, 0, sizeof(*p));
	sums__free(&g->sums, place);
	return err;
}

int aggregate__collect(struct aggregate *g)
{
	int err = 0;

	for (__u32 i = 0; !err && i < g->sums.places; i++)
		if (g->sums.owner[i] == KS_GONE_OWNER && sums__read(&g->sums, i, &g->one) &&
		    !await(g, i))
			err = take(g, i, model__vcpu_known(g->model, g->one.id));
	return err;
}

static int show_folds(struct aggregate *g, struct summary *s)
{
	for (unsigned i = 0; i < g->folds; i++) {
		struct fold *f = g->fold[i];
		struct summary_vcpu *sv = summary__fold(s, f->who);

		if (!sv || summary__add(sv, &f->sums))
			return -ENOMEM;
		add_taken(s, f->who, f->by_ns, f->by_cnt);
		f->shown = true;
	}
	return 0;
}

static void free_fold(struct aggregate *g, struct fold *f)
{
	model__let_go(g->model, f->who);
	summary__free_vcpu(&f->sums);
	free(f);
}

/* Of a VM that is gone, and so are all its vCPUs, there is nothing more to tell. */
static void forget_folds(struct aggregate *g)
{
	for (unsigned i = 0; i < g->folds; i++) {
		struct fold *f = g->fold[i];
		const struct model_vm *vm = model__vm(g->model, f->who->vm);

		if (!f->shown || (vm && (!vm->dead || vm->vcpus)))
			continue;
		free_fold(g, f);
		g->fold[i--] = g->fold[--g->folds];
	}
}

/* ---- all of them -------------------------------------------------------------------------- */

/* The model's vCPU is as it was when it was read. */
static void stand(struct model_vcpu *v, const struct sums_vcpu *in)
{
	v->v.tid = in->tid;
	if (state_byte(&in->now) <= KS_A_EARLY)
		return; /* what the snapshot says of it holds */
	v->v.fresh = false;
	v->v.state = in->dead ? ST_ABSENT : state_now(&in->now, in->at_ns);
	v->v.since = v->v.out.from = in->now.since;
	v->v.cpu = in->cpu;
}

static int read_place(struct aggregate *g, __u32 place, struct summary *s)
{
	struct account to = {0};
	struct model_vcpu *v;
	int err;

	if (!sums__read(&g->sums, place, &g->one))
		return 0;
	if (g->one.dead && await(g, place))
		return 0;
	v = model__vcpu_known(g->model, g->one.id);
	if (g->one.dead &&
	    (!v || g->place[place].shown || g->one.a.gone_ns <= g->session->start_ns))
		return take(g, place, v);
	if (!v)
		return 0; /* its descriptor is still to come */
	stand(v, &g->one);
	to.sv = summary__of(s, v);
	if (!to.sv)
		return -ENOMEM;
	err = add_vcpu(g, &g->one, v, &g->place[place], &to);
	add_taken(s, v, to.by_ns, to.by_cnt);
	s->odd += g->one.a.odd;
	g->place[place].shown = g->one.dead;
	return err ?: s->err;
}

int aggregate__read(struct aggregate *g, __u64 now_ns, bool by_victim, struct summary *s)
{
	struct model_listener unused;
	__u64 odd;
	int err = 0;

	model__bury(g->model);
	forget_folds(g);
	summary__init(s, g->session, g->filter, g->session->start_ns, now_ns, &unused);
	s->by_victim = by_victim;
	s->only_told = true;
	for (__u32 i = 0; !err && i < g->sums.places; i++)
		err = read_place(g, i, s);
	err = err ?: show_folds(g, s);
	odd = s->odd;
	err = err ?: summary__finish(s, g->model, 0);
	s->odd = odd;
	return err;
}

void aggregate__free(struct aggregate *g)
{
	if (!g)
		return;
	while (g->folds)
		free_fold(g, g->fold[--g->folds]);
	free(g->fold);
	free(g->place);
	free(g);
}
