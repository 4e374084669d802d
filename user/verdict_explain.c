// SPDX-License-Identifier: BSD-2-Clause
/* A violation in words: whose, what came, in which state, what was wanted, and what was before. */
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

static void put_points(const struct out *o, const struct ks_head *h, const __u8 flags[KS_PT_CNT],
		       const char *const names[KS_PT_CNT])
{
	char text[5];

	for (unsigned i = 0; i < KS_PT_CNT; i++)
		if (h->mask & KS_M_POINT(i))
			fprintf(o->f, "  %s %s", names[i],
				verdict__flags(o->v->summary->session, flags[i], text));
}

static void put_task(const struct out *o, const struct ks_out *r)
{
	fprintf(o->f, "  %s, %s", report_reason_names[r->reason],
		!(r->task & KS_T_ON_RQ)	       ? "not on_rq"
		: r->task & KS_T_SCHED_DELAYED ? "on_rq but sched_delayed"
					       : "on_rq");
}

static void put_head(const struct out *o, __u64 ts, __u16 cpu, const char *name)
{
	const struct session *s = o->v->summary->session;
	char time[UNITS_LEN];

	units__seconds(time, ts > s->start_ns ? ts - s->start_ns : 0, 9);
	fprintf(o->f, "%s  %15s  CPU %-3u %-9s", o->prefix, time, cpu, name);
}

static void put_record(const struct out *o, const union check_record *r)
{
	static const char *const out_names[] = {"entry", "put", "put_end", "end"};
	static const char *const in_names[] = {"entry", "reload", "reload_end", "end"};
	char text[5];

	switch (r->h.type) {
	case KS_OUT:
		put_head(o, r->h.ts, r->out.cpu, "sched_out");
		put_points(o, &r->h, r->out.flags, out_names);
		put_task(o, &r->out);
		break;
	case KS_IN:
		put_head(o, r->h.ts, r->in.cpu, "sched_in");
		put_points(o, &r->h, r->in.flags, in_names);
		break;
	case KS_LOADS:
		put_head(o, r->h.ts, r->loads.cpu, "loads");
		verdict__flags(o->v->summary->session, r->loads.load_flags | r->loads.put_flags,
			       text);
		fprintf(o->f, "  %u loads, %u puts, flags at any of them %.2s", r->loads.loads,
			r->loads.puts, text);
		break;
	case KS_LOAD:
	case KS_PUT:
		put_head(o, r->h.ts, r->load.cpu, r->h.type == KS_LOAD ? "load" : "put");
		fprintf(o->f, "  entry %s",
			verdict__flags(o->v->summary->session, r->load.flags[0], text));
		if (r->h.mask & KS_M_POINT(KS_PT_INNER_EXIT))
			fprintf(o->f, "  end %s",
				verdict__flags(o->v->summary->session, r->load.flags[1], text));
		break;
	default:
		fprintf(o->f, "%s  gone", o->prefix);
	}
	fputc('\n', o->f);
}

/* ---- rules -------------------------------------------------------------------------------- */

static void put_whose(const struct out *o, const struct model_vcpu *v)
{
	char name[NAME_SIZE], text[ESCAPE_SIZE(NAME_SIZE)];

	summary__vm_name(o->v->summary, v->vm, name, sizeof(name));
	escape__str(o->esc, name, text, sizeof(text));
	fprintf(o->f, "%s%s vCPU %d", o->prefix, text, v->vcpu_id);
}

static void put_event(const struct out *o, const struct check_violation *x)
{
	const struct session *s = o->v->summary->session;
	char text[512], time[UNITS_LEN];
	__u64 ts = x->event.ts;

	put_whose(o, x->v);
	units__seconds(time, ts > s->start_ns ? ts - s->start_ns : 0, 9);
	if (x->event.known & FIELD(F_TID))
		fprintf(o->f, " (thread %u)", x->event.tid);
	if (x->event.known & FIELD(F_CPU))
		fprintf(o->f, " on CPU %u", x->event.cpu);
	fprintf(o->f, ", %s s after the start\n", time);
	if (x->open)
		fprintf(o->f, "%sevent   none: the trace ends\n", o->prefix);
	else
		fprintf(o->f, "%sevent   %s: %s\n", o->prefix, event_kinds[x->event.id].name,
			event__describe(&x->event, text, sizeof(text)));
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

/* In a single state, the guard of this event; else all that the states allow. */
static void put_wanted(const struct out *o, const struct automaton *a,
		       const struct check_violation *x)
{
	unsigned state = __builtin_ctz(x->set);
	bool single = !(x->set & (x->set - 1));
	int at = x->open ? -1 : automaton__event(a, x->event.id);
	char time[UNITS_LEN];

	if (x->late) {
		const struct automaton_invariant *i = &a->invariant[state];

		fprintf(o->f, "%swanted  %s, but %s is %s\n", o->prefix, i->text,
			a->clock[i->clock], units__own(time, x->clock_ns[i->clock]));
		return;
	}
	if (single && at >= 0 && a->edge[state * a->events + at].to) {
		fprintf(o->f, "%swanted  %s\n", o->prefix, a->edge[state * a->events + at].text);
		for (unsigned i = 0; i < a->clocks; i++)
			if (x->clocks_known & 1U << i)
				fprintf(o->f, "%s        %s is %s\n", o->prefix, a->clock[i],
					units__own(time, x->clock_ns[i]));
		return;
	}
	put_allowed(o, a, x->set);
}

static void explain_rule(const struct out *o, const struct verdict_test *t)
{
	const struct check_violation *x = t->rule->first;
	const struct automaton *a = t->rule->a;
	char states[512];

	put_event(o, x);
	automaton__states(a, x->set, states, sizeof(states));
	fprintf(o->f, "%sstate   %s\n", o->prefix, states);
	put_wanted(o, a, x);
	fprintf(o->f, "%sits last records (" VERDICT_FLAGS "):\n", o->prefix);
	for (unsigned i = 0; i < x->pasts; i++)
		put_record(o, &x->past[i]);
	if (t->violations > 1)
		fprintf(o->f, "%sthis is the first of %llu violations in %llu decisions\n",
			o->prefix, (unsigned long long)t->violations,
			(unsigned long long)t->decided);
}

/* ---- assertions --------------------------------------------------------------------------- */

static void explain_assertion(const struct out *o, const struct verdict_test *t)
{
	const struct assertion *a = t->assertion;
	const struct assertion_result *r = t->result;
	char value[UNITS_LEN];

	if (r->v)
		put_whose(o, r->v);
	else
		fprintf(o->f, "%sall vCPUs", o->prefix);
	if (a->is_time)
		units__own(value, r->value);
	else
		units__count(value, r->value);
	fprintf(o->f, ": %s(%s) is %s\n", assertion__fn_name(a->fn), a->measure->name, value);
	if (a->by != SUMMARY_BY_ALL)
		fprintf(o->f, "%sit fails for %u of %u\n", o->prefix, r->failed, r->groups);
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
