// SPDX-License-Identifier: BSD-2-Clause
/*
 * multiply RECORDING TIMES OUT: makes of a real recording a sound one of any length: TIMES copies,
 * one after the other. Prints how many records OUT has.
 *
 * Transitions and preemptors are repeated, later by what the copy before took, and each vCPU's
 * sequence numbers go on. What exists is introduced once, in the first copy; what ends, or is seen
 * at the end, does so in the last. Between two copies nothing is known of a vCPU, and its state at
 * the end of one need not be the state at the start of the next: its first record in a copy says
 * so, as after transitions that a CPU filter left out. So every count of whole things (switches,
 * absences, loads ...) is exactly TIMES that of RECORDING; the vCPUs are the same ones.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctf_reader.h"
#include "ctf_writer.h"
#include "decode.h"
#include "err.h"
#include "record.h"

/* A vCPU's sequence numbers in RECORDING. */
struct seqs {
	__u32 first; /* of its records; 0 = it has none */
	__u32 last;
};

struct multiply {
	struct ctf_reader *in;
	struct ctf_writer *out;
	struct session s;
	__u32 copies, copy; /* how many, and which one is being written, from 0 */
	__u64 first_ns;	    /* of what is repeated, and of the window */
	__u64 last_ns;
	__u64 period_ns;   /* from one copy to the next */
	struct seqs *vcpu; /* by id; DECODE_VCPU_MAX of them, most of them never touched */
	__u8 *buf;	   /* a chunk that is being changed */
	size_t room;
};

/* Transitions, GONE and SNAP begin alike; so does VCPU, which is never changed. */
static bool has_seq(const struct ks_head *h)
{
	return h->type < KS_VCPU || h->type == KS_GONE || h->type == KS_SNAP;
}

static bool repeated(const struct ks_head *h)
{
	return h->type < KS_VCPU || h->type == KS_TASK;
}

static bool closing(const struct ks_head *h)
{
	return h->type == KS_GONE || (h->type == KS_SNAP && (h->mask & KS_M_END));
}

/* ---- the first look ----------------------------------------------------------------------- */

static void look_at(struct multiply *m, const struct ks_head *h)
{
	const struct ks_gone *r = (const void *)h;

	if (has_seq(h)) {
		struct seqs *v = &m->vcpu[r->vcpu];

		if (r->seq > v->last)
			v->last = r->seq;
		if (h->type < KS_VCPU && (!v->first || r->seq < v->first))
			v->first = r->seq;
	}
	if (!repeated(h))
		return;
	if (h->ts < m->first_ns)
		m->first_ns = h->ts;
	if (h->ts >= m->last_ns)
		m->last_ns = h->ts + 1;
}

static int look_at_chunk(struct multiply *m, const struct ctf_chunk *c)
{
	size_t size;

	for (const __u8 *p = c->data, *end = p + c->bytes; p < end; p += size) {
		size = decode__check(p, end - p);
		if (!size)
			return err__say(0, "stream %u has something that is no record", c->stream);
		look_at(m, (const struct ks_head *)p);
	}
	return 0;
}

/* ---- a copy ------------------------------------------------------------------------------- */

static bool in_this_copy(const struct multiply *m, const struct ks_head *h)
{
	if (repeated(h))
		return true;
	return closing(h) ? m->copy == m->copies - 1 : !m->copy;
}

static void move(const struct multiply *m, struct ks_head *h)
{
	struct ks_gone *r = (void *)h;

	h->ts += m->copy * m->period_ns;
	if (!has_seq(h))
		return;
	if (m->copy && h->type < KS_VCPU && r->seq == m->vcpu[r->vcpu].first)
		h->mask |= KS_M_SKIPPED;
	r->seq += m->copy * m->vcpu[r->vcpu].last;
	if (closing(h))
		r->lost *= m->copies; /* stands at the same place in SNAP */
}
_Static_assert(offsetof(struct ks_gone, lost) == offsetof(struct ks_snap, lost), "lost");

static int make_room(struct multiply *m, size_t bytes)
{
	__u8 *buf;

	if (bytes <= m->room)
		return 0;
	buf = realloc(m->buf, bytes);
	if (!buf)
		return err__say(ENOMEM, "copying");
	m->buf = buf;
	m->room = bytes;
	return 0;
}

