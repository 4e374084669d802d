// SPDX-License-Identifier: BSD-2-Clause
/* A column's time, dealt out in whole units: see timeline.h. */
#include "timeline.h"

/* Of what is left over, the state that has the most beyond its share; or the one that has got most
 * too much, but keeps its last unit. */
static int next_to_adjust(const struct timeline_column *c, __u64 total, unsigned units,
			  const unsigned *share, bool more)
{
	__int128 best = 0;
	int found = -1;

	for (int i = 0; i < ST_CNT; i++) {
		__int128 owed = (__int128)c->ns[i] * units - (__int128)share[i] * total;

		if (!c->ns[i] || (!more && share[i] < 2))
			continue;
		if (found < 0 || (more ? owed > best : owed < best)) {
			best = owed;
			found = i;
		}
	}
	return found;
}

/* Not one unit for each: what matters least goes first. */
static void leave_out(unsigned *share, unsigned *sum, unsigned units)
{
	static const enum state order[] = {ST_ELSEWHERE, ST_ABSENT,   ST_USER,
					   ST_HALTED,	 ST_SLEEPING, ST_ON_OR_USER,
					   ST_RUNNING,	 ST_UNKNOWN,  ST_PREEMPTED};

	for (unsigned i = 0; i < ST_CNT; i++) {
		if (*sum <= units)
			return;
		*sum -= share[order[i]];
		share[order[i]] = 0;
	}
}

/* What was woken is drawn as such, and no longer as halted or sleeping. */
static void split_woken(const struct timeline_column *c, __u64 total, unsigned units,
			unsigned *share)
{
	static const enum state from[] = {ST_HALTED, ST_SLEEPING};
	unsigned woken = ((unsigned __int128)c->woken_ns * units + total / 2) / total;

	for (int i = 0; i < 2; i++) {
		unsigned part = woken < share[from[i]] ? woken : share[from[i]];

		share[from[i]] -= part;
		share[TIMELINE_WOKEN] += part;
		woken -= part;
	}
}

void timeline__shares(const struct timeline_column *c, unsigned units,
		      unsigned share[TIMELINE_SHADES])
{
	unsigned sum = 0;
	__u64 total = 0;
	int i;

	for (i = 0; i < ST_CNT; i++)
		total += c->ns[i];
	for (i = 0; i < ST_CNT; i++) {
		share[i] = total ? (unsigned __int128)c->ns[i] * units / total : 0;
		share[i] += c->ns[i] && !share[i];
		sum += share[i];
	}
	for (; total && sum < units; sum++)
		share[next_to_adjust(c, total, units, share, true)]++;
	for (; sum > units && (i = next_to_adjust(c, total, units, share, false)) >= 0; sum--)
		share[i]--;
	leave_out(share, &sum, units);
	share[TIMELINE_WOKEN] = 0;
	if (total)
		split_woken(c, total, units, share);
}
