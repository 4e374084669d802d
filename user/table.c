// SPDX-License-Identifier: BSD-2-Clause
/*
 * Keeps all cells until the widths are known, then fits the columns into the terminal: first by
 * what the columns need at least, dropping some, then by handing out the room that is left.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "table.h"

#define GAP 2 /* blanks between columns */

struct column {
	char *header;
	enum table_align align;
	unsigned min_width; /* 0 = may not be shortened */
	unsigned priority;
};

struct cell {
	char *text;
	enum term_style style;
	unsigned width;
};

struct table {
	struct column *cols;
	struct cell *cells; /* row after row */
	unsigned col_cnt;
	size_t cell_cnt;
	size_t cell_room;
	int err;
};

/* How one column is printed. */
struct fit {
	bool dropped;
	unsigned least; /* columns of the terminal: what it must have, */
	unsigned full;	/* what its texts have, */
	unsigned width; /* and what it gets */
};

/* ---- filling --------------------------------------------------------------------------------- */

struct table *table__new(void)
{
	return calloc(1, sizeof(struct table));
}

void table__clear(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->cell_cnt; i++)
		free(t->cells[i].text);
	t->cell_cnt = 0;
}

void table__free(struct table *t)
{
	if (!t)
		return;
	table__clear(t);
	for (unsigned i = 0; i < t->col_cnt; i++)
		free(t->cols[i].header);
	free(t->cols);
	free(t->cells);
	free(t);
}

void table__add_col(struct table *t, const char *header, enum table_align align, unsigned min_width,
		    unsigned priority)
{
	struct column *cols, col = {NULL, align, min_width, priority};

	if (!t || t->err)
		return;
	cols = realloc(t->cols, (t->col_cnt + 1) * sizeof(*cols));
	if (cols)
		t->cols = cols;
	col.header = strdup(header);
	if (!cols || !col.header) {
		free(col.header);
		t->err = -ENOMEM;
		return;
	}
	t->cols[t->col_cnt++] = col;
}

