// SPDX-License-Identifier: BSD-2-Clause
/* The histogram against exact figures: sorted arrays, and sums done by hand. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hist.h"
#include "step.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* xorshift64*: the same numbers in every run */
static __u64 next_random(void)
{
	static __u64 x = 0x9e3779b97f4a7c15ULL;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return x * 0x2545f4914f6cdd1dULL;
}

/* All magnitudes are equally likely. */
static __u64 log_random(void)
{
	return next_random() >> (next_random() % 64);
}

static struct hist_bucket only_bucket(const struct hist *h)
{
	struct hist_bucket b = {0}, other;
	unsigned at = 0;

	assert_int_equal(hist__next(h, &at, &b), 1);
	assert_int_equal(hist__next(h, &at, &other), 0);
	return b;
}

static struct hist_bucket bucket_of(__u64 v)
{
	struct hist h = {0};
	struct hist_bucket b;

	assert_int_equal(hist__add(&h, v), 0);
	b = only_bucket(&h);
	hist__free(&h);
	return b;
}

static void empty(void **state)
{
	struct hist h = {0}, other = {0};
	struct hist_bucket b;
	unsigned at = 0;

	(void)state;
	assert_int_equal(hist__next(&h, &at, &b), 0);
	assert_int_equal(hist__quantile(&h, 500), 0);
	assert_int_equal(hist__quantile(&h, 1000), 0);
	assert_int_equal(hist__mean(&h), 0);
	assert_int_equal(hist__count_le(&h, 5), 0);
	assert_int_equal(hist__coarsen(&h, &b, 1), 0);
	assert_int_equal(hist__merge(&h, &other), 0);
	assert_int_equal(hist__add_n(&h, 7, 0), 0);
	assert_int_equal(h.count, 0);
	assert_int_equal(h.max, 0);
	hist__free(&h);
	hist__free(NULL);
}

static void exact_below_256(void **state)
{
	(void)state;
	for (__u64 v = 0; v < 256; v++) {
		struct hist_bucket b = bucket_of(v);

		assert_int_equal(b.low, v);
		assert_int_equal(b.high, v);
	}
}

/* Every bucket begins where the one before it ends, from 0 to 2^64 - 1. */
static void no_gaps(void **state)
{
	struct hist_bucket b = bucket_of(0);
	unsigned n = 1;

	(void)state;
	for (; b.high != ~0ULL; n++) {
		__u64 before = b.high;

		b = bucket_of(before + 1);
		assert_int_equal(b.low, before + 1);
		assert_int_equal(hist__index(b.low), hist__index(b.high));
	}
	assert_int_equal(n, HIST_BUCKETS);
}

static void error_is_small(void **state)
{
	double worst = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		__u64 v = log_random();
		struct hist_bucket b = bucket_of(v);
		double error = v ? (double)(b.high - v) / v : 0;

		assert_true(b.low <= v && v <= b.high);
		assert_int_equal(b.count, 1);
		if (error > worst)
			worst = error;
	}
	print_message("worst relative error of 100000 values: %.3f %%\n", 100 * worst);
	assert_true(worst <= 0.01);
}

static int by_value(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return (x > y) - (x < y);
}

static double check_quantiles(const struct hist *h, const __u64 *sorted, unsigned n)
{
	static const unsigned permilles[] = {0, 1, 250, 500, 900, 990, 999, 1000};
	double worst = 0;

	for (unsigned i = 0; i < LEN(permilles); i++) {
		__u64 rank = ((__u64)permilles[i] * n + 999) / 1000;
		__u64 exact = sorted[rank ? rank - 1 : 0], q = hist__quantile(h, permilles[i]);

		assert_true(q >= exact);
		assert_true(q <= h->max);
		if (exact && (double)(q - exact) / exact > worst)
			worst = (double)(q - exact) / exact;
		if (exact < 256)
			assert_int_equal(q, exact);
	}
	assert_int_equal(hist__quantile(h, 1000), sorted[n - 1]);
	return worst;
}

