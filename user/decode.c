// SPDX-License-Identifier: BSD-2-Clause
/* Range checks, type by type. */
#include <string.h>
#include "decode.h"
#include "record.h"

static int id_ok(__u32 id)
{
	return id && id < DECODE_VCPU_MAX;
}

static int check_out(const struct ks_out *r)
{
	return id_ok(r->vcpu) && r->h.what < KS_BY_CNT && r->reason < KS_R_CNT &&
	       r->cpu < KS_CPUS_MAX;
}

static int terminated(const char *s, size_t size)
{
	return memchr(s, 0, size) != NULL;
}

static int check_name(const struct ks_name *r)
{
	return id_ok(r->vm) && terminated(r->name, sizeof(r->name)) &&
	       terminated(r->uuid, sizeof(r->uuid)) && terminated(r->cgroup, sizeof(r->cgroup));
}

static int check_fields(const struct ks_head *h)
{
	const void *r = h;

	switch (h->type) {
	case KS_OUT:
		return check_out(r);
	case KS_IN:
		return id_ok(((const struct ks_in *)r)->vcpu) &&
		       ((const struct ks_in *)r)->cpu < KS_CPUS_MAX &&
		       ((const struct ks_in *)r)->reason < KS_R_CNT;
	case KS_LOADS:
		return id_ok(((const struct ks_loads *)r)->vcpu);
	case KS_LOAD:
	case KS_PUT:
		return id_ok(((const struct ks_load *)r)->vcpu);
	case KS_VCPU:
		return id_ok(((const struct ks_vcpu *)r)->vcpu) &&
		       id_ok(((const struct ks_vcpu *)r)->vm);
	case KS_GONE:
		return id_ok(((const struct ks_gone *)r)->vcpu);
	case KS_TASK:
		return h->what <= KS_K_VMM;
	case KS_SNAP:
		return id_ok(((const struct ks_snap *)r)->vcpu) &&
		       ((const struct ks_snap *)r)->reason < KS_R_CNT;
	case KS_VM:
		return id_ok(((const struct ks_vm *)r)->vm);
	case KS_NAME:
		return check_name(r);
	}
	return 0;
}

size_t decode__check(const void *p, size_t left)
{
	const struct ks_head *h = p;
	size_t size;

	if (left < sizeof(*h))
		return 0;
	size = record__size(h->type);
	if (!size || size > left || !check_fields(h))
		return 0;
	return size;
}
