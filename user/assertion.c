// SPDX-License-Identifier: BSD-2-Clause
/*
 * A group of vCPUs (all, a VM's, one) has a number if each of its vCPUs has it; a quantile of an
 * empty distribution is no number. An assertion holds if it does for each group that has the
 * number.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include "assertion.h"
#include "units.h"

static const char *const fn_names[FN_CNT] = {
	[FN_COUNT] = "count", [FN_SUM] = "sum", [FN_MEAN] = "mean",
	[FN_MIN] = "min",     [FN_MAX] = "max", [FN_P50] = "p50",
	[FN_P90] = "p90",     [FN_P99] = "p99", [FN_P999] = "p99.9",
};

static const unsigned permille[FN_CNT] = {
	[FN_P50] = 500, [FN_P90] = 900, [FN_P99] = 990, [FN_P999] = 999};

const char *assertion__fn_name(enum assertion_fn fn)
{
	return fn_names[fn];
}

/* ---- parsing ------------------------------------------------------------------------------ */

static const char *blank(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

/* The word at *p, which is moved behind it and the blanks there. Its length. */
static size_t word(const char **p, const char **start)
{
	const char *end = *p;

	*start = end;
	while (isalnum((unsigned char)*end) || *end == '_' || *end == '.')
		end++;
	*p = blank(end);
	return end - *start;
}

static int find(const char *const *names, unsigned count, const char *s, size_t len)
{
	for (unsigned i = 0; i < count; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], s, len))
			return i;
	return -1;
}

/* Does the measure have this function's number? */
static const char *mismatch(const struct assertion *a)
{
	unsigned kinds = a->measure->kinds;

	if (a->fn == FN_SUM || kinds & MEASURE_DIST)
		return NULL;
	if (kinds & MEASURE_COUNT)
		return a->fn == FN_COUNT ? NULL : "the measure is a count: count() is all it has";
	return "the measure is a time: sum() is all it has";
}

static int parse_value(struct assertion *a, const char **p, const char **why)
{
	const char *end;

	a->is_time = a->fn != FN_COUNT && a->measure->kinds != MEASURE_COUNT;
	if (a->is_time) {
		*why = "not a time: a number and ns, us, ms, s, m or h is wanted";
		if (units__scan_time(*p, &a->value, &end))
			return -EINVAL;
		*p = blank(end);
		return 0;
	}
	*why = "not a number";
	for (end = *p; isdigit((unsigned char)*end); end++)
		if (__builtin_mul_overflow(a->value, 10, &a->value) ||
		    __builtin_add_overflow(a->value, *end - '0', &a->value))
			return -EINVAL;
	if (end == *p || isalnum((unsigned char)*end) || *end == '.')
		return -EINVAL;
	*p = blank(end);
	return 0;
}

static int parse_by(struct assertion *a, const char **p, const char **why)
{
	static const char *const groups[] = {[SUMMARY_BY_VM] = "vm", [SUMMARY_BY_VCPU] = "vcpu"};
	const char *start, *at = *p;
	size_t len = word(&at, &start);

	*why = "what may follow is: by vm, by vcpu";
	if (!len)
		return **p ? -EINVAL : 0;
	if (len != 2 || memcmp(start, "by", 2))
		return -EINVAL;
	len = word(&at, &start);
	for (enum summary_by by = SUMMARY_BY_VM; by <= SUMMARY_BY_VCPU; by++)
		if (strlen(groups[by]) == len && !memcmp(groups[by], start, len))
			a->by = by;
	if (a->by == SUMMARY_BY_ALL || *at)
		return -EINVAL;
	*p = at;
	return 0;
}

static int parse_begin(struct assertion *a, const char *text, const char **why, const char **at)
{
	*a = (struct assertion){.text = text};
	*why = "a control character";
	for (const char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p))
			return *at = text, -EINVAL;
	*at = blank(text);
	return 0;
}

static int parse_measure(struct assertion *a, const char **why, const char **at)
{
	const char *start;
	size_t len = word(at, &start);

	a->measure = measure__find(start, len);
	*why = "no such measure; --list-measures names them";
	return a->measure ? 0 : (*at = start, -EINVAL);
}

