// SPDX-License-Identifier: BSD-2-Clause
/*
 * Live: rings -> (recording) and (order -> model -> summary, sink). Replay: packets -> the same
 * order, model, summary and sink: the two differ only in who fills the streams, so they cannot
 * differ in what they show. Here is what they share; run_live.c and run_replay.c fill.
 */
#include <errno.h>
#include <stdio.h>
#include "ctf_reader.h"
#include "err.h"
#include "flight.h"
#include "privilege.h"
#include "record.h"
#include "run_parts.h"

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

__u64 run__lost(struct run *r)
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

int run__begin(struct run *r, unsigned streams, order_fill_fn fill, __u64 from, __u64 to)
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

int run__digest(struct run *r, __u64 until)
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

bool run__stopped(const struct run *r)
{
	return r->sink && r->sink->stop && *r->sink->stop;
}

static int tick(struct run *r, struct tick *t)
{
	t->untracked = r->live ? live__untracked(r->live) : r->session.untracked;
	r->sink_err = r->sink->tick(r->sink->ctx, t);
	return r->sink_err;
}

int run__advance(struct run *r, __u64 until)
{
	__u64 edge, end = r->reader ? r->session.end_ns : until;
	struct tick t;
	int err = 0;

	if (!r->sink->tick)
		return run__digest(r, until);
	if (!r->reader && r->sink->hurry && *r->sink->hurry)
		intervals__hurry(&r->intervals, until - 1);
	while (!err && !run__stopped(r) && (edge = intervals__edge(&r->intervals)) < end) {
		err = run__digest(r, edge + 1)
			      ?: intervals__cut(&r->intervals, r->model, run__lost(r), &t);
		if (!err)
			err = tick(r, &t);
		if (!err)
			intervals__next(&r->intervals);
		if (!err && r->sink->adds_up)
			model__forget_dead(r->model); /* they have been added up */
	}
	return err || run__stopped(r) ? err : run__digest(r, until);
}

static int last_tick(struct run *r, __u64 lost)
{
	struct tick t;
	bool any;
	int err;

	if (!r->sink->tick || run__stopped(r))
		return 0;
	err = intervals__end(&r->intervals, r->model, r->summary.to_ns, lost, &t, &any);
	if (err)
		return err__say(err, "adding up");
	return any ? tick(r, &t) : 0;
}

int run__finish(struct run *r, __u64 lost)
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

int run__tell_untracked(const struct session *s, bool shown)
{
	__u64 n = s->untracked;

	if (!n)
		return EXIT_FINE;
	err__note("%llu vCPU%s did not fit into the table (--max-vcpus) and %s not %s",
		  (unsigned long long)n, n == 1 ? "" : "s", n == 1 ? "is" : "are",
		  shown ? "shown" : "recorded");
	return EXIT_INCONCLUSIVE;
}

const char *run__nothing_seen(const struct filter *f)
{
	return filter__any(f) ? "no vCPU matches the filter" : "no vCPU was seen";
}

int run__verdict(const struct summary *s, const struct sink *sink, const struct session *ses)
{
	int status = run__tell_untracked(ses, true);

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
		err__note("%s", run__nothing_seen(s->filter));
		status = EXIT_INCONCLUSIVE;
	}
	if (sink->status == EXIT_VIOLATED)
		return EXIT_VIOLATED;
	return status ?: sink->status;
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
		status = o->input ? run__replay(&r) : run__live(&r);
	order__free(r.order);
	keep__free(r.keep);
	summary__free(&r.summary);
	intervals__free(&r.intervals);
	model__free(r.model);
	return run__flush(status, r.sink_err);
}
