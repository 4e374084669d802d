// SPDX-License-Identifier: BSD-2-Clause
/* See automaton.h. Nearly always one state is possible and guards are all bits: that path is short.
 */
#include <stdio.h>
#include <string.h>
#include "automaton.h"

const char *automaton__why_not(const struct automaton *a, const struct session *s)
{
	const char *why = NULL;
	unsigned there = 0;

	for (enum field f = 0; f < F_CNT; f++)
		if (a->fields & FIELD(f) && field__why_absent(f, s))
			return field__why_absent(f, s);
	for (unsigned i = 0; i < a->events; i++) {
		const char *w = event__why_absent(a->event[i], s);

		why = why ?: w;
		there += !w;
	}
	return a->states == 1 && there ? NULL : why;
}

int automaton__event(const struct automaton *a, enum event_id id)
{
	for (unsigned i = 0; i < a->events; i++)
		if (a->event[i] == id)
			return i;
	return -1;
}

static void forget_clocks(const struct automaton *a, struct automaton_run *r)
{
	for (unsigned i = 0; i < a->clocks; i++)
		r->since[i] = 0;
}

void automaton__start(const struct automaton *a, struct automaton_run *r)
{
	r->set = 1U << a->initial;
	forget_clocks(a, r);
}

void automaton__forget(const struct automaton *a, struct automaton_run *r)
{
	r->set = a->states == AUTOMATON_STATES ? ~0U : (1U << a->states) - 1;
	forget_clocks(a, r);
}

/* ---- guards ------------------------------------------------------------------------------- */

/* Of three values: false < unknown < true, so that "and" is the least and "or" the greatest. */
enum truth { NO, UNKNOWN, YES };

static enum truth term_holds(const struct automaton_term *t, const struct automaton_run *r,
			     const struct event *e)
{
	if (t->clock) {
		if (!r->since[t->index])
			return UNKNOWN;
		return compare__holds(t->op, e->ts - r->since[t->index], t->value) ? YES : NO;
	}
	if (!(e->known & FIELD(t->index)))
		return UNKNOWN;
	return compare__holds(t->op, event__field(e, t->index), t->value) ? YES : NO;
}

static enum truth conj_holds(const struct automaton_conj *c, const struct automaton_run *r,
			     const struct event *e)
{
	enum truth all = (c->mask & ~e->known) ? UNKNOWN : YES;

	if ((e->bits ^ c->value) & c->mask & e->known)
		return NO;
	for (unsigned i = 0; all && i < c->terms; i++) {
		enum truth one = term_holds(&c->term[i], r, e);

		if (one < all)
			all = one;
	}
	return all;
}

static enum truth guard_holds(const struct automaton_edge *edge, const struct automaton_run *r,
			      const struct event *e)
{
	enum truth any = NO;

	if (!edge->conjs)
		return YES;
	for (unsigned i = 0; any != YES && i < edge->conjs; i++) {
		enum truth one = conj_holds(&edge->conj[i], r, e);

		if (one > any)
			any = one;
	}
	return any;
}

/* ---- steps -------------------------------------------------------------------------------- */

static bool one_state(const struct automaton_run *r)
{
	return !(r->set & (r->set - 1));
}

static bool late(const struct automaton *a, const struct automaton_run *r, unsigned state,
		 __u64 now, enum automaton_says *says)
{
	const struct automaton_invariant *i = &a->invariant[state];

	if (!i->text || !r->since[i->clock])
		return false;
	if (compare__holds(i->op, now > r->since[i->clock] ? now - r->since[i->clock] : 0,
			   i->value)) {
		*says = SAYS_GOOD;
		return false;
	}
	*says = SAYS_LATE;
	return true;
}

enum automaton_says automaton__at(const struct automaton *a, const struct automaton_run *r,
				  __u64 now)
{
	enum automaton_says says = SAYS_NOTHING;

	if (a->invariant && one_state(r) && late(a, r, __builtin_ctz(r->set), now, &says))
		return SAYS_LATE;
	return SAYS_NOTHING;
}

static void reset(struct automaton_run *r, __u8 resets, __u64 ts)
{
	for (unsigned i = 0; resets; i++, resets >>= 1)
		if (resets & 1)
			r->since[i] = ts;
}

/* Where the event leads from anywhere: the run goes on there after it was not allowed. */
static __u32 targets(const struct automaton *a, unsigned at)
{
	__u32 set = 0;

	for (unsigned s = 0; s < a->states; s++)
		if (a->edge[s * a->events + at].to)
			set |= 1U << (a->edge[s * a->events + at].to - 1);
	return set;
}

static enum automaton_says step_set(const struct automaton *a, struct automaton_run *r, unsigned at,
				    const struct event *e)
{
	__u8 resets = 0xff;
	__u32 next = 0;

	for (__u32 set = r->set; set; set &= set - 1) {
		const struct automaton_edge *edge = &a->edge[__builtin_ctz(set) * a->events + at];

		if (!edge->to || guard_holds(edge, r, e) == NO)
			continue;
		next |= 1U << (edge->to - 1);
		resets &= edge->resets;
	}
	forget_clocks(a, r);
	if (!next) {
		r->set = targets(a, at);
		return SAYS_BAD;
	}
	reset(r, resets, e->ts);
	r->set = next;
	return SAYS_NOTHING;
}

enum automaton_says automaton__step(const struct automaton *a, struct automaton_run *r, unsigned at,
				    const struct event *e)
{
	const struct automaton_edge *edge;
	enum automaton_says says = SAYS_NOTHING;
	unsigned state;
	enum truth truth;

	if (!one_state(r))
		return step_set(a, r, at, e);
	state = __builtin_ctz(r->set);
	edge = &a->edge[state * a->events + at];
	if (!edge->to) {
		forget_clocks(a, r);
		r->set = targets(a, at);
		return SAYS_BAD;
	}
	truth = guard_holds(edge, r, e);
	if (a->invariant)
		late(a, r, state, e->ts, &says);
	r->set = 1U << (edge->to - 1);
	if (edge->resets)
		reset(r, edge->resets, e->ts);
	if (truth == NO)
		return SAYS_BAD;
	return says == SAYS_NOTHING && truth == YES ? SAYS_GOOD : says;
}

/* ---- words -------------------------------------------------------------------------------- */

__u64 automaton__guard_fields(const struct automaton_edge *edge)
{
	__u64 fields = 0;

	for (unsigned i = 0; i < edge->conjs; i++) {
		fields |= edge->conj[i].mask;
		for (unsigned k = 0; k < edge->conj[i].terms; k++)
			if (!edge->conj[i].term[k].clock)
				fields |= FIELD(edge->conj[i].term[k].index);
	}
	return fields;
}

void automaton__allowed(const struct automaton *a, __u32 set, char *out, size_t size)
{
	size_t len = 0;

	*out = '\0';
	for (; set; set &= set - 1) {
		for (unsigned i = 0; i < a->events && len < size; i++) {
			const struct automaton_edge *edge =
				&a->edge[__builtin_ctz(set) * a->events + i];

			if (edge->to)
				len += snprintf(out + len, size - len, "%s -> %s\n", edge->text,
						a->state[edge->to - 1]);
		}
	}
}

void automaton__states(const struct automaton *a, __u32 set, char *out, size_t size)
{
	size_t len = 0;

	*out = '\0';
	for (; set && len < size; set &= set - 1)
		len += snprintf(out + len, size - len, "%s%s", len ? " or " : "",
				a->state[__builtin_ctz(set)]);
}
