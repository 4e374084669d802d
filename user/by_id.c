// SPDX-License-Identifier: BSD-2-Clause
/* See by_id.h. */
#include <errno.h>
#include <stdlib.h>
#include "by_id.h"

int by_id__grow(void *array, __u32 *room, size_t size, __u32 id)
{
	size_t want = *room ?: 64;
	char *entries;

	while (want <= id)
		want *= 2;
	memcpy(&entries, array, sizeof(entries));
	entries = realloc(entries, want * size);
	if (!entries)
		return -ENOMEM;
	memset(entries + *room * size, 0, (want - *room) * size);
	memcpy(array, &entries, sizeof(entries));
	*room = want;
	return 0;
}
