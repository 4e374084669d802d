// SPDX-License-Identifier: BSD-2-Clause
/* See taker.h. */
#include <stdio.h>
#include <string.h>
#include "apart.h"
#include "escape.h"
#include "report_json.h"
#include "taker.h"
#include "units.h"

#define NAME_SIZE 160
#define TOLD_OF	  3  /* of those who preempted a VM */
#define HAD_IT	  2  /* ... and of those who had the CPU during a wait */
#define WORTH	  20 /* a part of the wait that is worth a word */

/* In a sentence, where a long one would hide the others. Returns out[NAME_SIZE + 4]. */
static const char *vm_name(const struct model *m, __u32 vm, char *out)
{
	char whole[NAME_SIZE];

	escape__squeeze(model__vm_name(m, vm, whole, sizeof(whole)), TAKER_NAME, false, out);
	return out;
}

/* The idle task has no thread id, and its descriptor may be missing. */
static const char *comm_of(const struct timeline_absence *a)
{
	return a->introduced && a->task.comm[0] ? a->task.comm : a->a.next_tid ? "?" : "swapper";
}

static __u32 vm_of(const struct timeline_absence *a)
{
	return a->introduced ? a->task.vm : a->a.next_vm;
}

/* KVM's number of the vCPU whose thread took the CPU; -1: it is no vCPU's, or not known. */
static int vcpu_of(const struct model *m, const struct timeline_absence *a)
{
	const struct model_vcpu *v = a->introduced ? model__vcpu(m, a->task.vcpu) : NULL;

	return v ? v->vcpu_id : -1;
}

const char *taker__short(const struct model *m, const struct timeline_absence *a, char *out)
{
	int vcpu = vcpu_of(m, a);
	char name[NAME_SIZE + 4];

	out[0] = '\0';
	if (a->a.by == KS_BY_NONE)
		return out;
	if (a->a.by == KS_BY_QUOTA)
		snprintf(out, TAKER_SIZE, "quota");
	else if (a->a.by == KS_BY_SAME_VM && vcpu >= 0)
		snprintf(out, TAKER_SIZE, "vCPU %d", vcpu);
	else if (a->a.by == KS_BY_OTHER_VM && model__vm_known(m, vm_of(a)) && vcpu >= 0)
		snprintf(out, TAKER_SIZE, "%s vCPU %d", vm_name(m, vm_of(a), name), vcpu);
	else if (a->a.by == KS_BY_OTHER_VM && model__vm_known(m, vm_of(a)))
		snprintf(out, TAKER_SIZE, "%s", vm_name(m, vm_of(a), name));
	else
		snprintf(out, TAKER_SIZE, "%s", comm_of(a));
	return out;
}

const char *taker__long(const struct model *m, const struct timeline_absence *a, char *out)
{
	int vcpu = vcpu_of(m, a), n;
	char name[NAME_SIZE + 4];

	out[0] = '\0';
	if (a->a.by == KS_BY_NONE)
		return out;
	if (a->a.by == KS_BY_QUOTA) /* whoever ran then has no part in it */
		return strcpy(out, "quota");
	n = snprintf(out, TAKER_SIZE, "%s %s[%u]", report_class_names[a->a.by], comm_of(a),
		     a->a.next_tid);
	if (model__vm_known(m, vm_of(a)))
		n += snprintf(out + n, TAKER_SIZE - n, " of %s", vm_name(m, vm_of(a), name));
	else if (vm_of(a) && a->introduced && a->task.tgid)
		n += snprintf(out + n, TAKER_SIZE - n, " of pid %u", a->task.tgid);
	if (vcpu >= 0)
		snprintf(out + n, TAKER_SIZE - n, " vCPU %d", vcpu);
	return out;
}

const char *taker__victim(const struct model *m, const struct model_vcpu *v, char *out)
{
	char name[NAME_SIZE], number[16] = "?";

	if (v->vcpu_id >= 0)
		snprintf(number, sizeof(number), "%d", v->vcpu_id);
	snprintf(out, TAKER_SIZE, "%s vCPU %s", model__vm_name(m, v->vm, name, sizeof(name)),
		 number);
	return out;
}

