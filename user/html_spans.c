// SPDX-License-Identifier: BSD-2-Clause
/* See html_spans.h. What a vCPU runs is often cut by records that say nothing new; such pieces are
 * put together again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base64.h"
#include "html_spans.h"

#define CHUNK	 (24 << 10) /* bytes before they are written */
#define SPAN_MAX 96	    /* what one span takes at most */
#define NO_CPU	 0xffff

struct track {
	__u8 *data; /* NULL: nothing yet */
	size_t bytes, room;
	unsigned spans;
	bool begun;
	__u16 cpu;	 /* that the reader knows of */
	struct span run; /* held back: the next may go on with it */
	bool held;
};

struct html_spans {
	struct json *j;
	__u64 start_ns;
	struct track *track; /* by vCPU's id */
	__u32 tracks;
	char text[BASE64_SIZE(CHUNK + SPAN_MAX)];
};

struct html_spans *html_spans__new(struct json *j, __u64 start_ns)
{
	struct html_spans *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->j = j;
	h->start_ns = start_ns;
	return h;
}

static struct track *track_of(struct html_spans *h, __u32 id)
{
	if (id >= h->tracks) {
		__u32 n = id < 16 ? 32 : id * 2;
		struct track *t = realloc(h->track, n * sizeof(*t));

		if (!t)
			return NULL;
		memset(t + h->tracks, 0, (n - h->tracks) * sizeof(*t));
		for (__u32 i = h->tracks; i < n; i++)
			t[i].cpu = NO_CPU;
		h->track = t;
		h->tracks = n;
	}
	return &h->track[id];
}

/* ---- packing ------------------------------------------------------------------------------ */

static void put(struct track *t, __u64 n)
{
	for (; n > 0x7f; n >>= 7)
		t->data[t->bytes++] = n | 0x80;
	t->data[t->bytes++] = n;
}

static int make_room(struct track *t)
{
	size_t room = t->room ? t->room * 2 : 512;
	__u8 *data;

	if (t->bytes + SPAN_MAX <= t->room)
		return 0;
	if (room > CHUNK + SPAN_MAX)
		room = CHUNK + SPAN_MAX;
	data = realloc(t->data, room);
	if (!data)
		return -ENOMEM;
	t->data = data;
	t->room = room;
	return 0;
}

static void write_chunk(struct html_spans *h, struct track *t)
{
	size_t chars = base64__encode(t->data, t->bytes, h->text);

	json__object(h->j);
	json__key_u64(h->j, "vcpu", t - h->track);
	json__key_u64(h->j, "spans", t->spans);
	json__key(h->j, "data");
	json__mem(h->j, h->text, chars);
	json__end_object(h->j);
	json__line(h->j);
	t->bytes = 0;
	t->spans = 0;
}

static __u8 rare_of(const struct track *t, const struct span *s, const struct absence *a)
{
	return (a->whole ? 0 : HTML_RARE_PART) | (a->clamped ? HTML_RARE_CUT : 0) |
	       (a->from < s->from ? HTML_RARE_BEFORE : 0) | (a->to > s->to ? HTML_RARE_AFTER : 0) |
	       (a->cpu_out == VCPU_NO_CPU ? HTML_RARE_NO_OUT
		: a->cpu_out != t->cpu	  ? HTML_RARE_OUT
					  : 0);
}

static void put_how(struct track *t, const struct absence *a, unsigned task)
{
	bool all = a->has_run_delay && a->run_delay_ns == a->to - a->from;

	t->data[t->bytes++] = a->by | a->reason << 3 | (a->has_run_delay ? HTML_HOW_DELAY : 0) |
			      (all ? HTML_HOW_ALL : 0);
	if (a->by != KS_BY_NONE)
		put(t, task);
	if (a->has_run_delay && !all)
		put(t, a->run_delay_ns);
}

static void put_rare(struct track *t, __u8 rare, const struct span *s, const struct absence *a)
{
	t->data[t->bytes++] = rare;
	if (rare & HTML_RARE_BEFORE)
		put(t, s->from - a->from);
	if (rare & HTML_RARE_AFTER)
		put(t, a->to - s->to);
	if (rare & HTML_RARE_OUT)
		put(t, a->cpu_out);
}

/* a: NULL if s is none. */
static int put_span(struct html_spans *h, struct track *t, const struct span *s,
		    const struct absence *a, unsigned task)
{
	__u8 rare = a ? rare_of(t, s, a) : 0;
	__u16 cpu = !a ? s->cpu : a->open ? t->cpu : a->cpu_in;
	__u8 head = s->state | (s->user_ns ? HTML_SPAN_USER : 0) |
		    (cpu != t->cpu ? HTML_SPAN_CPU : 0) |
		    ((a ? a->open : s->open) ? HTML_SPAN_OPEN : 0) | (rare ? HTML_SPAN_RARE : 0);

	if (make_room(t))
		return -ENOMEM;
	t->data[t->bytes++] = head;
	if (!t->begun)
		put(t, s->from > h->start_ns ? s->from - h->start_ns : 0);
	put(t, s->to - s->from);
	if (head & HTML_SPAN_CPU)
		put(t, t->cpu = cpu);
	if (a)
		put_how(t, a, task);
	if (rare)
		put_rare(t, rare, s, a);
	if (s->user_ns)
		put(t, s->user_ns);
	t->begun = true;
	t->spans++;
	if (t->bytes >= CHUNK)
		write_chunk(h, t);
	return 0;
}

/* ---- spans -------------------------------------------------------------------------------- */

static int let_go(struct html_spans *h, struct track *t)
{
	if (!t->held)
		return 0;
	t->held = false;
	return put_span(h, t, &t->run, NULL, 0);
}

static bool goes_on(const struct track *t, const struct span *s)
{
	return t->held && t->run.state == s->state && t->run.to == s->from &&
	       (t->run.cpu == s->cpu || s->state > ST_ON_OR_USER);
}

static bool is_absence(const struct span *s)
{
	return s->state >= ST_PREEMPTED && s->state <= ST_SLEEPING;
}

/* The vCPU may also be destroyed in it: nobody said how it ended. */
static int add_absence(struct html_spans *h, struct track *t, const struct span *s,
		       const struct absence *a, unsigned task)
{
	struct absence whole = *a;

	if (whole.to < s->to) {
		whole.to = s->to;
		whole.open = true;
		whole.has_run_delay = false;
	}
	return put_span(h, t, s, &whole, task);
}

int html_spans__add(struct html_spans *h, const struct model_vcpu *v, const struct span *s,
		    const struct absence *a, unsigned task)
{
	struct track *t = track_of(h, v->id);
	int err;

	if (!t)
		return -ENOMEM;
	if (goes_on(t, s)) {
		t->run.to = s->to;
		t->run.user_ns += s->user_ns;
		t->run.open = s->open;
		return 0;
	}
	err = let_go(h, t);
	if (err || is_absence(s))
		return err ?: add_absence(h, t, s, a, task);
	t->run = *s;
	if (s->state > ST_ON_OR_USER)
		t->run.cpu = t->cpu; /* it is nowhere */
	t->held = true;
	return 0;
}

int html_spans__end(struct html_spans *h)
{
	int err = 0;

	for (__u32 i = 0; !err && i < h->tracks; i++) {
		err = let_go(h, &h->track[i]);
		if (h->track[i].spans)
			write_chunk(h, &h->track[i]);
	}
	return err;
}

void html_spans__free(struct html_spans *h)
{
	if (!h)
		return;
	for (__u32 i = 0; i < h->tracks; i++)
		free(h->track[i].data);
	free(h->track);
	free(h);
}
