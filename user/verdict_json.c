// SPDX-License-Identifier: BSD-2-Clause
/* The verdict for machines, docs/schema/check.json. */
#include <string.h>
#include "report_json.h"
#include "verdict.h"

static void put_fields(struct json *j, const struct event *e)
{
	json__key_object(j, "fields");
	for (enum field f = 0; f < F_CNT; f++) {
		char key[32];

		if (!(e->known & FIELD(f)))
			continue;
		snprintf(key, sizeof(key), "%s%s", field_kinds[f].name,
			 field_kinds[f].unit == 't' ? "_ns" : "");
		json__key_u64(j, key, event__field(e, f));
	}
	json__end_object(j);
}

static void put_point(struct json *j, const struct session *s, const char *name, __u8 flags)
{
	json__object(j);
	json__key_str(j, "point", name);
	for (enum field f = F_SCHEDULED_OUT; f <= F_WANTS_TO_RUN; f++)
		if (!field__why_absent(f, s))
			json__key_u64(j, field_kinds[f].name, flags >> f & 1);
	json__end_object(j);
}

static void put_points(struct json *j, const struct session *s, const struct ks_head *h,
		       const __u8 *flags, const char *const *names, unsigned first, unsigned count)
{
	json__key_array(j, "points");
	for (unsigned i = 0; i < count; i++)
		if (h->mask & KS_M_POINT(first + i))
			put_point(j, s, names[i], flags[i]);
	json__end_array(j);
}

static void put_out(struct json *j, const struct session *s, const struct ks_out *r)
{
	static const char *const names[] = {"sched_out", "sched_put", "sched_put_end",
					    "sched_out_end"};

	json__key_u64(j, "cpu", r->cpu);
	json__key_str(j, "reason", report_reason_names[r->reason]);
	json__key_bool(j, "on_rq", r->task & KS_T_ON_RQ);
	if (s->fields & KS_M_SCHED_DELAYED)
		json__key_bool(j, "sched_delayed", r->task & KS_T_SCHED_DELAYED);
	put_points(j, s, &r->h, r->flags, names, 0, KS_PT_CNT);
}

static void put_record(struct json *j, const struct session *s, const union check_record *r)
{
	static const char *const types[] = {
		[KS_OUT] = "sched_out", [KS_IN] = "sched_in", [KS_LOADS] = "loads",
		[KS_LOAD] = "load",	[KS_PUT] = "put",     [KS_GONE] = "gone"};
	static const char *const in[] = {"sched_in", "reload", "reload_end", "sched_in_end"};
	static const char *const load[] = {"load", "load_end"}, *const put[] = {"put", "put_end"};

	json__object(j);
	json__key_str(j, "record", types[r->h.type]);
	json__key_u64(j, "time_ns", r->h.ts);
	if (r->h.type == KS_OUT) {
		put_out(j, s, &r->out);
	} else if (r->h.type == KS_IN) {
		json__key_u64(j, "cpu", r->in.cpu);
		put_points(j, s, &r->h, r->in.flags, in, 0, KS_PT_CNT);
	} else if (r->h.type == KS_LOADS) {
		json__key_u64(j, "cpu", r->loads.cpu);
		json__key_u64(j, "loads", r->loads.loads);
		json__key_u64(j, "puts", r->loads.puts);
	} else if (r->h.type != KS_GONE) {
		json__key_u64(j, "cpu", r->load.cpu);
		put_points(j, s, &r->h, r->load.flags, r->h.type == KS_LOAD ? load : put,
			   KS_PT_INNER_ENTRY, 2);
	}
	json__end_object(j);
}

/* What automaton__allowed() says, line by line. */
static void put_allowed(struct json *j, const struct automaton *a, __u32 set)
{
	char text[2048], *line = text, *end;

	automaton__allowed(a, set, text, sizeof(text));
	json__key_array(j, "allowed");
	for (; (end = strchr(line, '\n')); line = end + 1)
		json__mem(j, line, end - line);
	json__end_array(j);
}

static void put_violation(struct json *j, const struct verdict *v, const struct verdict_test *t)
{
	const struct check_violation *x = t->rule->first;
	const struct automaton *a = t->rule->a;

	json__key_object(j, "first");
	report_json__identity(j, v->summary, x->v);
	json__key_u64(j, "time_ns", x->event.ts);
	json__key_array(j, "states");
	for (__u32 set = x->set; set; set &= set - 1)
		json__str(j, a->state[__builtin_ctz(set)]);
	json__end_array(j);
	if (!x->open) {
		json__key_str(j, "event", event_kinds[x->event.id].name);
		put_fields(j, &x->event);
	}
	if (x->late) {
		const struct automaton_invariant *i = &a->invariant[__builtin_ctz(x->set)];

		json__key_str(j, "invariant", i->text);
		json__key_u64(j, "clock_ns", x->clock_ns[i->clock]);
	}
	put_allowed(j, a, x->set);
	json__key_array(j, "records");
	for (unsigned i = 0; i < x->pasts; i++)
		put_record(j, v->summary->session, &x->past[i]);
	json__end_array(j);
	json__end_object(j);
}

static void put_vm(struct json *j, const struct summary *s, const struct model_vcpu *v)
{
	char name[160];

	json__key_str(j, "vm", summary__vm_name(s, v->vm, name, sizeof(name)));
	json__key_u64(j, "vm_pid", v->tgid);
}

static void put_assertion(struct json *j, const struct verdict *v, const struct verdict_test *t)
{
	const struct assertion_result *r = t->result;

	if (!r->groups)
		return;
	json__key_u64(j, t->assertion->is_time ? "value_ns" : "value", r->value);
	if (!r->v)
		return;
	json__key_object(j, "of");
	if (t->assertion->by == SUMMARY_BY_VM)
		put_vm(j, v->summary, r->v);
	else
		report_json__identity(j, v->summary, r->v);
	json__end_object(j);
}

static void put_test(struct json *j, const struct verdict *v, const struct verdict_test *t)
{
	json__object(j);
	json__key_str(j, "name", t->name);
	json__key_str(j, "kind", t->rule ? "rule" : "assertion");
	json__key_str(j, "help", t->help);
	json__key_str(j, "verdict", verdict__name(t->status));
	if (*t->why)
		json__key_str(j, "why", t->why);
	if (t->status != VERDICT_SKIPPED) {
		json__key_u64(j, "decided", t->decided);
		json__key_u64(j, "violations", t->violations);
	}
	if (t->assertion)
		put_assertion(j, v, t);
	if (t->rule && t->status == VERDICT_VIOLATED)
		put_violation(j, v, t);
	json__end_object(j);
}

int verdict__json(const struct verdict *v, FILE *f)
{
	struct json *j = json__new(f, 0);

	json__object(j);
	report_json__head(j, v->summary);
	json__key_str(j, "verdict", verdict__name(v->status));
	if (*v->doubt)
		json__key_str(j, "doubt", v->doubt);
	json__key_object(j, "totals");
	for (enum verdict_status s = 0; s < VERDICT_CNT; s++)
		json__key_u64(j, verdict__name(s), v->count[s]);
	json__end_object(j);
	json__key_array(j, "tests");
	for (unsigned i = 0; i < v->tests; i++)
		put_test(j, v, &v->test[i]);
	json__end_array(j);
	json__end_object(j);
	return json__close(j);
}
