// SPDX-License-Identifier: BSD-2-Clause
/*
 * The list: a head, and a line per row. Columns are chosen for the width: the least important go
 * first, and what room is left goes to those that can use it. Only rows on the screen are
 * formatted.
 */
#include <limits.h>
#include <string.h>
#include "style.h"
#include "top.h"
#include "units.h"

#define TEXT ESCAPE_SIZE(160) + 4

enum column {
	C_NAME,
	C_VCPU,
	C_TID,
	C_CPU,
	C_STATE,
	C_FOR,
	C_BAR,
	C_DELAY,
	C_RUN,
	C_USER,
	C_PREEMPTED,
	C_HALTED,
	C_SLEEPING,
	C_SWITCHES,
	C_MIGRATIONS,
	C_P99,
	C_MAX,
	C_MAX_AT,
	C_BY,
	COLUMNS
};

#define NO_SORT TOP_SORTS

/* least: 0 = not shortened. priority: 0 goes first. groups: 1 << TOP_VCPUS | ...: where it is. */
/* clang-format off */
static const struct {
	const char *head;
	unsigned least, full;
	int priority;
	bool right;
	enum top_sort sort;
	unsigned groups;
} columns[COLUMNS] = {
	[C_NAME] = {"VM", 6, 32, 99, false, TOP_BY_NAME, 7},
	[C_VCPU] = {"vCPU", 4, 4, 98, true, NO_SORT, 7},
	[C_TID] = {"tid", 7, 7, 6, true, NO_SORT, 1},
	[C_CPU] = {"CPU", 3, 3, 7, true, NO_SORT, 1},
	[C_STATE] = {"now", 9, 10, 10, false, NO_SORT, 7},
	[C_FOR] = {"for", 6, 6, 11, true, TOP_BY_SINCE, 1},
	[C_BAR] = {"time", 8, 40, 8, false, NO_SORT, 7},
	[C_DELAY] = {"delay", 6, 6, 97, true, TOP_BY_DELAY, 7},
	[C_RUN] = {"run%", 5, 5, 5, true, TOP_BY_RUNNING, 7},
	[C_USER] = {"usr%", 5, 5, 1, true, NO_SORT, 7},
	[C_PREEMPTED] = {"pre%", 5, 5, 4, true, TOP_BY_PREEMPTED, 7},
	[C_HALTED] = {"hlt%", 5, 5, 3, true, NO_SORT, 7},
	[C_SLEEPING] = {"slp%", 5, 5, 2, true, NO_SORT, 7},
	[C_SWITCHES] = {"sw/s", 5, 6, 9, true, TOP_BY_SWITCHES, 7},
	[C_MIGRATIONS] = {"migr", 5, 5, 0, true, NO_SORT, 7},
	[C_P99] = {"p99", 6, 6, 12, true, TOP_BY_P99, 7},
	[C_MAX] = {"max", 7, 7, 13, true, TOP_BY_MAX, 7},
	[C_MAX_AT] = {"max at", 15, 15, -1, true, NO_SORT, 7},
	[C_BY] = {"taken by", 10, 60, 14, false, NO_SORT, 3},
};
/* clang-format on */

static bool light(const struct top *t)
{
	return t->have && session__two_hooks(t->sum.session->mode);
}

static const char *head_of(const struct top *t, enum column c)
{
	if (c == C_NAME && t->group == TOP_CPUS)
		return "CPU";
	if (c == C_VCPU && t->group != TOP_VCPUS)
		return "vCPUs";
	if (c == C_STATE && t->group != TOP_VCPUS)
		return "now out";
	if (c == C_RUN && light(t))
		return "on%";
	return columns[c].head;
}

static bool offered(const struct top *t, enum column c)
{
	return columns[c].groups & 1U << t->group && !(c == C_USER && light(t));
}

/* ---- cells -------------------------------------------------------------------------------- */

static void share(char *out, __u64 part, __u64 whole)
{
	char text[UNITS_LEN];

	units__percent(text, part, whole);
	text[strcspn(text, "%")] = '\0';
	strcpy(out, text);
}