static void quantiles_of_random_sets(void **state)
{
	static __u64 v[5000];
	double worst = 0;

	(void)state;
	for (int round = 0; round < 200; round++) {
		unsigned n = 1 + next_random() % LEN(v), shift = next_random() % 48;
		struct hist h = {0};
		double error;

		for (unsigned i = 0; i < n; i++) {
			v[i] = log_random() >> shift;
			assert_int_equal(hist__add(&h, v[i]), 0);
		}
		qsort(v, n, sizeof(*v), by_value);
		assert_int_equal(h.count, n);
		assert_int_equal(h.min, v[0]);
		assert_int_equal(h.max, v[n - 1]);
		error = check_quantiles(&h, v, n);
		worst = error > worst ? error : worst;
		hist__free(&h);
	}
	print_message("worst relative error of 1600 quantiles: %.3f %%\n", 100 * worst);
	assert_true(worst <= 0.01);
}

static void quantile_stops_at_max(void **state)
{
	struct hist h = {0};

	(void)state;
	assert_int_equal(hist__add_n(&h, 1000001, 10), 0); /* its bucket goes on to 1003519 */
	assert_int_equal(hist__quantile(&h, 500), 1000001);
	assert_int_equal(hist__quantile(&h, 999), 1000001);
	assert_int_equal(hist__mean(&h), 1000001);
	hist__free(&h);
}

static void sums(void **state)
{
	struct hist h = {0};

	(void)state;
	assert_int_equal(hist__add(&h, 3), 0);
	assert_int_equal(hist__add_n(&h, 10, 4), 0);
	assert_int_equal(h.count, 5);
	assert_int_equal(h.sum, 43);
	assert_int_equal(h.min, 3);
	assert_int_equal(h.max, 10);
	assert_int_equal(hist__mean(&h), 8);
	assert_int_equal(hist__add(&h, ~0ULL), 0);
	assert_true(h.sum == ~0ULL);
	assert_int_equal(hist__add_n(&h, 1ULL << 60, 100), 0);
	assert_true(h.sum == ~0ULL);
	hist__free(&h);
	assert_int_equal(h.count, 0);
	assert_int_equal(hist__add(&h, 5), 0); /* can be used again */
	assert_int_equal(h.min, 5);
	hist__free(&h);
}

