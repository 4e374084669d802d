// SPDX-License-Identifier: BSD-2-Clause
/* Command lines that are taken, and those that are refused: argp ends the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "err.h"
#include "options.h"

static const struct argp_child record_children[] = {
	{&options_trace, 0, NULL, 1}, {&options_record, 0, NULL, 4}, {0}};
static const struct argp show = {.parser = options__parse_none, .children = options_show};
static const struct argp record = {.parser = options__parse_none, .children = record_children};

/* The words of line; returns the exit status, with what was said in text. */
static int parse(const struct argp *argp, const char *line, char *text, size_t size)
{
	char *argv[16], *copy = strdup(line), *save = NULL;
	int argc = 0, status, p[2];
	struct options o;
	ssize_t n, len = 0;
	pid_t pid;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = strcmp(w, "EMPTY") ? w : (char *)"";
	argv[argc] = NULL;
	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (!pid) {
		dup2(p[1], 2);
		close(p[0]);
		options__init(&o);
		_exit(options__parse(argp, argc, argv, &o, &o) ? EXIT_ERROR : EXIT_FINE);
	}
	close(p[1]);
	while ((n = read(p[0], text + len, size - 1 - len)) > 0)
		len += n;
	text[len] = 0;
	close(p[0]);
	free(copy);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void taken(const struct argp *argp, const char *line)
{
	char text[2048];

	assert_int_equal(parse(argp, line, text, sizeof(text)), EXIT_FINE);
}

static void refused(const struct argp *argp, const char *line, const char *why)
{
	char text[2048];

	assert_int_equal(parse(argp, line, text, sizeof(text)), EXIT_ERROR);
	if (!strstr(text, why))
		fail_msg("%s: %s", line, text);
}

static void test_replay(void **state)
{
	(void)state;
	taken(&show, "report -i rec --last 1s -C 0");
	refused(&show, "report rec", "-i rec");
	refused(&show, "report -i EMPTY", "-i \"\"");
	refused(&show, "report -i rec -d 1s", "-d, which directs a live trace");
	refused(&show, "report -i rec -o x", "-o, which");
	refused(&show, "report -i rec --force", "--force, which");
	refused(&show, "report -i rec --max-size 1M", "--max-size, which");
	refused(&show, "report -i rec --buffer 1M", "--buffer, which");
	refused(&show, "report -i rec --max-vcpus 4", "--max-vcpus, which");
	refused(&show, "report -i rec -- ls", "CMD, which");
}

static void test_live(void **state)
{
	(void)state;
	taken(&show, "report -o x --force --max-size 1M --max-vcpus 4 -- ls");
	taken(&record, "record --buffer 896M -d 1s -- ls");
	refused(&record, "record --buffer 897M", "--buffer 897M: at most 896M");
	refused(&record, "record --buffer x", "--buffer x");
	refused(&record, "record -i rec", "to cut it with --flight");
	refused(&record, "record rec", "-o rec");
	refused(&record, "record -o EMPTY", "-o \"\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
