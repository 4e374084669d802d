/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second opinion on a recording: babeltrace2's.
 */
#ifndef KVMSCHED_TESTS_CTF_BABELTRACE_H
#define KVMSCHED_TESTS_CTF_BABELTRACE_H

#include <stdio.h>
#include <string.h>
#include <stdlib.h>

static inline int babeltrace_is_there(void)
{
	static int is = -1;

	if (is < 0)
		is = !system("babeltrace2 --version >/dev/null 2>&1");
	return is;
}

/* Runs it with its own or with no output; 1 if it accepts the recording and complains of nothing.
 * Where loses, it may complain of discarded events, and *lost (may be NULL) is how many it says. */
static inline int babeltrace_accepts(const char *path, int loses, unsigned long long *lost)
{
	static const char complaint[] = "WARNING: Tracer discarded ";
	char cmd[512], line[4096];
	int fine = 1;
	FILE *f;

	if (lost)
		*lost = 0;
	/* the text output is the one that tells of losses */
	snprintf(cmd, sizeof(cmd), "ASAN_OPTIONS= LC_ALL=C babeltrace2 '%s' 2>&1 >/dev/null", path);
	f = popen(cmd, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (loses && !strncmp(line, complaint, strlen(complaint))) {
			if (lost)
				*lost += strtoull(line + strlen(complaint), NULL, 10);
			continue;
		}
		printf("%s", line);
		fine = 0;
	}
	return !pclose(f) && fine;
}

#endif