/* "FN(measure)", and *at behind it. */
static int parse_number(struct assertion *a, const char *text, const char **why, const char **at)
{
	const char *start;
	size_t len;
	int fn;

	if (parse_begin(a, text, why, at))
		return -EINVAL;
	len = word(at, &start);
	fn = find(fn_names, FN_CNT, start, len);
	*why = "begins with count( sum( mean( min( max( p50( p90( p99( or p99.9(";
	if (fn < 0 || **at != '(')
		return *at = start, -EINVAL;
	a->fn = fn;
	*at = blank(*at + 1);
	if (parse_measure(a, why, at))
		return -EINVAL;
	*why = mismatch(a);
	if (*why)
		return *at = text, -EINVAL;
	*why = "a ) is missing";
	if (**at != ')')
		return -EINVAL;
	*at = blank(*at + 1);
	return 0;
}

int assertion__parse(struct assertion *a, const char *text, const char **why, const char **at)
{
	const char *end;

	if (parse_number(a, text, why, at))
		return -EINVAL;
	*why = "not one of < <= == >= >";
	if (compare__scan(*at, &a->op, &end) || a->op == CMP_NE)
		return -EINVAL;
	*at = blank(end);
	return parse_value(a, at, why) ?: parse_by(a, at, why);
}

int assertion__parse_bound(struct assertion *a, const char *text, const char **why, const char **at)
{
	static const char what[] = "what one absence has is wanted: run_delay, absence, preempted, "
				   "halted or sleeping";
	const char *end;

	if (parse_begin(a, text, why, at))
		return -EINVAL;
	a->fn = FN_MAX;
	if (parse_measure(a, why, at) || !measure__has_absences(a->measure)) {
		*why = what;
		return *at = blank(text), -EINVAL;
	}
	*why = "an absence becomes too long, never too short: > or >= is wanted";
	if (compare__scan(*at, &a->op, &end) || (a->op != CMP_GT && a->op != CMP_GE))
		return -EINVAL;
	*at = blank(end);
	if (parse_value(a, at, why))
		return -EINVAL;
	*why = "what is this?";
	return **at ? -EINVAL : 0;
}

/* ---- limits ------------------------------------------------------------------------------- */

/* "N%" in millionths; up to four decimals. */
static int scan_percent(const char *s, __u64 *ppm, const char **end)
{
	__u64 n = 0, unit = 10000;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++)
		n = n < 1000000 ? n * 10 + (*s - '0') * 1ULL : n;
	n *= unit;
	if (*s == '.' && isdigit((unsigned char)s[1]))
		for (s++; isdigit((unsigned char)*s); s++)
			n += (unit /= 10) * (*s - '0');
	if (*s != '%')
		return -EINVAL;
	*ppm = n;
	*end = s + 1;
	return 0;
}

static int parse_change(struct assertion_limit *l, const struct assertion *a, const char **at,
			const char **why)
{
	const char *end;

	*why = "how much may it change? +N%, -N%, +TIME or -TIME is wanted";
	if (**at != '+' && **at != '-')
		return -EINVAL;
	l->falls = **at == '-';
	l->percent = !scan_percent(*at + 1, &l->value, &end);
	if (!l->percent && (a->fn == FN_COUNT || a->measure->kinds == MEASURE_COUNT)) {
		*why = "a count has no time: +N% or -N% is wanted";
		return -EINVAL;
	}
	if (!l->percent && units__scan_time(*at + 1, &l->value, &end))
		return -EINVAL;
	*at = blank(end);
	return 0;
}

int assertion__parse_limit(struct assertion_limit *l, const char *text, const char **why,
			   const char **at)
{
	struct assertion a;

	*l = (struct assertion_limit){.text = text};
	if (parse_number(&a, text, why, at))
		return -EINVAL;
	l->fn = a.fn;
	l->measure = a.measure;
	*why = "of a minimum or maximum it cannot be said how sure it is; p99.9 is the next best";
	if (a.fn == FN_MIN || a.fn == FN_MAX)
		return *at = text, -EINVAL;
	if (parse_change(l, &a, at, why) || parse_by(&a, at, why))
		return -EINVAL;
	*why = "VMs are compared, not vCPUs: by vm";
	if (a.by == SUMMARY_BY_VCPU)
		return -EINVAL;
	l->by = a.by;
	return 0;
}

unsigned assertion__permille(enum assertion_fn fn)
{
	return permille[fn];
}

/* ---- evaluating --------------------------------------------------------------------------- */

/* A group's sums. */
struct sums {
	__u64 count, sum, max;
	struct hist dist;
};

static const char *why_no_dist(const struct measure *m, const struct summary *s,
			       const struct summary_vcpu *v)
{
	return measure__why_absent(m, s, v) ?: "needs --full and --loads";
}