static int make_room(struct table *t)
{
	size_t room = t->cell_room ? 2 * t->cell_room : 64;
	struct cell *cells;

	if (t->cell_cnt < t->cell_room)
		return 0;
	cells = realloc(t->cells, room * sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	t->cells = cells;
	t->cell_room = room;
	return 0;
}

void table__styled(struct table *t, enum term_style style, const char *text)
{
	struct cell cell = {.style = style};

	if (!t || t->err)
		return;
	cell.text = strdup(text ? text : "-");
	if (!cell.text || make_room(t)) {
		free(cell.text);
		t->err = -ENOMEM;
		return;
	}
	cell.width = escape__width(cell.text);
	t->cells[t->cell_cnt++] = cell;
}

void table__cell(struct table *t, const char *text)
{
	table__styled(t, STYLE_PLAIN, text);
}

/* ---- fitting --------------------------------------------------------------------------------- */

static void measure(const struct table *t, struct fit *fit)
{
	for (unsigned c = 0; c < t->col_cnt; c++) {
		struct fit *f = &fit[c];
		unsigned header = escape__width(t->cols[c].header), least = t->cols[c].min_width;

		*f = (struct fit){.full = header};
		for (size_t i = c; i < t->cell_cnt; i += t->col_cnt)
			if (t->cells[i].width > f->full)
				f->full = t->cells[i].width;
		if (least && least < header)
			least = header;
		f->least = least && least < f->full ? least : f->full;
	}
}

/* The columns of the terminal that the least of all kept columns takes. */
static unsigned long least_sum(const struct fit *fit, unsigned n)
{
	unsigned long sum = 0;

	for (unsigned c = 0; c < n; c++)
		if (!fit[c].dropped)
			sum += fit[c].least + (sum ? GAP : 0);
	return sum;
}

/* The next one to drop, or NULL: the lowest priority; of equals the rightmost. */
static struct fit *dispensable(const struct table *t, struct fit *fit)
{
	unsigned priority = TABLE_KEEP;
	struct fit *found = NULL;

	for (unsigned c = 0; c < t->col_cnt; c++)
		if (!fit[c].dropped && t->cols[c].priority < TABLE_KEEP &&
		    t->cols[c].priority <= priority) {
			priority = t->cols[c].priority;
			found = &fit[c];
		}
	return found;
}

/* Returns how many columns were dropped. */
static int drop(const struct table *t, struct fit *fit, unsigned limit)
{
	int dropped = 0;

	while (least_sum(fit, t->col_cnt) > limit) {
		struct fit *f = dispensable(t, fit);

		if (!f)
			break;
		f->dropped = true;
		dropped++;
	}
	return dropped;
}

static void hand_out(struct fit *fit, unsigned n, unsigned limit)
{
	unsigned long sum = least_sum(fit, n), room = sum < limit ? limit - sum : 0;

	for (unsigned c = 0; c < n; c++) {
		unsigned more = fit[c].full - fit[c].least;

		if (fit[c].dropped)
			continue;
		if (more > room)
			more = room;
		fit[c].width = fit[c].least + more;
		room -= more;
	}
}

/* ---- printing -------------------------------------------------------------------------------- */

struct line {
	const struct table *t;
	const struct term *term;
	const struct fit *fit;
	FILE *f;
	unsigned pad; /* blanks that are due before the next text; none are left at the end */
	bool begun;
};

static void put_text(struct line *l, enum term_style style, const char *text)
{
	fprintf(l->f, "%*s%s%s%s", (int)l->pad, "", term__on(l->term, style), text,
		term__off(l->term, style));
	l->pad = 0;
}

static int put_cell(struct line *l, unsigned c, enum term_style style, const char *text)
{
	const struct fit *fit = &l->fit[c];
	bool right = l->t->cols[c].align == TABLE_RIGHT;
	char *cut;
	unsigned used, rest;

	if (fit->dropped)
		return 0;
	cut = malloc(strlen(text) + 4);
	if (!cut)
		return -ENOMEM;
	used = escape__shorten(text, fit->width, l->term->utf8, cut);
	rest = fit->width - used;
	l->pad += (l->begun ? GAP : 0) + (right ? rest : 0);
	l->begun = true;
	if (*cut)
		put_text(l, style, cut);
	if (!right)
		l->pad += rest;
	free(cut);
	return 0;
}

static void end_line(struct line *l)
{
	fputc('\n', l->f);
	l->pad = 0;
	l->begun = false;
}

static int put_header(struct line *l)
{
	int err = 0;

	for (unsigned c = 0; !err && c < l->t->col_cnt; c++)
		err = put_cell(l, c, STYLE_HEADER, l->t->cols[c].header);
	end_line(l);
	return err;
}

static int put_rows(struct line *l)
{
	unsigned n = l->t->col_cnt;
	int err = 0;

	for (size_t i = 0; !err && i < l->t->cell_cnt; i++) {
		err = put_cell(l, i % n, l->t->cells[i].style, l->t->cells[i].text);
		if (i % n == n - 1 || i == l->t->cell_cnt - 1)
			end_line(l);
	}
	return err;
}

/* What is not shown is at least named. */
static void put_dropped(struct line *l, int dropped)
{
	const struct table *t = l->t;
	unsigned at = 0;
	char text[64];

	snprintf(text, sizeof(text), "%d column%s a wider terminal:", dropped,
		 dropped == 1 ? " needs" : "s need");
	term__flow(l->term, l->f, &at, " ", STYLE_DIM, text);
	for (unsigned c = 0; c < t->col_cnt; c++) {
		if (!l->fit[c].dropped)
			continue;
		snprintf(text, sizeof(text), "%s%s", t->cols[c].header, --dropped ? "," : "");
		term__flow(l->term, l->f, &at, " ", STYLE_DIM, text);
	}
	fputc('\n', l->f);
}

bool table__fits(const struct table *t, const struct term *term)
{
	struct fit *fit = t && t->col_cnt ? calloc(t->col_cnt, sizeof(*fit)) : NULL;
	bool fits;

	if (!fit)
		return true; /* table__print() says what is wrong */
	measure(t, fit);
	fits = least_sum(fit, t->col_cnt) <= term->limit;
	free(fit);
	return fits;
}

int table__print(const struct table *t, const struct term *term, FILE *f)
{
	struct line line = {.t = t, .term = term, .f = f};
	struct fit *fit;
	int dropped, err;

	if (!t || t->err)
		return -ENOMEM;
	if (!t->col_cnt)
		return 0;
	fit = calloc(t->col_cnt, sizeof(*fit));
	if (!fit)
		return -ENOMEM;
	measure(t, fit);
	dropped = drop(t, fit, term->limit);
	hand_out(fit, t->col_cnt, term->limit);
	line.fit = fit;
	errno = 0;
	err = put_header(&line);
	if (!err)
		err = put_rows(&line);
	if (!err && dropped)
		put_dropped(&line, dropped);
	if (!err && ferror(f))
		err = errno ? -errno : -EIO;
	free(fit);
	return err ? err : dropped;
}
