// SPDX-License-Identifier: BSD-2-Clause
/* Live, from records: rings -> (recording) and (order, with all that run.c shares). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "ctf_writer.h"
#include "err.h"
#include "flight.h"
#include "record.h"
#include "run_parts.h"

#define POLL_MS 50

/* Records of one stream that the order has not taken yet. Two buffers: what was handed to the order
 * must stay where it is while more arrives. */
struct stream {
	char *buf[2];
	size_t bytes[2], room[2];
	unsigned in; /* the one that is being filled */
};

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
			err = run__advance(r, watermark);
		if (!err && r->model && r->sink->input)
			err = r->sink_err = r->sink->input(r->sink->ctx);
		if (!err)
			err = poll_flight(r, now, watermark, &stop);
		stop |= r->store_err || run__stopped(r);
		if (!err)
			err = on_full(r, watermark, &stop);
	}
	r->timed_out = !stop;
	return err;
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
	err = run__begin(r, r->session.cpus + 1, fill_live, 0, ~0ULL);
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
		err = run__advance(r, r->session.end_ns) ?: run__digest(r, ~0ULL) ?: run__finish(r, run__lost(r));
	if (r->o->flight && !closed)
		r->store_err = flight__end(r->o->flight, &r->session, live__lost(r->live));
	return err;
}

static void tell_recording(struct run *r)
{
	__u64 lost = run__lost(r);

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
	status = run__tell_untracked(&r->session, false);
	if (r->o->flight && run__lost(r))
		err__note(
			"%llu records were lost: a trigger may have been missed; a larger --buffer "
			"or --light helps",
			(unsigned long long)run__lost(r));
	if (!live__vcpus(r->live) || !any_cpu(r)) {
		err__note("%s", run__nothing_seen(&r->filter));
		return EXIT_INCONCLUSIVE;
	}
	return run__lost(r) ? EXIT_INCONCLUSIVE : status;
}

static int trace_all(struct run *r)
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

int run__live(struct run *r)
{
	int status = trace_all(r);

	for (__u32 i = 0; r->stream && i <= r->session.cpus; i++)
		free(r->stream[i].buf[0]), free(r->stream[i].buf[1]);
	free(r->stream);
	ctf_writer__free(r->writer);
	live__free(r->live);
	child__free(&r->child);
	return status;
}
