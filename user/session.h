/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of one trace as a whole: on which kernel, how, from when to when. A live source
 * fills it when it starts and once more when it stops; a recording keeps it in its CTF `env`. Plain
 * data.
 */
#ifndef KVMSCHED_SESSION_H
#define KVMSCHED_SESSION_H

#include <linux/types.h>

enum session_mode { MODE_DEFAULT, MODE_FULL, MODE_LIGHT, MODE_AGGREGATES };

/* Two hooks cannot tell running and user apart: on_or_user. */
static inline int session__two_hooks(enum session_mode mode)
{
	return mode == MODE_LIGHT || mode == MODE_AGGREGATES;
}

/* Aggregation keeps what took the CPU by class only. */
static inline int session__names_takers(enum session_mode mode)
{
	return mode != MODE_AGGREGATES;
}

struct session {
	char host[65]; /* as in struct utsname */
	char release[65];
	char arch[65];
	char filter[512];  /* the filters that were in force, as options; "" = none */
	char trigger[320]; /* of a flight recording: why it was made; "" = it is none */
	int filtered;	   /* vCPUs are left out: by these, or by those of who reads it now */
	enum session_mode mode;
	int loads;	     /* --loads: every bare load and put has a record of its own */
	__u32 fields;	     /* KS_M_SCHEDULED_OUT | ...: what this kernel has, see wire.h */
	__u32 cpus;	     /* CPUs, each with a ring: streams 0 .. cpus-1; stream `cpus` has the
				descriptors */
	__u64 start_ns;	     /* the window, CLOCK_MONOTONIC */
	__u64 end_ns;	     /* 0 = not ended (yet, or the recorder was killed) */
	__s64 wall_start_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC when the window began */
	__s64 wall_end_ns;   /* ... and when it ended */
	__u64 trigger_ns;    /* ... and the moment; 0 = it is none */
	__u64 untracked;     /* vCPUs that did not fit into the kernel's table */
};

const char *session__mode_name(enum session_mode mode);
int session__mode_from_name(const char *name, enum session_mode *mode); /* 0 or -EINVAL */

#endif
