// SPDX-License-Identifier: BSD-2-Clause
/* See slices.h. */
#include <errno.h>
#include <stdlib.h>
#include "slices.h"

int slices__init(struct slices *s, const struct session *ses, __u64 from_ns, __u64 to_ns,
		 unsigned count)
{
	static const struct filter all;
	__u64 length = (to_ns - from_ns) / count;

	*s = (struct slices){.from_ns = from_ns, .to_ns = to_ns, .count = count};
	s->slice = calloc(count, sizeof(*s->slice));
	if (!s->slice) {
		s->count = 0;
		return -ENOMEM;
	}
	for (unsigned i = 0; i < count; i++)
		summary__init(&s->slice[i], ses, &all, from_ns + i * length,
			      i + 1 < count ? from_ns + (i + 1) * length : to_ns, &s->to);
	return 0;
}

static bool holds(const struct summary *slice, __u64 ts)
{
	return ts >= slice->from_ns && ts < slice->to_ns;
}

/* The slice that the moment lies in; for one outside the window the nearest. Mostly it is that of
 * the last moment. */
static unsigned at(struct slices *s, __u64 ts)
{
	__u64 length, i;

	if (holds(&s->slice[s->last], ts))
		return s->last;
	length = (s->to_ns - s->from_ns) / s->count;
	i = ts > s->from_ns && length ? (ts - s->from_ns) / length : 0;
	return s->last = i < s->count ? i : s->count - 1;
}

/* Each is in one slice, also one with the time of an edge. */
int slices__event(struct slices *s, struct model_vcpu *v, const struct ks_head *r)
{
	struct summary *slice = &s->slice[at(s, r->ts)];

	if (r->ts < s->from_ns || r->ts > s->to_ns)
		return 0;
	s->to.event(slice, v, r, NULL);
	return slice->err;
}

int slices__span(struct slices *s, struct model_vcpu *v, const struct span *sp,
		 const struct absence *a, const struct model_task *task)
{
	int err = 0;

	for (unsigned i = at(s, sp->from); !err && i < s->count && s->slice[i].from_ns < sp->to;
	     i++) {
		s->to.span(&s->slice[i], v, sp, a, task);
		err = s->slice[i].err;
	}
	return err;
}

int slices__absence(struct slices *s, struct model_vcpu *v, const struct absence *a,
		    const struct model_task *task)
{
	int err = 0;

	for (unsigned i = at(s, a->from); !err && i < s->count && s->slice[i].from_ns < a->to;
	     i++) {
		s->to.absence(&s->slice[i], v, a, task);
		err = s->slice[i].err;
	}
	return err;
}

int slices__finish(struct slices *s, const struct model *m)
{
	int err = 0;

	for (unsigned i = 0; !err && i < s->count; i++)
		err = summary__finish(&s->slice[i], m, 0);
	return err;
}

void slices__free(struct slices *s)
{
	for (unsigned i = 0; i < s->count; i++)
		summary__free(&s->slice[i]);
	free(s->slice);
	*s = (struct slices){.count = 0};
}