static int copy_chunk(struct multiply *m, const struct ctf_chunk *c)
{
	__u64 first_ts = 0, last_ts = 0;
	size_t bytes = 0, size;
	__u32 count = 0;

	if (make_room(m, c->bytes))
		return -ENOMEM;
	for (const __u8 *p = c->data, *end = p + c->bytes; p < end; p += size) {
		struct ks_head *h = (struct ks_head *)(m->buf + bytes);

		size = record__size(((const struct ks_head *)p)->type);
		if (!in_this_copy(m, (const struct ks_head *)p))
			continue;
		memcpy(h, p, size);
		move(m, h);
		first_ts = count ? first_ts : h->ts;
		last_ts = h->ts;
		bytes += size;
		count++;
	}
	if (!count)
		return 0;
	return ctf_writer__append(m->out, c->stream, m->buf, bytes, count, first_ts, last_ts);
}

/* ---- all ---------------------------------------------------------------------------------- */

static int each_chunk(struct multiply *m, int (*fn)(struct multiply *m, const struct ctf_chunk *c))
{
	struct ctf_chunk c;
	int got = 0;

	for (unsigned i = 0; !got && i < ctf_reader__streams(m->in); i++)
		while ((got = ctf_reader__next(m->in, i, &c)) > 0) {
			got = fn(m, &c);
			if (got)
				break;
		}
	return got ?: ctf_reader__rewind(m->in);
}

static int look(struct multiply *m)
{
	int err;

	m->first_ns = m->s.start_ns;
	m->last_ns = m->s.end_ns;
	err = each_chunk(m, look_at_chunk);
	if (err)
		return err;
	if (ctf_reader__damaged(m->in))
		return err__say(0, "the recording is damaged");
	m->period_ns = m->last_ns - m->first_ns;
	if (m->copies > (INT64_MAX - m->last_ns) / (m->period_ns + 1))
		return err__say(0, "%u times: longer than a clock can count", m->copies);
	return 0;
}

static int finish(struct multiply *m)
{
	const unsigned streams = ctf_reader__streams(m->in);
	__u64 *lost = calloc(streams, sizeof(*lost));
	int err;

	if (!lost)
		return err__say(ENOMEM, "finishing");
	for (unsigned i = 0; i < streams; i++)
		lost[i] = ctf_reader__discarded(m->in, i) * m->copies;
	m->s.end_ns += (m->copies - 1) * m->period_ns;
	err = ctf_writer__commit(m->out, lost, m->s.end_ns);
	free(lost);
	return err ?: ctf_writer__close(m->out, &m->s);
}

static int multiply(struct multiply *m, const char *from, const char *to)
{
	int err = ctf_reader__open(&m->in, from, &m->s);

	if (!err)
		err = look(m);
	if (!err)
		err = ctf_writer__new(&m->out, to, &m->s, NULL);
	for (; !err && m->copy < m->copies; m->copy++)
		err = each_chunk(m, copy_chunk);
	if (!err)
		err = finish(m);
	if (!err)
		printf("%llu\n", (unsigned long long)ctf_writer__records(m->out));
	return err;
}

int main(int argc, char **argv)
{
	struct multiply m = {};
	unsigned long copies;
	char *end;
	int err;

	err__set_command("multiply");
	if (argc != 4) {
		fputs("usage: multiply RECORDING TIMES OUT\n", stderr);
		return EXIT_ERROR;
	}
	copies = strtoul(argv[2], &end, 10);
	if (*end || !copies || copies > UINT32_MAX)
		return err__say(0, "%s: not a number of times", argv[2]) ? EXIT_ERROR : 0;
	m.copies = copies;
	m.vcpu = calloc(DECODE_VCPU_MAX, sizeof(*m.vcpu));
	err = m.vcpu ? multiply(&m, argv[1], argv[3]) : err__say(ENOMEM, "starting");
	ctf_writer__free(m.out);
	ctf_reader__free(m.in);
	free(m.vcpu);
	free(m.buf);
	return err ? EXIT_ERROR : EXIT_FINE;
}