static __u64 window_of(const struct top *t, const struct top_row *r)
{
	return (t->sum.to_ns - t->sum.from_ns) * r->vcpus;
}

static void put_name(const struct top *t, const struct term *term, const struct top_row *r,
		     char *out)
{
	if (t->group == TOP_CPUS && r->key == VCPU_NO_CPU)
		snprintf(out, TEXT, "CPU ?");
	else if (t->group == TOP_CPUS)
		snprintf(out, TEXT, "CPU %u", r->key);
	else
		top__vm_name(t, term, r->sum->v ? r->sum->v->vm : r->key, out, TEXT);
}

/* Of 0 to 100 %: is it bad? */
static enum term_style style_of(__u64 part, __u64 whole)
{
	return part * 4 >= whole ? STYLE_BAD : part * 20 >= whole ? STYLE_WARN : STYLE_PLAIN;
}

static enum term_style put_nothing(char *out)
{
	strcpy(out, "-");
	return STYLE_DIM;
}

/* A part of the time may be unknown: then it is at least what is seen. What a blocked absence
 * waited before the interval is in it too: at most it waited all the time. */
static enum term_style put_delay(const struct top *t, const struct top_row *r, char *out)
{
	__u64 ns, window = window_of(t, r);

	if (!top__delay(t, r->sum, &ns))
		return put_nothing(out);
	if (r->sum->state_ns[ST_UNKNOWN] * 1000 >= window)
		*out++ = '>';
	units__percent(out, ns < window ? ns : window, window);
	return ns ? style_of(ns, window) : STYLE_DIM;
}

static enum term_style put_state(const struct top_row *r, char *out)
{
	strcpy(out, state__name(r->now.state));
	return style__of_state(r->now.state);
}

static enum term_style put_share(const struct top *t, const struct top_row *r, enum column c,
				 char *out)
{
	static const enum state states[COLUMNS] = {
		[C_RUN] = ST_RUNNING,	[C_USER] = ST_USER,	    [C_PREEMPTED] = ST_PREEMPTED,
		[C_HALTED] = ST_HALTED, [C_SLEEPING] = ST_SLEEPING,
	};
	__u64 ns = r->sum->state_ns[states[c]];

	if (!summary__known(r->sum))
		return put_nothing(out);
	if (c == C_RUN)
		ns += r->sum->state_ns[ST_ON_OR_USER];
	share(out, ns, window_of(t, r));
	return ns ? style__of_state(states[c]) : STYLE_DIM;
}

/* When it ended: of one that goes on that is not known. */
static enum term_style put_max_at(const struct top *t, const struct top_row *r, char *out)
{
	if (!r->max_at_ns || r->open_ns > r->max_ns)
		return put_nothing(out);
	units__clock(out, r->max_at_ns, t->sum.session->wall_start_ns, 6);
	return STYLE_PLAIN;
}

static enum term_style put_longest(const struct top_row *r, char *out)
{
	char text[16];

	if (!top__longest(r))
		return put_nothing(out);
	snprintf(out, TEXT, "%s%s", r->open_ns > r->sum->run_delay.max ? ">" : "",
		 top__brief(text, sizeof(text), top__longest(r)));
	return STYLE_PLAIN;
}

/* Writes the cell's text; returns its style. */
static enum term_style cell(const struct top *t, const struct term *term, const struct top_row *r,
			    enum column c, char *out)
{
	__u64 length = t->sum.to_ns - t->sum.from_ns;

