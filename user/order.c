// SPDX-License-Identifier: BSD-2-Clause
/*
 * A heap of streams by their next record's time. Streams come in runs (one CPU's out and in), so
 * mostly the top stays the top and a step costs one comparison with each child.
 */
#include <errno.h>
#include <stdlib.h>
#include "decode.h"
#include "order.h"

struct cursor {
	const __u8 *p, *end;
	__u64 ts;
	size_t size; /* of the record at p */
};

struct order {
	order_fill_fn fill;
	void *ctx;
	unsigned streams;
	unsigned used;	/* in heap */
	unsigned *heap; /* streams that have a record, the earliest first */
	unsigned *dry;	/* and those that have not */
	unsigned dries;
	struct cursor *at;
	__u64 refused;
	int step; /* the top's record was handed out: move on first */
};

struct order *order__new(unsigned streams, order_fill_fn fill, void *ctx)
{
	struct order *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->fill = fill;
	o->ctx = ctx;
	o->streams = streams;
	o->heap = calloc(streams, sizeof(*o->heap));
	o->dry = calloc(streams, sizeof(*o->dry));
	o->at = calloc(streams, sizeof(*o->at));
	if (!o->heap || !o->dry || !o->at) {
		order__free(o);
		return NULL;
	}
	for (unsigned i = 0; i < streams; i++)
		o->dry[o->dries++] = i;
	return o;
}

static int before(const struct order *o, unsigned a, unsigned b)
{
	const struct cursor *x = &o->at[a], *y = &o->at[b];

	if (x->ts != y->ts)
		return x->ts < y->ts;
	if (a == o->streams - 1 || b == o->streams - 1)
		return a == o->streams - 1;
	return a < b;
}

static void sift_down(struct order *o)
{
	unsigned i = 0, top = o->heap[0];

	for (;;) {
		unsigned c = 2 * i + 1;

		if (c >= o->used)
			break;
		if (c + 1 < o->used && before(o, o->heap[c + 1], o->heap[c]))
			c++;
		if (!before(o, o->heap[c], top))
			break;
		o->heap[i] = o->heap[c];
		i = c;
	}
	o->heap[i] = top;
}

static void push(struct order *o, unsigned stream)
{
	unsigned i = o->used++;

	while (i && before(o, stream, o->heap[(i - 1) / 2])) {
		o->heap[i] = o->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	o->heap[i] = stream;
}

/* Looks at the record at the cursor, fetching more where the stretch is used up. 1, 0 or -errno. */
static int look(struct order *o, unsigned stream)
{
	struct cursor *c = &o->at[stream];

	for (;;) {
		if (c->p == c->end) {
			size_t bytes = 0;
			int got = o->fill(o->ctx, stream, &c->p, &bytes);

			c->end = c->p + (got > 0 ? bytes : 0);
			if (got <= 0) {
				c->p = c->end = NULL;
				return got;
			}
		}
		c->size = decode__check(c->p, c->end - c->p);
		if (c->size && ((const struct ks_head *)c->p)->ts >= c->ts) {
			c->ts = ((const struct ks_head *)c->p)->ts;
			return 1;
		}
		o->refused += c->end - c->p;
		c->p = c->end;
	}
}

/* Streams that had nothing may have something now. */
static int wake_dry(struct order *o)
{
	unsigned n = 0;

	for (unsigned i = 0; i < o->dries; i++) {
		int got = look(o, o->dry[i]);

		if (got < 0)
			return got;
		if (got)
			push(o, o->dry[i]);
		else
			o->dry[n++] = o->dry[i];
	}
	o->dries = n;
	return 0;
}

static int step(struct order *o)
{
	unsigned top = o->heap[0];
	int got;

	o->at[top].p += o->at[top].size;
	got = look(o, top);
	if (got < 0)
		return got;
	if (!got) {
		o->dry[o->dries++] = top;
		o->heap[0] = o->heap[--o->used];
	}
	if (o->used)
		sift_down(o);
	return 0;
}

const struct ks_head *order__next(struct order *o, __u64 until, int *err)
{
	*err = 0;
	if (o->step) {
		o->step = 0;
		*err = step(o);
	} else {
		*err = wake_dry(o); /* the first call, or the caller had drained us */
	}
	if (*err || !o->used || o->at[o->heap[0]].ts >= until)
		return NULL;
	o->step = 1;
	return (const struct ks_head *)o->at[o->heap[0]].p;
}

__u64 order__refused(const struct order *o)
{
	return o->refused;
}

void order__free(struct order *o)
{
	if (!o)
		return;
	free(o->heap);
	free(o->dry);
	free(o->at);
	free(o);
}