static void counters_carry(void **state)
{
	struct hist h = {0}, twice = {0};

	(void)state;
	assert_int_equal(hist__add_n(&h, 77, 0xfffffffeULL), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(hist__add(&h, 77), 0);
	assert_int_equal(only_bucket(&h).count, 0x100000002ULL);
	assert_int_equal(h.count, 0x100000002ULL);
	assert_int_equal(hist__merge(&twice, &h), 0);
	assert_int_equal(hist__merge(&twice, &h), 0);
	assert_int_equal(only_bucket(&twice).count, 0x200000004ULL);
	assert_int_equal(hist__add_n(&h, 77, ~0ULL), 0);
	assert_true(only_bucket(&h).count == ~0ULL);
	assert_true(h.count == ~0ULL);
	assert_int_equal(hist__quantile(&h, 999), 77);
	hist__free(&h);
	hist__free(&twice);
}

static void same(const struct hist *a, const struct hist *b)
{
	struct hist_bucket x, y;
	unsigned i = 0, j = 0;

	assert_int_equal(a->count, b->count);
	assert_int_equal(a->sum, b->sum);
	assert_int_equal(a->min, b->min);
	assert_int_equal(a->max, b->max);
	while (hist__next(a, &i, &x)) {
		assert_int_equal(hist__next(b, &j, &y), 1);
		assert_memory_equal(&x, &y, sizeof(x));
	}
	assert_int_equal(hist__next(b, &j, &y), 0);
}

static void merging_is_adding(void **state)
{
	struct hist a = {0}, b = {0}, both = {0};

	(void)state;
	for (int i = 0; i < 20000; i++) {
		__u64 v = log_random() >> 8;

		assert_int_equal(hist__add(i % 3 ? &a : &b, v), 0);
		assert_int_equal(hist__add(&both, v), 0);
	}
	assert_int_equal(hist__merge(&a, &b), 0);
	same(&a, &both);
	hist__free(&a);
	hist__free(&b);
	hist__free(&both);
}

static void cumulative(void **state)
{
	struct hist h = {0};

	(void)state;
	for (__u64 v = 1; v <= 1000000; v += 7)
		assert_int_equal(hist__add(&h, v), 0);
	for (__u64 v = 0; v < 1100000; v += 997) {
		__u64 exact = v < 1 ? 0 : v >= 1000000 ? h.count : (v - 1) / 7 + 1;
		__u64 n = hist__count_le(&h, v);

		assert_true(n <= exact);
		assert_true(n + 2 >= exact * 0.991);
	}
	assert_int_equal(hist__count_le(&h, h.max), h.count);
	assert_int_equal(hist__count_le(&h, h.max - 1) < h.count, 1);
	hist__free(&h);
}

static void check_rows(const struct hist *h, unsigned want)
{
	struct hist_bucket rows[64];
	unsigned n = hist__coarsen(h, rows, want);
	__u64 sum = 0;

	assert_in_range(n, 1, want);
	assert_true(rows[0].low <= h->min && h->min <= rows[0].high);
	assert_true(rows[n - 1].low <= h->max && h->max <= rows[n - 1].high);
	for (unsigned i = 0; i < n; i++) {
		sum += rows[i].count;
		if (i)
			assert_true(rows[i].low == rows[i - 1].high + 1);
	}
	assert_int_equal(sum, h->count);
	assert_true(rows[0].count && rows[n - 1].count);
}

static void rows_hold_all(void **state)
{
	static const unsigned wanted[] = {1, 2, 3, 10, 20, 64};

	(void)state;
	for (int round = 0; round < 100; round++) {
		unsigned shift = next_random() % 64, n = 1 + next_random() % 300;
		struct hist h = {0};

		for (unsigned i = 0; i < n; i++)
			assert_int_equal(hist__add(&h, log_random() >> shift), 0);
		for (unsigned i = 0; i < LEN(wanted); i++)
			check_rows(&h, wanted[i]);
		hist__free(&h);
	}
}

static void rows_are_powers_of_two(void **state)
{
	struct hist_bucket rows[20];
	struct hist h = {0};

	(void)state;
	assert_int_equal(hist__add(&h, 1500), 0);
	assert_int_equal(hist__add_n(&h, 1000000, 3), 0);
	assert_int_equal(hist__coarsen(&h, rows, 10), 10);
	assert_int_equal(rows[0].low, 1024);
	assert_int_equal(rows[0].high, 2047);
	assert_int_equal(rows[1].count, 0);
	assert_int_equal(rows[9].low, 524288);
	assert_int_equal(rows[9].count, 3);
	assert_int_equal(hist__coarsen(&h, rows, 20), 20); /* half octaves */
	assert_int_equal(rows[0].high, 1535);
	hist__free(&h);
}

static void memory_is_lazy(void **state)
{
	struct hist h = {0};
	unsigned chunks = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) /* a range of two octaves */
		assert_int_equal(hist__add(&h, 40000 + next_random() % 60000), 0);
	for (unsigned i = 0; i < HIST_CHUNKS; i++)
		chunks += !!h.chunk[i];
	assert_int_equal(chunks, 2);
	assert_int_equal(h.used, 3ULL << __builtin_ctzll(h.used));
	hist__free(&h);
}

/* ---- the kernel's buckets ------------------------------------------------------------------ */

/* What ks_bucket() is meant to be, one step at a time. */
static __u64 bucket_by_loop(__u64 ns)
{
	__u64 first = 0;

	for (; ns >= 2 * KS_AGG_SUB; ns /= 2)
		first += KS_AGG_SUB;
	return first + ns;
}

/* What is left to user space's table in the kernel gives the same. */
static __u64 bucket_in_two_halves(__u64 ns)
{
	__u64 first = ks_bucket_begin(&ns);

	assert_true(ns < KS_BUCKET_REST);
	return first + ks_bucket(ns);
}

static void check_bucket(__u64 ns)
{
	assert_int_equal(ks_bucket(ns), bucket_by_loop(ns));
	assert_int_equal(bucket_in_two_halves(ns), bucket_by_loop(ns));
	assert_true(ks_bucket(ns) < KS_AGG_BUCKETS);
}

