// SPDX-License-Identifier: BSD-2-Clause
/* A violation in words: whose, what came, in which state, what was wanted, and what was before. */
#include <stdarg.h>
#include <string.h>
#include "report_json.h"
#include "units.h"
#include "verdict.h"

#define NAME_SIZE 160

struct out {
	const struct verdict *v;
	const char *prefix;
	enum escape_for esc;
	FILE *f;
};

const char *verdict__flags(const struct session *s, __u8 flags, char out[5])
{
	static const struct {
		__u8 flag;
		char letter;
		__u16 needs;
	} letters[] = {
		{KS_F_SCHEDULED_OUT, 'S', KS_M_SCHEDULED_OUT},
		{KS_F_PREEMPTED, 'P', 0},
		{KS_F_READY, 'R', 0},
		{KS_F_WANTS_TO_RUN, 'W', KS_M_WANTS_TO_RUN},
	};

	for (unsigned i = 0; i < 4; i++)
		out[i] = letters[i].needs & ~s->fields ? '.'
			 : flags & letters[i].flag     ? letters[i].letter
						       : '-';
	out[4] = '\0';
	return out;
}

/* ---- records ------------------------------------------------------------------------------ */

/* A record's line, and where in it the event that is looked for stands. */
struct line {
	const struct session *s;
	char text[320];
	unsigned len;
	enum event_id event;
	unsigned mark; /* 0: nowhere */
};

static void __attribute__((format(printf, 2, 3))) add(struct line *l, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(l->text + l->len, sizeof(l->text) - l->len, format, args);
	va_end(args);
	l->len += n;
	if (l->len >= sizeof(l->text))
		l->len = sizeof(l->text) - 1;
}

struct point {
	const char *name;
	enum event_id event;
};

static void add_points(struct line *l, const struct ks_head *h, const __u8 *flags,
		       const struct point *points, unsigned count)
{
	char text[5];

	for (unsigned i = 0; i < count; i++) {
		if (!(h->mask & KS_M_POINT(i)))
			continue;
		add(l, "  ");
		if (points[i].event == l->event)
			l->mark = l->len;
		add(l, "%s %s", points[i].name, verdict__flags(l->s, flags[i], text));
	}
}

static void add_task(struct line *l, const struct ks_out *r)
{
	add(l, "  %s, %s", report_reason_names[r->reason],
	    !(r->task & KS_T_ON_RQ)	   ? "not on_rq"
	    : r->task & KS_T_SCHED_DELAYED ? "on_rq but sched_delayed"
					   : "on_rq");
}

static void add_head(struct line *l, const struct ks_head *h, int cpu, const char *name)
{
	char time[UNITS_LEN];

	units__seconds(time, h->ts > l->s->start_ns ? h->ts - l->s->start_ns : 0, 9);
	add(l, "%15s  ", time);
	add(l, cpu < 0 ? "         " : "CPU %-3d  ", cpu);
	l->mark = l->event != EV_CNT ? l->len : 0;
	add(l, "%-9s", name);
}

static void add_loads(struct line *l, const struct ks_loads *r)
{
	char text[5];

	verdict__flags(l->s, r->load_flags | r->put_flags, text);
	add(l, "  %u loads, %u puts, flags at any of them %.2s", r->loads, r->puts, text);
}

static void add_record(struct line *l, const union check_record *r)
{
	static const struct point out[] = {{"entry", EV_SCHED_OUT},
					   {"put", EV_SCHED_PUT},
					   {"put_end", EV_SCHED_PUT_END},
					   {"end", EV_SCHED_OUT_END}};
	static const struct point in[] = {{"entry", EV_SCHED_IN},
					  {"reload", EV_RELOAD},
					  {"reload_end", EV_RELOAD_END},
					  {"end", EV_SCHED_IN_END}};
	struct ks_head h = r->h; /* of a load: its two points, as those of the others are */
	bool is_load = h.type == KS_LOAD;
	const struct point bare[] = {{"entry", is_load ? EV_LOAD : EV_PUT},
				     {"end", is_load ? EV_LOAD_END : EV_PUT_END}};

	switch (h.type) {
	case KS_OUT:
		add_head(l, &h, r->out.cpu, "sched_out");
		add_points(l, &h, r->out.flags, out, KS_PT_CNT);
		add_task(l, &r->out);
		break;
	case KS_IN:
		add_head(l, &h, r->in.cpu, "sched_in");
		add_points(l, &h, r->in.flags, in, KS_PT_CNT);
		break;
	case KS_LOADS:
		add_head(l, &h, r->loads.cpu, "loads");
		add_loads(l, &r->loads);
		break;
	case KS_LOAD:
	case KS_PUT:
		add_head(l, &h, r->load.cpu, is_load ? "load" : "put");
		h.mask =
			KS_M_POINT(0) | (h.mask & KS_M_POINT(KS_PT_INNER_EXIT) ? KS_M_POINT(1) : 0);
		add_points(l, &h, r->load.flags, bare, 2);
		break;
	default:
		add_head(l, &h, -1, "gone");
	}
}

