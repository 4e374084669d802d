// SPDX-License-Identifier: BSD-2-Clause
/*
 * One histogram per measure and group (all vCPUs, a VM's, or one vCPU). Rows are as fine as the
 * terminal's height allows without scrolling one histogram off it; machines get every bucket.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "apart.h"
#include "report_json.h"
#include "sink_hist.h"
#include "style.h"
#include "units.h"

#define NAME_SIZE 160
#define ROWS	  20
#define BAR_MIN	  10
#define BAR_MAX	  60
#define COLUMNS	  52 /* what stands beside the bar */

int sink_hist__parse(struct sink_hist *h, const char *list, const char **bad, size_t *len)
{
	for (const char *p = list, *end;; p = end + 1) {
		const struct measure *m;

		end = strchrnul(p, ',');
		m = measure__find(p, end - p);
		*bad = p;
		*len = end - p;
		if (!m)
			return -ENOENT;
		if (!(m->kinds & MEASURE_DIST))
			return -EINVAL;
		if (h->measures == HIST_MEASURES)
			return -E2BIG;
		h->measure[h->measures++] = m;
		if (!*end)
			return 0;
	}
}

/* ---- groups ------------------------------------------------------------------------------- */

/* vCPUs first .. first + count - 1 of the summary, which sorts a VM's together. */
struct group {
	const struct summary *s;
	enum summary_by by;
	unsigned first, count;
};

static struct group group_at(const struct summary *s, enum summary_by by, unsigned first)
{
	return (struct group){
		.s = s, .by = by, .first = first, .count = summary__group(s, by, first)};
}

/* Puts the group's distribution into *sum (the caller frees it). 1, 0 = absent (*why), or -ENOMEM.
 * A group lacks what one of its vCPUs lacks: the rest would pass for the whole. */
static int add_up(const struct group *g, const struct measure *m, struct hist *sum,
		  const char **why)
{
	for (unsigned i = 0; i < g->count; i++) {
		const struct summary_vcpu *v = &g->s->vcpu[g->first + i];
		const struct hist *h = measure__dist(m, g->s, v);

		if (!h) {
			*why = measure__why_absent(m, g->s, v) ?: "needs --full and --loads";
			return 0;
		}
		if (hist__merge(sum, h))
			return -ENOMEM;
	}
	return 1;
}

static const unsigned quantiles[] = {500, 900, 990, 999};

/* ---- for people --------------------------------------------------------------------------- */

static void title(struct sink_hist *h, const struct group *g, const struct measure *m)
{
	const struct model_vcpu *v = g->s->vcpu[g->first].v;
	char name[NAME_SIZE], text[ESCAPE_SIZE(NAME_SIZE)];

	printf("\n%s%s%s", term__on(&h->term, STYLE_HEADER), m->name,
	       term__off(&h->term, STYLE_HEADER));
	if (g->by == SUMMARY_BY_ALL) {
		printf(": %u vCPU%s", g->s->vcpus, g->s->vcpus == 1 ? "" : "s");
	} else {
		summary__vm_name(g->s, v->vm, name, sizeof(name));
		escape__str(h->term.escape, name, text, sizeof(text));
		printf(": %s", text);
	}
	if (g->by == SUMMARY_BY_VCPU && v->vcpu_id >= 0)
		printf(" vCPU %d", v->vcpu_id);
	printf("  %s(%s)%s\n", term__on(&h->term, STYLE_DIM), m->help,
	       term__off(&h->term, STYLE_DIM));
}

static enum term_style style_of(const struct measure *m)
{
	for (enum state st = 0; st < ST_CNT; st++)
		if (!strcmp(state__name(st), m->name))
			return style__of_state(st);
	return STYLE_PLAIN;
}

/* A bound in three digits: bounds lie on a grid of 1/128, what is behind them would be noise. */
static const char *bound(char *out, __u64 ns)
{
	static const struct {
		__u64 ns;
		const char *unit;
	} units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}};

	for (unsigned i = 0; i < 3; i++) {
		__u64 n = units[i].ns, whole = ns / n;

		if (ns < n)
			continue;
		if (whole >= 100)
			snprintf(out, UNITS_LEN, "%llu %s", whole, units[i].unit);
		else if (whole >= 10)
			snprintf(out, UNITS_LEN, "%llu.%llu %s", whole, ns % n * 10 / n,
				 units[i].unit);
		else
			snprintf(out, UNITS_LEN, "%llu.%02llu %s", whole, ns % n * 100 / n,
				 units[i].unit);
		return out;
	}
	snprintf(out, UNITS_LEN, "%llu ns", ns);
	return out;
}

static unsigned bar_columns(const struct term *t)
{
	unsigned width = t->columns > COLUMNS + BAR_MIN ? t->columns - COLUMNS : BAR_MIN;

	return width < BAR_MAX ? width : BAR_MAX;
}

/* below: how many values lie in the rows up to this one; most: in the fullest row. */
static void draw_row(const struct sink_hist *h, const struct measure *m,
		     const struct hist_bucket *b, __u64 below, __u64 most, __u64 count)
{
	char bar[TERM_BAR_SIZE(BAR_MAX)], low[UNITS_LEN], high[UNITS_LEN], part[UNITS_LEN],
		upto[UNITS_LEN];

	term__bar(&h->term, bar, b->count, most, bar_columns(&h->term));
	printf("%9s - %-9s %10llu %7s %7s  %s%s%s\n", bound(low, b->low), bound(high, b->high + 1),
	       b->count, units__percent(part, b->count, count), units__percent(upto, below, count),
	       term__on(&h->term, style_of(m)), bar, term__off(&h->term, style_of(m)));
}