static void kernel_buckets(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++)
		for (int d = -1; d <= 1; d++) {
			__u64 v = (1ULL << bit) + d;

			check_bucket(v);
			check_bucket(v + v / 8);
			if (v && v != ~0ULL)
				assert_true(ks_bucket(v) <= ks_bucket(v + 1));
		}
	check_bucket(~0ULL);
	for (__u64 v = 0; v < 1 << 20; v++)
		assert_true(ks_bucket(v + 1) - ks_bucket(v) <= 1);
	for (int i = 0; i < 1000000; i++)
		check_bucket(log_random());
}

static void kernel_adds(struct ks_agg_hist *k, __u64 ns)
{
	k->sum_ns += ns;
	k->max_ns = ns > k->max_ns ? ns : k->max_ns;
	k->bucket[ks_bucket(ns)]++;
}

/* Each value is in a bucket of at most 12.5 %, with its neighbours, and in no other. */
static void of_the_kernel(void **state)
{
	double widest = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct ks_agg_hist k = {0};
		struct hist h = {0};
		struct hist_bucket b;
		__u64 v = log_random();

		kernel_adds(&k, v);
		assert_int_equal(hist__add_kernel(&h, &k), 0);
		b = only_bucket(&h);
		assert_true(b.low <= v && v <= b.high);
		assert_int_equal(ks_bucket(b.low), ks_bucket(v));
		assert_int_equal(ks_bucket(b.high), ks_bucket(v));
		assert_true(!b.low || ks_bucket(b.low - 1) != ks_bucket(v));
		assert_true(b.high == ~0ULL || ks_bucket(b.high + 1) != ks_bucket(v));
		assert_int_equal(h.kind, HIST_COARSE);
		assert_int_equal(h.min, b.low);
		assert_int_equal(h.max, v);
		assert_int_equal(h.sum, v);
		assert_int_equal(hist__quantile(&h, 500), v);
		if (b.low && (double)(b.high - b.low) / b.low > widest)
			widest = (double)(b.high - b.low) / b.low;
		hist__free(&h);
	}
	print_message("widest of the kernel's buckets: %.2f %%\n", 100 * widest);
	assert_true(widest <= 0.125);
}

/* A quantile is the exact one's bucket; counts, sums and rows are whole. */
static void of_the_kernel_many(void **state)
{
	static __u64 v[3000];
	double worst = 0;

	(void)state;
	for (int round = 0; round < 100; round++) {
		unsigned n = 1 + next_random() % LEN(v), shift = 14 + next_random() % 40;
		struct ks_agg_hist k = {0};
		struct hist h = {0};

		for (unsigned i = 0; i < n; i++) {
			v[i] = log_random() >> shift;
			kernel_adds(&k, v[i]);
		}
		qsort(v, n, sizeof(*v), by_value);
		assert_int_equal(hist__add_kernel(&h, &k), 0);
		assert_int_equal(h.count, n);
		assert_int_equal(h.sum, k.sum_ns);
		assert_int_equal(h.max, v[n - 1]);
		assert_true(h.min <= v[0] && ks_bucket(h.min) == ks_bucket(v[0]));
		for (unsigned permille = 1; permille < 1000; permille += 37) {
			__u64 exact = v[((__u64)permille * n + 999) / 1000 - 1];
			__u64 q = hist__quantile(&h, permille);

			assert_int_equal(ks_bucket(q), ks_bucket(exact));
			assert_true(q >= exact);
			if (exact && (double)(q - exact) / exact > worst)
				worst = (double)(q - exact) / exact;
		}
		check_rows(&h, 20);
		check_rows(&h, 64);
		hist__free(&h);
	}
	print_message("worst relative error of the kernel's quantiles: %.2f %%\n", 100 * worst);
	assert_true(worst <= 0.125);
}

