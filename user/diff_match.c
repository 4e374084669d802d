// SPDX-License-Identifier: BSD-2-Clause
/* Which VM of one recording is which of the other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "diff_parts.h"

/* "NAME=NAME"; both may have a = themselves, so no place of it is the right one from the start. */
static bool asked_for(const char *pair, const char *a, const char *b)
{
	size_t n = strlen(a);

	return !strncmp(pair, a, n) && pair[n] == '=' && !strcmp(pair + n + 1, b);
}

static void match_pair(struct diff *d, const char *pair)
{
	for (unsigned i = 0; i < d->only_as; i++)
		for (unsigned j = 0; d->only_a[i] && j < d->only_bs; j++)
			if (d->only_b[j] &&
			    asked_for(pair, d->only_a[i]->name, d->only_b[j]->name)) {
				d->vm[d->vms++] =
					(struct diff_vm){.a = d->only_a[i], .b = d->only_b[j]};
				d->only_a[i] = d->only_b[j] = NULL;
				return;
			}
	d->no_pair = pair;
}

static bool same_vm(const struct profile_vm *a, const struct profile_vm *b, bool by_uuid)
{
	return by_uuid ? a->uuid[0] && !strcmp(a->uuid, b->uuid) : !strcmp(a->name, b->name);
}

/* vm[] gets the pairs; what is left is in only_*. */
static void match(struct diff *d, bool by_uuid)
{
	for (unsigned i = 0; i < d->only_as; i++)
		for (unsigned j = 0; d->only_a[i] && j < d->only_bs; j++)
			if (d->only_b[j] && same_vm(d->only_a[i], d->only_b[j], by_uuid)) {
				d->vm[d->vms++] =
					(struct diff_vm){.a = d->only_a[i], .b = d->only_b[j]};
				d->only_a[i] = d->only_b[j] = NULL;
			}
}

static unsigned squeeze(const struct profile_vm **list, unsigned count)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		if (list[i])
			list[n++] = list[i];
	return n;
}

int diff__pair_vms(struct diff *d, const char *const *pairs)
{
	d->vm = calloc(d->a->vms + 1, sizeof(*d->vm));
	d->only_a = calloc(d->a->vms + 1, sizeof(struct profile_vm *));
	d->only_b = calloc(d->b->vms + 1, sizeof(struct profile_vm *));
	if (!d->vm || !d->only_a || !d->only_b)
		return -ENOMEM;
	for (; d->only_as < d->a->vms; d->only_as++)
		d->only_a[d->only_as] = &d->a->vm[d->only_as];
	for (; d->only_bs < d->b->vms; d->only_bs++)
		d->only_b[d->only_bs] = &d->b->vm[d->only_bs];
	for (; pairs && *pairs; pairs++)
		match_pair(d, *pairs);
	match(d, true);
	match(d, false);
	d->only_as = squeeze(d->only_a, d->only_as);
	d->only_bs = squeeze(d->only_b, d->only_bs);
	if (d->a->vms == 1 && d->b->vms == 1 &&
	    !d->vms) { /* no name: it is called by its process */
		d->vm[d->vms++] =
			(struct diff_vm){.a = d->only_a[0], .b = d->only_b[0], .assumed = true};
		d->only_as = d->only_bs = 0;
	}
	return 0;
}
