// SPDX-License-Identifier: BSD-2-Clause
/*
 * Live: rings -> (recording) and (order -> model -> summary, sink). Replay: packets -> the same
 * order, model, summary and sink: the two differ only in who fills the streams, so they cannot
 * differ in what they show.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "child.h"
#include "clock.h"
#include "ctf_reader.h"
#include "ctf_writer.h"
#include "decode.h"
#include "err.h"
#include "flight.h"
#include "keep.h"
#include "order.h"
#include "privilege.h"
#include "record.h"
#include "run_parts.h"

#define POLL_MS	      50
#define INTERVALS_MAX 1000000U /* of a recording */

/* Records of one stream that the order has not taken yet. Two buffers: what was handed to the order
 * must stay where it is while more arrives. */
struct stream {
	char *buf[2];
	size_t bytes[2], room[2];
	unsigned in; /* the one that is being filled */
};

struct run {
	const struct options *o;
	const struct sink *sink;
	struct session session;
	struct filter filter; /* the options', and of a recording what it was made with */
	struct filter made_with;
	char made_text[sizeof(((struct session *)0)->filter)];
	/* live */
	struct live *live;
	struct ctf_writer *writer;
	struct child child;
	struct stream *stream;
	bool stored;	/* the recording is full and closed; the trace goes on for the sink */
	bool timed_out; /* -d ended the trace, not CMD, a signal or the sink */
	int store_err;	/* of the recording: it ends, but the rings are drained and what is lost is
			   counted */
	/* replay */
	struct ctf_reader *reader;
	/* both */
	struct order *order;
	struct model *model;
	struct summary summary;
	struct model_listener to_summary;
	struct intervals intervals; /* if the sink has a tick */
	struct keep *keep;
	int sink_err;
};

/* ---- model and sinks ---------------------------------------------------------------------- */

static void on_absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		       const struct model_task *task)
{
	struct run *r = ctx;
	bool wanted = a->to > r->summary.from_ns && a->from < r->summary.to_ns;

	if (!r->sink->times_only && !r->sink->adds_up)
		r->to_summary.absence(r->to_summary.ctx, v, a, task);
	if (r->sink->tick)
		r->intervals.to.absence(r->intervals.to.ctx, v, a, task);
	if (r->filter.by_cpu && !filter__cpu(&r->filter, a->cpu_out))
		wanted = false;
	if (wanted && !r->sink_err && r->sink->absence)
		r->sink_err = r->sink->absence(r->sink->ctx, v, a, task);
}

static void on_span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		    const struct model_task *task)
{
	struct run *r = ctx;
	struct span cut;

	if (!r->sink->adds_up)
		r->to_summary.span(r->to_summary.ctx, v, s, a, task);
	if (r->sink->tick)
		r->intervals.to.span(r->intervals.to.ctx, v, s, a, task);
	if (r->sink->span && !r->sink_err && summary__clip(&r->summary, s, &cut))
		r->sink_err = r->sink->span(r->sink->ctx, v, &cut, a, task);
}

static __u64 lost_so_far(struct run *r)
{
	const __u64 *lost = r->live ? live__lost(r->live) : NULL;
	__u64 n = 0;

	for (__u32 i = 0; i <= r->session.cpus; i++)
		n += lost ? lost[i] : ctf_reader__discarded(r->reader, i);
	return n;
}

/* In the window, and on a CPU that -C wants? */
static bool asked_for(const struct run *r, const struct ks_head *h)
{
	const void *p = h;

	if (h->ts < r->summary.from_ns || h->ts > r->summary.to_ns)
		return false;
	if (!r->filter.by_cpu || h->type >= KS_VCPU)
		return true;
	return filter__cpu(&r->filter, h->type == KS_OUT     ? ((const struct ks_out *)p)->cpu
				       : h->type == KS_IN    ? ((const struct ks_in *)p)->cpu
				       : h->type == KS_LOADS ? ((const struct ks_loads *)p)->cpu
							     : ((const struct ks_load *)p)->cpu);
}