static void merging_keeps_coarse(void **state)
{
	struct ks_agg_hist k = {0};
	struct hist h = {0}, all = {0}, none = {0};

	(void)state;
	kernel_adds(&k, 1000000);
	assert_int_equal(hist__add_kernel(&h, &k), 0);
	assert_int_equal(hist__add_kernel(&h, &k), 0);
	assert_int_equal(hist__merge(&all, &h), 0);
	assert_int_equal(hist__merge(&all, &none), 0);
	same(&all, &h);
	assert_int_equal(all.kind, HIST_COARSE);
	assert_int_equal(all.count, 2);
	assert_int_equal(hist__add(&all, 1), -EINVAL); /* it has no such bucket */
	same(&all, &h);
	assert_int_equal(hist__merge(&none, &all), 0);
	hist__free(&none);
	assert_int_equal(hist__add(&none, 1), 0);
	assert_int_equal(hist__merge(&none, &all), -EINVAL);
	assert_int_equal(hist__add_kernel(&none, &k), -EINVAL);
	hist__free(&none);
	hist__free(&h);
	hist__free(&all);
	assert_int_equal(all.kind, HIST_EMPTY);
}

/* Intervals: what is added after a moment, whatever was before. */
static void since(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		struct hist before = {0}, h = {0}, later = {0}, since = {0};
		unsigned old = next_random() % 50, new = next_random() % 50;
		struct hist_bucket x, y;
		unsigned i = 0, j = 0;

		for (unsigned n = 0; n < old + new; n++) {
			__u64 v = log_random() >> 10;

			assert_int_equal(hist__add(&h, v), 0);
			assert_int_equal(hist__add(n < old ? &before : &later, v), 0);
		}
		assert_int_equal(hist__since(&since, &h, &before), 0);
		assert_int_equal(since.count, new);
		assert_int_equal(since.sum, later.sum);
		while (hist__next(&later, &i, &x)) {
			assert_int_equal(hist__next(&since, &j, &y), 1);
			assert_memory_equal(&x, &y, sizeof(x));
		}
		assert_int_equal(hist__next(&since, &j, &y), 0);
		if (new) {
			assert_int_equal(hist__index(since.min), hist__index(later.min));
			assert_int_equal(hist__index(since.max), hist__index(later.max));
		}
		hist__free(&before);
		hist__free(&h);
		hist__free(&later);
		hist__free(&since);
	}
}

/* Nothing new: an empty one. A new maximum is exact, an old one is only its bucket's. */
static void since_extremes(void **state)
{
	struct hist before = {0}, h = {0}, since = {0};

	(void)state;
	assert_int_equal(hist__add(&h, 1000001), 0);
	assert_int_equal(hist__add(&before, 1000001), 0);
	assert_int_equal(hist__since(&since, &h, &before), 0);
	assert_int_equal(since.count, 0);
	assert_int_equal(since.max, 0);
	assert_int_equal(since.min, 0);
	hist__free(&since);
	assert_int_equal(hist__add(&h, 500001), 0);
	assert_int_equal(hist__since(&since, &h, &before), 0);
	assert_int_equal(since.min, 500001);
	assert_true(since.max >= 500001 && hist__index(since.max) == hist__index(500001));
	hist__free(&since);
	assert_int_equal(hist__add(&h, 2000001), 0);
	assert_int_equal(hist__since(&since, &h, &before), 0);
	assert_int_equal(since.max, 2000001);
	assert_int_equal(since.count, 2);
	hist__free(&since);
	hist__free(&h);
	hist__free(&before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(exact_below_256),
		cmocka_unit_test(no_gaps),
		cmocka_unit_test(error_is_small),
		cmocka_unit_test(quantiles_of_random_sets),
		cmocka_unit_test(quantile_stops_at_max),
		cmocka_unit_test(sums),
		cmocka_unit_test(counters_carry),
		cmocka_unit_test(merging_is_adding),
		cmocka_unit_test(cumulative),
		cmocka_unit_test(rows_hold_all),
		cmocka_unit_test(rows_are_powers_of_two),
		cmocka_unit_test(memory_is_lazy),
		cmocka_unit_test(kernel_buckets),
		cmocka_unit_test(of_the_kernel),
		cmocka_unit_test(of_the_kernel_many),
		cmocka_unit_test(merging_keeps_coarse),
		cmocka_unit_test(since),
		cmocka_unit_test(since_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
