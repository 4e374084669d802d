// SPDX-License-Identifier: BSD-2-Clause
/* Numbers of a comparison, and how they changed, as people read them; see diff_show.h. Knows no
 * page. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "diff_show.h"
#include "units.h"

#define TIMES_MOST 1000 /* beyond, how many times it is says nothing more */

const char *diff_number__value(char *out, enum diff_kind kind, double v)
{
	if (isnan(v))
		return strcpy(out, "-");
	if (diff__is_share(kind))
		snprintf(out, UNITS_LEN, v && v < 0.01 ? "%.2f%%" : "%.1f%%", 100 * v);
	else if (kind == DIFF_RATE)
		snprintf(out, UNITS_LEN, "%.1f/s", v);
	else
		units__own(out, v < 0 ? 0 : llround(v));
	return out;
}

/* One of the numbers of a relative change: in percent, or from tenfold on in times. */
static void relative(char *out, double r, bool times, bool precise)
{
	if (r >= TIMES_MOST - 1)
		snprintf(out, UNITS_LEN, "over %d times", TIMES_MOST);
	else if (times || r >= 99.99)
		snprintf(out, UNITS_LEN,
			 fabs(1 + r) < 0.095 ? "%.2f times"
			 : fabs(r) < 99	     ? "%.1f times"
					     : "%.0f times",
			 1 + r);
	else if (r < -0.995) /* nearly all of it is gone: how nearly? */
		snprintf(out, UNITS_LEN, "%+.2f", fmax(100 * r, -99.99));
	else
		snprintf(out, UNITS_LEN, precise ? "%+.1f" : "%+.0f", 100 * r);
}

static void absolute(char *out, enum diff_kind kind, double v)
{
	char text[UNITS_LEN];

	if (diff__is_share(kind))
		snprintf(out, UNITS_LEN, "%+.1f", 100 * fmin(fmax(v, -1), 1));
	else
		snprintf(out, UNITS_LEN, "%c%.38s", v < 0 ? '-' : '+',
			 diff_number__value(text, kind, fabs(v)));
}

void diff_number__change(const struct diff_line *l, char *change, char *interval)
{
	const struct resample_effect *e = &l->e;
	bool times = e->relative >= 10, precise = fabs(e->relative) < 0.0995;
	char low[UNITS_LEN], high[UNITS_LEN], mid[UNITS_LEN];

	if (e->log) {
		relative(mid, e->relative, times, precise);
		relative(low, e->relative_low, times, precise);
		relative(high, e->relative_high, times, precise);
		if (!strchr(low, 't') && strchr(high, 't')) /* which of them is in times? */
			strcat(low, "%");
		snprintf(change, DIFF_NUMBER, "%s%s", mid, times ? "" : "%");
	} else {
		absolute(mid, l->kind, e->change);
		absolute(low, l->kind, e->low);
		absolute(high, l->kind, e->high);
		snprintf(change, DIFF_NUMBER, "%s%s", mid,
			 diff__is_share(l->kind) ? " points" : "");
	}
	snprintf(interval, DIFF_NUMBER, "[%s, %s]", low, high);
}

bool diff_number__beyond(const struct diff_line *l, double least)
{
	return least >= (l->e.log ? TIMES_MOST - 1 : 1);
}

void diff_number__would_show(const struct diff *d, const struct diff_line *l, double least,
			     char *out)
{
	if (!l->e.log)
		snprintf(out, UNITS_LEN, "%.1f points", 100 * least);
	else if (least >= 10)
		snprintf(out, UNITS_LEN, "%.0f times", 1 + least);
	else
		snprintf(out, UNITS_LEN, "%.0f%%", 100 * fmax(least, d->least));
}
