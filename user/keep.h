/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the recording around one moment: holds the last records in memory, and when the trace has
 * ended writes those from KEEP_NS before the moment to KEEP_NS after it as a recording of their
 *own. Memory is bounded, so the stretch is shorter where there are too many.
 *
 *	keep__probe, keep__new -> keep__record ... keep__moment ... -> keep__write or __nothing ->
 *	keep__free
 */
#ifndef KVMSCHED_KEEP_H
#define KVMSCHED_KEEP_H

#include <stdbool.h>
#include <linux/types.h>
#include "session.h"
#include "wire.h"

#define KEEP_NS 1000000000ULL

struct keep;

/* Would dir do, as ctf_writer__new() wants it, and beside what is read (input) and what else is
 * written (output; NULL: nothing)? Else says why not, returns -errno. Leaves all as it was. */
int keep__probe(const char *dir, bool force, const char *input, const char *output);

/* On failure says why, returns -errno. */
int keep__new(struct keep **k, const char *dir, bool force);

/* The next record in order of time, of any type. 0 or -ENOMEM. */
int keep__record(struct keep *k, const struct ks_head *r);

/* This is the moment. Only the first counts. */
void keep__moment(struct keep *k, __u64 ts);

/* Writes the recording and says so; the end is the moment if there was no other. s: of the whole,
 * with its end. lost: how many records of the whole are missing; those that are missing here, or
 * may be, are the new recording's discarded events. 0 or -errno, having said why; then nothing is
 * left of it. */
int keep__write(struct keep *k, const struct session *s, __u64 lost);

/* There is no violation. What lies in the directory stays (it may be the only trace of one that
 * seldom comes) and is said to be an older one. */
void keep__nothing(const struct keep *k);

void keep__free(struct keep *k); /* NULL is fine */

#endif