static void on_event(void *ctx, struct model_vcpu *v, const struct ks_head *h, const struct step *s)
{
	struct run *r = ctx;

	if (!r->sink->times_only && !r->sink->adds_up)
		r->to_summary.event(r->to_summary.ctx, v, h, s);
	if (r->sink->tick)
		r->intervals.to.event(r->intervals.to.ctx, v, h, s);
	if (r->sink->event && !r->sink_err)
		r->sink_err = r->sink->event(r->sink->ctx, v, h, asked_for(r, h));
}

static int begin_model(struct run *r, unsigned streams, order_fill_fn fill, __u64 from, __u64 to)
{
	struct model_listener l;

	r->session.filtered = filter__any(&r->filter) || *r->session.filter;
	if (r->o->flight) {
		int err = flight__begin(r->o->flight, &r->session, &r->filter);

		if (err)
			return err;
	}
	if (!r->sink)
		return 0;
	summary__init(&r->summary, &r->session, &r->filter, from, to, &r->to_summary);
	l = r->to_summary;
	if (r->sink->tick)
		intervals__init(&r->intervals, &r->session, &r->filter, from, to,
				r->sink->interval_ns, r->sink->by_victim);
	if (r->sink->adds_up) {
		intervals__add_up(&r->intervals);
		r->summary.only_told = true; /* nothing is */
	}
	if (r->sink->absence || r->sink->span || r->sink->event || r->sink->tick)
		l = (struct model_listener){
			.event = on_event, .span = on_span, .absence = on_absence, .ctx = r};
	if (r->o->keep) {
		int err = keep__new(&r->keep, r->o->keep, r->o->force);

		if (err)
			return err;
	}
	r->model = model__new(&r->session, &r->filter, &l);
	r->order = order__new(streams, fill, r);
	if (!r->model || !r->order)
		return err__say(ENOMEM, "starting");
	if (r->sink->window) {
		int err = r->sink->window(r->sink->ctx, r->summary.from_ns, r->summary.to_ns);

		if (err)
			return err;
	}
	return r->sink->begin ? r->sink->begin(r->sink->ctx, &r->session, r->model) : 0;
}

static int keep_record(struct run *r, const struct ks_head *h)
{
	int err = keep__record(r->keep, h);

	if (r->sink->status == EXIT_VIOLATED)
		keep__moment(r->keep, h->ts);
	return err;
}

/* A recording's next record, for the flight recorder: its time is now. */
static int fly(struct run *r, const struct ks_head *h)
{
	struct flight *f = r->o->flight;

	if (flight__done(f))
		return 0;
	return flight__poll(f, h->ts, h->ts, NULL, r->session.wall_start_ns)
		       ?: flight__batch(f, record__stream(h, r->session.cpus), h,
					record__size(h->type));
}

/* Takes in what is known for sure to be in order: records before `until`. */
static int digest(struct run *r, __u64 until)
{
	const struct ks_head *h;
	int err = 0;

	while (!err && (h = order__next(r->order, until, &err))) {
		if (r->model)
			err = model__record(r->model, h) ?: r->sink_err ?: r->summary.err;
		if (!err && r->reader && r->o->flight)
			err = fly(r, h);
		if (!err && r->keep)
			err = keep_record(r, h);
	}
	return err;
}

static bool stopped(const struct run *r)
{
	return r->sink && r->sink->stop && *r->sink->stop;
}

static int tick(struct run *r, struct tick *t)
{
	t->untracked = r->live ? live__untracked(r->live) : r->session.untracked;
	r->sink_err = r->sink->tick(r->sink->ctx, t);
	return r->sink_err;
}