/* The same in a sentence. */
static const char *other(const struct model *m, const struct model_vcpu *v, char *out)
{
	char whole[TAKER_SIZE];

	escape__squeeze(taker__victim(m, v, whole), TAKER_NAME + 8, false, out);
	return out;
}

const char *taker__culprit(const struct timeline *t, const struct model *m,
			   const struct timeline_absence *a, char *out)
{
	const struct timeline_meanwhile *w = timeline__meanwhile(t, a);

	if (!w || w->cpu < 0 || !w->rans || w->ran[0].ns < a->a.run_delay_ns / 2)
		return taker__short(m, a, out);
	if (w->ran[0].v->vm == a->v->vm && w->ran[0].v->vcpu_id >= 0)
		snprintf(out, TAKER_SIZE, "vCPU %d", w->ran[0].v->vcpu_id);
	else
		other(m, w->ran[0].v, out);
	return out;
}

const char *taker__in_box(const struct timeline *t, const struct model *m,
			  const struct timeline_absence *a, unsigned room, char *out)
{
	static const char vcpu[] = " vCPU ";
	char *at = NULL;

	taker__culprit(t, m, a, out);
	if (escape__width(out) <= room)
		return out;
	for (char *p = out; (p = strstr(p, vcpu)); p++)
		at = p;
	if (at) {
		*at = '/';
		memmove(at + 1, at + strlen(vcpu), strlen(at + strlen(vcpu)) + 1);
	}
	return out;
}

/* How many of those who had the CPU are worth a word. */
static unsigned had_it(const struct timeline_meanwhile *w, const struct timeline_absence *a)
{
	unsigned n = 0;

	while (w && w->cpu >= 0 && n < w->rans && n < HAD_IT &&
	       w->ran[n].ns >= a->a.run_delay_ns / WORTH)
		n++;
	return n;
}

/* "batch vCPU 0 had%s for 38.120 ms, shop vCPU 1 for 4.000 ms"; skip: not the first one's name. */
static void put_had(const struct timeline_meanwhile *w, const struct model *m, unsigned n,
		    const char *what, bool skip, char *out, size_t size)
{
	char name[TAKER_SIZE + 4], text[UNITS_LEN];
	size_t at = 0;

	for (unsigned i = 0; i < n && at < size; i++) {
		if (!i && skip)
			snprintf(name, sizeof(name), "which");
		else
			other(m, w->ran[i].v, name);
		at += snprintf(out + at, size - at, "%s%s%s for %s%s", i ? ", " : "", name,
			       i ? "" : what, w->whole ? "" : "at least ",
			       units__own(text, w->ran[i].ns));
	}
}

static void why_preempted(const struct timeline_meanwhile *w, const struct model *m,
			  const struct timeline_absence *a, char *out)
{
	unsigned n = had_it(w, a);
	char by[TAKER_SIZE], had[TAKER_SIZE], what[32] = " had";

	taker__long(m, a, by);
	if (n && a->introduced && a->task.vcpu == w->ran[0].v->id) {
		snprintf(what, sizeof(what), " had CPU %d", w->cpu);
		put_had(w, m, n, what, true, had, sizeof(had));
		snprintf(out, TAKER_LONG, "preempted by %s, %s", by, had);
	} else if (n) {
		put_had(w, m, n, what, false, had, sizeof(had));
		snprintf(out, TAKER_LONG, "%s took CPU %d, which %s", by, w->cpu, had);
	} else if (a->a.by == KS_BY_KERNEL && w && w->cpu >= 0) {
		/* it will hardly have had it for long: another one may have come after it */
		snprintf(out, TAKER_LONG, "%s took CPU %d first, none of these vCPUs had it", by,
			 w->cpu);
	} else {
		snprintf(out, TAKER_LONG, "preempted, CPU first taken by %s", by);
	}
}

