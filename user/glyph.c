// SPDX-License-Identifier: BSD-2-Clause
/* See glyph.h. */
#include <stdio.h>
#include <string.h>
#include "glyph.h"

#define WOKEN_PART 8 /* of a column: every wake-up waits a little */
#define HEIGHTS	   8

/* Told apart also by those who do not see all colours: what waits is warm, what runs is blue. */
enum { OWN, BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE };

const struct pen pen_mark = {.bold = true, .reverse = true};
const struct pen pen_name = {.fg = WHITE, .bg = RED, .bold = true};

static const char *const eighths[] = {"", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

static const struct {
	const char *utf8, *ascii;
	struct pen pen;
	const char *words;
} signs[SIGN_CNT] = {
	[SIGN_PREEMPTED] = {"▂▅█", "#", {.fg = RED}, "preempted"},
	[SIGN_PREEMPTED_PART] = {"▂", "+", {.fg = RED}, "preempted in part"},
	[SIGN_PREEMPTED_UNKNOWN] = {"‼", "!", {.fg = RED}, "preempted, unknown"},
	[SIGN_WOKEN] = {"w", "w", {.fg = YELLOW}, "woken, waits"},
	[SIGN_RUNNING] = {"━", "=", {.fg = BLUE}, "running"},
	[SIGN_RUNNING_MOSTLY] = {"╍", "-", {.fg = BLUE}, "mostly running"},
	[SIGN_ON_OR_USER] = {"═", "=", {.fg = BLUE}, "on_or_user"},
	[SIGN_ON_OR_USER_MOSTLY] = {"╌", "-", {.fg = BLUE}, "mostly on_or_user"},
	[SIGN_USER] = {"─", "u", {.fg = CYAN}, "user"},
	[SIGN_USER_MOSTLY] = {"┄", "v", {.fg = CYAN}, "mostly user"},
	[SIGN_HALTED] = {"·", ".", {.dim = true}, "halted"},
	[SIGN_HALTED_MOSTLY] = {":", ":", {.dim = true}, "mostly halted"},
	[SIGN_SLEEPING] = {"~", "~", {.fg = GREEN}, "sleeping"},
	[SIGN_SLEEPING_MOSTLY] = {"≈", "%", {.fg = GREEN}, "mostly sleeping"},
	[SIGN_UNKNOWN] = {"?", "?", {.fg = MAGENTA}, "unknown"},
	[SIGN_ELSEWHERE] = {"×", "x", {.dim = true}, "elsewhere"},
	[SIGN_ABSENT] = {" ", " ", {0}, "absent"},
};

/* ---- pens --------------------------------------------------------------------------------- */

bool pen__same(const struct pen *a, const struct pen *b)
{
	return a->fg == b->fg && a->bg == b->bg && a->bold == b->bold && a->dim == b->dim &&
	       a->reverse == b->reverse;
}

static bool is_plain(const struct pen *p, const struct term *term)
{
	return !term->color || pen__same(p, &(struct pen){0});
}

void pen__on(const struct pen *p, const struct term *term, FILE *f)
{
	if (is_plain(p, term))
		return;
	fprintf(f, "\033[0%s%s%s", p->bold ? ";1" : "", p->dim ? ";2" : "", p->reverse ? ";7" : "");
	if (p->fg)
		fprintf(f, ";%d", 30 + p->fg - BLACK);
	if (p->bg)
		fprintf(f, ";%d", 40 + p->bg - BLACK);
	fputc('m', f);
}

void pen__off(const struct pen *p, const struct term *term, FILE *f)
{
	if (!is_plain(p, term))
		fputs("\033[0m", f);
}

/* ---- one sign ----------------------------------------------------------------------------- */

/* Of two, the one that was longer; of none, `otherwise`. */
static enum state longest(const struct timeline_column *c, const enum state *of, unsigned n,
			  enum state otherwise)
{
	enum state best = otherwise;
	__u64 ns = 0;

	for (unsigned i = 0; i < n; i++)
		if (c->ns[of[i]] > ns) {
			ns = c->ns[of[i]];
			best = of[i];
		}
	return best;
}

static enum glyph_sign calm(const struct timeline_column *c)
{
	static const enum state on[] = {ST_RUNNING, ST_ON_OR_USER, ST_USER};
	static const enum state off[] = {ST_HALTED, ST_SLEEPING};
	enum state present = longest(c, on, 3, ST_CNT), away = longest(c, off, 2, ST_CNT);
	__u64 on_ns = c->ns[ST_RUNNING] + c->ns[ST_ON_OR_USER] + c->ns[ST_USER];
	__u64 off_ns = c->ns[ST_HALTED] + c->ns[ST_SLEEPING];

	if (!on_ns && !off_ns)
		return c->ns[ST_ELSEWHERE] ? SIGN_ELSEWHERE : SIGN_ABSENT;
	if (off_ns > on_ns)
		return (away == ST_HALTED ? SIGN_HALTED : SIGN_SLEEPING) + (on_ns > 0);
	return (present == ST_RUNNING	   ? SIGN_RUNNING
		: present == ST_ON_OR_USER ? SIGN_ON_OR_USER
					   : SIGN_USER) +
	       (off_ns > 0);
}

static enum glyph_sign sign_of(const struct term *term, const struct timeline_column *c)
{
	__u64 preempted = c->ns[ST_PREEMPTED], total = 0;

	for (int i = 0; i < ST_CNT; i++)
		total += c->ns[i];
	if (preempted && c->ns[ST_UNKNOWN])
		return SIGN_PREEMPTED_UNKNOWN;
	if (preempted)
		return term->utf8 || 2 * preempted >= total ? SIGN_PREEMPTED : SIGN_PREEMPTED_PART;
	if (c->ns[ST_UNKNOWN])
		return SIGN_UNKNOWN;
	return c->woken_ns >= total / WOKEN_PART + 1 ? SIGN_WOKEN : calm(c);
}

static struct glyph draw_sign(struct glyphs *g, const struct timeline_column *c)
{
	enum glyph_sign sign = sign_of(g->term, c);
	const char *text = g->term->utf8 ? signs[sign].utf8 : signs[sign].ascii;
	struct glyph out = {.pen = signs[sign].pen};
	unsigned share[TIMELINE_SHADES];

	g->used[sign] = true;
	if (sign == SIGN_PREEMPTED && g->term->utf8) {
		timeline__shares(c, HEIGHTS, share);
		text = eighths[share[ST_PREEMPTED]];
	}
	snprintf(out.text, sizeof(out.text), "%s", text);
	return out;
}

/* ---- piles -------------------------------------------------------------------------------- */

/* From the bottom of a pile to its top, as in the SVG. What has no colour is never below another.
 */
static const struct {
	unsigned shade;
	enum glyph_sign sign;
	unsigned char color;
	const char *full;
	struct pen pen; /* ... of a column that has nothing else */
} piles[] = {
	{ST_PREEMPTED, SIGN_PREEMPTED, RED, "█", {.fg = RED}},
	{TIMELINE_WOKEN, SIGN_WOKEN, YELLOW, "█", {.fg = YELLOW}},
	{ST_UNKNOWN, SIGN_UNKNOWN, MAGENTA, "?", {.fg = WHITE, .bg = MAGENTA, .bold = true}},
	{ST_RUNNING, SIGN_RUNNING, BLUE, "█", {.fg = BLUE}},
	{ST_ON_OR_USER, SIGN_ON_OR_USER, BLUE, "█", {.fg = BLUE}},
	{ST_USER, SIGN_USER, CYAN, "█", {.fg = CYAN}},
	{ST_SLEEPING, SIGN_SLEEPING, GREEN, "~", {.fg = BLACK, .bg = GREEN}},
	{ST_HALTED, SIGN_HALTED, OWN, "·", {.dim = true}},
	{ST_ELSEWHERE, SIGN_ELSEWHERE, OWN, "×", {.dim = true}},
	{ST_ABSENT, SIGN_ABSENT, OWN, " ", {0}},
};
#define PILES (sizeof(piles) / sizeof(*piles))

enum { PREEMPTED, WOKEN, UNKNOWN };

/* The greatest of piles[from] and what follows it, other than `but`; PILES: there is none. */
static unsigned greatest(const unsigned *share, unsigned from, unsigned but)
{
	unsigned best = PILES;

	for (unsigned i = from; i < PILES; i++)
		if (i != but && share[piles[i].shade] &&
		    (best == PILES || share[piles[i].shade] > share[piles[best].shade]))
			best = i;
	return best;
}

/* Which two it is, of which the second may be none; returns how high the first one is. */
static unsigned choose_two(const unsigned *share, unsigned *below, unsigned *above)
{
	unsigned waits = share[ST_PREEMPTED] + share[TIMELINE_WOKEN], swap;

	if (waits) {
		*below = share[TIMELINE_WOKEN] > share[ST_PREEMPTED] ? WOKEN : PREEMPTED;
		*above = share[ST_UNKNOWN] ? UNKNOWN : greatest(share, UNKNOWN, PILES);
		return waits;
	}
	*above = PILES;
	*below = share[ST_UNKNOWN] ? UNKNOWN : greatest(share, UNKNOWN, PILES);
	if (*below == UNKNOWN || *below == PILES)
		return HEIGHTS;
	*above = greatest(share, UNKNOWN, *below);
	if (*above < *below) {
		swap = *below;
		*below = *above;
		*above = swap;
	}
	return share[piles[*below].shade];
}

static struct glyph draw_pile(struct glyphs *g, const struct timeline_column *c)
{
	unsigned share[TIMELINE_SHADES], below, above, high;
	struct glyph out = {0};

	timeline__shares(c, HEIGHTS, share);
	high = choose_two(share, &below, &above);
	if (below == PILES)
		below = PILES - 1;
	g->used[piles[below].sign] = true;
	if (above == PILES || !piles[below].color) {
		strcpy(out.text, piles[below].full);
		out.pen = piles[below].pen;
		return out;
	}
	g->used[piles[above].sign] = true;
	g->shared = true;
	strcpy(out.text, eighths[high < HEIGHTS ? high : HEIGHTS - 1]);
	out.pen.fg = piles[below].color;
	out.pen.bg = piles[above].color;
	return out;
}

/* ---- all ---------------------------------------------------------------------------------- */

void glyphs__init(struct glyphs *g, const struct term *term)
{
	*g = (struct glyphs){.term = term, .piles = term->utf8 && term->color};
}

struct glyph glyphs__draw(struct glyphs *g, const struct timeline_column *c)
{
	return g->piles ? draw_pile(g, c) : draw_sign(g, c);
}

static void legend_pile(enum glyph_sign sign, struct glyph *out)
{
	for (unsigned i = 0; i < PILES; i++)
		if (piles[i].sign == sign) {
			strcpy(out->text, piles[i].full);
			out->pen = piles[i].pen;
		}
}

bool glyphs__legend(const struct glyphs *g, unsigned *at, struct glyph *out, const char **words)
{
	while (*at < SIGN_CNT && !g->used[*at])
		++*at;
	*out = (struct glyph){0};
	if (*at == SIGN_CNT && g->shared) {
		strcpy(out->text, "▂▅█");
		*words = "height = share";
	} else if (*at >= SIGN_CNT) {
		return false;
	} else if (*at == SIGN_ABSENT) {
		strcpy(out->text, "blank:");
		*words = "absent";
	} else {
		*words = signs[*at].words;
		out->pen = signs[*at].pen;
		strcpy(out->text, g->term->utf8 ? signs[*at].utf8 : signs[*at].ascii);
		if (g->piles)
			legend_pile(*at, out);
	}
	++*at;
	return true;
}
