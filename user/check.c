// SPDX-License-Identifier: BSD-2-Clause
/* See check.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "by_id.h"
#include "check.h"
#include "enrich.h"
#include "patterns.h"
#include "record.h"

struct check_vcpu {
	const struct model_vcpu *v;
	struct enrich_vcpu known;
	__u32 seq;
	bool gone;
	bool ended;	/* it was there when the trace ended */
	unsigned pasts; /* how many there were; the ring holds the last ones */
	union check_record past[CHECK_PAST];
	__u64 *clock;
	struct automaton_run run[];
};

/* A rule that has an event in its alphabet. */
struct interest {
	__u16 rule;
	__u16 at; /* automaton__event() */
};

/* What is to be asked of one kind of event. */
struct menu {
	struct interest *at; /* the plain rules first */
	unsigned plain, all;
	struct patterns patterns; /* that no plain rule objected to */
};

struct check {
	struct enrich enrich;
	struct check_rule *rule;
	unsigned rules;
	unsigned clocks; /* of all rules */
	struct menu menu[EV_CNT];
	struct check_vcpu **vcpu; /* by id */
	__u32 vcpus;
	__u64 missing, disorder, violations;
};

/* ---- setting up --------------------------------------------------------------------------- */

static int note_interest(struct check *c, unsigned rule)
{
	const struct automaton *a = c->rule[rule].a;

	for (unsigned i = 0; i < a->events; i++) {
		struct menu *m = &c->menu[a->event[i]];
		unsigned place = m->all;

		if (!m->at)
			m->at = calloc(c->rules, sizeof(*m->at));
		if (!m->at)
			return -ENOMEM;
		if (m->plain < PATTERNS_RULES && patterns__cover(&m->patterns, a, i)) {
			place = m->plain++;
			m->at[m->all] = m->at[place];
		}
		m->at[place] = (struct interest){.rule = rule, .at = i};
		m->all++;
	}
	return 0;
}

struct check *check__new(const struct session *s, const struct automaton *const *rules,
			 unsigned count)
{
	struct check *c = calloc(1, sizeof(*c));
	int err = 0;

	if (!c)
		return NULL;
	enrich__init(&c->enrich, s);
	c->rule = calloc(count + 1, sizeof(*c->rule));
	for (; c->rule && !err && c->rules < count; c->rules++) {
		struct check_rule *rule = &c->rule[c->rules];

		rule->a = rules[c->rules];
		rule->skip = automaton__why_not(rule->a, s);
		c->clocks += rule->a->clocks;
	}
	for (unsigned i = 0; !err && i < c->rules; i++)
		err = c->rule[i].skip ? 0 : note_interest(c, i);
	if (c->rule && !err)
		return c;
	check__free(c);
	return NULL;
}

void check__free(struct check *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->rules; i++)
		free(c->rule[i].first);
	for (unsigned i = 0; i < EV_CNT; i++)
		free(c->menu[i].at);
	for (__u32 i = 0; i < c->vcpus; i++)
		free(c->vcpu[i]);
	free(c->vcpu);
	free(c->rule);
	free(c);
}

static struct check_vcpu *vcpu_new(const struct check *c, const struct model_vcpu *v)
{
	size_t runs = c->rules * sizeof(struct automaton_run);
	struct check_vcpu *cv = calloc(1, sizeof(*cv) + runs + c->clocks * sizeof(__u64));

	if (!cv)
		return NULL;
	cv->v = v;
	cv->seq = v->seq_before;
	cv->clock = (void *)((char *)cv->run + runs);
	for (unsigned i = 0, clocks = 0; i < c->rules; clocks += c->rule[i++].a->clocks) {
		cv->run[i].since = cv->clock + clocks;
		automaton__forget(c->rule[i].a, &cv->run[i]);
	}
	return cv;
}

static struct check_vcpu *vcpu_get(struct check *c, const struct model_vcpu *v)
{
	struct check_vcpu **at = by_id__at(&c->vcpu, &c->vcpus, sizeof(*at), v->id);

	if (at && !*at)
		*at = vcpu_new(c, v);
	return at ? *at : NULL;
}

/* ---- violations --------------------------------------------------------------------------- */