static void why_woken(const struct timeline_meanwhile *w, const struct model *m,
		      const struct timeline_absence *a, char *out)
{
	unsigned n = had_it(w, a);
	char had[TAKER_SIZE], what[32];

	if (n) {
		snprintf(what, sizeof(what), " had CPU %d", w->cpu);
		put_had(w, m, n, what, false, had, sizeof(had));
	}
	snprintf(out, TAKER_LONG, "woken after it was %s%s%s", state__name(a->state),
		 n ? ", while " : "", n ? had : "");
}

const char *taker__why(const struct timeline *t, const struct model *m,
		       const struct timeline_absence *a, char *out)
{
	const struct timeline_meanwhile *w = timeline__meanwhile(t, a);

	if (a->state != ST_PREEMPTED)
		why_woken(w, m, a, out);
	else if (a->a.by == KS_BY_QUOTA)
		snprintf(out, TAKER_LONG, "its cgroup's CPU quota was used up");
	else if (a->a.by == KS_BY_NONE)
		snprintf(out, TAKER_LONG, "preempted");
	else
		why_preempted(w, m, a, out);
	return out;
}

static const struct matrix_row *row_of(const struct matrix *m, __u32 vm)
{
	for (unsigned i = 0; i < m->rows; i++)
		if (m->row[i].vm == vm)
			return &m->row[i];
	return NULL;
}

const char *taker__of_vm(const struct matrix *m, const struct summary *s, __u32 vm, char *out)
{
	const struct matrix_row *r = row_of(m, vm);
	char name[NAME_SIZE], brief[NAME_SIZE + 4], text[UNITS_LEN];
	int n = 0;

	out[0] = '\0';
	if (!r || !r->time_ns)
		return out;
	n = snprintf(out, TAKER_SIZE, "preempted for %s, first taken by",
		     units__own(text, r->time_ns));
	for (unsigned i = 0; i < r->cells && i < TOLD_OF; i++) {
		const struct matrix_cell *c = &m->cell[r->first + i];
		const struct matrix_col *col = &m->col[c->col];
		bool itself = col->kind == MATRIX_VM && col->id == vm;

		matrix__col_name(s, col, name, sizeof(name));
		escape__squeeze(itself ? "itself" : name, TAKER_NAME, false, brief);
		n += snprintf(out + n, TAKER_SIZE - n, "%s %s %s", i ? "," : "", brief,
			      units__percent(text, c->time_ns, r->time_ns));
	}
	return out;
}

const char *taker__unknown(const struct timeline_known *k, char *out)
{
	char text[UNITS_LEN];
	int n = 0;

	out[0] = '\0';
	if (k->unknown_ns && k->unknown_ns == k->lived_ns)
		return strcpy(out, "nothing is known of it");
	if (k->unknown_ns) /* less than can be written as a part of it, and not nothing */
		n = snprintf(out, TAKER_SIZE, "%s of the time is not known",
			     k->unknown_ns < k->lived_ns / 2000
				     ? units__own(text, k->unknown_ns)
				     : units__percent(text, k->unknown_ns, k->lived_ns));
	if (k->blind)
		snprintf(out + n, TAKER_SIZE - n, "%show long it waited when woken is not known",
			 n ? ", " : "");
	return out;
}

const char *taker__apart(const struct summary *s, const struct timeline_absence *a, char *out)
{
	const char *words = apart__words(summary__apart(s, &a->a));

	snprintf(out, TAKER_SIZE, "%s%s", *words ? ", " : "", words);
	return out;
}

const char *taker__waits_unknown(const struct timeline *t, char *out)
{
	out[0] = '\0';
	return t->vms == 1 ? out : taker__unknown(&t->known, out);
}

const char *taker__waits(const struct timeline_known *k, bool any)
{
	if (any)
		return "longest run delays";
	return k->how == KNOWN_NOTHING ? "whether a vCPU waited for a CPU is not known"
	       : k->how == KNOWN_PART  ? "no vCPU is known to have waited for a CPU"
				       : "no vCPU waited for a CPU";
}
