// SPDX-License-Identifier: BSD-2-Clause
/* The screen as a whole: the head, the page, the line of keys; and what keys do. */
#include <errno.h>
#include <string.h>
#include "top.h"
#include "units.h"

/* ---- layout ------------------------------------------------------------------------------- */

static void put_counts(const struct top *t, struct canvas *c)
{
	unsigned cnt[ST_CNT] = {0}, all = 0, vms = 0;
	__u32 vm = 0;
	char text[96];

	for (unsigned i = 0; i < t->sum.vcpus; i++) {
		if (!top__existed(t, i))
			continue;
		vms += !all || t->sum.vcpu[i].v->vm != vm;
		vm = t->sum.vcpu[i].v->vm;
		cnt[t->now[i].state]++;
		all++;
	}
	snprintf(text, sizeof(text), "%u vCPU%s of %u VM%s", all, all == 1 ? "" : "s", vms,
		 vms == 1 ? "" : "s");
	canvas__flow(c, STYLE_HEADER, text);
	snprintf(text, sizeof(text), "now %u preempted", cnt[ST_PREEMPTED]);
	canvas__flow(c, cnt[ST_PREEMPTED] ? STYLE_PREEMPTED : STYLE_DIM, text);
	snprintf(text, sizeof(text), "%u running",
		 cnt[ST_RUNNING] + cnt[ST_USER] + cnt[ST_ON_OR_USER]);
	canvas__flow(c, STYLE_RUNNING, text);
	snprintf(text, sizeof(text), "%u idle", cnt[ST_HALTED] + cnt[ST_SLEEPING]);
	canvas__flow(c, STYLE_HALTED, text);
	snprintf(text, sizeof(text), "%u unknown", cnt[ST_UNKNOWN]);
	if (cnt[ST_UNKNOWN])
		canvas__flow(c, STYLE_UNKNOWN, text);
}

/* What the numbers do not show themselves: always on the screen, where it is so. */
static void put_losses(const struct top *t, struct canvas *c)
{
	char text[96];

	if (t->tick.lost) {
		snprintf(text, sizeof(text), "%llu records lost, %llu of them now",
			 (unsigned long long)t->tick.lost, (unsigned long long)t->sum.lost);
		canvas__flow(c, t->sum.lost ? STYLE_BAD : STYLE_WARN, text);
	}
	if (t->tick.untracked) {
		snprintf(text, sizeof(text), "%llu vCPUs do not fit (--max-vcpus)",
			 (unsigned long long)t->tick.untracked);
		canvas__flow(c, STYLE_BAD, text);
	}
}

static void put_what(const struct top *t, struct canvas *c, const struct term *term)
{
	char name[ESCAPE_SIZE(160) + 4], text[sizeof(name) + 96];

	if (t->within) {
		top__vm_name(t, term, t->within_key, name, sizeof(name));
		if (t->within_group == TOP_VMS)
			snprintf(text, sizeof(text), "VM %s", name);
		else if (t->within_key == VCPU_NO_CPU)
			snprintf(text, sizeof(text), "CPU ?");
		else
			snprintf(text, sizeof(text), "CPU %u", t->within_key);
		canvas__flow(c, STYLE_WARN, text);
	}
	if (t->filter[0]) {
		escape__str(term->escape, t->filter, name, sizeof(name));
		snprintf(text, sizeof(text), "VMs %s", name);
		canvas__flow(c, STYLE_WARN, text);
	}
	if (t->paused || t->ended)
		canvas__flow(c, STYLE_BAD, t->ended ? "END" : "PAUSED");
}

static void put_host(const struct session *s, struct canvas *c, const struct term *term, bool whole)
{
	char text[ESCAPE_SIZE(65)];

	escape__str(term->escape, s->host, text, sizeof(text));
	if (whole || c->column + 2 + escape__width(text) <= c->columns)
		canvas__flow(c, STYLE_DIM, text);
	escape__str(term->escape, s->release, text, sizeof(text));
	if (whole || c->column + 2 + escape__width(text) <= c->columns)
		canvas__flow(c, STYLE_DIM, text);
}