/* digest(), with the ends of intervals before `until` told when they are reached. */
static int advance(struct run *r, __u64 until)
{
	__u64 edge, end = r->reader ? r->session.end_ns : until;
	struct tick t;
	int err = 0;

	if (!r->sink->tick)
		return digest(r, until);
	if (!r->reader && r->sink->hurry && *r->sink->hurry)
		intervals__hurry(&r->intervals, until - 1);
	while (!err && !stopped(r) && (edge = intervals__edge(&r->intervals)) < end) {
		err = digest(r, edge + 1)
			      ?: intervals__cut(&r->intervals, r->model, lost_so_far(r), &t);
		if (!err)
			err = tick(r, &t);
		if (!err)
			intervals__next(&r->intervals);
		if (!err && r->sink->adds_up)
			model__forget_dead(r->model); /* they have been added up */
	}
	return err || stopped(r) ? err : digest(r, until);
}

static int last_tick(struct run *r, __u64 lost)
{
	struct tick t;
	bool any;
	int err;

	if (!r->sink->tick || stopped(r))
		return 0;
	err = intervals__end(&r->intervals, r->model, r->summary.to_ns, lost, &t, &any);
	if (err)
		return err__say(err, "adding up");
	return any ? tick(r, &t) : 0;
}

static int finish_model(struct run *r, __u64 lost)
{
	int err;

	if (r->summary.to_ns == ~0ULL)
		r->summary.to_ns = r->session.end_ns;
	model__end(r->model, r->session.end_ns);
	err = summary__finish(&r->summary, r->model, lost);
	if (err)
		return err__say(err, "adding up");
	r->summary.damaged = order__refused(r->order);
	if (r->reader) {
		r->summary.damaged |= ctf_reader__damaged(r->reader) > 0;
		r->summary.unfinished = !ctf_reader__clean(r->reader);
	}
	err = last_tick(r, lost);
	if (!err && r->sink->end)
		err = r->sink->end(r->sink->ctx, &r->summary);
	r->sink_err = r->sink_err ?: err;
	if (err || !r->keep)
		return err;
	if (r->sink->status != EXIT_VIOLATED) {
		keep__nothing(r->keep);
		return 0;
	}
	return keep__write(r->keep, &r->session, lost);
}

/* 0 or EXIT_INCONCLUSIVE. */
static int tell_untracked(const struct session *s, bool shown)
{
	__u64 n = s->untracked;

	if (!n)
		return EXIT_FINE;
	err__note("%llu vCPU%s did not fit into the table (--max-vcpus) and %s not %s",
		  (unsigned long long)n, n == 1 ? "" : "s", n == 1 ? "is" : "are",
		  shown ? "shown" : "recorded");
	return EXIT_INCONCLUSIVE;
}

static const char *nothing_seen(const struct filter *f)
{
	return filter__any(f) ? "no vCPU matches the filter" : "no vCPU was seen";
}

int run__verdict(const struct summary *s, const struct sink *sink, const struct session *ses)
{
	int status = tell_untracked(ses, true);

	if (s->lost) {
		err__note(
			"%llu records were lost (of %llu): what depends on them is shown as unknown; "
			"a larger --buffer or --light helps",
			(unsigned long long)s->lost, (unsigned long long)(s->events + s->lost));
		status = EXIT_INCONCLUSIVE;
	}
	if (s->damaged || s->odd) {
		if (sink->status != EXIT_VIOLATED || s->damaged)
			err__note("the recording is damaged: what is shown is not the whole");
		status = EXIT_INCONCLUSIVE;
	}
	if (s->unfinished)
		err__note("the recorder was killed: the recording ends at its last stored record");
	if (!sink->adds_up && summary__nothing(s)) {
		err__note("%s", nothing_seen(s->filter));
		status = EXIT_INCONCLUSIVE;
	}
	if (sink->status == EXIT_VIOLATED)
		return EXIT_VIOLATED;
	return status ?: sink->status;
}

/* ---- live --------------------------------------------------------------------------------- */

static int keep(struct stream *s, const void *data, size_t bytes)
{
	unsigned i = s->in;
	size_t room = s->room[i] ?: 65536;
	char *buf;

	while (room < s->bytes[i] + bytes)
		room *= 2;
	if (room != s->room[i]) {
		buf = realloc(s->buf[i], room);
		if (!buf)
			return err__say(ENOMEM, "keeping records");
		s->buf[i] = buf;
		s->room[i] = room;
	}
	memcpy(s->buf[i] + s->bytes[i], data, bytes);
	s->bytes[i] += bytes;
	return 0;
}

