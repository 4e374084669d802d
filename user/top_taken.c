// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who took a vCPU's CPU, and of how much of its wait that is known: who preempted it is, but not
 * who had the CPU while it waited after a wake-up. Adds nothing up but the parts of one quota.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "top.h"

#define TEXT	 (ESCAPE_SIZE(160) + 4)
#define WORTH(w) ((w) / 10) /* a part of the wait that is worth a word */

/* Under a quota it does not matter who ran next: of a vCPU its quota is one preemptor. */
int top__join_quota(struct summary *s)
{
	struct summary_preemptor **first;
	unsigned n = 0;
	__u32 most = 0;

	for (unsigned i = 0; i < s->preemptors; i++)
		most = s->preemptor[i].victim > most ? s->preemptor[i].victim : most;
	first = calloc((size_t)most + 1, sizeof(struct summary_preemptor *));
	if (!first)
		return -ENOMEM;
	for (unsigned i = 0; i < s->preemptors; i++) {
		struct summary_preemptor *p = &s->preemptor[i], *f = first[p->victim];

		if (p->by == KS_BY_QUOTA && f && f->victim_life == p->victim_life) {
			f->time_ns += p->time_ns;
			f->count += p->count;
			continue;
		}
		if (p->by == KS_BY_QUOTA)
			first[p->victim] = &s->preemptor[n];
		s->preemptor[n++] = *p;
	}
	s->preemptors = n;
	free(first);
	return 0;
}

__u64 top__woken(const struct top *t, const struct summary_vcpu *v)
{
	__u64 ns;

	if (!top__delay(t, v, &ns) || ns < v->state_ns[ST_PREEMPTED])
		return 0;
	return ns - v->state_ns[ST_PREEMPTED];
}

const char *top__part(char *out, __u64 ns, __u64 of)
{
	__u64 percent = of ? ((unsigned __int128)100 * ns + of / 2) / of : 0;

	if (!percent && ns)
		return strcpy(out, "<1%");
	snprintf(out, TOP_PART, "%llu%%", (unsigned long long)(percent < 100 ? percent : 100));
	return out;
}

/* " 62% web vCPU 0": the share is first, as the end is what is cut. */
static void put_part(char *out, size_t size, __u64 ns, __u64 wait, const char *who)
{
	char part[TOP_PART];

	snprintf(out, size, "%4s %s", top__part(part, ns, wait), who);
}

void top__taken_by(const struct top *t, const struct term *term, const struct top_row *r, char *out,
		   size_t size)
{
	__u64 woken = top__woken(t, r->sum), wait = r->sum->state_ns[ST_PREEMPTED] + woken;
	char name[TEXT] = "", raw[160], taken[TEXT + 8] = "", not_known[32] = "";
	bool first = woken > r->taken_ns;
	const char *one, *two;

	if (r->by) {
		top__taker(t, term, r->by, name, sizeof(name));
	} else if (r->taker && r->taker->kind == MATRIX_QUOTA) {
		strcpy(name, "its CPU quota");
	} else if (r->taker) {
		matrix__col_name(&t->sum, r->taker, raw, sizeof(raw));
		escape__str(term->escape, raw, name, sizeof(name));
	}
	if (*name)
		put_part(taken, sizeof(taken), r->taken_ns, wait, name);
	if (first || (woken && woken >= WORTH(wait)))
		put_part(not_known, sizeof(not_known), woken, wait, "? (woken)");
	one = first ? not_known : taken;
	two = first ? taken : not_known;
	two += strspn(two, " ");
	snprintf(out, size, "%s%s%s", one, *one && *two ? ", " : "", two);
}
