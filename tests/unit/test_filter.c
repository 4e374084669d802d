// SPDX-License-Identifier: BSD-2-Clause
/* The filter: what its options accept, what it lets pass, and how it writes itself down. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "filter.h"

/* A filter from kind, argument pairs, NULL-terminated; each must be accepted. */
static struct filter make(const char *kinds, const char *const *args)
{
	struct filter f = {0};

	for (; *kinds; kinds++, args++)
		assert_int_equal(filter__add(&f, *kinds, *args), 0);
	return f;
}
#define MAKE(kinds, ...) make(kinds, (const char *const[]){__VA_ARGS__})

static bool passes(const struct filter *f)
{
	return filter__vcpu(f, "web1", 100, "/machine.slice/web1.scope", 2, 1002);
}

static void empty_passes_all(void **state)
{
	struct filter f = {0};

	(void)state;
	assert_false(filter__any(&f));
	assert_true(passes(&f));
	assert_true(filter__vcpu(&f, "", 0, "", -1, 0));
	assert_true(filter__name(&f, ""));
	assert_true(filter__cpu(&f, 0));
	assert_true(filter__cpu(&f, 1U << 31)); /* no filter, no limit */
}

static void rejects(void **state)
{
	static const struct {
		char kind;
		const char *arg;
		int err;
	} bad[] = {
		{'v', "", -EINVAL},
		{'g', "", -EINVAL},
		{'p', "", -EINVAL},
		{'p', "0", -EINVAL},
		{'p', "-1", -EINVAL},
		{'p', "+1", -EINVAL},
		{'p', " 1", -EINVAL},
		{'p', "1 ", -EINVAL},
		{'p', "1,", -EINVAL},
		{'p', ",1", -EINVAL},
		{'p', "1,,2", -EINVAL},
		{'p', "1-2", -EINVAL}, /* no ranges of processes */
		{'p', "0x10", -EINVAL},
		{'p', "2147483648", -EINVAL},
		{'p', "99999999999999999999999", -EINVAL},
		{'t', "0", -EINVAL},
		{'t', "7-9", -EINVAL},
		{'V', "-1", -EINVAL},
		{'V', "3-2", -EINVAL},
		{'V', "1-", -EINVAL},
		{'V', "1-2-3", -EINVAL},
		{'V', "a", -EINVAL},
		{'V', "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", -E2BIG},
		{'t', "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", -E2BIG},
		{'C', "1024", -EINVAL},
		{'C', "0-1024", -EINVAL},
		{'C', "0-4294967295", -EINVAL},
		{'?', "1", -EINVAL},
	};
	struct filter f, before;

	(void)state;
	f = MAKE("vpVtCg", "web*", "1", "0", "2", "3", "/a");
	before = f;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(filter__add(&f, bad[i].kind, bad[i].arg), bad[i].err);
		assert_memory_equal(&f, &before,
				    sizeof(f)); /* untouched, also by a list's good part */
	}
}

static void at_most_filter_max(void **state)
{
	static const char kinds[] = "vgpVt";
	struct filter f;

	(void)state;
	for (const char *k = kinds; *k; k++) {
		memset(&f, 0, sizeof(f));
		for (int i = 0; i < FILTER_MAX; i++)
			assert_int_equal(filter__add(&f, *k, "1"), 0);
		assert_int_equal(filter__add(&f, *k, "1"), -E2BIG);
	}
}

/* Any CPU, in however many pieces. */
static void cpus(void **state)
{
	struct filter f =
		MAKE("CC", "0,2,4-6,63-64,1023", "8,10,12,14,16,18,20,22,24,26,28,30,32,34,36");

	(void)state;
	assert_true(filter__any(&f));
	for (unsigned cpu = 0; cpu < 8; cpu++)
		assert_int_equal(filter__cpu(&f, cpu),
				 cpu == 0 || cpu == 2 || (cpu >= 4 && cpu <= 6));
	assert_false(filter__cpu(&f, 62));
	assert_true(filter__cpu(&f, 63));
	assert_true(filter__cpu(&f, 64));
	assert_false(filter__cpu(&f, 65));
	assert_true(filter__cpu(&f, 1023));
	assert_false(filter__cpu(&f, 1024));
	assert_true(filter__cpu(&f, 36));
	assert_true(passes(&f)); /* CPUs are asked per record, not per vCPU */
}