static void copy_past(struct check_violation *to, const struct check_vcpu *cv)
{
	to->pasts = cv->pasts < CHECK_PAST ? cv->pasts : CHECK_PAST;
	for (unsigned i = 0; i < to->pasts; i++)
		to->past[i] = cv->past[(cv->pasts - to->pasts + i) % CHECK_PAST];
}

/* before: the run as it was when the event came. */
static int violated(struct check *c, struct check_vcpu *cv, struct check_rule *rule,
		    const struct automaton_run *before, const struct event *e, bool late)
{
	struct check_violation *first;

	rule->violations++;
	rule->decided++;
	c->violations++;
	if (rule->first)
		return 0;
	first = rule->first = calloc(1, sizeof(*first));
	if (!first)
		return -ENOMEM;
	first->v = cv->v;
	first->set = before->set;
	first->late = late;
	first->open = e->id == EV_CNT;
	first->event = *e;
	for (unsigned i = 0; i < rule->a->clocks; i++) {
		if (!before->since[i])
			continue;
		first->clocks_known |= 1U << i;
		first->clock_ns[i] = e->ts - before->since[i];
	}
	copy_past(first, cv);
	return 0;
}

/* Asks one rule; *says is what it said. */
static int step(struct check *c, struct check_vcpu *cv, const struct interest *at,
		const struct event *e, bool judge, enum automaton_says *said)
{
	struct check_rule *rule = &c->rule[at->rule];
	struct automaton_run *run = &cv->run[at->rule];
	__u64 since[AUTOMATON_CLOCKS];
	struct automaton_run before = {.set = run->set, .since = since};
	enum automaton_says says;

	for (unsigned i = 0; i < rule->a->clocks; i++)
		since[i] = run->since[i];
	says = *said = automaton__step(rule->a, run, at->at, e);
	if (says == SAYS_NOTHING || says == SAYS_GOOD || !judge)
		return 0;
	return violated(c, cv, rule, &before, e, says == SAYS_LATE);
}

/* The decisions that the pattern stands for go to their rules. */
static void settle(struct check *c, const struct menu *m, struct pattern *p)
{
	for (__u64 good = p->good; p->count && good; good &= good - 1)
		c->rule[m->at[__builtin_ctzll(good)].rule].decided += p->count;
	p->count = 0;
}

static int ask_plain(struct check *c, struct check_vcpu *cv, struct menu *m, const struct event *e)
{
	struct pattern *place = patterns__place(&m->patterns, e), fresh;
	enum automaton_says says;
	bool bad = false;
	int err = 0;

	if (pattern__is(place, &m->patterns, e)) {
		place->count++;
		return 0;
	}
	pattern__init(&fresh, &m->patterns, e);
	for (unsigned i = 0; !err && i < m->plain; i++) {
		err = step(c, cv, &m->at[i], e, true, &says);
		bad |= says == SAYS_BAD;
		fresh.good |= says == SAYS_GOOD ? 1ULL << i : 0;
	}
	if (bad) {
		settle(c, m, &fresh);
	} else {
		settle(c, m, place);
		*place = fresh;
	}
	return err;
}

static int ask(struct check *c, struct check_vcpu *cv, struct menu *m, const struct event *e,
	       bool judge)
{
	int err = judge && m->plain ? ask_plain(c, cv, m, e) : 0;
	enum automaton_says says;

	for (unsigned i = m->plain; !err && i < m->all; i++) {
		err = step(c, cv, &m->at[i], e, judge, &says);
		if (says == SAYS_GOOD && judge)
			c->rule[m->at[i].rule].decided++;
	}
	return err;
}

/* Time went on to e, which the rules that are asked here have not in their alphabet. */
static int look_late(struct check *c, struct check_vcpu *cv, const struct event *e, bool judge)
{
	int err = 0;

	for (unsigned i = 0; !err && judge && i < c->rules; i++) {
		const struct automaton *a = c->rule[i].a;

		if (c->rule[i].skip || (e->id != EV_CNT && automaton__event(a, e->id) >= 0))
			continue;
		if (automaton__at(a, &cv->run[i], e->ts) == SAYS_LATE)
			err = violated(c, cv, &c->rule[i], &cv->run[i], e, true);
	}
	return err;
}

/* ---- records ------------------------------------------------------------------------------ */

