// SPDX-License-Identifier: BSD-2-Clause
/* See intervals.h. An edge belongs to the interval that it ends: so does a record with its time. */
#include <stdlib.h>
#include "intervals.h"

static void begin(struct intervals *i, __u64 from_ns)
{
	summary__init(&i->now, i->session, i->filter, from_ns, i->to_ns, &i->to);
	i->now.by_victim = i->by_victim;
	i->now.ledger = &i->ledger;
	i->now.adds_up = i->now.only_told = i->adds_up;
	i->edge_ns = i->now.from_ns + i->length_ns;
}

void intervals__init(struct intervals *i, const struct session *ses, const struct filter *f,
		     __u64 from_ns, __u64 to_ns, __u64 length_ns, bool by_victim)
{
	*i = (struct intervals){.session = ses,
				.filter = f,
				.to_ns = to_ns,
				.length_ns = length_ns,
				.by_victim = by_victim};
	begin(i, from_ns);
	i->ledger.from_ns = i->now.from_ns;
}

void intervals__add_up(struct intervals *i)
{
	i->adds_up = i->now.adds_up = i->now.only_told = true;
}

void intervals__hurry(struct intervals *i, __u64 at_ns)
{
	if (at_ns > i->now.from_ns && at_ns < i->edge_ns)
		i->edge_ns = at_ns;
}

__u64 intervals__edge(const struct intervals *i)
{
	return i->edge_ns < i->to_ns ? i->edge_ns : ~0ULL;
}

static int finish(struct intervals *i, struct model *m, __u64 lost, struct tick *t)
{
	struct summary *s = &i->now;
	int err = s->err ?: summary__finish(s, m, lost - i->lost);

	if (err)
		return err;
	s->events -= i->events;
	s->odd -= i->odd;
	i->events += s->events;
	i->odd += s->odd;
	i->lost = lost;
	*t = (struct tick){.summary = s, .lost = lost, .n = ++i->n};
	return 0;
}

int intervals__cut(struct intervals *i, struct model *m, __u64 lost, struct tick *t)
{
	i->now.to_ns = i->edge_ns;
	model__peek(m, i->edge_ns, &i->to);
	return finish(i, m, lost, t);
}

int intervals__end(struct intervals *i, struct model *m, __u64 to_ns, __u64 lost, struct tick *t,
		   bool *any)
{
	int err;

	*any = to_ns > i->now.from_ns;
	if (!*any)
		return 0;
	i->now.to_ns = to_ns;
	err = finish(i, m, lost, t);
	if (!err)
		t->last = true;
	return err;
}

void intervals__next(struct intervals *i)
{
	summary__free(&i->now);
	begin(i, i->edge_ns);
}

void intervals__free(struct intervals *i)
{
	summary__free(&i->now);
	free(i->ledger.open);
	i->ledger = (struct summary_ledger){0};
}
