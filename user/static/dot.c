// SPDX-License-Identifier: BSD-2-Clause
/*
 * The static program reads no graphs: Debian has no static libcgraph. The built-in rules need none,
 * they are compiled in.
 */
#include "../dot.h"
#include "../err.h"

int dot__read(struct dot **d, const char *file)
{
	(void)d;
	return err__say(
		0,
		"--model %s: this is the static kvmsched, which has the built-in rules "
		"only; the dynamically linked one (make, or the Debian package) reads others",
		file);
}

void dot__free(struct dot *d)
{
	(void)d; /* nobody has one */
}