/* event: what the record is blamed for, and when; NULL: it is not. */
static void put_record(const struct out *o, const union check_record *r, const struct event *event)
{
	struct line l = {.s = o->v->summary->session, .event = event ? event->id : EV_CNT};
	char time[UNITS_LEN];

	add_record(&l, r);
	fprintf(o->f, "%s%c %s\n", o->prefix, event ? '>' : ' ', l.text);
	if (!l.mark)
		return;
	units__seconds(time, event->ts > l.s->start_ns ? event->ts - l.s->start_ns : 0, 9);
	fprintf(o->f, "%s  %*s %s, at %s\n", o->prefix, (int)l.mark + 1, "^",
		event_kinds[event->id].name, time);
}

/* ---- rules -------------------------------------------------------------------------------- */

static void put_vm(const struct out *o, const struct model_vcpu *v)
{
	char name[NAME_SIZE], text[ESCAPE_SIZE(NAME_SIZE)];

	summary__vm_name(o->v->summary, v->vm, name, sizeof(name));
	escape__str(o->esc, name, text, sizeof(text));
	fprintf(o->f, "%s%s", o->prefix, text);
}

static void put_whose(const struct out *o, const struct model_vcpu *v)
{
	put_vm(o, v);
	fprintf(o->f, " vCPU %d", v->vcpu_id);
}

static void put_where(const struct out *o, const struct check_violation *x)
{
	const struct session *s = o->v->summary->session;
	char time[UNITS_LEN];
	__u64 ts = x->event.ts;

	put_whose(o, x->v);
	units__seconds(time, ts > s->start_ns ? ts - s->start_ns : 0, 9);
	if (x->event.known & FIELD(F_TID))
		fprintf(o->f, " (thread %u)", x->event.tid);
	if (x->event.known & FIELD(F_CPU))
		fprintf(o->f, " on CPU %u", x->event.cpu);
	fprintf(o->f, ", %s s after the start\n", time);
}

/* What came: the fields that the guard asks for, then the others. */
static void put_event(const struct out *o, const struct check_violation *x, __u64 asked)
{
	const char *name = event_kinds[x->event.id % EV_CNT].name;
	char text[512];

	if (x->open) {
		fprintf(o->f, "%sevent   none: the trace ends\n", o->prefix);
		return;
	}
	event__describe(&x->event, asked, text, sizeof(text));
	fprintf(o->f, "%sevent   %s%s%s\n", o->prefix, name, *text ? " with " : "", text);
	event__describe(&x->event, ~asked, text, sizeof(text));
	if (*text)
		fprintf(o->f, "%salso    %s\n", o->prefix, text);
}

static void put_allowed(const struct out *o, const struct automaton *a, __u32 set)
{
	const char *what = "wanted";
	char text[2048], *line = text, *end;

	automaton__allowed(a, set, text, sizeof(text));
	if (!*text)
		fprintf(o->f, "%swanted  no event at all\n", o->prefix);
	for (; (end = strchr(line, '\n')); line = end + 1, what = "or    ")
		fprintf(o->f, "%s%s  %.*s\n", o->prefix, what, (int)(end - line), line);
}

static void put_clocks(const struct out *o, const struct automaton *a,
		       const struct check_violation *x)
{
	char time[UNITS_LEN];

	for (unsigned i = 0; i < a->clocks; i++)
		if (x->clocks_known & 1U << i)
			fprintf(o->f, "%s        %s is %s\n", o->prefix, a->clock[i],
				units__own(time, x->clock_ns[i]));
}

