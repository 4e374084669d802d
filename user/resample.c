// SPDX-License-Identifier: BSD-2-Clause
/* See resample.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "hist.h"
#include "resample.h"
#include "student.h"

#define LEVEL	   0.05
#define ACTIVE_MIN 8  /* blocks with something in them, for a ratio of ratios */
#define BEYOND_MIN 10 /* values on either side of a quantile */
#define DRIFT_FAR  3  /* standard deviations: so far a quantile's drift is looked at; */
#define DRIFT_NEAR 2  /* and what is there counts as if it were as near: it may be a jump */

/* One recording's replicates: how often each block was drawn. */
struct side {
	unsigned blocks;
	__u32 *weight; /* [RESAMPLE_RUNS][blocks] */
	__u32 *once;   /* each block once: the recording itself */
	double *out;   /* [RESAMPLE_RUNS]: what a number was in each */
};

struct resample {
	struct side a, b;
	double largest[RESAMPLE_RUNS];
};

/* SplitMix64 (Steele, Lea, Flood 2014): small, and good enough to draw blocks. */
static __u64 draw(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static bool side_init(struct side *s, unsigned blocks, __u64 *state)
{
	s->blocks = blocks;
	s->weight = calloc((size_t)RESAMPLE_RUNS * blocks + 1, sizeof(*s->weight));
	s->once = calloc(blocks + 1, sizeof(*s->once));
	s->out = calloc(RESAMPLE_RUNS, sizeof(*s->out));
	if (!s->weight || !s->once || !s->out)
		return false;
	for (unsigned i = 0; i < blocks; i++)
		s->once[i] = 1;
	for (unsigned run = 0; run < RESAMPLE_RUNS; run++)
		for (unsigned i = 0; i < blocks; i++)
			s->weight[run * blocks + draw(state) % blocks]++;
	return true;
}

struct resample *resample__new(unsigned blocks_a, unsigned blocks_b, __u64 seed)
{
	struct resample *r = calloc(1, sizeof(*r));

	if (r && side_init(&r->a, blocks_a, &seed) && side_init(&r->b, blocks_b, &seed))
		return r;
	resample__free(r);
	return NULL;
}

static void side_free(struct side *s)
{
	free(s->weight);
	free(s->once);
	free(s->out);
}

void resample__free(struct resample *r)
{
	if (!r)
		return;
	side_free(&r->a);
	side_free(&r->b);
	free(r);
}

/* ---- one number --------------------------------------------------------------------------- */

static __u64 count_below(const struct resample_cdf *c, unsigned row, const __u32 *weight,
			 unsigned blocks)
{
	const __u32 *below = c->below + (size_t)row * blocks;
	__u64 sum = 0;

	for (unsigned i = 0; i < blocks; i++)
		sum += (__u64)weight[i] * below[i];
	return sum;
}

static __u64 count_of(const struct resample_cdf *c, const __u32 *weight, unsigned blocks)
{
	return c->rows ? count_below(c, c->rows - 1, weight, blocks) : 0;
}

/* The row that the value of a rank is in. There is at least one value. */
static unsigned row_of_rank(const struct resample_cdf *c, __u64 rank, const __u32 *weight,
			    unsigned blocks)
{
	unsigned low = 0, high = c->rows - 1;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (count_below(c, mid, weight, blocks) >= (rank ?: 1))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* The row of the nearest-rank quantile, as hist__quantile() has it; rows: there are no values. */
static unsigned quantile_row(const struct resample_sample *s, const __u32 *weight, unsigned blocks)
{
	__u64 count = count_of(s->cdf, weight, blocks);
	__u64 rank = ((unsigned __int128)count * s->permille + 999) / 1000;

	return count ? row_of_rank(s->cdf, rank, weight, blocks) : s->cdf->rows;
}

static double number(const struct resample_sample *s, const __u32 *weight, unsigned blocks)
{
	double num = 0, den = 0;
	unsigned row;

	if (s->cdf) {
		row = quantile_row(s, weight, blocks);
		return row < s->cdf->rows ? s->cdf->value[row] : NAN;
	}
	for (unsigned i = 0; i < blocks; i++) {
		num += weight[i] * s->num[i];
		den += weight[i] * s->den[i];
	}
	return den > 0 ? num / den : NAN;
}

/* How a block pulls at the number: its part of what the number is the balance of. */
static double pull(const struct resample_sample *s, unsigned blocks, double value, unsigned row,
		   unsigned i)
{
	const struct resample_cdf *c = s->cdf;

	if (!c)
		return s->num[i] - value * s->den[i];
	return c->below[(size_t)row * blocks + i] -
	       s->permille / 1000.0 * c->below[(size_t)(c->rows - 1) * blocks + i];
}

static bool takes_part(const struct resample_sample *s, unsigned blocks, unsigned i)
{
	return s->cdf ? s->cdf->below[(size_t)(s->cdf->rows - 1) * blocks + i] > 0 : s->den[i] > 0;
}

/* What one recording brings to a comparison. */
struct estimate {
	double value, df;
	struct resample_part part;
	unsigned blocks; /* that take part */
	unsigned active; /* ... with something in them */
	enum resample_lack lack;
};

/* How few blocks the deviations amount to. */
struct worth {
	double alike; /* by what the variance of a mean is larger than if blocks were independent */
	double heavy; /* the kurtosis */
};

static double lagged(const double *d, unsigned n, unsigned lag)
{
	double sum = 0;

	for (unsigned i = lag; i < n; i++)
		sum += d[i] * d[i - lag];
	return sum;
}

/* The sum of all autocorrelations, from lag 0 as -1/2: pairs of neighbouring lags are positive and
 * fall where the process is reversible; from the first that is not on they are noise (Geyer 1992).
 * That the mean was taken off makes each of them too small by what the mean is uncertain. */
static double alike(const double *d, unsigned n, double square)
{
	double sum = -1, last = INFINITY, left;
	unsigned lags = 0;

	for (; lags + 1 <= n / 4; lags += 2) {
		double pair = (lagged(d, n, lags) + lagged(d, n, lags + 1)) / square;

		if (pair <= 0)
			break;
		last = pair < last ? pair : last;
		sum += 2 * last;
	}
	left = 1 - 2.0 * (lags ? lags - 1 : 0) / n;
	return fmax(sum / left, 1);
}

static struct worth worth_of(const struct resample_sample *s, unsigned blocks, double value,
			     unsigned row)
{
	double d[blocks], sum = 0, square = 0, fourth = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < blocks; i++)
		if (takes_part(s, blocks, i)) {
			d[n] = pull(s, blocks, value, row, i);
			sum += d[n++];
		}
	for (unsigned i = 0; i < n; i++) {
		d[i] -= sum / n; /* not quite 0 for a quantile */
		square += d[i] * d[i];
		fourth += d[i] * d[i] * d[i] * d[i];
	}
	if (!(square > 0))
		return (struct worth){.alike = 1, .heavy = 3};
	return (struct worth){.alike = alike(d, n, square),
			      .heavy = n * fourth / (square * square)};
}

static enum resample_lack lack_of(const struct resample_sample *s, const struct side *side,
				  const struct estimate *e)
{
	double count;

	if (isnan(e->value))
		return RESAMPLE_NONE;
	if (e->blocks < RESAMPLE_BLOCKS_MIN)
		return RESAMPLE_BLOCKS;
	if (!s->cdf)
		return RESAMPLE_ENOUGH;
	count = count_of(s->cdf, side->once, side->blocks);
	return count * (1 - s->permille / 1000.0) < BEYOND_MIN ||
			       count * s->permille / 1000.0 < BEYOND_MIN
		       ? RESAMPLE_VALUES
		       : RESAMPLE_ENOUGH;
}

static void look(const struct resample_sample *s, const struct side *side, struct estimate *e)
{
	*e = (struct estimate){.value = number(s, side->once, side->blocks)};
	for (unsigned i = 0; !isnan(e->value) && i < side->blocks; i++) {
		e->blocks += takes_part(s, side->blocks, i);
		e->active += s->cdf ? takes_part(s, side->blocks, i) : s->num[i] > 0;
	}
	e->lack = lack_of(s, side, e);
}

/* The variance of the replicates around the number itself, on the scale of the comparison. */
static double spread(const struct side *side, double centre)
{
	double sum = 0;
	unsigned count = 0;

	for (unsigned run = 0; run < RESAMPLE_RUNS; run++) {
		double d = side->out[run] - centre;

		if (isfinite(d))
			sum += d * d, count++;
	}
	return count ? sum / count : 0;
}

/* A quantile is where a share of the values lies beyond, and shares drift. Between the modes of a
 * distribution that moves it far, elsewhere hardly. */
static double drift_of_quantile(const struct resample_sample *s, const struct side *side,
				double value, bool log_scale)
{
	double count = count_of(s->cdf, side->once, side->blocks), tail = 1 - s->permille / 1000.0;
	double times = 1 + DRIFT_FAR * s->drift * sqrt((1 - tail) / tail);
	double from = ceil(count * fmax(1 - tail * times, 0)),
	       to = ceil(count * (1 - tail / times));
	double low = s->cdf->value[row_of_rank(s->cdf, fmax(from, 1), side->once, side->blocks)];
	double high = s->cdf->value[row_of_rank(s->cdf, to, side->once, side->blocks)];

	if (log_scale) /* a value is 1 ns at the least */
		return fmax(log(value / fmax(low, 1)), log(high / value)) / DRIFT_NEAR;
	return fmax(value - low, high - value) / DRIFT_NEAR;
}

/* Its variance. */
static double drift_of(const struct resample_sample *s, const struct side *side, double value,
		       bool log_scale)
{
	double sd = s->drift * value;

	if (s->cdf && s->drift > 0)
		sd = drift_of_quantile(s, side, value, log_scale);
	else if (s->share)
		sd = s->drift * sqrt(fmax(value * (1 - value), 0));
	if (!s->cdf && log_scale)
		sd /= value;
	return sd * sd;
}

/* Replicates, their variance, and what few and similar blocks make of it. */
static void vary(const struct resample_sample *s, struct side *side, bool log_scale,
		 struct estimate *e)
{
	double n = e->blocks, centre = log_scale ? log(e->value) : e->value;
	struct worth w = worth_of(s, side->blocks, e->value,
				  s->cdf ? quantile_row(s, side->once, side->blocks) : 0);

	for (unsigned run = 0; run < RESAMPLE_RUNS; run++) {
		double v = number(s, side->weight + (size_t)run * side->blocks, side->blocks);

		side->out[run] = log_scale ? log(v) : v;
	}
	e->df = (w.heavy > 3 ? 2 * n / (w.heavy - 1) : n) / w.alike - 1;
	if (e->df < 1)
		e->df = 1;
	e->part.within = spread(side, centre) * n / (n - 1) * w.alike;
	e->part.drift = drift_of(s, side, e->value, log_scale);
}

/* ---- two of them -------------------------------------------------------------------------- */

/* A value stands for its bucket, which is evenly filled as far as one knows. */
static double rounding(const struct resample_sample *s, double value, bool log_scale)
{
	double width = (log_scale ? 1 : value) / HIST_SUB;

	return s->cdf ? width * width / 12 : 0;
}

static void note_largest(struct resample *r, const struct resample_effect *e, bool log_scale)
{
	double a = log_scale ? log(e->a) : e->a, b = log_scale ? log(e->b) : e->b;
	double se = sqrt(spread(&r->a, a) + spread(&r->b, b));

	for (unsigned run = 0; se > 0 && run < RESAMPLE_RUNS; run++) {
		double t = fabs((r->b.out[run] - b - (r->a.out[run] - a)) / se);

		if (isfinite(t) && t > r->largest[run])
			r->largest[run] = t;
	}
}

/* Welch and Satterthwaite; the drift has all degrees of freedom. */
static double freedom(const struct estimate *x, const struct estimate *y, double variance)
{
	double doubt =
		x->part.within * x->part.within / x->df + y->part.within * y->part.within / y->df;

	return doubt > 0 ? variance * variance / doubt : INFINITY;
}

void resample__compare(struct resample *r, const struct resample_sample *a,
		       const struct resample_sample *b, bool absolute, struct resample_effect *e)
{
	struct estimate x, y;
	double all;

	look(a, &r->a, &x);
	look(b, &r->b, &y);
	*e = (struct resample_effect){.a = x.value, .b = y.value, .lack = x.lack ?: y.lack};
	if (e->lack)
		return;
	e->log = !absolute && x.value > 0 && y.value > 0 && x.active >= ACTIVE_MIN &&
		 y.active >= ACTIVE_MIN;
	vary(a, &r->a, e->log, &x);
	vary(b, &r->b, e->log, &y);
	e->delta = e->log ? log(y.value / x.value) : y.value - x.value;
	e->from_a = x.part;
	e->from_b = y.part;
	all = x.part.within + x.part.drift + y.part.within + y.part.drift;
	e->df = freedom(&x, &y, all);
	e->se = sqrt(all + rounding(a, x.value, e->log) + rounding(b, y.value, e->log));
	note_largest(r, e, e->log);
}

void resample__open(struct resample *r)
{
	memset(r->largest, 0, sizeof(r->largest));
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double resample__close(const struct resample *r)
{
	double sorted[RESAMPLE_RUNS], least = student__quantile(LEVEL, INFINITY);

	memcpy(sorted, r->largest, sizeof(sorted));
	qsort(sorted, RESAMPLE_RUNS, sizeof(*sorted), ascending);
	return fmax(sorted[(unsigned)((1 - LEVEL) * RESAMPLE_RUNS)], least);
}

void resample__interval(struct resample_effect *e, double critical)
{
	/* as far out in Student's distribution as critical is in the normal one */
	double tail = fmax(student__tail(critical, INFINITY), 1e-12), half;

	e->needed = student__quantile(tail, e->df);
	half = e->needed * e->se;
	e->has_relative = e->log || e->a > 0;
	if (e->log) {
		e->relative = expm1(e->delta);
		e->relative_low = expm1(e->delta - half);
		e->relative_high = expm1(e->delta + half);
		e->change = e->b - e->a;
		e->low = e->a * e->relative_low;
		e->high = e->a * e->relative_high;
		return;
	}
	e->change = e->delta;
	e->low = e->delta - half;
	e->high = e->delta + half;
	if (e->has_relative) {
		e->relative = e->change / e->a;
		e->relative_low = e->low / e->a;
		e->relative_high = e->high / e->a;
	}
}
