// SPDX-License-Identifier: BSD-2-Clause
/* A recording: packets -> order, and all that run.c shares; what is asked of it is checked first.
 */
#include <errno.h>
#include <string.h>
#include "ctf_reader.h"
#include "decode.h"
#include "err.h"
#include "flight.h"
#include "run_parts.h"

#define INTERVALS_MAX 1000000U

static int fill_replay(void *ctx, unsigned stream, const __u8 **data, size_t *bytes)
{
	struct ctf_chunk c;
	int got = ctf_reader__next(((struct run *)ctx)->reader, stream, &c);

	if (got > 0) {
		*data = c.data;
		*bytes = c.bytes;
	}
	return got;
}

typedef int (*tell_fn)(struct model *m, const struct ks_head *r);

/* All records of a stream, ahead of their time. */
static int read_ahead(struct run *r, unsigned stream, tell_fn tell)
{
	struct ctf_chunk c;
	size_t size;
	int got;

	while ((got = ctf_reader__next(r->reader, stream, &c)) > 0) {
		for (const __u8 *p = c.data, *end = p + c.bytes; p < end; p += size) {
			size = decode__check(p, end - p);
			if (!size)
				break;
			if (tell(r->model, (const struct ks_head *)p))
				return err__say(ENOMEM, "reading ahead");
		}
	}
	return got;
}

/* Who is who, before the first event: descriptors may be a little later than what refers to them.
 * Where threads are asked for, all is read twice: a vCPU's first records may be another thread's.
 */
static int read_identity(struct run *r)
{
	unsigned streams = ctf_reader__streams(r->reader);
	int got = read_ahead(r, r->session.cpus, model__describe);

	if (got >= 0 && r->filter.tids)
		got = ctf_reader__rewind(r->reader);
	for (unsigned i = 0; i < streams && got >= 0 && r->filter.tids; i++)
		got = read_ahead(r, i, model__foretell);
	return got < 0 ? got : ctf_reader__rewind(r->reader);
}

static int window_of(const struct run *r, __u64 *from, __u64 *to)
{
	const struct options *o = r->o;
	const struct session *s = &r->session;

	*from = 0;
	*to = s->end_ns ?: ~0ULL; /* a recorder that was killed may have stored what lies behind its
				     end */
	if (o->last_ns)
		*from = s->end_ns > o->last_ns ? s->end_ns - o->last_ns : 0;
	if (!o->has_window)
		return 0;
	if (units__resolve(&o->window, s->start_ns, s->end_ns, s->wall_start_ns, from, to))
		return err__say(0, "--time: the window is empty");
	if (*from >= s->end_ns || *to <= s->start_ns)
		return err__say(0, "--time: the window lies outside the recording");
	if (*to > s->end_ns)
		*to = s->end_ns;
	return 0;
}

/* So that it shows what a live report with these filters did. */
static void recall_filter(struct run *r)
{
	memcpy(r->made_text, r->session.filter, sizeof(r->made_text));
	if (filter__recall(&r->filter, &r->made_with, r->made_text))
		err__note("%s: not all is known of the filters that it was made with: %s",
			  r->o->input, r->session.filter);
}

/* A damaged recording may claim to be centuries long. */
static int check_intervals(const struct run *r, __u64 from, __u64 to)
{
	const struct session *s = &r->session;
	__u64 length;

	if (!r->sink || !r->sink->tick)
		return 0;
	from = from > s->start_ns ? from : s->start_ns;
	to = to < s->end_ns ? to : s->end_ns;
	length = to > from ? to - from : 0;
	if (length / r->sink->interval_ns <= INTERVALS_MAX)
		return 0;
	return err__say(0, "%s: more than %u intervals: a longer --interval, or --time, is needed",
			r->o->input, INTERVALS_MAX);
}

/* For the flight recorder alone nothing is added up. */
static int cut(struct run *r)
{
	int err;

	r->order = order__new(ctf_reader__streams(r->reader), fill_replay, r);
	err = r->order ? run__digest(r, ~0ULL) : err__say(ENOMEM, "starting");
	if (err || flight__end(r->o->flight, &r->session, NULL))
		return EXIT_ERROR;
	if (!ctf_reader__damaged(r->reader) && !order__refused(r->order) && !run__lost(r))
		return EXIT_FINE;
	err__note("%s: damaged, or records were lost: a trigger may have been missed", r->o->input);
	return EXIT_INCONCLUSIVE;
}

static int replay(struct run *r)
{
	__u64 from, to;
	int err = ctf_reader__open(&r->reader, r->o->input, &r->session);

	if (!err)
		recall_filter(r);
	if (!err)
		err = window_of(r, &from, &to);
	if (!err)
		err = check_intervals(r, from, to);
	if (!err)
		err = run__begin(r, ctf_reader__streams(r->reader), fill_replay, from, to);
	if (!err && !r->sink)
		return cut(r);
	if (!err)
		err = read_identity(r);
	if (!err)
		err = run__advance(r, ~0ULL);
	if (!err)
		err = run__finish(r, run__lost(r));
	if (err)
		return EXIT_ERROR;
	if (r->o->flight && flight__end(r->o->flight, &r->session, NULL))
		return EXIT_ERROR;
	return run__verdict(&r->summary, r->sink, &r->session);
}

int run__replay(struct run *r)
{
	int status = replay(r);

	ctf_reader__free(r->reader);
	return status;
}
