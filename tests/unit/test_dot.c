// SPDX-License-Identifier: BSD-2-Clause
/* Models as they are read: the dialect, and that what is wrong is named by its place. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "label.h"
#include "listen.h"
#include "model_text.h"
#include "skip.h"

/* What was said while the model was read; a must come to nothing. */
static const char *said_of(const char *text, bool *built)
{
	static char said[1024];
	struct automaton *a;

	listen_begin();
	a = model_build(text);
	snprintf(said, sizeof(said), "%s", listen_said());
	listen_end();
	*built = a;
	automaton__free(a);
	return said;
}

/* ---- labels ------------------------------------------------------------------------------- */

static void test_label(void **state)
{
	const char *at = "sched_in;clk<5ms && preempted == 1||cpu != 3;reset(clk)\\nsched_out\n"
			 " put ; reset( a ) ; reset(b)";
	struct label l;

	(void)state;
	assert_int_equal(label__next(&at, &l), 1);
	assert_string_equal(l.event, "sched_in");
	assert_int_equal(l.terms, 3);
	assert_string_equal(l.term[0].name, "clk");
	assert_int_equal(l.term[0].op, CMP_LT);
	assert_true(l.term[0].timed && l.term[0].alternative);
	assert_int_equal(l.term[0].value, 5000000);
	assert_false(l.term[1].alternative || l.term[1].timed);
	assert_true(l.term[2].alternative);
	assert_int_equal(l.term[2].op, CMP_NE);
	assert_int_equal(l.term[2].value, 3);
	assert_int_equal(l.resets, 1);
	assert_string_equal(l.reset[0], "clk");
	assert_int_equal(label__next(&at, &l), 1);
	assert_string_equal(l.event, "sched_out");
	assert_int_equal(l.terms + l.resets, 0);
	assert_int_equal(label__next(&at, &l), 1);
	assert_string_equal(l.text, "put ; reset( a ) ; reset(b)");
	assert_int_equal(l.resets, 2);
	assert_int_equal(label__next(&at, &l), 0);
}

/* The kernel's own models have parameters and macros for values. */
static void test_label_symbols(void **state)
{
	const char *at = "dl_throttle;is_defer == 1 || is_constr_dl == 1\\nx;clk < DEADLINE_NS()\\n"
			 "y;clk <= threshold_jiffies";
	struct label l;

	(void)state;
	assert_int_equal(label__next(&at, &l), 1);
	assert_int_equal(l.terms, 2);
	assert_int_equal(label__next(&at, &l), 1);
	assert_string_equal(l.term[0].symbol, "DEADLINE_NS");
	assert_int_equal(label__next(&at, &l), 1);
	assert_string_equal(l.term[0].symbol, "threshold_jiffies");
}

static void test_label_units(void **state)
{
	static const struct {
		const char *text;
		__u64 ns;
	} units[] = {
		{"a;c<7ns", 7}, {"a;c<7us", 7000}, {"a;c<7ms", 7000000}, {"a;c<7s", 7000000000}};
	struct label l;

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		const char *at = units[i].text;

		assert_int_equal(label__next(&at, &l), 1);
		assert_int_equal(l.term[0].value, units[i].ns);
	}
}

static void test_label_wrong(void **state)
{
	static const char *const wrong[] = {
		";x == 1",
		"a b",
		"a;",
		"a;x",
		"a;x = 1",
		"a;x == ",
		"a;x == 5 ms x",
		"a;x == 5parsecs",
		"a;x == 1 &&",
		"a;x == 1;y == 2",
		"a;reset(x",
		"a;x == 99999999999999999999",
		"a;1 == x",
		"a;x == 1.5",
		"a;x == -1",
		"7a",
		"a;reset()",
		"a;x & 1",
		"a;x == 1 reset(y)",
	};
	struct label l;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const char *at = wrong[i];

		if (label__next(&at, &l) != -EINVAL || !l.why)
			fail_msg("read: %s", wrong[i]);
	}
}

/* ---- graphs ------------------------------------------------------------------------------- */

static void test_graph(void **state)
{
	struct dot *d = NULL;

	(void)state;
	model_write(model_around("out", "\"out\" [label = \"out\\nclk < 5ms\", color = green3];\n"
					"\"on\" [label = \"on\"];\n"
					"\"on\" -> \"out\" [ label = \"preempt;reset(clk)\" ];\n"
					"\"out\" -> \"on\" [ label = \"sched_in\\nhalt\" ];\n"
					"{ rank = min; \"__init_out\"; \"out\"; }\n"));
	assert_int_equal(dot__read(&d, model_file), 0);
	model_remove();
	assert_string_equal(d->name, "made_up");
	assert_string_equal(d->help, "made up");
	assert_int_equal(d->states, 2);
	assert_int_equal(d->edges, 2);
	assert_string_equal(d->state[d->initial].name, "out");
	assert_string_equal(d->state[d->initial].label, "out\\nclk < 5ms");
	assert_int_equal(automaton__verify(d), 0);
	dot__free(d);
}

