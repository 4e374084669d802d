// SPDX-License-Identifier: BSD-2-Clause
/* The last losses in a ring; they are few, or something is badly wrong. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "flight_loss.h"

int losses__init(struct losses *l, unsigned streams)
{
	l->streams = streams;
	l->so_far = calloc(streams, sizeof(*l->so_far));
	l->discarded = calloc(streams, sizeof(*l->discarded));
	return l->so_far && l->discarded ? 0 : -ENOMEM;
}

void losses__free(struct losses *l)
{
	free(l->so_far);
	free(l->discarded);
}

void losses__look(struct losses *l, const __u64 *lost, __u64 now_ns, __u64 end_ns)
{
	for (unsigned i = 0; i < l->streams; i++) {
		__u64 count = lost[i] - l->so_far[i];

		if (!count)
			continue;
		l->so_far[i] = lost[i];
		l->loss[l->count++ % LOSSES_MAX] = (struct loss){now_ns, count, i};
		if (end_ns && l->looked_ns <= end_ns)
			l->discarded[i] += count;
	}
	l->looked_ns = now_ns;
}

void losses__since(struct losses *l, __u64 from_ns)
{
	__u64 n = l->count < LOSSES_MAX ? l->count : LOSSES_MAX;

	memset(l->discarded, 0, l->streams * sizeof(*l->discarded));
	for (__u64 i = 0; i < n; i++)
		if (l->loss[i].ts >= from_ns)
			l->discarded[l->loss[i].stream] += l->loss[i].count;
}

__u64 losses__discarded(const struct losses *l)
{
	__u64 n = 0;

	for (unsigned i = 0; i < l->streams; i++)
		n += l->discarded[i];
	return n;
}