/* One option alone, on the vCPU of passes(). */
static void one_kind(void **state)
{
	static const struct {
		char kind;
		const char *arg;
		bool pass;
	} t[] = {
		{'v', "web1", true},
		{'v', "web*", true},
		{'v', "web?", true},
		{'v', "web[12]", true},
		{'v', "*", true},
		{'v', "web", false},
		{'v', "WEB1", false},
		{'v', "db*", false},
		{'p', "100", true},
		{'p', "99,100", true},
		{'p', "101", false},
		{'V', "2", true},
		{'V', "0-2", true},
		{'V', "2-2147483647", true},
		{'V', "0,1,3-9", false},
		{'t', "1002", true},
		{'t', "1002,5", true},
		{'t', "100", false},
		{'g', "/machine.slice", true},
		{'g', "machine.slice", true},
		{'g', "/machine.slice/", true},
		{'g', "//machine.slice//", true},
		{'g', "/machine.slice/web1.scope", true},
		{'g', "/sys/fs/cgroup/machine.slice", true},
		{'g', "/sys/fs/cgroup", true},
		{'g', "/", true},
		{'g', "/machine", false}, /* not part of a name */
		{'g', "/machine.slice/web1.scope/vcpu2", false},
		{'g', "/web1.scope", false},
		{'g', "/sys/fs/cgroup2/machine.slice", false},
	};
	struct filter f;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		memset(&f, 0, sizeof(f));
		assert_int_equal(filter__add(&f, t[i].kind, t[i].arg), 0);
		assert_true(filter__any(&f));
		if (passes(&f) != t[i].pass)
			fail_msg("-%c %s", t[i].kind, t[i].arg);
	}
}

static void values_or_kinds_and(void **state)
{
	struct filter f = MAKE("vv", "db*", "web*");

	(void)state;
	assert_true(passes(&f));
	assert_true(filter__name(&f, "db7"));
	assert_false(filter__name(&f, "mail"));
	assert_false(filter__name(&f, ""));
	assert_false(filter__name(&f, "DB1"));
	/* what is spelled out matches, whatever it is to fnmatch() */
	f = MAKE("vv", "a[b", "\xff");
	assert_true(filter__name(&f, "a[b") && filter__name(&f, "\xff"));
	f = MAKE("vvp", "db*", "web*", "101");
	assert_false(passes(&f));
	f = MAKE("vpVtg", "web1", "100", "2", "1002", "/machine.slice");
	assert_true(passes(&f));
	f = MAKE("vpVtg", "web1", "100", "3", "1002", "/machine.slice");
	assert_false(passes(&f));
	f = MAKE("gg", "/user.slice", "/machine.slice");
	assert_true(passes(&f));
	f = MAKE("VV", "0", "2");
	assert_true(passes(&f));
}

/* What is not known passes only where nobody asked for it. */
static void unknown(void **state)
{
	struct filter f = MAKE("p", "100");

	(void)state;
	assert_true(filter__vcpu(&f, "web1", 100, "", 2, 0));
	f = MAKE("t", "1002");
	assert_false(filter__vcpu(&f, "web1", 100, "", 2, 0));
	f = MAKE("g", "/machine.slice");
	assert_false(filter__vcpu(&f, "web1", 100, "", 2, 0));
	f = MAKE("g", "/");
	assert_true(filter__vcpu(&f, "web1", 100, "", 2, 0));
}

static void described(const struct filter *f, const char *want)
{
	char got[512];

	filter__describe(f, got, sizeof(got));
	assert_string_equal(got, want);
}

static void describe(void **state)
{
	struct filter f = {0};

	(void)state;
	described(&f, "");
	f = MAKE("vvpVVtCg", "web1", "a b*'s", "7,8", "0-3", "9", "12", "0,1,2,9,1022,1023",
		 "/machine.slice");
	described(&f, "--vm web1 --vm 'a b*'\\''s' -p 7,8 --vcpu 0-3,9 -t 12 -C 0-2,9,1022-1023 "
		      "--cgroup /machine.slice");
}

/* What was written down, read again, is the same filter. */
static void describe_round_trip(void **state)
{
	struct filter f = MAKE("CV", "1023,0,5-7,6", "3,1-2"), g = {0};
	char text[256], cpu_list[64], vcpu_list[64];

	(void)state;
	filter__describe(&f, text, sizeof(text));
	assert_int_equal(sscanf(text, "--vcpu %63s -C %63s", vcpu_list, cpu_list), 2);
	assert_int_equal(filter__add(&g, 'C', cpu_list), 0);
	assert_int_equal(filter__add(&g, 'V', vcpu_list), 0);
	assert_memory_equal(&f, &g, sizeof(f));
}

/* Cut at every size: terminated, a prefix, and never inside a character. */
static void describe_cut(void **state)
{
	struct filter f = MAKE("v", "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7z");
	char whole[64], got[64];
	size_t len;

	(void)state;
	filter__describe(&f, whole, sizeof(whole));
	for (size_t size = 1; size <= strlen(whole) + 1; size++) {
		memset(got, 'X', sizeof(got));
		filter__describe(&f, got, size);
		len = strlen(got);
		assert_true(len < size && len + 4 >= size);
		assert_memory_equal(got, whole, len);
		assert_true(((unsigned char)whole[len] & 0xc0) != 0x80);
		assert_int_equal(got[size], 'X');
	}
	filter__describe(&f, got, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_passes_all),
		cmocka_unit_test(rejects),
		cmocka_unit_test(at_most_filter_max),
		cmocka_unit_test(cpus),
		cmocka_unit_test(one_kind),
		cmocka_unit_test(values_or_kinds_and),
		cmocka_unit_test(unknown),
		cmocka_unit_test(describe),
		cmocka_unit_test(describe_round_trip),
		cmocka_unit_test(describe_cut),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