static int add_dist(const struct measure *m, const struct summary *s, const struct summary_vcpu *v,
		    struct sums *to, const char **absent)
{
	const struct hist *h = measure__dist(m, s, v);

	if (!h) {
		*absent = why_no_dist(m, s, v);
		return 0;
	}
	return hist__merge(&to->dist, h);
}

static int add_vcpu(const struct assertion *a, const struct summary *s,
		    const struct summary_vcpu *v, struct sums *to, const char **absent)
{
	const struct measure *m = a->measure;
	const struct cost *c;
	const struct hist *h;
	__u64 n;

	*absent = measure__why_absent(m, s, v);
	if (*absent)
		return 0;
	if (a->fn >= FN_P50 || a->fn == FN_MIN)
		return add_dist(m, s, v, to, absent);
	c = measure__cost(m, s, v);
	h = c ? NULL : measure__dist(m, s, v);
	if (c || h) {
		to->count += c ? c->count : h->count;
		to->sum += c ? c->sum_ns : h->sum;
		if ((c ? c->max_ns : h->max) > to->max)
			to->max = c ? c->max_ns : h->max;
	}
	if (a->fn == FN_SUM && m->kinds & MEASURE_TIME && measure__time(m, s, v, &n))
		to->sum +=
			n - (h ? h->sum : 0); /* a state's time is more than its ended absences' */
	if (m->kinds == MEASURE_COUNT && measure__count(m, s, v, &n))
		to->count += n, to->sum += n;
	return 0;
}

/* The group's number; false: it has none. */
static bool number(const struct assertion *a, const struct sums *g, __u64 *value)
{
	bool by_dist = a->fn >= FN_P50 || a->fn == FN_MIN;

	if (a->fn == FN_COUNT || a->fn == FN_SUM) {
		*value = a->fn == FN_COUNT ? g->count : g->sum;
		return true;
	}
	if (by_dist ? !g->dist.count : !g->count)
		return false;
	*value = a->fn == FN_MEAN  ? g->sum / g->count
		 : a->fn == FN_MAX ? g->max
		 : a->fn == FN_MIN ? g->dist.min
				   : hist__quantile(&g->dist, permille[a->fn]);
	return true;
}

/* More records can only raise counts, sums and maxima, and lower minima; but time that was unknown
 * goes to other states, and the last state of a vCPU whose end is missing is only supposed. */
static bool sure(const struct assertion *a, const struct summary *s, __u64 value)
{
	bool grows = a->fn == FN_COUNT || a->fn == FN_SUM || a->fn == FN_MAX;
	bool shrinks = a->fn == FN_MIN;

	if (s->damaged || s->unfinished || !strcmp(a->measure->name, "unknown"))
		return false;
	if (value > a->value || (value == a->value && a->op == CMP_LT))
		return grows && a->op != CMP_GE && a->op != CMP_GT;
	return shrinks && a->op != CMP_LE && a->op != CMP_LT;
}

int assertion__evaluate(const struct assertion *a, const struct summary *s,
			struct assertion_result *r)
{
	int err = 0;

	*r = (struct assertion_result){.absent = NULL};
	for (unsigned first = 0, n; !err && first < s->vcpus; first += n) {
		struct sums group = {.count = 0};
		const char *absent = NULL;
		__u64 value;
		bool holds;

		n = summary__group(s, a->by, first);
		for (unsigned i = first; !err && !absent && i < first + n; i++)
			err = add_vcpu(a, s, &s->vcpu[i], &group, &absent);
		if (absent)
			r->absent = absent;
		if (!err && !absent && number(a, &group, &value)) {
			holds = compare__holds(a->op, value, a->value);
			r->groups++;
			if (!r->failed) {
				r->value = value;
				r->v = a->by == SUMMARY_BY_ALL ? NULL : s->vcpu[first].v;
			}
			r->failed += !holds;
			r->sure |= !holds && sure(a, s, value);
		}
		hist__free(&group.dist);
	}
	if (r->groups)
		r->absent = NULL;
	return err;
}

bool assertion__broken_by(const struct assertion *a, const struct absence *absence)
{
	__u64 ns, most = a->op == CMP_LT ? a->value - 1 : a->value;
	bool upper = a->op == CMP_LE || a->op == CMP_EQ || (a->op == CMP_LT && a->value);

	if (!measure__of_absence(a->measure, absence, &ns))
		return false;
	return (a->fn == FN_MAX && upper && ns > most) || (a->fn == FN_COUNT && upper && !most);
}
