/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What slices in a Perfetto file refer to: clocks, tracks, and names and words, which go by number.
 * Each vCPU is a sequence of packets of its own, and all that its slices refer to comes again every
 * now and then, as when a sequence loses a packet: so a file can be read from any of these on.
 * Written with protobuf-c; the slices themselves are sink_perfetto.c's.
 */
#ifndef KVMSCHED_PERFETTO_STATE_H
#define KVMSCHED_PERFETTO_STATE_H

#include "export.h"
#include "export_who.h"

/* TracePacket.sequence_flags */
#define PERFETTO_CLEARED 1 /* nothing from before is referred to from here on */
#define PERFETTO_NEEDS	 2 /* refers to what came since */

#define PERFETTO_FILE 0x7fffffffU /* the sequence of packets that are about the whole file */

/* Numbers of names (of DebugAnnotations). A state's name has the state's number + 1. */
enum perfetto_name {
	PN_REASON = 1,
	PN_CPU,
	PN_CPU_OUT,
	PN_CPU_IN,
	PN_RUN_DELAY,
	PN_ABSENCE,
	PN_USER,
	PN_OPEN,
	PN_NOT_WHOLE,
	PN_BY,
	PN_BY_COMM,
	PN_BY_TID,
	PN_BY_PID,
	PN_BY_VM,
	PN_BY_VCPU,
	PN_LOST,
	PN_CNT
};

/* Numbers of words (string values): the reasons, the classes, then names, which get numbers as they
 * come up. */
#define PERFETTO_REASON(r) (1 + (r))
#define PERFETTO_CLASS(c)  (1 + KS_R_CNT + (c))
#define PERFETTO_FIRST	   (1 + KS_R_CNT + KS_BY_CNT)

/* About the file: on which host it was made and how; at the end, how much there was and how much
 * was lost. 0 or -errno. */
int perfetto_state__begin(const struct export_out *o, const struct session *s);
int perfetto_state__end(const struct export_out *o, const struct summary *s);

/* A word that comes up, and its number. */
struct perfetto_word {
	__u64 iid;
	const char *text; /* any bytes */
};

/* A packet of the sequence that says what these count words are. 0 or -errno. */
int perfetto_state__words(const struct export_out *o, __u32 sequence,
			  const struct perfetto_word *words, unsigned count);

/* All that the slices of v refer to, but words that come up. first: nothing of this sequence came
 * before; dropped: records of it were lost. 0 or -errno. */
int perfetto_state__write(const struct export_out *o, const struct session *s,
			  const struct model *m, const struct model_vcpu *v, bool first,
			  bool dropped);

/* The sequence of a vCPU: its id, which is never 0. */
static inline __u32 perfetto_state__sequence(const struct model_vcpu *v)
{
	return v->id;
}

#endif
