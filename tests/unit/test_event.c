// SPDX-License-Identifier: BSD-2-Clause
/* The vocabulary: its tables, and that the manual page docs/kvmsched-models.5 says what they say.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "enrich.h"
#include "kvm_records.h"

static void test_tables(void **state)
{
	(void)state;
	for (enum event_id id = 0; id < EV_CNT; id++) {
		assert_non_null(event_kinds[id].name);
		assert_int_equal(event__find(event_kinds[id].name), id);
		assert_int_equal(event_kinds[id].fields >> F_CNT, 0);
	}
	for (enum field f = 0; f < F_CNT; f++) {
		assert_non_null(field_kinds[f].name);
		assert_int_equal(field__find(field_kinds[f].name), f);
		assert_int_equal(!field_kinds[f].needs, !field_kinds[f].why);
		assert_int_equal(field_kinds[f].unit == 'b', f < F_BITS);
	}
	assert_int_equal(event__find("nonsense"), EV_CNT);
	assert_int_equal(field__find("nonsense"), F_CNT);
}

/* ---- the page ----------------------------------------------------------------------------- */

/* Its text in one line, without troff's marks. */
static char *page(void)
{
	FILE *f = fopen("docs/kvmsched-models.5", "r"), *out;
	char *line = NULL, *text = NULL;
	size_t room = 0, len = 0;

	assert_non_null(f);
	out = open_memstream(&text, &len);
	while (getline(&line, &room, f) > 0) {
		const char *p = line;

		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(p, ".TP") || !strncmp(p, ".SH", 3))
			fputs("| ", out);
		if (*p == '.' && strncmp(p, ".B ", 3))
			continue;
		p += *p == '.' ? 3 : 0;
		for (; *p; p++) {
			if (!strncmp(p, "\\&", 2))
				p++;
			else if (*p != '\\')
				fputc(*p, out);
		}
		fputc(' ', out);
	}
	fclose(out);
	fclose(f);
	free(line);
	return text;
}

static const char *needs(const struct event_kind *k)
{
	if (k->loads > 0)
		return k->modes == 1U << MODE_FULL ? " Needs --full and --loads."
						   : " Needs --loads.";
	if (k->loads < 0)
		return " Only without --loads.";
	if (k->modes == 1U << MODE_FULL)
		return " Needs --full.";
	return k->modes & 1U << MODE_LIGHT ? "" : " Not with --light.";
}

static void test_page(void **state)
{
	char *all = page(), entry[2048];
	int n;

	(void)state;
	for (enum event_id id = 0; id < EV_CNT; id++) {
		snprintf(entry, sizeof(entry), "| %s %s.%s |", event_kinds[id].name,
			 event_kinds[id].help, needs(&event_kinds[id]));
		entry[strlen(entry) - 2] = '\0';
		if (!strstr(all, entry))
			fail_msg("kvmsched-models.5 lacks: %s", entry);
	}
	for (enum field f = 0; f < F_CNT; f++) {
		n = snprintf(entry, sizeof(entry), "| %s %s. Of", field_kinds[f].name,
			     field_kinds[f].help);
		for (enum event_id id = 0; id < EV_CNT; id++)
			if (event_kinds[id].fields & FIELD(f))
				n += snprintf(entry + n, sizeof(entry) - n, "%s %s",
					      entry[n - 1] == 'f' ? "" : ",", event_kinds[id].name);
		snprintf(entry + n, sizeof(entry) - n, ".");
		if (!strstr(all, entry))
			fail_msg("kvmsched-models.5 lacks: %s", entry);
	}
	free(all);
}

/* ---- enrichment --------------------------------------------------------------------------- */

static struct kvm k;
static struct enrich enrich;
static struct enrich_vcpu known;
static struct event event[ENRICH_MAX];

static void begin(bool old)
{
	kvm_begin(&k, old, rules_builtin, 0);
	enrich__init(&enrich, &k.s);
	memset(&known, 0, sizeof(known));
}

static int end(void **state)
{
	(void)state;
	kvm_end(&k);
	return 0;
}

static unsigned hand(const union rec *r)
{
	unsigned n = enrich__record(&enrich, &known, 1, &r->h, event);

	/* what is known of an event is what the table says it can have */
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(event[i].known & ~event_kinds[event[i].id].fields, 0);
	return n;
}