	*out = '\0';
	switch (c) {
	case C_NAME:
		put_name(t, term, r, out);
		break;
	case C_VCPU:
		if (t->group != TOP_VCPUS)
			snprintf(out, TEXT, "%u", r->vcpus);
		else if (r->sum->v->vcpu_id >= 0)
			snprintf(out, TEXT, "%d", r->sum->v->vcpu_id);
		else
			strcpy(out, "-");
		break;
	case C_TID:
		snprintf(out, TEXT, "%u", r->sum->v->v.tid);
		break;
	case C_CPU:
		if (r->now.cpu == VCPU_NO_CPU)
			return put_nothing(out);
		snprintf(out, TEXT, "%u", r->now.cpu);
		break;
	case C_STATE:
		if (t->group == TOP_VCPUS)
			return put_state(r, out);
		snprintf(out, TEXT, "%u of %u", r->preempted, r->vcpus);
		return r->preempted ? STYLE_PREEMPTED : STYLE_DIM;
	case C_FOR:
		top__brief(out, TEXT, t->sum.to_ns - r->now.since_ns);
		return style__of_state(r->now.state);
	case C_DELAY:
		return put_delay(t, r, out);
	case C_SWITCHES:
		if (!summary__known(r->sum))
			return put_nothing(out);
		units__count(out, length ? (unsigned __int128)r->sum->switches * 1000000000 / length
					 : 0);
		break;
	case C_MIGRATIONS:
		if (!summary__known(r->sum))
			return put_nothing(out);
		units__count(out, r->sum->migrations);
		break;
	case C_P99:
		if (!r->sum->run_delay.count)
			return put_nothing(out);
		top__brief(out, TEXT, hist__quantile(&r->sum->run_delay, 990));
		break;
	case C_MAX:
		return put_longest(r, out);
	case C_MAX_AT:
		return put_max_at(t, r, out);
	case C_BY:
		top__taken_by(t, term, r, out, TEXT);
		break;
	default:
		return put_share(t, r, c, out);
	}
	return STYLE_PLAIN;
}

/* ---- columns ------------------------------------------------------------------------------ */

static unsigned least_of(const struct top *t, enum column c)
{
	unsigned head = strlen(head_of(t, c));

	return columns[c].least > head ? columns[c].least : head;
}

/* How wide the texts of the rows from first to last are, at most. */
static unsigned wish_of(const struct top *t, const struct term *term, enum column c, unsigned first,
			unsigned last)
{
	unsigned wish = least_of(t, c), width;
	char text[TEXT];

	if (c == C_BAR)
		return columns[c].full;
	for (unsigned i = first; i < last; i++) {
		cell(t, term, &t->row[i], c, text);
		width = escape__width(text);
		wish = width > wish ? width : wish;
	}
	return wish;
}

#define NAME_ENOUGH  14
#define TAKER_ENOUGH (NAME_ENOUGH + 5) /* its share is before it */

/* By how much a name's column is narrower than what tells its names apart. */
static unsigned lacks(const struct top *t, const struct term *term, enum column c,
		      const unsigned *width, unsigned first, unsigned last)
{
	unsigned wish = width[c] ? wish_of(t, term, c, first, last) : 0;

	unsigned enough = c == C_BY ? TAKER_ENOUGH : NAME_ENOUGH;

	wish = wish > enough ? enough : wish;
	return wish > width[c] ? wish - width[c] : 0;
}

/* Leaves out columns, the least important first, until `used` fits; all: else only those that names
 * are worth more than. The bar is not one of these. Returns what is used then. */
static unsigned leave_out(const struct top *t, unsigned *width, unsigned used, unsigned limit,
			  bool all)
{
	while (used > limit + 1) {
		int worst = -1;

		for (int c = 0; c < COLUMNS; c++) {
			bool kept = !all && (c == C_BAR || columns[c].sort == t->sort);

			if (width[c] && !kept &&
			    (worst < 0 || columns[c].priority < columns[worst].priority))
				worst = c;
		}
		if (columns[worst].priority > (all ? 90 : 9))
			break;
		used -= width[worst] + 1;
		width[worst] = 0;
	}
	return used;
}

/* Widens a column to what its cells need, as far as there is room. */
static unsigned widen(unsigned *width, unsigned wish, unsigned used, unsigned limit)
{
	unsigned more = wish > *width ? wish - *width : 0;

	if (more > limit + 1 - used)
		more = limit + 1 - used;
	*width += more;
	return used + more;
}