/* Each is refused with these words. */
static void test_refused(void **state)
{
	static const struct {
		const char *initial, *statements, *said;
	} cases[] = {
		{"a", "\"a\" -> \"a\" [ label = \"sched_in\" ;\n",
		 "made_up.dot:7: syntax error near"},
		{"a", "\"a\" -> \"a\" [ label = \"sched_inn\" ];",
		 "made_up.dot: edge \"a\" -> \"a\", label \"sched_inn\": no such event"},
		{"a", "\"a\" -> \"a\" [ label = \"sched_in;preemptd == 1\" ];",
		 "label \"sched_in;preemptd == 1\": preemptd: no such field"},
		{"a", "\"a\" -> \"a\" [ label = \"gone;preempted == 1\" ];",
		 "the event does not have this field"},
		{"a", "\"a\" -> \"a\" [ label = \"sched_in;preempted == 2\" ];", "is 0 or 1"},
		{"a", "\"a\" -> \"a\" [ label = \"sched_in;absence < 5\" ];", "ns, us, ms or s"},
		{"a", "\"a\" -> \"a\" [ label = \"sched_in;cpu < 5ms\" ];", "no time"},
		{"a", "\"a\" -> \"a\" [ label = \"sched_in;clk < 5;reset(clk)\" ];", "with a time"},
		{"a", "\"a\" -> \"a\" [ label = \"sched_in;absence < LIMIT()\" ];", "a number"},
		{"a", "\"a\" -> \"a\" [ label = \"sched_in;reset(cpu)\" ];", "cannot be reset"},
		{"a", "\"a\" -> \"a\" [ label = \"sched_in;x\" ];", "not a comparison"},
		{"a",
		 "\"a\" -> \"b\" [ label = \"sched_in\" ]; \"b\" -> \"a\" [ label = \"sched_out\" ];"
		 "\"a\" -> \"a\" [ label = \"sched_out\\nsched_in\" ];",
		 "sched_in leads from \"a\" to two states"},
		{"a", "\"a\" -> \"a\" [ label = \"sched_in\\nsched_in\" ];", "stands there twice"},
		{"a",
		 "\"a\" -> \"a\" [ label = \"sched_in\" ]; \"b\" -> \"a\" [ label = \"put\" ];",
		 "state \"b\": cannot be reached"},
		{"a", "\"a\" -> \"a\"; \"a\" [label = \"a\"];", "no event"},
		{"a", "\"a\" [label = \"a\\nclk < 5ms\"]; \"a\" -> \"a\" [ label = \"put\" ];",
		 "no such clock: nothing resets it"},
		{"a",
		 "\"a\" [label = \"a\\nclk > 5ms\"]; \"a\" -> \"a\" [ label = \"put;reset(clk)\" ];",
		 "of the form CLOCK < TIME"},
		{"a", "\"a\" [label = \"a\\ncpu < 5\"]; \"a\" -> \"a\" [ label = \"put\" ];",
		 "about a clock, not a field"},
		{"a",
		 "\"a\" [label = \"clk < 5ms\"]; \"a\" -> \"a\" [ label = \"put;reset(clk)\" ];",
		 "has to begin with the state's name"},
		{"a", "\"__init_b\" -> \"b\"; \"a\" -> \"b\" [ label = \"put\" ];",
		 "the second initial state"},
		{"a", "} digraph b {", "more than one graph"},
		{"a", "\"a\" -> \"a\" [ label = \"put;reset(clk)\" ];", "nothing compares it"},
		{"a", "\"a\" -> \"a\" [ label = \"sched_in;absence < 5m\" ];",
		 "units are ns, us, ms and s"},
		{"a", "\"a\" -> \"a\" [ label = \"\" ];", "kvmsched-models(5)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool built;
		const char *said =
			said_of(model_around(cases[i].initial, cases[i].statements), &built);

		if (built || !strstr(said, cases[i].said) || !strstr(said, "made_up.dot"))
			fail_msg("case %zu: %s, said: %s", i, built ? "built" : "refused", said);
	}
}

static void test_no_model(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{"", "no graph in DOT"},
		{"graph x { a -- b }", "not a digraph"},
		{"digraph x { a -> b [label = \"put\"] }", "no initial state"},
		{"digraph x { \"__init_a\" -> \"b\" }", "wants one edge, to \"a\""},
		{"digraph x {\n\n\"a -> b }", "made_up.dot:3: syntax error"},
		{"digraph x { \"__init_a\" -> \"a\" } and more", "syntax error near 'and'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool built;
		const char *said = said_of(cases[i].text, &built);

		if (built || !strstr(said, cases[i].said))
			fail_msg("case %zu: %s, said: %s", i, built ? "built" : "refused", said);
	}
}

/* ---- the kernel's own --------------------------------------------------------------------- */

/* The models of tools/verification/models, where tests/rv-models has put them: as many as it says.
 * They are automata; their events are not ours. */
static void test_kernel_models(void **state)
{
	const char *dir = getenv("RV_MODELS");
	char line[256], path[512];
	unsigned models = 0;
	FILE *f;

	(void)state;
	if (!dir || !*dir)
		skip_test("RV_MODELS is not set: tests/rv-models fetches them");
	snprintf(path, sizeof(path), "%s/list", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct dot *d = NULL;

		line[strcspn(line, "\n")] = '\0';
		snprintf(path, sizeof(path), "%s/%s", dir, line);
		if (dot__read(&d, path) || automaton__verify(d))
			fail_msg("%s", line);
		dot__free(d);
		models++;
	}
	fclose(f);
	print_message("%u kernel models\n", models);
	assert_true(models > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_label),	    cmocka_unit_test(test_label_symbols),
		cmocka_unit_test(test_label_units), cmocka_unit_test(test_label_wrong),
		cmocka_unit_test(test_graph),	    cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_model),    cmocka_unit_test(test_kernel_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
