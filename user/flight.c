// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each batch is copied once, into the hold, and looked through once for absences that are too long.
 * A dump is what the hold has from then on, read behind cursors: so what was before the trigger and
 * what comes after it are written in the same way, some at a time, and the rings are drained in
 * between.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "err.h"
#include "escape.h"
#include "flight.h"
#include "flight_dump.h"
#include "flight_loss.h"
#include "flight_name.h"
#include "record.h"
#include "term.h"
#include "units.h"

#define PACE_NS	    50000000ULL	 /* between polls at most, and ... */
#define PACE_MIN_NS 1000000ULL	 /* ... at least */
#define LATE_NS	    200000000ULL /* how much later than its time a trigger may be known */
#define SLICE_BYTES (4U << 20)	 /* written between two polls */
#define ROUND_NS    10000000ULL	 /* between rounds of what comes after the trigger */

struct trigger {
	__u64 ts;
	bool asked;
	char text[sizeof(((struct session *)0)->trigger)];
};

struct flight {
	const struct flight_opts *o;
	struct session s;
	const struct filter *filter;
	struct hold *hold;
	struct who who;
	struct watch watch;
	/* triggers */
	struct trigger next;
	bool has_next;
	__u64 last_ts; /* of the last dump's trigger, if there was one */
	bool had_any;
	__u64 passed_over; /* triggers in a dump, or in its cooldown */
	/* dumps */
	struct dump dump;
	bool writing, told; /* told: all before its trigger is stored */
	bool cut_short;	    /* it begins where it does for want of room */
	__u64 round_ns;	    /* the next round of it, and of forgetting */
	unsigned number;    /* the next one's */
	unsigned dumps;
	int broken; /* of the one that is being written: it ends when that is seen */
	int err;    /* of any */
	struct losses lost;
};

/* ---- beginning and end -------------------------------------------------------------------- */

int flight__new(struct flight **out, const struct flight_opts *o)
{
	const struct ctf_writer_opts w = {.force = o->force};
	struct flight *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return err__say(ENOMEM, "--flight");
	f->o = o;
	f->number = o->force ? 1 : dump__number(o->dir);
	err = dump__name(o->dir, f->number, f->dump.dir) ?: ctf_writer__probe(f->dump.dir, &w);
	if (err)
		free(f);
	else
		*out = f;
	return err;
}

static void leaving(void *ctx, unsigned stream)
{
	struct flight *f = ctx;

	if (f->writing && !f->broken)
		f->broken = dump__write_block(&f->dump, stream);
}

static void forgotten(void *ctx, const char *records, size_t bytes)
{
	who__forgotten(&((struct flight *)ctx)->who, records, bytes);
}

int flight__begin(struct flight *f, const struct session *s, const struct filter *filter)
{
	const struct hold_listener l = {leaving, forgotten, f};
	unsigned streams = s->cpus + 1;
	__u64 least;
	int err;

	f->s = *s;
	f->filter = filter;
	err = hold__new(&f->hold, streams, f->o->bytes, &l, &least);
	if (err == -EINVAL)
		return err__say(0, "--flight: %u CPUs need at least %lluK", s->cpus,
				(unsigned long long)(least + 1023) / 1024);
	if (err || who__init(&f->who) || losses__init(&f->lost, streams))
		return err__say(ENOMEM, "--flight");
	watch__init(&f->watch, f->o->on, f->o->ons);
	return 0;
}

void flight__free(struct flight *f)
{
	if (!f)
		return;
	if (f->dump.writer)
		ctf_writer__free(f->dump.writer);
	hold__free(f->hold);
	who__free(&f->who);
	watch__free(&f->watch);
	losses__free(&f->lost);
	free(f);
}

bool flight__done(const struct flight *f)
{
	return !f->writing && f->dumps >= f->o->max_dumps;
}

/* ---- what is said ------------------------------------------------------------------------- */

/* Names are in it. */
static void note(const char *text, const char *rest)
{
	char safe[ESCAPE_SIZE(sizeof(((struct session *)0)->trigger))];
	struct term t;

	term__look(&t, STDERR_FILENO, COLOR_NEVER);
	escape__str(t.escape, text, safe, sizeof(safe));
	err__note("%s%s", safe, rest);
}

static void tell_begun(struct flight *f)
{
	const struct session *s = &f->dump.s;
	__u64 before = s->trigger_ns - s->start_ns;
	char rest[DUMP_DIR_MAX + 200], clock[UNITS_LEN], length[UNITS_LEN], room[80] = "";

	if (f->cut_short && before < f->o->span_ns)
		snprintf(room, sizeof(room), " (no more fits into %s)", f->o->size);
	snprintf(rest, sizeof(rest), ", at %s: written to %s from %s before%s",
		 units__clock(clock, s->trigger_ns, s->wall_start_ns, 6), f->dump.dir,
		 units__own(length, before), room);
	note(s->trigger, rest);
	f->told = true;
}

