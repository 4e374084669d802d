// SPDX-License-Identifier: BSD-2-Clause
/*
 * Chooses the layout's resolution before the first event, and who draws it at the end. Live, nobody
 * knows yet how long it will take: columns are finer then than what is wanted, and joined.
 */
#include <unistd.h>
#include "err.h"
#include "outfile.h"
#include "sink_timeline.h"
#include "timeline_json.h"
#include "timeline_svg.h"
#include "timeline_text.h"

#define LIVE_FINER 8 /* so that at least 4/5 of the columns that are wanted are used */

static unsigned columns_wanted(const struct sink_timeline *t)
{
	if (t->show.json)
		return t->show.width ?: TIMELINE_JSON_COLUMNS;
	if (t->show.svg)
		return timeline_svg__columns(t->show.width);
	return timeline_text__columns(&t->term);
}

static int window(void *ctx, __u64 from_ns, __u64 to_ns)
{
	struct sink_timeline *t = ctx;
	struct timeline_opts o = {.wide = 1};
	unsigned finer = to_ns == ~0ULL && !t->show.svg ? LIVE_FINER : 1;

	term__look(&t->term, STDOUT_FILENO, t->show.color);
	if (t->show.width)
		t->term.columns = t->show.width;
	if (t->show.width || t->term.sized) /* as wide as the strips are words */
		t->term.limit = t->term.columns;
	if (!t->show.json)
		o.wide = t->show.svg ? TIMELINE_SVG_WIDE : TIMELINE_TEXT_WIDE;
	o.columns = columns_wanted(t) * finer;
	timeline__init(&t->t, &o);
	timeline__begin(&t->t, from_ns, to_ns);
	return 0;
}

static int span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		const struct model_task *task)
{
	return timeline__span(&((struct sink_timeline *)ctx)->t, v, s, a, task);
}

static int absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		   const struct model_task *task)
{
	return timeline__absence(&((struct sink_timeline *)ctx)->t, v, a, task);
}

static int write_svg(struct sink_timeline *t, const struct summary *s)
{
	struct outfile out;
	int err = outfile__open(&out, t->show.svg, t->show.force);

	if (err)
		return err;
	err = timeline_svg__write(out.f, &t->t, s, t->show.width);
	return outfile__close(&out, err);
}

static int end(void *ctx, const struct summary *s)
{
	struct sink_timeline *t = ctx;
	int err = timeline__finish(&t->t, s);

	if (!err)
		timeline__coarsen(&t->t, columns_wanted(t));
	if (err)
		err = err__say(err, "drawing");
	else if (t->show.svg)
		err = write_svg(t, s);
	else if (t->show.json)
		err = timeline_json__write(stdout, &t->t, s);
	else
		err = timeline_text__print(stdout, &t->t, s, &t->term);
	timeline__free(&t->t);
	return err;
}

void sink_timeline__init(struct sink *sink, struct sink_timeline *t,
			 const struct timeline_show *show)
{
	*t = (struct sink_timeline){.show = *show};
	*sink = (struct sink){.window = window,
			      .span = span,
			      .absence = absence,
			      .end = end,
			      .ctx = t,
			      .writes = show->svg != NULL};
}
