// SPDX-License-Identifier: BSD-2-Clause
/* See compare.h. */
#include <errno.h>
#include <string.h>
#include "compare.h"

static const char *const names[CMP_CNT] = {
	[CMP_LT] = "<",	 [CMP_LE] = "<=", [CMP_EQ] = "==",
	[CMP_NE] = "!=", [CMP_GE] = ">=", [CMP_GT] = ">",
};

int compare__scan(const char *s, enum compare *op, const char **end)
{
	size_t longest = 0;

	for (unsigned i = 0; i < CMP_CNT; i++) {
		size_t len = strlen(names[i]);

		if (len > longest && !strncmp(s, names[i], len)) {
			longest = len;
			*op = i;
		}
	}
	if (!longest)
		return -EINVAL;
	*end = s + longest;
	return 0;
}

const char *compare__name(enum compare op)
{
	return names[op];
}
