// SPDX-License-Identifier: BSD-2-Clause
/* Is a graph an automaton? Without a look at what its events and fields mean. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "automaton_build.h"
#include "err.h"
#include "label.h"

int automaton__bad_edge(const struct dot *d, const struct dot_edge *e, const char *label,
			const char *why)
{
	return err__say(0, "%s: edge \"%s\" -> \"%s\", label \"%s\": %s", d->file,
			d->state[e->from].name, d->state[e->to].name, label, why);
}

int automaton__bad_state(const struct dot *d, unsigned state, const char *label, const char *why)
{
	return err__say(0, "%s: state \"%s\"%s%s%s: %s", d->file, d->state[state].name,
			label ? ", label \"" : "", label ?: "", label ? "\"" : "", why);
}

/* Which edge each state has for each event. */
struct seen {
	char event[AUTOMATON_EVENTS][LABEL_NAME];
	unsigned events;
	const struct dot_edge *edge[AUTOMATON_STATES][AUTOMATON_EVENTS];
};

/* The edge that has the event in e's state, to be set if there is none; NULL: too many events. */
static const struct dot_edge **seen_edge(struct seen *s, const struct dot_edge *e,
					 const char *event)
{
	unsigned i = 0;

	while (i < s->events && strcmp(s->event[i], event))
		i++;
	if (i == AUTOMATON_EVENTS)
		return NULL;
	if (i == s->events)
		strcpy(s->event[s->events++], event);
	return &s->edge[e->from][i];
}

static int verify_single(const struct dot *d, const struct dot_edge *e, const struct label *l,
			 struct seen *s)
{
	const struct dot_edge **first = seen_edge(s, e, l->event);
	char why[3 * LABEL_NAME + 128];

	if (!first)
		return err__say(0, "%s: more than %d events", d->file, AUTOMATON_EVENTS);
	if (!*first) {
		*first = e;
		return 0;
	}
	if ((*first)->to == e->to)
		snprintf(why, sizeof(why), "%s stands there twice", l->event);
	else
		snprintf(why, sizeof(why),
			 "%s leads from \"%.63s\" to two states, also to \"%.63s\": guards "
			 "constrain, they do not choose",
			 l->event, d->state[e->from].name, d->state[(*first)->to].name);
	return automaton__bad_edge(d, e, l->text, why);
}

static int verify_edge(const struct dot *d, const struct dot_edge *e, struct seen *s)
{
	const char *at = e->label;
	struct label l;
	int got, err;

	if (!*at)
		return automaton__bad_edge(d, e, "",
					   "no event; kvmsched-models(5) says what stands there");
	while ((got = label__next(&at, &l)) > 0) {
		err = verify_single(d, e, &l, s);
		if (err)
			return err;
	}
	return got ? automaton__bad_edge(d, e, l.text, l.why) : 0;
}

static int verify_edges(const struct dot *d)
{
	struct seen *s = calloc(1, sizeof(*s));
	int err = s ? 0 : err__say(ENOMEM, "%s", d->file);

	for (unsigned i = 0; !err && i < d->edges; i++)
		err = verify_edge(d, &d->edge[i], s);
	free(s);
	return err;
}

static int verify_state(const struct dot *d, unsigned i)
{
	const struct dot_state *s = &d->state[i];
	struct label l;

	if (strlen(s->name) >= LABEL_NAME)
		return automaton__bad_state(d, i, NULL, "its name is too long");
	if (dot__unlabelled(s))
		return 0;
	if (label__state(s->label, &l))
		return automaton__bad_state(d, i, s->label, l.why);
	if (strcmp(l.event, s->name))
		return automaton__bad_state(d, i, s->label,
					    "the label has to begin with the state's name");
	return 0;
}

static int verify_reachable(const struct dot *d)
{
	__u32 reached = 1U << d->initial, before = 0;

	while (reached != before) {
		before = reached;
		for (unsigned i = 0; i < d->edges; i++)
			if (reached & 1U << d->edge[i].from)
				reached |= 1U << d->edge[i].to;
	}
	for (unsigned i = 0; i < d->states; i++)
		if (!(reached & 1U << i))
			return automaton__bad_state(d, i, NULL,
						    "cannot be reached from the initial state");
	return 0;
}

int automaton__verify(const struct dot *d)
{
	int err = 0;

	if (d->states > AUTOMATON_STATES)
		return err__say(0, "%s: more than %d states", d->file, AUTOMATON_STATES);
	if (!d->edges)
		return err__say(0, "%s: no event is allowed anywhere", d->file);
	for (unsigned i = 0; !err && i < d->states; i++)
		err = verify_state(d, i);
	return err ?: verify_edges(d) ?: verify_reachable(d);
}