static int describe(struct run *r, const struct batch *b)
{
	const char *p = b->records, *end = p + b->bytes;
	int err = 0;

	for (; !err && p < end; p += record__size(((const struct ks_head *)p)->type))
		err = model__describe(r->model, (const struct ks_head *)p);
	return err;
}

static int on_batch(void *ctx, const struct batch *b)
{
	struct run *r = ctx;
	int err = 0;

	if (r->writer && !r->stored) {
		err = ctf_writer__append(r->writer, b->stream, b->records, b->bytes, b->count,
					 b->first_ts, b->last_ts);
		r->store_err = r->store_err ?: err;
		err = 0;
	}
	if (r->o->flight)
		err = flight__batch(r->o->flight, b->stream, b->records, b->bytes);
	if (!err && r->model)
		err = keep(&r->stream[b->stream], b->records, b->bytes);
	if (!err && r->model && b->stream == r->session.cpus)
		err = describe(r, b);
	return err;
}

static int fill_live(void *ctx, unsigned stream, const __u8 **data, size_t *bytes)
{
	struct stream *s = &((struct run *)ctx)->stream[stream];

	if (!s->bytes[s->in])
		return 0;
	*data = (const __u8 *)s->buf[s->in];
	*bytes = s->bytes[s->in];
	s->in = !s->in;
	s->bytes[s->in] = 0; /* the order is done with this one */
	return 1;
}

static int commit(struct run *r, __u64 watermark)
{
	if (!r->writer || r->stored)
		return 0;
	return ctf_writer__commit(r->writer, live__lost(r->live), watermark);
}

/* The recording ends at the watermark, up to which it is whole, as that of a killed recorder does.
 */
static int close_full(struct run *r, __u64 watermark)
{
	struct session s = r->session;

	s.end_ns = watermark > s.start_ns ? watermark : s.start_ns;
	s.wall_end_ns = s.wall_start_ns;
	s.untracked = live__untracked(r->live);
	r->stored = true;
	err__note("--max-size reached: %s ends %.3f s after the start, the trace goes on",
		  r->o->output, (s.end_ns - s.start_ns) / 1e9);
	return ctf_writer__close(r->writer, &s);
}

/* Whoever only records is done when the recording is full. */
static int on_full(struct run *r, __u64 watermark, int *stop)
{
	if (!r->writer || r->stored || *stop || !ctf_writer__full(r->writer))
		return 0;
	if (r->sink)
		return close_full(r, watermark);
	err__note("--max-size reached: stopped");
	*stop = 1;
	return 0;
}

static int wait_ms(const struct run *r, __u64 deadline)
{
	__u64 now = now_ns(), ns = POLL_MS * 1000000ULL;

	if (now >= deadline)
		return 0;
	if (r->o->flight)
		ns = flight__patience(r->o->flight, now);
	if (!ns)
		return 0;
	return deadline - now < ns ? (int)((deadline - now) / 1000000) + 1
				   : (int)((ns + 999999) / 1000000);
}

/* SIGUSR1, what was too long by `now`, and what is to be written. */
static int poll_flight(struct run *r, __u64 now, __u64 watermark, int *stop)
{
	struct flight *f = r->o->flight;
	int err;

	if (!f)
		return 0;
	if (r->child.asked) {
		r->child.asked = 0;
		flight__ask(f, now);
	}
	flight__untracked(f, live__untracked(r->live));
	err = flight__poll(f, now, watermark, live__lost(r->live), live__wall_offset());
	if (!err && flight__done(f) && !*stop) {
		err__note("--max-dumps reached: stopped");
		*stop = 1;
	}
	return err;
}

