// SPDX-License-Identifier: BSD-2-Clause
/*
 * Labels are read once to see what there is (alphabet, clocks, faults) and once more to fill the
 * tables. A name that is reset somewhere is a clock; any other is a field.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "automaton_build.h"
#include "err.h"
#include "label.h"

/* Everything that an automaton points to lives as long as it does. */
struct block {
	struct block *next;
	__u64 data[];
};

struct built {
	struct automaton a;
	struct block *blocks;
	char clock[AUTOMATON_CLOCKS][LABEL_NAME];
	__u8 event[EV_CNT];
	__u8 compared; /* bits: clocks */
	bool failed;   /* to allocate */
};

static void *take(struct built *b, size_t bytes)
{
	struct block *k = calloc(1, sizeof(*k) + bytes + 1);

	if (!k) {
		b->failed = true;
		return NULL;
	}
	k->next = b->blocks;
	b->blocks = k;
	return k->data;
}

static const char *keep(struct built *b, const char *s)
{
	char *copy = take(b, strlen(s) + 1);

	return copy ? strcpy(copy, s) : "";
}

void automaton__free(struct automaton *a)
{
	struct built *b = (struct built *)a;

	while (b && b->blocks) {
		struct block *next = b->blocks->next;

		free(b->blocks);
		b->blocks = next;
	}
	free(b);
}

/* ---- alphabet and clocks ------------------------------------------------------------------ */

static int clock_index(const struct built *b, const char *name)
{
	for (unsigned i = 0; i < b->a.clocks; i++)
		if (!strcmp(b->clock[i], name))
			return i;
	return -1;
}

static int add_event(struct built *b, const struct dot *d, const struct dot_edge *e,
		     const struct label *l)
{
	enum event_id id = event__find(l->event);
	unsigned i = b->a.events;

	if (id == EV_CNT)
		return automaton__bad_edge(d, e, l->text,
					   "no such event; kvmsched-models(5) lists them");
	if (automaton__event(&b->a, id) >= 0)
		return 0;
	for (; i && b->event[i - 1] > id; i--)
		b->event[i] = b->event[i - 1];
	b->event[i] = id;
	b->a.events++;
	return 0;
}

static int add_clocks(struct built *b, const struct dot *d, const struct dot_edge *e,
		      const struct label *l)
{
	for (unsigned i = 0; i < l->resets; i++) {
		if (field__find(l->reset[i]) != F_CNT)
			return automaton__bad_edge(d, e, l->text, "a field cannot be reset");
		if (clock_index(b, l->reset[i]) >= 0)
			continue;
		if (b->a.clocks == AUTOMATON_CLOCKS)
			return automaton__bad_edge(d, e, l->text, "too many clocks");
		strcpy(b->clock[b->a.clocks++], l->reset[i]);
	}
	return 0;
}

static int find_names(struct built *b, const struct dot *d)
{
	struct label l;
	int err = 0;

	b->a.event = b->event;
	for (unsigned i = 0; i < d->edges; i++) {
		const char *at = d->edge[i].label;

		while (!err && label__next(&at, &l) > 0)
			err = add_event(b, d, &d->edge[i], &l) ?: add_clocks(b, d, &d->edge[i], &l);
	}
	return err;
}

/* ---- guards ------------------------------------------------------------------------------- */

/* Binds one comparison; says why it cannot, else NULL. */
static const char *bind(struct built *b, const struct label_term *from, __u64 given,
			struct automaton_term *t)
{
	int clock = clock_index(b, from->name);
	enum field f = field__find(from->name);

	if (*from->symbol)
		return "a number is wanted: parameters and macros are the kernel's own";
	*t = (struct automaton_term){.op = from->op, .value = from->value};
	if (clock >= 0) {
		t->clock = true;
		t->index = clock;
		b->compared |= 1U << clock;
		return from->timed ? NULL : "a clock is compared with a time: ns, us, ms or s";
	}
	t->index = f;
	if (f == F_CNT)
		return "no such field (kvmsched-models(5) lists them), nor a clock that is reset";
	if (!(given & FIELD(f)))
		return "the event does not have this field; kvmsched-models(5) says which do";
	if (field_kinds[f].unit == 't' ? !from->timed && from->value : from->timed)
		return from->timed ? "the field is no time"
				   : "the field is a time: ns, us, ms or s is missing";
	if (field_kinds[f].unit == 'b' && from->value > 1)
		return "the field is 0 or 1";
	return NULL;
}

/* A bit that is wanted to be 0 or 1 goes into the masks. */
static bool into_mask(struct automaton_conj *c, const struct automaton_term *t)
{
	__u64 want = t->op == CMP_NE ? !t->value : t->value, bit = FIELD(t->index);

	if (t->clock || t->index >= F_BITS || (t->op != CMP_EQ && t->op != CMP_NE))
		return false;
	if (c->mask & bit && !(c->value & bit) != !want)
		return false; /* both 0 and 1: never, as two terms */
	c->mask |= bit;
	c->value |= want ? bit : 0;
	return true;
}