static void tell_ended(const struct flight *f, __u64 records)
{
	const struct session *s = &f->dump.s;

	err__note("%s: %llu records, %llu lost, %.3f s", f->dump.dir, (unsigned long long)records,
		  (unsigned long long)losses__discarded(&f->lost), (s->end_ns - s->start_ns) / 1e9);
}

/* ---- dumps -------------------------------------------------------------------------------- */

/* It did not work out: of one that had not got as far as its trigger nothing is left; else it ends
 * where it is, as if killed. The next trigger tries again. */
static void give_up(struct flight *f, int err)
{
	f->err = err;
	f->writing = false;
	if (!f->told) {
		dump__discard(&f->dump);
		err__note("%s: not written: the trace goes on", f->dump.dir);
		return;
	}
	ctf_writer__free(f->dump.writer);
	f->dump.writer = NULL;
	who__close(&f->who);
	f->number++;
	f->dumps++;
	err__note("%s: ends here: the trace goes on", f->dump.dir);
}

/* What it shall be: from what is there to --after. */
static struct session plan(const struct flight *f, const struct trigger *t, __s64 wall_ns)
{
	struct session s = f->s;
	__u64 from = t->ts > f->o->span_ns ? t->ts - f->o->span_ns : 0;

	from = from > s.start_ns ? from : s.start_ns;
	from = from > f->hold->whole_from ? from : f->hold->whole_from;
	s.start_ns = from;
	s.end_ns = __builtin_add_overflow(t->ts, f->o->after_ns, &s.end_ns) ? ~0ULL >> 1 : s.end_ns;
	if (s.end_ns < from)
		s.end_ns = from;
	s.wall_start_ns = s.wall_end_ns = wall_ns;
	s.trigger_ns = t->ts > from ? t->ts : from;
	memcpy(s.trigger, t->text, sizeof(s.trigger));
	return s;
}

static void begin_dump(struct flight *f, const struct trigger *t, __s64 wall_ns)
{
	const struct ctf_writer_opts w = {.max_bytes = f->o->max_bytes, .force = f->o->force};
	struct session s = plan(f, t, wall_ns);

	f->last_ts = t->ts;
	f->had_any = true;
	f->told = false;
	f->cut_short = f->hold->pushed_out && s.start_ns == f->hold->pushed_out;
	f->broken = 0;
	hold__forget(f->hold, s.start_ns);
	losses__since(&f->lost, s.start_ns);
	if (dump__name(f->o->dir, f->number, f->dump.dir) ||
	    dump__begin(&f->dump, f->hold, &f->who, &s, &w)) {
		f->err = -EIO;
		note(t->text, ": no dump could be written: the trace goes on");
		return;
	}
	f->writing = true;
}

static void end_dump(struct flight *f)
{
	__u64 records;
	int err;

	f->writing = false;
	f->number++;
	f->dumps++;
	f->dump.s.untracked = f->s.untracked;
	records = ctf_writer__records(f->dump.writer);
	err = dump__end(&f->dump, f->lost.discarded);
	if (err)
		f->err = err;
	else
		tell_ended(f, records);
}

/* Writes some. When all that is there is written: is that all? */
static void write_dump(struct flight *f, __u64 now_ns, __u64 watermark_ns, size_t bytes)
{
	int more = f->broken ?: dump__write(&f->dump, bytes), err;
	__u64 whole_ns = watermark_ns, trigger_ns = f->dump.s.trigger_ns;

	if (more > 0)
		return;
	/* Up to the trigger, all is there that it was judged by: whoever looks now has to see it.
	 */
	if (whole_ns < trigger_ns)
		whole_ns = trigger_ns;
	err = more ?: dump__commit(&f->dump, f->lost.discarded, whole_ns);
	if (err) {
		give_up(f, err);
		return;
	}
	if (!f->told)
		tell_begun(f);
	if (now_ns < f->dump.s.end_ns && ctf_writer__full(f->dump.writer)) {
		err__note("--max-size reached: %s ends", f->dump.dir);
		f->dump.s.end_ns = now_ns;
	}
	/* where records were lost, a vCPU's last ones may be among them: its next one tells */
	if (watermark_ns > f->dump.s.end_ns + (losses__discarded(&f->lost) ? LATE_NS : 0))
		end_dump(f);
}

/* ---- triggers ----------------------------------------------------------------------------- */

/* Would a trigger at ts become a dump? Else it is counted. */
static bool free_for(struct flight *f, __u64 ts, bool asked)
{
	bool cooling = f->had_any && !asked && ts - f->last_ts < f->o->cooldown_ns;

	if (!f->writing && !f->has_next && !cooling && !flight__done(f))
		return true;
	f->passed_over++;
	return false;
}

