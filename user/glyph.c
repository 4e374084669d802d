// SPDX-License-Identifier: BSD-2-Clause
/* See glyph.h. */
#include <stdio.h>
#include "glyph.h"

#define WOKEN_PART 8 /* of a column: every wake-up waits a little */

static const struct {
	const char *utf8, *ascii;
	enum term_style style;
	const char *words;
} table[GLYPH_CNT] = {
	[GLYPH_PREEMPTED] = {"█", "#", STYLE_PREEMPTED, "preempted"},
	[GLYPH_PREEMPTED_PART] = {"▂", "+", STYLE_PREEMPTED, "preempted in part"},
	[GLYPH_PREEMPTED_UNKNOWN] = {"‼", "!", STYLE_PREEMPTED, "preempted and unknown"},
	[GLYPH_WOKEN] = {"w", "w", STYLE_PREEMPTED, "woken, waits"},
	[GLYPH_RUNNING] = {"━", "=", STYLE_RUNNING, "running"},
	[GLYPH_RUNNING_MOSTLY] = {"╍", "-", STYLE_RUNNING, "mostly running"},
	[GLYPH_ON_OR_USER] = {"═", "=", STYLE_ON_OR_USER, "on_or_user"},
	[GLYPH_ON_OR_USER_MOSTLY] = {"╌", "-", STYLE_ON_OR_USER, "mostly on_or_user"},
	[GLYPH_USER] = {"─", "u", STYLE_USER, "user"},
	[GLYPH_USER_MOSTLY] = {"┄", "v", STYLE_USER, "mostly user"},
	[GLYPH_HALTED] = {"·", ".", STYLE_HALTED, "halted"},
	[GLYPH_HALTED_MOSTLY] = {"∙", ":", STYLE_HALTED, "mostly halted"},
	[GLYPH_SLEEPING] = {"~", "~", STYLE_SLEEPING, "sleeping"},
	[GLYPH_SLEEPING_MOSTLY] = {"≈", "%", STYLE_SLEEPING, "mostly sleeping"},
	[GLYPH_UNKNOWN] = {"?", "?", STYLE_UNKNOWN, "unknown"},
	[GLYPH_ELSEWHERE] = {"×", "x", STYLE_DIM, "elsewhere"},
	[GLYPH_ABSENT] = {" ", " ", STYLE_ABSENT, "absent"},
};

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

static enum glyph calm(const struct timeline_column *c)
{
	static const enum state on[] = {ST_RUNNING, ST_ON_OR_USER, ST_USER};
	static const enum state off[] = {ST_HALTED, ST_SLEEPING};
	enum state present = longest(c, on, 3, ST_CNT), away = longest(c, off, 2, ST_CNT);
	__u64 on_ns = c->ns[ST_RUNNING] + c->ns[ST_ON_OR_USER] + c->ns[ST_USER];
	__u64 off_ns = c->ns[ST_HALTED] + c->ns[ST_SLEEPING];

	if (!on_ns && !off_ns)
		return c->ns[ST_ELSEWHERE] ? GLYPH_ELSEWHERE : GLYPH_ABSENT;
	if (off_ns > on_ns)
		return (away == ST_HALTED ? GLYPH_HALTED : GLYPH_SLEEPING) + (on_ns > 0);
	return (present == ST_RUNNING	   ? GLYPH_RUNNING
		: present == ST_ON_OR_USER ? GLYPH_ON_OR_USER
					   : GLYPH_USER) +
	       (off_ns > 0);
}

enum glyph glyph__of(const struct term *term, const struct timeline_column *c)
{
	__u64 preempted = c->ns[ST_PREEMPTED], total = 0;

	for (int i = 0; i < ST_CNT; i++)
		total += c->ns[i];
	if (preempted && c->ns[ST_UNKNOWN])
		return GLYPH_PREEMPTED_UNKNOWN;
	if (preempted)
		return term->utf8 || 2 * preempted >= total ? GLYPH_PREEMPTED
							    : GLYPH_PREEMPTED_PART;
	if (c->ns[ST_UNKNOWN])
		return GLYPH_UNKNOWN;
	return c->woken_ns >= total / WOKEN_PART + 1 ? GLYPH_WOKEN : calm(c);
}

const char *glyph__text(const struct term *term, enum glyph g, const struct timeline_column *c)
{
	static const char *const eighths[] = {"", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	unsigned share[TIMELINE_SHADES];

	if (!term->utf8)
		return table[g].ascii;
	if (g != GLYPH_PREEMPTED || !c)
		return table[g].utf8;
	timeline__shares(c, 8, share);
	return eighths[share[ST_PREEMPTED]];
}

enum term_style glyph__style(enum glyph g)
{
	return table[g].style;
}

const char *glyph__words(const struct term *term, enum glyph g, char *out)
{
	if (g == GLYPH_PREEMPTED && term->utf8)
		snprintf(out, GLYPH_WORDS, "▁▄█ preempted (how much)");
	else if (g == GLYPH_ABSENT)
		snprintf(out, GLYPH_WORDS, "blank: absent");
	else
		snprintf(out, GLYPH_WORDS, "%s %s", glyph__text(term, g, NULL), table[g].words);
	return out;
}