static int build_guard(struct built *b, const struct dot *d, const struct dot_edge *e,
		       const struct label *l, struct automaton_edge *to)
{
	struct automaton_conj *conj = take(b, LABEL_TERMS * sizeof(*conj)), *c = conj;
	struct automaton_term *term = take(b, LABEL_TERMS * sizeof(*term)), t;
	__u64 given = event_kinds[event__find(l->event)].fields;

	if (!conj || !term)
		return -ENOMEM;
	for (unsigned i = 0; i < l->terms; i++) {
		const char *why = bind(b, &l->term[i], given, &t);
		char text[LABEL_NAME + 128];

		if (why) {
			snprintf(text, sizeof(text), "%s: %s", l->term[i].name, why);
			return automaton__bad_edge(d, e, l->text, text);
		}
		if (l->term[i].alternative) {
			c = &conj[to->conjs++];
			c->term = term;
		}
		if (!t.clock)
			b->a.fields |= FIELD(t.index);
		if (!into_mask(c, &t)) {
			*term++ = t;
			c->terms++;
		}
	}
	to->conj = conj;
	return 0;
}

/* ---- tables ------------------------------------------------------------------------------- */

static int build_edges(struct built *b, const struct dot *d)
{
	struct automaton_edge *table = take(b, (size_t)b->a.states * b->a.events * sizeof(*table));
	struct label l;
	int err = table ? 0 : -ENOMEM;

	b->a.edge = table;
	for (unsigned i = 0; i < d->edges; i++) {
		const struct dot_edge *e = &d->edge[i];
		const char *at = e->label;

		while (!err && label__next(&at, &l) > 0) {
			struct automaton_edge *to =
				&table[e->from * b->a.events +
				       automaton__event(&b->a, event__find(l.event))];

			to->to = e->to + 1;
			to->text = keep(b, l.text);
			for (unsigned k = 0; k < l.resets; k++)
				to->resets |= 1U << clock_index(b, l.reset[k]);
			if (l.terms)
				err = build_guard(b, d, e, &l, to);
		}
	}
	return err;
}

static int build_invariant(struct built *b, const struct dot *d, unsigned i,
			   struct automaton_invariant *to, bool *any)
{
	struct automaton_term t;
	const char *why;
	struct label l;

	if (dot__unlabelled(&d->state[i]) || label__state(d->state[i].label, &l) || !l.terms)
		return 0;
	why = bind(b, &l.term[0], 0, &t);
	if (!why && !t.clock)
		why = "an invariant is about a clock";
	else if (why && field__find(l.term[0].name) != F_CNT)
		why = "an invariant is about a clock, not a field";
	else if (why && !*l.term[0].symbol && clock_index(b, l.term[0].name) < 0)
		why = "no such clock: nothing resets it";
	if (why)
		return automaton__bad_state(d, i, d->state[i].label, why);
	*to = (struct automaton_invariant){
		.text = keep(b, l.text), .clock = t.index, .op = t.op, .value = t.value};
	*any = true;
	return 0;
}

static int build_states(struct built *b, const struct dot *d)
{
	struct automaton_invariant *invariant = take(b, d->states * sizeof(*invariant));
	const char **state = take(b, d->states * sizeof(*state));
	const char **clock = take(b, AUTOMATON_CLOCKS * sizeof(*clock));
	bool any = false;
	int err = invariant && state && clock ? 0 : -ENOMEM;

	for (unsigned i = 0; !err && i < d->states; i++) {
		state[i] = keep(b, d->state[i].name);
		err = build_invariant(b, d, i, &invariant[i], &any);
	}
	for (unsigned i = 0; !err && i < b->a.clocks; i++)
		clock[i] = b->clock[i];
	b->a.state = state;
	b->a.clock = clock;
	b->a.invariant = any ? invariant : NULL;
	b->a.states = d->states;
	b->a.initial = d->initial;
	return err;
}

static int verify_clocks(const struct built *b, const struct dot *d)
{
	for (unsigned i = 0; i < b->a.clocks; i++)
		if (!(b->compared & 1U << i))
			return err__say(0, "%s: clock \"%s\" is reset, but nothing compares it",
					d->file, b->clock[i]);
	return 0;
}

int automaton__build(struct automaton **a, const struct dot *d)
{
	struct built *b;
	int err = automaton__verify(d);

	if (err)
		return err;
	b = calloc(1, sizeof(*b));
	if (!b)
		return err__say(ENOMEM, "%s", d->file);
	err = find_names(b, d);
	if (!err)
		err = build_states(b, d);
	if (!err)
		err = build_edges(b, d);
	if (!err)
		err = verify_clocks(b, d);
	b->a.name = keep(b, d->name);
	b->a.help = keep(b, d->help);
	b->a.dot = keep(b, d->text);
	if (b->failed || err == -ENOMEM)
		err = err__say(ENOMEM, "%s", d->file);
	if (err)
		automaton__free(&b->a);
	else
		*a = &b->a;
	return err;
}