/* Of a small screen it takes no more than it must. */
static void head(const struct top *t, struct canvas *c, const struct term *term, bool whole)
{
	bool small = !whole && term->rows < 12;
	const struct session *s = t->sum.session;
	char text[64 + 2 * UNITS_LEN], at[UNITS_LEN], length[UNITS_LEN];

	canvas__flow(c, STYLE_HEADER, "kvmsched top");
	if (t->page == TOP_HELP)
		canvas__flow(c, STYLE_HEADER, "keys and columns");
	if (!t->have || t->page == TOP_HELP) {
		canvas__newline(c);
		return;
	}
	units__clock(at, t->sum.to_ns, s->wall_start_ns,
		     t->sum.to_ns - t->sum.from_ns < 1000000000 ? 3 : 1);
	snprintf(text, sizeof(text), "%s, %s", at,
		 units__own(length, t->sum.to_ns - t->sum.from_ns));
	canvas__flow(c, STYLE_PLAIN, text);
	put_what(t, c, term);
	if (!small)
		put_host(s, c, term, whole);
	canvas__newline(c);
	if (!small)
		put_counts(t, c);
	put_losses(t, c);
	if (c->column)
		canvas__newline(c);
	if (!small && term->columns >= 40 && t->page == TOP_LIST)
		top__legend(t, c, term);
}

/* Pages that scroll by lines: drawn again if that went too far. */
static void scrolled(struct top *t, struct canvas *c, const struct term *term)
{
	unsigned from = c->line, runs = c->runs, bytes = c->bytes, most;

	t->page_rows = term->rows > from + 1 ? term->rows - from - 1 : 1;
	for (bool again = false;; again = true) {
		c->skip = t->scroll;
		if (t->page == TOP_DETAIL)
			top__detail(t, c, term);
		else
			top__help(t, c, term);
		t->page_lines = c->line - from + t->scroll - c->skip;
		most = t->page_lines > t->page_rows ? t->page_lines - t->page_rows : 0;
		c->skip = 0;
		if (again || t->scroll <= most)
			return;
		t->scroll = most;
		c->line = from;
		c->runs = runs;
		c->bytes = bytes;
	}
}

static void page_keys(const struct top *t, struct canvas *c)
{
	char text[64];

	if (t->page != TOP_MATRIX && t->page_lines > t->page_rows) {
		snprintf(text, sizeof(text), " %u-%u of %u ", t->scroll + 1,
			 t->scroll + t->page_rows, t->page_lines);
		canvas__put(c, STYLE_PLAIN, text);
	}
	canvas__put(c, STYLE_PLAIN, " Esc back  q quit  p pause ");
}

static void keys(const struct top *t, struct canvas *c, const struct term *term)
{
	char name[ESCAPE_SIZE(TOP_FILTER)], text[sizeof(name) + 32];

	c->line = term->rows - 1;
	c->column = 0;
	if (t->editing) {
		escape__str(term->escape, t->filter, name, sizeof(name));
		snprintf(text, sizeof(text), "VMs: %s_", name);
		canvas__put(c, STYLE_HEADER, text);
		return;
	}
	c->reverse = true;
	if (t->page != TOP_LIST)
		page_keys(t, c);
	else if (t->replay)
		canvas__put(
			c, STYLE_PLAIN,
			" q quit  h help  p pause  n next  <> sort  g group  / VMs  m matrix  Enter more ");
	else
		canvas__put(
			c, STYLE_PLAIN,
			" q quit  h help  p pause  <> sort  g group  / VMs  m matrix  Enter more ");
	c->reverse = false;
}

int top__layout(struct top *t, struct canvas *c, const struct term *term, bool whole)
{
	c->columns = whole ? term->limit : term->columns;
	c->utf8 = term->utf8;
	c->rows = whole ? 0 : term->rows > 1 ? term->rows - 1 : 1; /* the last one has the keys */
	canvas__clear(c);
	head(t, c, term, whole);
	if (t->page == TOP_LIST || (!t->have && t->page != TOP_HELP))
		top__list(t, c, term, whole);
	else if (t->page == TOP_MATRIX)
		top__matrix(t, c, term);
	else
		scrolled(t, c, term);
	if (!whole) {
		c->rows = term->rows;
		keys(t, c, term);
	}
	return c->err;
}

/* ---- keys --------------------------------------------------------------------------------- */

