/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a comparison needs of one recording, and nothing more: per VM and block of time its
 * measures, copied out of the summaries of the window's slices. It fills itself as a sink. It adds
 * nothing up and knows nothing of a second recording.
 */
#ifndef KVMSCHED_PROFILE_H
#define KVMSCHED_PROFILE_H

#include "measure.h"
#include "sink.h"
#include "slices.h"

#define PROFILE_BLOCKS	 40	     /* at most */
#define PROFILE_BLOCK_NS 10000000ULL /* at least; a shorter window has fewer blocks */
#define PROFILE_MEASURES 32
#define PROFILE_NAME	 160

struct profile_bucket {
	__u64 high; /* as hist_bucket */
	__u32 count;
};

struct profile_dist {
	__u64 count, sum_ns, max_ns;
	unsigned buckets;
	struct profile_bucket *bucket; /* ascending */
};

/* A VM in a block, or in the whole window. Indexed as measure__next() counts. */
struct profile_part {
	__u64 known_ns; /* its vCPUs' time in states that are known */
	__u64 time_ns[PROFILE_MEASURES];
	__u64 count[PROFILE_MEASURES];
	struct profile_dist dist[PROFILE_MEASURES];
};

/* Who took a VM's CPUs: tasks of one name and class, or a VM; or all of a class. */
struct profile_taker {
	char name[PROFILE_NAME]; /* empty: the class */
	__u8 by;		 /* KS_BY_* */
	__u64 sum_ns;
	__u64 *time_ns; /* [blocks] */
};

struct profile_vm {
	char name[PROFILE_NAME], uuid[40], cgroup[260];
	__u32 id, tgid;
	unsigned vcpus;
	const char *absent[PROFILE_MEASURES]; /* why it has not this measure; NULL: it has */
	bool has_dist[PROFILE_MEASURES];
	struct profile_part *block; /* [blocks] */
	__u64 max_ns[PROFILE_MEASURES];
	struct profile_taker *taker; /* the one who took most first */
	unsigned takers;
	struct profile_taker by_class[KS_BY_CNT];
};

struct profile {
	struct session session;
	__u64 from_ns, to_ns;
	__u64 events, lost;
	bool damaged, unfinished;
	unsigned blocks;
	struct profile_vm *vm; /* as a summary sorts them */
	unsigned vms;
	struct profile_vm all; /* all of them together */
	/* while it is being filled */
	struct slices slices;
	const struct model *model;
};

/* Fills sink; p must live as long. Afterwards p is whole, or the run ended with an error. */
void profile__init(struct profile *p, struct sink *sink);

void profile__free(struct profile *p);

#endif
