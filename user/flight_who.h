/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is who, and how each vCPU stood, just before what is held: made of the records that are
 * forgotten. It is what a dump begins with. And, while one is written, which records are missing in
 * it, as the sequence numbers tell. Bounded by what lives, not by what has lived.
 *
 *	who__forgotten ... -> who__open -> who__put_start, who__inside ..., who__behind
 *	..., who__missing, who__put_tails -> who__close
 */
#ifndef KVMSCHED_FLIGHT_WHO_H
#define KVMSCHED_FLIGHT_WHO_H

#include <stdbool.h>
#include <linux/types.h>
#include "idmap.h"
#include "keep_hold.h"
#include "session.h"
#include "wire.h"

struct who {
	struct idmap vcpus, vms;
	struct ks_task *task; /* sets of those that were introduced last */
	bool open;	      /* a dump is being written: nobody is dropped */
};

int who__init(struct who *w); /* 0 or -ENOMEM */
void who__free(struct who *w);

/* Some of a stream's next records are now before what is held. */
void who__forgotten(struct who *w, const char *records, size_t bytes);

/* What they were introduced as, if they were; else *r is left alone. */
void who__vcpu(const struct who *w, __u32 id, struct ks_vcpu *r);
void who__vm(const struct who *w, __u32 id, struct ks_vm *r, struct ks_name *name);
void who__task(const struct who *w, __u32 tid, struct ks_task *r);

/* A dump begins, with the records that are held now. */
void who__open(struct who *w);

/* The descriptors and the snapshot that it begins with, at s->start_ns. 0 or -ENOMEM. */
int who__put_start(const struct who *w, const struct session *s, struct keep_pile *to);

/* A record of the dump; one behind its end. Of each stream in order, the streams in any. */
void who__inside(struct who *w, const struct ks_head *r);
void who__behind(struct who *w, const struct ks_head *r);

/* How many records are missing in it so far. */
__u64 who__missing(const struct who *w);

/* SNAPs at its end: of vCPUs of which records are missing between the last one inside and the first
 * one behind. 0 or -ENOMEM. */
int who__put_tails(const struct who *w, const struct session *s, struct keep_pile *to);

void who__close(struct who *w);

#endif
