// SPDX-License-Identifier: BSD-2-Clause
/* A state that a vCPU was never in has no key; what is not known has none either. */
#include "report_json.h"
#include "timeline_json.h"

static void put_taker(struct json *j, const struct summary *s, const struct timeline_absence *a)
{
	const struct model_vcpu *v = a->introduced ? model__vcpu(s->model, a->task.vcpu) : NULL;
	__u32 vm = a->introduced ? a->task.vm : a->a.next_vm;
	char name[160];

	json__key_object(j, "by");
	json__key_str(j, "class", report_class_names[a->a.by]);
	if (a->introduced && a->task.comm[0])
		json__key_str(j, "comm", a->task.comm);
	else if (!a->a.next_tid)
		json__key_str(j, "comm", "swapper");
	json__key_u64(j, "tid", a->a.next_tid);
	if (a->introduced)
		json__key_u64(j, "pid", a->task.tgid);
	if (model__vm_known(s->model, vm))
		json__key_str(j, "vm", summary__vm_name(s, vm, name, sizeof(name)));
	if (v && v->vcpu_id >= 0)
		json__key_s64(j, "vcpu", v->vcpu_id);
	json__end_object(j);
}

/* The keys of an absence, inside an open object. */
static void put_absence(struct json *j, const struct summary *s, const struct timeline_absence *a)
{
	json__key_str(j, "state", state__name(a->state));
	json__key_str(j, "reason", report_reason_names[a->a.reason]);
	json__key_u64(j, "from_ns", a->a.from);
	json__key_u64(j, "to_ns", a->a.to);
	if (a->a.has_run_delay)
		json__key_u64(j, "run_delay_ns", a->a.run_delay_ns);
	json__key_bool(j, "whole", a->a.whole && !a->a.open);
	json__key_bool(j, "open", a->a.open);
	if (a->a.by != KS_BY_NONE)
		put_taker(j, s, a);
}

static void put_one(struct json *j, const char *key, const struct summary *s,
		    const struct timeline_absence *a)
{
	if (!a->v)
		return;
	json__key_object(j, key);
	put_absence(j, s, a);
	json__end_object(j);
}

static void put_state(struct json *j, const struct timeline *t, const struct timeline_row *r,
		      enum state st)
{
	char key[32];
	__u64 any = 0;

	for (unsigned c = 0; c < t->columns; c++)
		any |= r->column[c].ns[st];
	if (!any)
		return;
	snprintf(key, sizeof(key), "%s_ns", state__name(st));
	json__key_array(j, key);
	for (unsigned c = 0; c < t->columns; c++)
		json__u64(j, r->column[c].ns[st]);
	json__end_array(j);
}

static void put_woken(struct json *j, const struct timeline *t, const struct timeline_row *r)
{
	json__key_array(j, "woken_ns");
	for (unsigned c = 0; c < t->columns; c++)
		json__u64(j, r->column[c].woken_ns);
	json__end_array(j);
}

/* known_ns is always there; what it is too little for has no key. */
static void put_known(struct json *j, const struct timeline_known *k)
{
	json__key_u64(j, "known_ns", k->lived_ns - k->unknown_ns);
	if (k->how != KNOWN_NOTHING)
		json__key_u64(j, "run_delay_ns", k->run_delay_ns);
}

static void put_row(struct json *j, const struct timeline *t, const struct summary *s,
		    const struct timeline_row *r)
{
	json__object(j);
	report_json__identity(j, s, r->v);
	put_known(j, &r->known);
	json__key_object(j, "states");
	for (int st = 0; st < ST_CNT; st++)
		put_state(j, t, r, st);
	json__end_object(j);
	if (s->session->fields & KS_M_RUN_DELAY)
		put_woken(j, t, r);
	put_one(j, "longest_run_delay", s, &r->delay);
	put_one(j, "longest_absence", s, &r->absence);
	json__key_array(j, "absences");
	for (unsigned i = 0; i < r->wide; i++) {
		json__object(j);
		put_absence(j, s, &t->wide[r->first_wide + i]);
		json__end_object(j);
	}
	json__end_array(j);
	json__end_object(j);
}

static void put_meanwhile(struct json *j, const struct summary *s,
			  const struct timeline_meanwhile *m)
{
	if (m->cpu < 0)
		return;
	json__key_object(j, "meanwhile");
	json__key_u64(j, "cpu", m->cpu);
	json__key_bool(j, "whole", m->whole);
	json__key_array(j, "vcpus");
	for (unsigned i = 0; i < m->rans; i++) {
		json__object(j);
		report_json__identity(j, s, m->ran[i].v);
		json__key_u64(j, "ran_ns", m->ran[i].ns);
		json__end_object(j);
	}
	json__end_array(j);
	json__end_object(j);
}

static void put_worst(struct json *j, const struct timeline *t, const struct summary *s)
{
	json__key_array(j, "worst");
	for (unsigned i = 0; i < t->worsts; i++) {
		json__object(j);
		report_json__identity(j, s, t->worst[i].v);
		put_absence(j, s, &t->worst[i]);
		put_meanwhile(j, s, &t->meanwhile[i]);
		json__end_object(j);
	}
	json__end_array(j);
}

int timeline_json__write(FILE *f, const struct timeline *t, const struct summary *s)
{
	struct json *j = json__new(f, 0);

	json__object(j);
	report_json__head(j, s);
	json__key_u64(j, "start_ns", s->session->start_ns);
	json__key_s64(j, "wall_offset_ns", s->session->wall_start_ns);
	json__key_u64(j, "from_ns", s->from_ns);
	json__key_u64(j, "to_ns", s->to_ns);
	json__key_u64(j, "columns", t->columns);
	json__key_u64(j, "column_ns", t->width_ns);
	put_known(j, &t->known);
	json__key_array(j, "vcpus");
	for (unsigned i = 0; i < t->rows && !json__error(j); i++)
		put_row(j, t, s, &t->row[i]);
	json__end_array(j);
	if (t->known.how != KNOWN_NOTHING)
		put_worst(j, t, s);
	json__end_object(j);
	return json__close(j);
}