/* Until the time is up, the command ended, a signal came or there is nothing more to do. */
static int trace(struct run *r)
{
	__u64 deadline = r->o->duration_ns ? r->session.start_ns + r->o->duration_ns : ~0ULL;
	__u64 watermark, now;
	int stop = 0, err = 0;

	while (!err && !stop && now_ns() < deadline) {
		if (live__wait(r->live, child__fd(&r->child), -1, wait_ms(r, deadline)))
			stop = child__poll(&r->child);
		now = now_ns();
		err = live__drain(r->live, on_batch, r, &watermark);
		if (!err)
			err = commit(r, watermark);
		if (!err && r->model)
			err = advance(r, watermark);
		if (!err && r->model && r->sink->input)
			err = r->sink_err = r->sink->input(r->sink->ctx);
		if (!err)
			err = poll_flight(r, now, watermark, &stop);
		stop |= r->store_err || stopped(r);
		if (!err)
			err = on_full(r, watermark, &stop);
	}
	r->timed_out = !stop;
	return err;
}

int run__drop_privileges(const struct options *o, const struct sink *sink)
{
	unsigned uses = o->output || o->keep || o->flight ? PRIVILEGE_FILES : 0;

	if (sink && sink->writes)
		uses |= PRIVILEGE_FILES;
	if (sink && sink->serves)
		uses |= PRIVILEGE_SOCKETS;
	return privilege__drop(uses);
}

static int begin_live(struct run *r)
{
	const struct options *o = r->o;
	struct ctf_writer_opts w = {.max_bytes = o->max_bytes, .force = o->force};
	int err = o->output ? ctf_writer__probe(o->output, &w) : 0; /* attaching takes a while */

	if (!err)
		err = child__start(&r->child, o->command);
	if (!err && o->flight)
		err = child__take_usr1(&r->child);
	if (!err)
		err = live__open(&r->live, &o->live, &r->session);
	if (!err)
		err = live__begin(r->live, &r->session);
	if (!err && o->output)
		err = ctf_writer__new(&r->writer, o->output, &r->session, &w);
	if (err)
		return err;
	r->stream = calloc(r->session.cpus + 1, sizeof(*r->stream));
	if (!r->stream)
		return err__say(ENOMEM, "starting");
	err = begin_model(r, r->session.cpus + 1, fill_live, 0, ~0ULL);
	if (!err)
		err = run__drop_privileges(o, r->sink);
	if (err)
		return err;
	err = child__go(&r->child);
	if (err) { /* nothing of interest was recorded, and the name is free for the next try */
		ctf_writer__discard(r->writer);
		r->writer = NULL;
	}
	return err;
}

/* Closes the window whatever happened before, so that what was drained is a sound recording. If the
 * window could not be closed, neither is the recording: it ends where it was last complete, as if
 * killed. */
static int end_live(struct run *r, int err)
{
	int closed = live__end(r->live, &r->session, on_batch, r), e;

	err = err ?: closed;
	if (r->writer && !r->stored && !closed) {
		e = commit(r, r->session.end_ns);
		err = err ?: e;
		e = ctf_writer__close(r->writer, &r->session);
		err = err ?: e;
	}
	if (!err && r->model)
		err = advance(r, r->session.end_ns) ?: digest(r, ~0ULL) ?: finish_model(r, lost_so_far(r));
	if (r->o->flight && !closed)
		r->store_err = flight__end(r->o->flight, &r->session, live__lost(r->live));
	return err;
}

static void tell_recording(struct run *r)
{
	__u64 lost = lost_so_far(r);

	if (r->stored)
		return; /* what was said then holds, and these figures are not its own */
	err__note("%llu records, %llu lost, %llu bytes, %.3f s: %s",
		  (unsigned long long)ctf_writer__records(r->writer), (unsigned long long)lost,
		  (unsigned long long)ctf_writer__bytes(r->writer),
		  (r->session.end_ns - r->session.start_ns) / 1e9, r->o->output);
}

