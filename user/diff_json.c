// SPDX-License-Identifier: BSD-2-Clause
/* Integers only: times in ns, shares in ppm of the time, rates in events per 1000 s, relative
 * changes in ppm. A number that there is not has no key. */
#include <math.h>
#include "diff_show.h"
#include "err.h"
#include "json.h"
#include "report_json.h"

static const char *const verdicts[] = {
	[DIFF_SAME] = "no_change",
	[DIFF_ROSE] = "rose",
	[DIFF_FELL] = "fell",
	[DIFF_UNKNOWN] = "not_compared",
};

static const char *const kinds[] = {
	[DIFF_SHARE] = "share", [DIFF_CLASS] = "class", [DIFF_TAKEN] = "taken",
	[DIFF_RATE] = "rate",	[DIFF_MEAN] = "mean",	[DIFF_QUANTILE] = "quantile",
	[DIFF_MAX] = "max",
};

static const char *unit_of(enum diff_kind kind)
{
	return diff__is_share(kind) ? "ppm" : kind == DIFF_RATE ? "per_1000s" : "ns";
}

static double scale_of(enum diff_kind kind)
{
	return diff__is_share(kind) ? 1e6 : kind == DIFF_RATE ? 1000 : 1;
}

static void key_number(struct json *j, const char *key, double v)
{
	if (!isnan(v))
		json__key_s64(j, key,
			      v > 9e18	  ? (__s64)9e18
			      : v < -9e18 ? (__s64)-9e18
					  : llround(v));
}

static void effect(struct json *j, const struct resample_effect *e, enum diff_kind kind,
		   bool decided)
{
	double scale = scale_of(kind);

	json__key_str(j, "unit", unit_of(kind));
	key_number(j, "a", scale * e->a);
	key_number(j, "b", scale * e->b);
	if (!decided)
		return;
	key_number(j, "change", scale * e->change);
	key_number(j, "change_low", scale * e->low);
	key_number(j, "change_high", scale * e->high);
	if (!e->has_relative)
		return;
	key_number(j, "relative_ppm", 1e6 * e->relative);
	key_number(j, "relative_low_ppm", 1e6 * e->relative_low);
	key_number(j, "relative_high_ppm", 1e6 * e->relative_high);
}

static void line(struct json *j, const struct diff_line *l)
{
	json__object(j);
	if (l->taker) {
		if (l->kind == DIFF_TAKEN)
			json__key_str(j, "by", l->taker->name);
		json__key_str(j, "class", report_class_names[l->taker->by]);
	} else {
		json__key_str(j, "measure", l->measure->name);
	}
	json__key_str(j, "kind", kinds[l->kind]);
	if (l->kind == DIFF_QUANTILE)
		json__key_u64(j, "permille", l->permille);
	effect(j, &l->e, l->kind, !l->why);
	json__key_str(j, "verdict", verdicts[l->verdict]);
	if (l->why)
		json__key_str(j, "why", l->why);
	else if (l->worse || l->better)
		json__key_str(j, "is", l->worse ? "worse" : "better");
	json__end_object(j);
}

static void sharpness(struct json *j, const struct diff_sharpness *s)
{
	bool relative = s->line && s->line->e.log;

	if (!s->line)
		return;
	json__key_object(j, "sharpness");
	json__key_str(j, "measure", s->line->measure->name);
	json__key_bool(j, "relative", relative);
	key_number(j, "would_show_ppm", 1e6 * s->least);
	if (s->long_ns) {
		json__key_u64(j, "longer_ns", s->long_ns);
		key_number(j, "longer_would_show_ppm", 1e6 * s->least_then);
	}
	json__end_object(j);
}

static void vm(struct json *j, const struct diff *d, const struct diff_vm *v)
{
	struct diff_sharpness s = diff__sharpness(d, v);

	json__object(j);
	json__key_str(j, "vm", v->a->name);
	json__key_str(j, "vm_b", v->b->name);
	json__key_bool(j, "assumed", v->assumed);
	json__key_u64(j, "vcpus_a", v->a->vcpus);
	json__key_u64(j, "vcpus_b", v->b->vcpus);
	json__key_u64(j, "changed", v->changed);
	sharpness(j, &s);
	json__key_array(j, "numbers");
	for (unsigned i = 0; i < v->lines; i++)
		line(j, &v->line[i]);
	json__end_array(j);
	json__end_object(j);
}

static void recording(struct json *j, const char *key, const struct profile *p)
{
	json__key_object(j, key);
	json__key_str(j, "host", p->session.host);
	json__key_str(j, "kernel", p->session.release);
	json__key_str(j, "arch", p->session.arch);
	json__key_str(j, "mode", session__mode_name(p->session.mode));
	json__key_u64(j, "events", p->events);
	json__key_u64(j, "lost", p->lost);
	json__key_u64(j, "window_ns", p->to_ns - p->from_ns);
	json__key_u64(j, "blocks", p->blocks);
	json__end_object(j);
}

static void names(struct json *j, const char *key, const struct profile_vm **list, unsigned count)
{
	json__key_array(j, key);
	for (unsigned i = 0; i < count; i++)
		json__str(j, list[i]->name);
	json__end_array(j);
}

static void limit(struct json *j, const struct diff_limit *l)
{
	static const char *const said[] = {[EXIT_FINE] = "ok",
					   [EXIT_VIOLATED] = "violated",
					   [EXIT_INCONCLUSIVE] = "inconclusive"};

	json__object(j);
	json__key_str(j, "limit", l->limit->text);
	if (l->vm)
		json__key_str(j, "vm", l->vm->a->name);
	json__key_str(j, "verdict", said[l->status]);
	if (l->why)
		json__key_str(j, "why", l->why);
	else
		effect(j, &l->e, diff__limit_kind(l->limit), true);
	json__end_object(j);
}

int diff_json__write(const struct diff *d, int status)
{
	struct json *j = json__new(stdout, JSON_PRETTY);

	json__object(j);
	json__key_u64(j, "schema", 1);
	json__key_u64(j, "status", status);
	json__key_str(j, "verdict",
		      d->changed   ? "changed"
		      : d->decided ? "no_change"
				   : "undecided");
	recording(j, "a", d->a);
	recording(j, "b", d->b);
	json__key_array(j, "vms");
	for (unsigned i = 0; i < d->vms; i++)
		vm(j, d, &d->vm[i]);
	json__end_array(j);
	names(j, "only_a", d->only_a, d->only_as);
	names(j, "only_b", d->only_b, d->only_bs);
	json__key_array(j, "limits");
	for (unsigned i = 0; i < d->limits; i++)
		limit(j, &d->limit[i]);
	json__end_array(j);
	json__end_object(j);
	return json__close(j);
}