static void on_hit(struct flight *f, const struct watch_hit *hit)
{
	struct flight_names n;

	if (!filter__any(f->filter) && !free_for(f, hit->at_ns, false))
		return;
	flight_names__find(&n, &f->who, f->hold, hit->vcpu, hit->absence.next_tid);
	if (!flight_names__wanted(&n, f->filter, hit))
		return;
	if (filter__any(f->filter) && !free_for(f, hit->at_ns, false))
		return;
	f->has_next = true;
	f->next = (struct trigger){.ts = hit->at_ns};
	flight_names__hit(&n, hit, f->next.text, sizeof(f->next.text));
}

void flight__violated(struct flight *f, const char *rule, __u32 vcpu, __u64 ts)
{
	char who[160];
	struct flight_names n;

	if (!free_for(f, ts, false))
		return;
	flight_names__find(&n, &f->who, f->hold, vcpu, 0);
	flight_names__vcpu(&n, 0, who, sizeof(who));
	f->has_next = true;
	f->next = (struct trigger){.ts = ts};
	snprintf(f->next.text, sizeof(f->next.text), "rule %s violated: %s", rule, who);
}

void flight__ask(struct flight *f, __u64 ts)
{
	if (!free_for(f, ts, true)) {
		err__note("SIGUSR1: %s is being written, with this moment", f->dump.dir);
		return;
	}
	f->has_next = true;
	f->next = (struct trigger){.ts = ts, .asked = true, .text = "asked for (SIGUSR1)"};
}

/* ---- rounds ------------------------------------------------------------------------------- */

int flight__batch(struct flight *f, unsigned stream, const void *records, size_t bytes)
{
	const char *p = records, *end = p + bytes;
	struct watch_hit hit;

	if (hold__put(f->hold, stream, records, bytes))
		return err__say(ENOMEM, "--flight");
	if (!f->watch.bounds)
		return 0;
	for (; p < end; p += record__size(((const struct ks_head *)p)->type))
		if (watch__record(&f->watch, (const struct ks_head *)p, &hit))
			on_hit(f, &hit);
	return f->watch.err ? err__say(f->watch.err, "--flight") : 0;
}

int flight__poll(struct flight *f, __u64 now_ns, __u64 watermark_ns, const __u64 *lost,
		 __s64 wall_ns)
{
	__u64 keep_ns = f->o->span_ns + LATE_NS;
	struct watch_hit hit;

	if (lost)
		losses__look(&f->lost, lost, now_ns, f->writing ? f->dump.s.end_ns : 0);
	while (watch__open(&f->watch, now_ns, &hit))
		on_hit(f, &hit);
	if (f->has_next) {
		f->has_next = false;
		begin_dump(f, &f->next, wall_ns);
	}
	if (f->writing && !f->told)
		write_dump(f, now_ns, watermark_ns, SLICE_BYTES);
	if (now_ns < f->round_ns && (!f->writing || watermark_ns <= f->dump.s.end_ns))
		return 0;
	f->round_ns = now_ns + ROUND_NS;
	if (f->writing && f->told)
		write_dump(f, now_ns, watermark_ns, SLICE_BYTES);
	if ((!f->writing || f->told) && now_ns > keep_ns)
		hold__age(f->hold, now_ns - keep_ns);
	return 0;
}

void flight__untracked(struct flight *f, __u64 count)
{
	f->s.untracked = count;
}

__u64 flight__patience(struct flight *f, __u64 now_ns)
{
	__u64 pace = PACE_NS, next = f->o->ons ? watch__next(&f->watch) : ~0ULL;

	if (f->writing && !f->told)
		return 0;
	if (f->o->ons && f->watch.shortest < pace)
		pace = f->watch.shortest;
	if (next != ~0ULL && next < now_ns + pace)
		pace = next > now_ns ? next - now_ns : 0;
	return pace > PACE_MIN_NS ? pace : PACE_MIN_NS;
}

int flight__end(struct flight *f, const struct session *s, const __u64 *lost)
{
	flight__poll(f, s->end_ns, s->end_ns, lost, s->wall_end_ns);
	if (f->writing) {
		if (s->end_ns < f->dump.s.end_ns)
			f->dump.s.end_ns = s->end_ns;
		write_dump(f, s->end_ns, ~0ULL, ~0UL);
	}
	if (!f->dumps && !f->err)
		err__note("nothing was a trigger: nothing was written");
	if (f->passed_over)
		err__note("%llu more trigger%s fell into a dump or its --cooldown",
			  (unsigned long long)f->passed_over, f->passed_over == 1 ? "" : "s");
	return f->err;
}