/* Does this host have a CPU that -C wants? */
static bool any_cpu(const struct run *r)
{
	bool any = !r->filter.by_cpu;

	for (unsigned i = 0; i < r->session.cpus; i++)
		any |= filter__cpu(&r->filter, i);
	return any;
}

static int verdict_live(struct run *r)
{
	int status;

	if (r->writer)
		tell_recording(r);
	if (r->model)
		return run__verdict(&r->summary, r->sink, &r->session);
	status = tell_untracked(&r->session, false);
	if (r->o->flight && lost_so_far(r))
		err__note(
			"%llu records were lost: a trigger may have been missed; a larger --buffer "
			"or --light helps",
			(unsigned long long)lost_so_far(r));
	if (!live__vcpus(r->live) || !any_cpu(r)) {
		err__note("%s", nothing_seen(&r->filter));
		return EXIT_INCONCLUSIVE;
	}
	return lost_so_far(r) ? EXIT_INCONCLUSIVE : status;
}

static int run_live(struct run *r)
{
	int err = begin_live(r), status;

	if (!err)
		err = trace(r);
	if (r->live && r->session.start_ns)
		err = end_live(r, err);
	if (err)
		return EXIT_ERROR;
	status = verdict_live(r);
	if (r->store_err)
		status = EXIT_ERROR;
	status = child__status(&r->child, status);
	if (!status && r->timed_out && r->sink && r->sink->all_of_cmd && child__running(&r->child))
		status = EXIT_INCONCLUSIVE;
	return status;
}

/* ---- replay ------------------------------------------------------------------------------- */

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
	err = r->order ? digest(r, ~0ULL) : err__say(ENOMEM, "starting");
	if (err || flight__end(r->o->flight, &r->session, NULL))
		return EXIT_ERROR;
	if (!ctf_reader__damaged(r->reader) && !order__refused(r->order) && !lost_so_far(r))
		return EXIT_FINE;
	err__note("%s: damaged, or records were lost: a trigger may have been missed", r->o->input);
	return EXIT_INCONCLUSIVE;
}

static int run_replay(struct run *r)
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
		err = begin_model(r, ctf_reader__streams(r->reader), fill_replay, from, to);
	if (!err && !r->sink)
		return cut(r);
	if (!err)
		err = read_identity(r);
	if (!err)
		err = advance(r, ~0ULL);
	if (!err)
		err = finish_model(r, lost_so_far(r));
	if (err)
		return EXIT_ERROR;
	if (r->o->flight && flight__end(r->o->flight, &r->session, NULL))
		return EXIT_ERROR;
	return run__verdict(&r->summary, r->sink, &r->session);
}

int run__flush(int status, int err)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	err__say(err ?: errno ?: EIO, "writing to standard output");
	return EXIT_ERROR;
}

/* What needs nothing but sums takes them from the kernel, unless records are asked for by --ring or
 * by what only they have. */
static bool sums_do(const struct options *o, const struct sink *sink)
{
	return sink && sink->sums_do && !o->input && !o->output && !o->keep && !o->ring &&
	       !o->live.loads && !o->filter.by_cpu && o->live.mode == MODE_DEFAULT;
}

int run(const struct options *o, const struct sink *sink)
{
	struct run r = {.o = o, .sink = sink, .filter = o->filter};
	int status = EXIT_ERROR;

	if (sums_do(o, sink))
		return run__aggregates(o, sink);
	if (!o->keep || !keep__probe(o->keep, o->force, o->input, o->output))
		status = o->input ? run_replay(&r) : run_live(&r);
	if (r.stream)
		for (__u32 i = 0; i <= r.session.cpus; i++)
			free(r.stream[i].buf[0]), free(r.stream[i].buf[1]);
	free(r.stream);
	ctf_writer__free(r.writer);
	live__free(r.live);
	child__free(&r.child);
	order__free(r.order);
	keep__free(r.keep);
	summary__free(&r.summary);
	intervals__free(&r.intervals);
	model__free(r.model);
	ctf_reader__free(r.reader);
	return run__flush(status, r.sink_err);
}