/* width[c]: 0 = not shown. The names are the only ones that need all of what they have. */
static void choose(const struct top *t, const struct term *term, unsigned *width, unsigned first,
		   unsigned last)
{
	static const enum column greedy[] = {C_NAME, C_BY, C_BAR};
	unsigned used = 0, limit = term->limit == UINT_MAX ? INT_MAX : term->limit, names;

	for (int c = 0; c < COLUMNS; c++) {
		width[c] = offered(t, c) ? least_of(t, c) : 0;
		used += width[c] ? width[c] + 1 : 0;
	}
	used = leave_out(t, width, used, limit, true);
	names = lacks(t, term, C_NAME, width, first, last) +
		lacks(t, term, C_BY, width, first, last);
	used = leave_out(t, width, used + names, limit, false) - names;
	for (int c = 0; c < COLUMNS && used <= limit + 1;
	     c++) { /* numbers and states are never cut */
		bool whole = columns[c].right || c == C_STATE;
		unsigned wish = width[c] && whole ? wish_of(t, term, c, first, last) : 0;

		if (wish > width[c] && used + wish - width[c] <= limit + 1)
			used = widen(&width[c], wish, used, limit);
	}
	for (unsigned i = 0; i < 2 && used <= limit + 1; i++) /* first so much of each */
		used = widen(&width[greedy[i]],
			     width[greedy[i]] + lacks(t, term, greedy[i], width, first, last), used,
			     limit);
	for (unsigned i = 0; i < 3 && used <= limit + 1; i++) {
		enum column c = greedy[i];
		unsigned wish = width[c] ? wish_of(t, term, c, first, last) : 0;

		if (term->limit != UINT_MAX && wish > columns[c].full)
			wish = columns[c].full;
		used = widen(&width[c], wish, used, limit);
	}
}

static void header(const struct top *t, struct canvas *c, const unsigned *width)
{
	char text[32];
	bool first = true;

	for (int i = 0; i < COLUMNS; i++) {
		bool sorted = columns[i].sort == t->sort && t->sort != NO_SORT;

		if (!width[i])
			continue;
		if (!first)
			canvas__put(c, STYLE_HEADER, " ");
		first = false;
		snprintf(text, sizeof(text), "%s", head_of(t, i));
		c->reverse = sorted;
		canvas__field(c, STYLE_HEADER, text, width[i], columns[i].right);
		c->reverse = false;
	}
	canvas__newline(c);
}

static void line(struct top *t, struct canvas *c, const struct term *term, const unsigned *width,
		 unsigned i, bool marked)
{
	const struct top_row *r = &t->row[i];
	char text[TEXT];
	bool first = true;

	for (int k = 0; k < COLUMNS; k++) {
		enum term_style style;

		if (!width[k])
			continue;
		if (!first)
			canvas__put(c, STYLE_PLAIN, " ");
		first = false;
		if (k == C_BAR) {
			top__bar(c, term, r->sum, window_of(t, r), width[k]);
			continue;
		}
		style = cell(t, term, r, k, text);
		c->reverse = marked && k == C_NAME;
		canvas__field(c, style, text, width[k], columns[k].right);
		c->reverse = false;
	}
	canvas__newline(c);
}

/* Keeps the cursor on the screen. */
static void scroll_to_cursor(struct top *t, unsigned room)
{
	t->page_rows = room;
	if (t->cursor < t->first)
		t->first = t->cursor;
	if (t->cursor >= t->first + room)
		t->first = t->cursor - room + 1;
	if (t->first + room > t->rows)
		t->first = t->rows > room ? t->rows - room : 0;
}

void top__list(struct top *t, struct canvas *c, const struct term *term, bool whole)
{
	unsigned used = c->line + 1 + (whole ? 0 : 1), last, width[COLUMNS];
	unsigned room = whole ? t->rows : term->rows > used ? term->rows - used : 1;

	if (whole)
		t->first = 0;
	else
		scroll_to_cursor(t, room);
	last = t->first + room < t->rows ? t->first + room : t->rows;
	choose(t, term, width, t->first, last);
	header(t, c, width);
	for (unsigned i = t->first; i < last; i++)
		line(t, c, term, width, i, !whole && i == t->cursor);
	if (!t->rows) {
		canvas__put(c, STYLE_DIM,
			    t->have ? t->filter[0] || t->within ? "No vCPU matches." : "No vCPU."
				    : "Waiting for the first interval.");
		canvas__newline(c);
	}
}