static void forget(struct check *c, struct check_vcpu *cv)
{
	enrich__forget(&cv->known);
	for (unsigned i = 0; i < c->rules; i++)
		automaton__forget(c->rule[i].a, &cv->run[i]);
}

/* Is seq the number that has to come? Else something is missing, or was there before. */
static void follow(struct check *c, struct check_vcpu *cv, __u32 seq)
{
	__u32 missing = seq - cv->seq - 1;

	cv->seq = seq;
	if (!missing)
		return;
	if (missing < 1U << 31)
		c->missing += missing;
	else
		c->disorder++;
	forget(c, cv);
}

static void follow_record(struct check *c, struct check_vcpu *cv, const struct ks_head *r)
{
	__u32 seq = ((const struct ks_gone *)(const void *)r)->seq; /* at the same place in all */

	if (r->type < KS_VCPU)
		follow(c, cv, seq);
	else if (r->type == KS_GONE || (r->type == KS_SNAP && r->mask & KS_M_END))
		follow(c, cv, seq + 1), cv->seq = seq;
	if (r->type < KS_VCPU && r->mask & KS_M_SKIPPED)
		forget(c, cv);
}
_Static_assert(offsetof(struct ks_out, seq) == offsetof(struct ks_gone, seq) &&
		       offsetof(struct ks_in, seq) == offsetof(struct ks_gone, seq) &&
		       offsetof(struct ks_loads, seq) == offsetof(struct ks_gone, seq) &&
		       offsetof(struct ks_load, seq) == offsetof(struct ks_gone, seq) &&
		       offsetof(struct ks_snap, seq) == offsetof(struct ks_gone, seq),
	       "follow_record()");

static void remember(struct check_vcpu *cv, const struct ks_head *r)
{
	union check_record *to = &cv->past[cv->pasts++ % CHECK_PAST];

	if (r->type < KS_VCPU)
		memcpy(to, r, sizeof(*to));
	else
		memcpy(&to->gone, r, sizeof(to->gone));
}
_Static_assert(sizeof(union check_record) == KS_RECORD_MAX, "remember()");

static void start(struct check *c, struct check_vcpu *cv)
{
	for (unsigned i = 0; i < c->rules; i++)
		automaton__start(c->rule[i].a, &cv->run[i]);
}

int check__record(struct check *c, const struct model_vcpu *v, const struct ks_head *r, bool judge)
{
	struct check_vcpu *cv = vcpu_get(c, v);
	struct event event[ENRICH_MAX];
	unsigned events;
	int err = 0;

	if (!cv)
		return -ENOMEM;
	if (cv->gone) {
		c->disorder++;
		return 0;
	}
	cv->ended |= r->type == KS_SNAP && r->mask & KS_M_END;
	follow_record(c, cv, r);
	if (r->type == KS_VCPU && r->mask & KS_M_CREATED)
		start(c, cv);
	if (r->type < KS_VCPU || r->type == KS_GONE)
		remember(cv, r);
	events = enrich__record(&c->enrich, &cv->known, v->id, r, event);
	for (unsigned i = 0; !err && i < events; i++)
		err = ask(c, cv, &c->menu[event[i].id], &event[i], judge);
	if (r->type == KS_GONE) {
		err = err ?: look_late(c, cv, &event[0], judge);
		cv->gone = true;
	}
	return err;
}

int check__end(struct check *c, __u64 end_ns, bool judge)
{
	struct event end = {.id = EV_CNT, .ts = end_ns};
	int err = 0;

	for (__u32 i = 0; !err && i < c->vcpus; i++)
		if (c->vcpu[i] && c->vcpu[i]->ended && !c->vcpu[i]->gone)
			err = look_late(c, c->vcpu[i], &end, judge);
	for (unsigned i = 0; i < EV_CNT; i++)
		for (unsigned p = 0; p < PATTERNS; p++)
			settle(c, &c->menu[i], &c->menu[i].patterns.pattern[p]);
	return err;
}

unsigned check__rules(const struct check *c)
{
	return c->rules;
}

const struct check_rule *check__rule(const struct check *c, unsigned i)
{
	return &c->rule[i];
}

__u64 check__missing(const struct check *c)
{
	return c->missing;
}

__u64 check__disorder(const struct check *c)
{
	return c->disorder;
}

__u64 check__violations(const struct check *c)
{
	return c->violations;
}