/* The edge whose guard did not hold; NULL: that is not what was wrong. */
static const struct automaton_edge *refused(const struct automaton *a,
					    const struct check_violation *x)
{
	int at = x->open || x->late ? -1 : automaton__event(a, x->event.id);
	const struct automaton_edge *edge;

	if (at < 0 || x->set & (x->set - 1))
		return NULL;
	edge = &a->edge[__builtin_ctz(x->set) * a->events + at];
	return edge->to ? edge : NULL;
}

static void put_wanted(const struct out *o, const struct automaton *a,
		       const struct check_violation *x, const struct automaton_edge *edge)
{
	char time[UNITS_LEN];

	if (x->late) {
		const struct automaton_invariant *i = &a->invariant[__builtin_ctz(x->set)];

		fprintf(o->f, "%swanted  %s, but %s is %s\n", o->prefix, i->text,
			a->clock[i->clock], units__own(time, x->clock_ns[i->clock]));
	} else if (edge) {
		fprintf(o->f, "%swanted  %s\n", o->prefix, edge->text);
		put_clocks(o, a, x);
	} else {
		put_allowed(o, a, x->set);
	}
}

static void explain_rule(const struct out *o, const struct verdict_test *t)
{
	const struct check_violation *x = t->rule->first;
	const struct automaton *a = t->rule->a;
	const struct automaton_edge *edge = refused(a, x);
	char states[512];

	put_where(o, x);
	put_event(o, x, edge ? automaton__guard_fields(edge) : 0);
	automaton__states(a, x->set, states, sizeof(states));
	fprintf(o->f, "%sstate   %s\n", o->prefix, states);
	put_wanted(o, a, x, edge);
	fprintf(o->f, "%slast records (" VERDICT_FLAGS "):\n", o->prefix);
	for (unsigned i = 0; i < x->pasts; i++)
		put_record(o, &x->past[i], i + 1 == x->pasts && !x->open ? &x->event : NULL);
	if (t->violations > 1)
		fprintf(o->f, "%sthis is the first of %llu violations in %llu decisions\n",
			o->prefix, (unsigned long long)t->violations,
			(unsigned long long)t->decided);
}

/* ---- assertions --------------------------------------------------------------------------- */

static void put_breach(const struct out *o, const struct assertion_breach *b)
{
	const struct session *s = o->v->summary->session;
	const struct absence *a = &b->absence;
	char text[UNITS_LEN];

	put_whose(o, b->v);
	fprintf(o->f, " was the first to break it: %s for %s", report_reason_names[a->reason],
		units__own(text, a->to - a->from));
	if (a->has_run_delay)
		fprintf(o->f, ", run delay %s", units__own(text, a->run_delay_ns));
	units__seconds(text, a->from > s->start_ns ? a->from - s->start_ns : 0, 9);
	fprintf(o->f, ", from %s s after the start\n", text);
}

static void explain_assertion(const struct out *o, const struct verdict_test *t)
{
	const struct assertion *a = t->assertion;
	const struct assertion_result *r = t->result;
	char value[UNITS_LEN];

	if (!r->v)
		fprintf(o->f, "%sall vCPUs", o->prefix);
	else if (a->by == SUMMARY_BY_VM)
		put_vm(o, r->v);
	else
		put_whose(o, r->v);
	if (a->is_time)
		units__own(value, r->value);
	else
		units__count(value, r->value);
	fprintf(o->f, ": %s(%s) is %s\n", assertion__fn_name(a->fn), a->measure->name, value);
	if (a->by != SUMMARY_BY_ALL)
		fprintf(o->f, "%sit fails for %u of %u\n", o->prefix, r->failed, r->groups);
	if (t->breach)
		put_breach(o, t->breach);
}

void verdict__explain(const struct verdict *v, const struct verdict_test *t, const char *prefix,
		      enum escape_for esc, FILE *f)
{
	const struct out o = {.v = v, .prefix = prefix, .esc = esc, .f = f};

	if (t->rule)
		explain_rule(&o, t);
	else
		explain_assertion(&o, t);
}