/* The filter works while it is being typed. */
static int edit(struct top *t, int key)
{
	size_t n = strlen(t->filter);

	if (key == TOP_KEY_ENTER) {
		t->editing = false;
	} else if (key == TOP_KEY_ESCAPE) {
		t->editing = false;
		strcpy(t->filter, t->before);
	} else if (key == TOP_KEY_BACKSPACE && n) {
		do
			n--;
		while (n && (t->filter[n] & 0xc0) == 0x80);
		t->filter[n] = '\0';
	} else if (key >= ' ' && key < 0x100 && key != 0x7f && n + 1 < sizeof(t->filter)) {
		t->filter[n] = key;
		t->filter[n + 1] = '\0';
	} else {
		return 0;
	}
	t->cursor = t->first = 0;
	return top__rows(t);
}

static void move(struct top *t, long rows)
{
	long to;

	if (t->page != TOP_LIST) {
		to = (long)t->scroll + rows;
		t->scroll = to < 0 ? 0 : to > 10000 ? 10000 : to;
		return;
	}
	to = (long)t->cursor + rows;
	t->cursor = to < 0 || !t->rows ? 0 : to >= (long)t->rows ? t->rows - 1 : to;
}

static void turn_to(struct top *t, enum top_page page)
{
	t->page = page;
	t->scroll = 0;
}

static int enter(struct top *t)
{
	if (t->page != TOP_LIST || t->cursor >= t->rows)
		return 0;
	if (t->group == TOP_VCPUS) {
		t->vcpu = t->row[t->cursor].key;
		turn_to(t, TOP_DETAIL);
		return 0;
	}
	t->within = true;
	t->within_group = t->group;
	t->within_key = t->row[t->cursor].key;
	t->group = TOP_VCPUS;
	t->cursor = t->first = 0;
	return top__rows(t);
}

static int back(struct top *t)
{
	if (t->page != TOP_LIST) {
		turn_to(t, t->page == TOP_HELP ? t->under : TOP_LIST);
		return 0;
	}
	if (t->within)
		t->group = t->within_group;
	else
		t->filter[0] = '\0';
	t->within = false;
	t->cursor = t->first = 0;
	return top__rows(t);
}

static int sort_by(struct top *t, int step)
{
	t->sort = (t->sort + TOP_SORTS + step) % TOP_SORTS;
	t->cursor = t->first = 0;
	return top__rows(t);
}

static int choose_rows(struct top *t, int key)
{
	if (key == 'r')
		t->reverse = !t->reverse;
	else
		t->group = (t->group + 1) % TOP_GROUPS, t->within = false;
	turn_to(t, TOP_LIST);
	t->cursor = t->first = 0;
	return top__rows(t);
}

int top__key(struct top *t, int key)
{
	if (t->editing)
		return edit(t, key);
	switch (key) {
	case 'q':
	case 'Q':
		t->quit = true;
		break;
	case 'h':
	case '?':
		if (t->page != TOP_HELP)
			t->under = t->page;
		turn_to(t, t->page == TOP_HELP ? t->under : TOP_HELP);
		break;
	case 'm':
		turn_to(t, t->page == TOP_MATRIX ? TOP_LIST : TOP_MATRIX);
		break;
	case 'p':
	case ' ':
		t->paused = !t->paused;
		break;
	case 'n':
		t->step = t->replay;
		t->paused |= t->replay;
		break;
	case '/':
	case 'f':
		turn_to(t, TOP_LIST);
		t->editing = true;
		strcpy(t->before, t->filter);
		break;
	case '<':
	case TOP_KEY_LEFT:
		return sort_by(t, -1);
	case '>':
	case TOP_KEY_RIGHT:
		return sort_by(t, 1);
	case 'r':
	case 'g':
		return choose_rows(t, key);
	case TOP_KEY_ENTER:
		return enter(t);
	case TOP_KEY_ESCAPE:
	case TOP_KEY_BACKSPACE:
		return back(t);
	case TOP_KEY_UP:
	case 'k':
		move(t, -1);
		break;
	case TOP_KEY_DOWN:
	case 'j':
		move(t, 1);
		break;
	case TOP_KEY_PAGE_UP:
		move(t, -(long)(t->page_rows ?: 10));
		break;
	case TOP_KEY_PAGE_DOWN:
		move(t, t->page_rows ?: 10);
		break;
	case TOP_KEY_HOME:
		move(t, -1000000);
		break;
	case TOP_KEY_END:
		move(t, 1000000);
		break;
	}
	return 0;
}
