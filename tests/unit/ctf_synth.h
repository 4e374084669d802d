/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Made-up records, and a recording of them: for the tests and the fuzzer of user/ctf_*.c. The same
 * seed makes the same records.
 */
#ifndef KVMSCHED_TESTS_CTF_SYNTH_H
#define KVMSCHED_TESTS_CTF_SYNTH_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctf_tsdl.h"
#include "ctf_writer.h"
#include "listen.h"
#include "record.h"

#define SYNTH_CPUS_MAX 4
#define SYNTH_START_NS 1000000000ULL
#define SYNTH_WALL_NS  1700000000123456789LL

/* ---- records ---- */

/* Everything ever made for one stream, in order. */
struct synth_stream {
	char *data;
	size_t bytes;
	size_t room;
	__u32 count;
	__u64 ts;
};

struct synth {
	unsigned long long state;
	struct synth_stream stream[SYNTH_CPUS_MAX + 1];
};

/* A part of it: arguments of ctf_writer__append(). */
struct synth_batch {
	size_t offset; /* in the stream's data */
	size_t bytes;
	__u32 count;
	__u64 first_ts, last_ts;
};

static inline __u32 synth_random(struct synth *s)
{
	s->state = s->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return s->state >> 33;
}

static inline struct session synth_session(unsigned cpus)
{
	return (struct session){
		.host = "testhost",
		.release = "6.12.0-test",
		.arch = "x86_64",
		.filter = "--vm \"a*\"",
		.mode = MODE_FULL,
		.loads = 1,
		.fields = KS_M_SCHEDULED_OUT | KS_M_RUN_DELAY,
		.cpus = cpus,
		.start_ns = SYNTH_START_NS,
		.wall_start_ns = SYNTH_WALL_NS,
	};
}

/* Text that ends within its field, not at once (of an empty one babeltrace2 2.0.4 shows what stands
 * behind its end), and enums that have a name. */
static inline void synth_tidy(const struct tsdl_event *e, char *record)
{
	for (const struct tsdl_field *f = e->field; f->name; f++) {
		char *at = record + f->offset;

		if (f->kind == 'e')
			*at &= 3;
		for (unsigned i = 0; f->kind == 't' && i < f->count; i++)
			at[i] = i + 1 < f->count && (!i || at[i] & 15) ? 'a' + (at[i] & 15) : 0;
	}
}

static inline void synth_record(struct synth *s, struct synth_stream *st)
{
	const struct tsdl_event *e = &tsdl_events[synth_random(s) % tsdl_event_cnt];
	struct ks_head *h;

	if (st->room - st->bytes < RECORD_MAX) {
		st->room = st->room * 2 + 4096;
		st->data = realloc(st->data, st->room);
		if (!st->data)
			abort();
	}
	for (unsigned i = 0; i < e->size; i += 4)
		memcpy(st->data + st->bytes + i, &(__u32){synth_random(s)}, 4);
	synth_tidy(e, st->data + st->bytes);
	h = (struct ks_head *)(st->data + st->bytes);
	st->ts += synth_random(s) % 3000; /* sometimes 0: equal times are fine */
	h->ts = SYNTH_START_NS + st->ts;
	h->type = e->id;
	st->bytes += e->size;
	st->count++;
}

static inline struct synth_batch synth_batch(struct synth *s, unsigned stream, unsigned count)
{
	struct synth_stream *st = &s->stream[stream];
	struct synth_batch b = {.offset = st->bytes, .count = count};

	for (unsigned i = 0; i < count; i++) {
		synth_record(s, st);
		b.last_ts = SYNTH_START_NS + st->ts;
		if (!i)
			b.first_ts = b.last_ts;
	}
	b.bytes = st->bytes - b.offset;
	return b;
}

static inline int synth_append(struct synth *s, struct ctf_writer *w, unsigned stream,
			       const struct synth_batch *b)
{
	return ctf_writer__append(w, stream, s->stream[stream].data + b->offset, b->bytes, b->count,
				  b->first_ts, b->last_ts);
}

static inline void synth_free(struct synth *s)
{
	for (unsigned i = 0; i <= SYNTH_CPUS_MAX; i++)
		free(s->stream[i].data);
	memset(s, 0, sizeof(*s));
}

/* rounds of up to batch_max records on some of the streams; nothing is lost. Returns 0 or -errno.
 */
static inline int synth_recording(struct synth *s, const char *dir, unsigned cpus, unsigned rounds,
				  unsigned batch_max)
{
	struct session session = synth_session(cpus);
	const __u64 none[SYNTH_CPUS_MAX + 1] = {};
	__u64 last = SYNTH_START_NS;
	struct ctf_writer *w;
	int err = ctf_writer__new(&w, dir, &session, NULL);

	for (unsigned r = 0; !err && r < rounds; r++) {
		for (unsigned i = 0; !err && i <= cpus; i++) {
			struct synth_batch b = synth_batch(s, i, 1 + synth_random(s) % batch_max);

			last = b.last_ts > last ? b.last_ts : last;
			err = synth_append(s, w, i, &b);
		}
		err = err ? err : ctf_writer__commit(w, none, SYNTH_START_NS + r);
	}
	session.end_ns = last;
	session.wall_end_ns = SYNTH_WALL_NS + 1;
	if (err)
		return err;
	err = ctf_writer__close(w, &session);
	ctf_writer__free(w);
	return err;
}

#endif
