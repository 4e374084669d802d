// SPDX-License-Identifier: BSD-2-Clause
/* The table, and finding one's way from a row into a summary. */
#include <errno.h>
#include <string.h>
#include "measure.h"
#include "table.h"

#define TWO_HOOKS (1U << MODE_LIGHT | 1U << MODE_AGGREGATES)
#define ALL	  (1U << MODE_DEFAULT | 1U << MODE_FULL | TWO_HOOKS)
#define NOT_LIGHT (1U << MODE_DEFAULT | 1U << MODE_FULL)
#define ONLY_FULL (1U << MODE_FULL)

#define IN(member)   offsetof(struct summary_vcpu, member)
#define STATE(st)    .time = IN(state_ns) + sizeof(__u64) * (st)
#define ABSENCES(st) STATE(st), .dist = IN(by_state) + sizeof(struct hist) * (st)

#define TIME	  MEASURE_TIME
#define DIST	  MEASURE_DIST
#define COUNT	  MEASURE_COUNT
#define TIME_DIST (MEASURE_TIME | MEASURE_DIST)

/* clang-format off */
static const struct measure measures[] = {
	{"running", TIME, NOT_LIGHT, 0, "on a CPU, in the guest or in KVM", STATE(ST_RUNNING)},
	{"user", TIME, NOT_LIGHT, 0, "in the VMM's user space, or in no vCPU ioctl", STATE(ST_USER)},
	{"on_or_user", TIME, TWO_HOOKS, 0, "running or user", STATE(ST_ON_OR_USER)},
	{"preempted", TIME_DIST, ALL, 0, "runnable, but another task had the CPU", ABSENCES(ST_PREEMPTED)},
	{"halted", TIME_DIST, ALL, KS_M_BLOCKING, "waiting for an event, after HLT or WFI",
	 ABSENCES(ST_HALTED)},
	{"sleeping", TIME_DIST, ALL, 0, "blocked in the kernel for anything else", ABSENCES(ST_SLEEPING)},
	{"absent", TIME, ALL, 0, "the vCPU did not exist yet, or no longer", STATE(ST_ABSENT)},
	{"unknown", TIME, ALL, 0, "before its first event, or where records were lost", STATE(ST_UNKNOWN)},
	{"elsewhere", TIME, ALL, 0, "on a CPU that -C leaves out", STATE(ST_ELSEWHERE)},
	{"absence", DIST, ALL, 0, "from sched_out to sched_in, for any reason", .dist = IN(absence)},
	{"run_delay", TIME_DIST, ALL, 0,
	 "runnable but waiting for a CPU, per absence; overlaps the states",
	 .time = IN(run_delay_ns), .dist = IN(run_delay)},
	{"reload_cost", DIST, ONLY_FULL, 0, "inside kvm_arch_vcpu_load(), from kvm_sched_in()",
	 .cost = IN(reload)},
	{"sched_put_cost", DIST, ONLY_FULL, 0, "inside kvm_arch_vcpu_put(), from kvm_sched_out()",
	 .cost = IN(sched_put)},
	{"load_cost", DIST, ONLY_FULL, 0, "inside kvm_arch_vcpu_load(), on the ioctl path",
	 .cost = IN(load)},
	{"put_cost", DIST, ONLY_FULL, 0, "inside kvm_arch_vcpu_put(), on the ioctl path", .cost = IN(put)},
	{"switches", COUNT, ALL, 0, "sched_outs", .count = IN(switches)},
	{"migrations", COUNT, ALL, 0, "absences that ended on another CPU", .count = IN(migrations)},
	{"reloads", COUNT, ALL, 0, "loads by kvm_sched_in()", .count = IN(reloads)},
	{"loads", COUNT, NOT_LIGHT, 0, "fresh loads, on the ioctl path", .count = IN(loads)},
	{"puts", COUNT, NOT_LIGHT, 0, "puts on the ioctl path", .count = IN(puts)},
	{"run_delay_clamped", COUNT, ALL, 0, "run delays that were longer than their absence, and cut to it",
	 .count = IN(clamped)},
	{"lost", COUNT, ALL, 0, "records of the vCPU that are missing"},
};
/* clang-format on */

#define MEASURES (sizeof(measures) / sizeof(*measures))

const struct measure *measure__next(unsigned *at)
{
	return *at < MEASURES ? &measures[(*at)++] : NULL;
}

const struct measure *measure__find(const char *name, size_t len)
{
	for (size_t i = 0; i < MEASURES; i++)
		if (strlen(measures[i].name) == len && !memcmp(measures[i].name, name, len))
			return &measures[i];
	return NULL;
}

static const void *at(const struct summary_vcpu *v, size_t offset)
{
	return (const char *)v + offset;
}

static bool is_run_delay(const struct measure *m)
{
	return m->dist == IN(run_delay);
}

static bool is_elsewhere(const struct measure *m)
{
	return m->time == IN(state_ns) + sizeof(__u64) * ST_ELSEWHERE;
}