/* How many empty rows stand at the start of row[]. */
static unsigned gap(const struct hist_bucket *row, unsigned n)
{
	unsigned i = 0;

	while (i < n && !row[i].count)
		i++;
	return i;
}

static void draw(const struct sink_hist *h, const struct measure *m, const struct hist *sum)
{
	struct hist_bucket row[ROWS];
	__u64 most = 0, below = 0;
	unsigned n = hist__coarsen(sum, row, ROWS), empty;

	for (unsigned i = 0; i < n; i++)
		most = row[i].count > most ? row[i].count : most;
	printf("%s%9s   %-9s %10s %7s %7s%s\n", term__on(&h->term, STYLE_HEADER), "from", "below",
	       "count", "%", "up to", term__off(&h->term, STYLE_HEADER));
	for (unsigned i = 0; i < n; i += empty ?: 1) {
		empty = gap(row + i, n - i);
		if (empty > 2) {
			printf("%9s\n", "...");
			continue;
		}
		empty = 0;
		below += row[i].count;
		draw_row(h, m, &row[i], below, most, sum->count);
	}
}

static void numbers(const struct hist *sum)
{
	static const char *const names[] = {"p50", "p90", "p99", "p99.9"};
	char text[UNITS_LEN];

	printf("count %llu, mean %s", sum->count, units__own(text, hist__mean(sum)));
	for (unsigned i = 0; i < 4; i++)
		printf(", %s %s", names[i], units__own(text, hist__quantile(sum, quantiles[i])));
	printf(", max %s\n", units__own(text, sum->max));
}

static int show(struct sink_hist *h, const struct group *g, const struct measure *m)
{
	struct hist sum = {0};
	const char *why = NULL;
	int got = add_up(g, m, &sum, &why);

	if (got >= 0)
		title(h, g, m);
	if (!got) {
		printf("not known: %s\n", why);
	} else if (got > 0 && !sum.count) {
		puts("none");
	} else if (got > 0) {
		draw(h, m, &sum);
		numbers(&sum);
	}
	hist__free(&sum);
	return got < 0 ? got : 0;
}

static bool wants_run_delay(const struct sink_hist *h)
{
	for (unsigned i = 0; i < h->measures; i++)
		if (!strcmp(h->measure[i]->name, "run_delay"))
			return true;
	return false;
}

static int show_all(struct sink_hist *h, const struct summary *s)
{
	char window[UNITS_LEN];
	struct group g;
	int err = 0;

	term__look(&h->term, STDOUT_FILENO, h->color);
	printf("%s  %s mode  %u vCPU%s over %s\n", s->session->release,
	       session__mode_name(s->session->mode), s->vcpus, s->vcpus == 1 ? "" : "s",
	       units__own(window, s->to_ns - s->from_ns));
	for (unsigned at = 0; at < s->vcpus; at += g.count) {
		g = group_at(s, h->by, at);
		for (unsigned i = 0; !err && i < h->measures; i++)
			err = show(h, &g, h->measure[i]);
	}
	if (!err && wants_run_delay(h))
		apart__print(s, &h->term, stdout);
	return err;
}

/* ---- for machines ------------------------------------------------------------------------- */

static void buckets(struct json *j, const struct hist *sum)
{
	struct hist_bucket b;

	json__key_array(j, "buckets");
	for (unsigned at = 0; hist__next(sum, &at, &b);) {
		json__array(j);
		json__u64(j, b.low);
		json__u64(j, b.high);
		json__u64(j, b.count);
		json__end_array(j);
	}
	json__end_array(j);
}

static void json_identity(struct json *j, const struct group *g)
{
	const struct model_vcpu *v = g->s->vcpu[g->first].v;
	char name[NAME_SIZE];

	if (g->by == SUMMARY_BY_ALL)
		return;
	json__key_str(j, "vm", summary__vm_name(g->s, v->vm, name, sizeof(name)));
	json__key_u64(j, "vm_pid", v->tgid);
	if (g->by == SUMMARY_BY_VM)
		return;
	json__key_s64(j, "vcpu", v->vcpu_id);
	json__key_u64(j, "tid", v->v.tid);
}

static int json_group(struct sink_hist *h, struct json *j, const struct group *g)
{
	int got = 0;

	json__object(j);
	json_identity(j, g);
	for (unsigned i = 0; got >= 0 && i < h->measures; i++) {
		struct hist sum = {0};
		const char *why;

		got = add_up(g, h->measure[i], &sum, &why);
		if (got > 0) {
			json__key_object(j, h->measure[i]->name);
			report_json__dist(j, &sum);
			buckets(j, &sum);
			json__end_object(j);
		}
		hist__free(&sum);
	}
	json__end_object(j);
	return got < 0 ? got : 0;
}

static int json_all(struct sink_hist *h, const struct summary *s)
{
	static const char *const by[] = {"all", "vm", "vcpu"};
	struct json *j = json__new(stdout, 0);
	struct group g;
	int err = 0, closed;

	json__object(j);
	report_json__head(j, s);
	json__key_str(j, "by", by[h->by]);
	json__key_array(j, "groups");
	for (unsigned at = 0; !err && at < s->vcpus; at += g.count) {
		g = group_at(s, h->by, at);
		err = json_group(h, j, &g);
	}
	json__end_array(j);
	json__end_object(j);
	closed = json__close(j);
	return err ?: closed;
}

static int end(void *ctx, const struct summary *s)
{
	struct sink_hist *h = ctx;

	return h->json ? json_all(h, s) : show_all(h, s);
}

void sink_hist__init(struct sink *sink, struct sink_hist *h)
{
	*sink = (struct sink){.end = end, .sums_do = true, .ctx = h};
}