static void test_transitions(void **state)
{
	static const __u8 ids[] = {EV_SCHED_OUT, EV_SCHED_PUT, EV_SCHED_PUT_END, EV_SCHED_OUT_END,
				   EV_PREEMPT};
	union rec r;

	(void)state;
	begin(false);
	r = kvm_out(&k, 1, KS_R_PREEMPTED);
	assert_int_equal(hand(&r), 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(event[i].id, ids[i]);
		assert_int_equal(event__field(&event[i], F_PREEMPTED), i > 0);
		assert_int_equal(event__field(&event[i], F_WANTS_CPU), 1);
		assert_true(!i || event[i].ts >= event[i - 1].ts);
	}
	assert_int_equal(event[2].inside_ns, 500);
	assert_int_equal(event[3].inside_ns, 900);
	assert_false(event[0].known & FIELD(F_SAME_TASK));
	r = kvm_in(&k, 1);
	assert_int_equal(hand(&r), 4);
	assert_int_equal(event[0].id, EV_SCHED_IN);
	assert_int_equal(event[0].absence_ns, 1000000);
	assert_int_equal(event__field(&event[0], F_SAME_TASK), 1);
	assert_int_equal(event__field(&event[0], F_RUNNABLE), 1);
	r = kvm_out(&k, 1, KS_R_HALTED);
	assert_int_equal(hand(&r), 5);
	assert_int_equal(event[4].id, EV_HALT);
	assert_int_equal(event__field(&event[4], F_BLOCKING), 1);
	assert_int_equal(event__field(&event[0], F_ALONE), 1);
	assert_int_equal(event__field(&event[0], F_SAME_CPU), 1);
}

static void test_reasons(void **state)
{
	static const struct {
		__u8 reason, id;
	} reasons[] = {{KS_R_PREEMPTED, EV_PREEMPT},
		       {KS_R_IOCTL, EV_PREEMPT_IOCTL},
		       {KS_R_HALTED, EV_HALT},
		       {KS_R_SLEEPING, EV_SLEEP}};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		union rec r;

		begin(false);
		r = kvm_out(&k, 1, reasons[i].reason);
		assert_int_equal(hand(&r), 5);
		assert_int_equal(event[4].id, reasons[i].id);
		end(NULL);
	}
}

/* wants_cpu is what the kernel's version makes of it. */
static void test_wants_cpu(void **state)
{
	union rec r;

	(void)state;
	begin(false);
	r = kvm_out(&k, 1, KS_R_IOCTL);
	hand(&r);
	assert_int_equal(event__field(&event[1], F_RUNNABLE), 1);
	assert_int_equal(event__field(&event[1], F_WANTS_CPU), 0);
	r = kvm_out(&k, 1, KS_R_PREEMPTED);
	r.out.task |= KS_T_SCHED_DELAYED;
	hand(&r);
	assert_int_equal(event__field(&event[1], F_ON_RQ), 1);
	assert_int_equal(event__field(&event[1], F_RUNNABLE), 0);
	assert_int_equal(event__field(&event[1], F_WANTS_CPU), 0);
	end(NULL);
	begin(true);
	r = kvm_out(&k, 1, KS_R_IOCTL);
	hand(&r);
	assert_int_equal(event__field(&event[1], F_WANTS_CPU), 1);
	assert_false(event[1].known & (FIELD(F_SCHEDULED_OUT) | FIELD(F_WANTS_TO_RUN) |
				       FIELD(F_SCHED_DELAYED) | FIELD(F_SAME_WANTS_TO_RUN)));
}

/* After loads and puts that were added up, and after a loss, the vCPU may be anywhere. */
static void test_forgets(void **state)
{
	const __u64 place = FIELD(F_SAME_TASK) | FIELD(F_SAME_CPU) | FIELD(F_ALONE);
	union rec r;

	(void)state;
	begin(false);
	r = kvm_in(&k, 1);
	hand(&r);
	r = kvm_loads(&k, 1);
	assert_int_equal(hand(&r), 1);
	assert_int_equal(event[0].loads, 3);
	r = kvm_out(&k, 1, KS_R_HALTED);
	hand(&r);
	assert_int_equal(event[0].known & (place | FIELD(F_SAME_WANTS_TO_RUN)), 0);
	r = kvm_in(&k, 1);
	hand(&r);
	enrich__forget(&known);
	r = kvm_out(&k, 1, KS_R_HALTED);
	hand(&r);
	assert_int_equal(event[0].known & place, 0);
	r = kvm_loads(&k, 1);
	r.loads.loads = r.loads.puts = 0;
	assert_int_equal(hand(&r), 0);
}

/* Who else is on the CPU, a filter does not let know. */
static void test_alone(void **state)
{
	struct session s = {.fields = ~0U};

	(void)state;
	assert_null(field__why_absent(F_ALONE, &s));
	s.filtered = true;
	assert_non_null(field__why_absent(F_ALONE, &s));
	assert_null(field__why_absent(F_SAME_CPU, &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_page),
		cmocka_unit_test_teardown(test_transitions, end),
		cmocka_unit_test_teardown(test_reasons, end),
		cmocka_unit_test_teardown(test_wants_cpu, end),
		cmocka_unit_test_teardown(test_forgets, end),
		cmocka_unit_test(test_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