const char *measure__why_absent(const struct measure *m, const struct summary *s,
				const struct summary_vcpu *v)
{
	/* a state's time is given whatever the recording says of itself: the states must add up */
	if (m->time && m->time != IN(run_delay_ns) && *(const __u64 *)at(v, m->time))
		return NULL;
	if (!(m->modes & 1U << s->session->mode))
		return m->modes == ONLY_FULL ? "needs --full"
		       : m->modes == TWO_HOOKS
			       ? "only --light has it: here running and user are told apart"
			       : "not with --light";
	if (m->fields & ~s->session->fields)
		return "this kernel does not tell";
	if (is_elsewhere(m) && !s->by_cpu)
		return "only with -C";
	if (is_run_delay(m) && !summary__known(v))
		return "nothing is known of the vCPU in this time";
	if (is_run_delay(m) && v->unmeasured)
		return "this kernel does not tell for blocked absences (CONFIG_SCHED_INFO)";
	return NULL;
}

bool measure__time(const struct measure *m, const struct summary *s, const struct summary_vcpu *v,
		   __u64 *ns)
{
	if (!(m->kinds & MEASURE_TIME) || measure__why_absent(m, s, v))
		return false;
	*ns = *(const __u64 *)at(v, m->time);
	return true;
}

bool measure__count(const struct measure *m, const struct summary *s, const struct summary_vcpu *v,
		    __u64 *n)
{
	if (!(m->kinds & MEASURE_COUNT) || measure__why_absent(m, s, v))
		return false;
	if (m->count)
		*n = *(const __u64 *)at(v, m->count);
	else /* lost: the model counts them */
		*n = v->v ? v->v->v.lost : model__missing(s->model);
	return true;
}

bool measure__has_absences(const struct measure *m)
{
	return m->kinds & MEASURE_DIST && !m->cost;
}

bool measure__of_absence(const struct measure *m, const struct absence *a, __u64 *ns)
{
	bool delay = is_run_delay(m);

	*ns = delay ? a->run_delay_ns : a->to - a->from;
	if (a->open || !a->whole)
		return false;
	if (delay)
		return a->has_run_delay;
	return m->dist == IN(absence) ||
	       m->dist == IN(by_state) + sizeof(struct hist) * state__of_reason(a->reason);
}

const struct cost *measure__cost(const struct measure *m, const struct summary *s,
				 const struct summary_vcpu *v)
{
	return m->cost && !measure__why_absent(m, s, v) ? at(v, m->cost) : NULL;
}

const struct hist *measure__dist(const struct measure *m, const struct summary *s,
				 const struct summary_vcpu *v)
{
	const struct cost *c;

	if (!(m->kinds & MEASURE_DIST) || measure__why_absent(m, s, v))
		return NULL;
	if (!m->cost)
		return at(v, m->dist);
	c = at(v, m->cost);
	return c->whole ? &c->dist : NULL;
}

/* ---- --list-measures ---------------------------------------------------------------------- */

static const char *kinds_of(const struct measure *m)
{
	switch (m->kinds) {
	case TIME:
		return "time";
	case DIST:
		return "distribution";
	case COUNT:
		return "count";
	}
	return "time, distribution";
}

static const char *needs_of(const struct measure *m)
{
	if (m->cost == IN(load) || m->cost == IN(put))
		return "--full, --loads for quantiles";
	if (m->modes == ONLY_FULL)
		return "--full";
	if (m->modes == TWO_HOOKS)
		return "--light";
	if (m->modes == NOT_LIGHT)
		return "not --light";
	if (m->fields & KS_M_BLOCKING)
		return "Linux 5.16";
	if (is_run_delay(m))
		return "CONFIG_SCHED_INFO";
	if (is_elsewhere(m))
		return "-C";
	return "";
}

int measure__list(FILE *f)
{
	struct term plain = {.limit = ~0U, .columns = 80};
	struct table *t = table__new();
	int err;

	table__add_col(t, "measure", TABLE_LEFT, 0, TABLE_KEEP);
	table__add_col(t, "kind", TABLE_LEFT, 0, TABLE_KEEP);
	table__add_col(t, "unit", TABLE_LEFT, 0, TABLE_KEEP);
	table__add_col(t, "needs", TABLE_LEFT, 0, TABLE_KEEP);
	table__add_col(t, "meaning", TABLE_LEFT, 0, TABLE_KEEP);
	for (size_t i = 0; i < MEASURES; i++) {
		table__cell(t, measures[i].name);
		table__cell(t, kinds_of(&measures[i]));
		table__cell(t, measures[i].kinds == COUNT ? "" : "ns");
		table__cell(t, needs_of(&measures[i]));
		table__cell(t, measures[i].help);
	}
	err = table__print(t, &plain, f);
	table__free(t);
	if (err >= 0 && fflush(f))
		return -errno;
	return err < 0 ? err : 0;
}
