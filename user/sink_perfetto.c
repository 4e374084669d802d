// SPDX-License-Identifier: BSD-2-Clause
/*
 * `export --to perfetto`: each span is a slice on its vCPU's track, from its begin to its end, with
 * what is known of it as arguments, and each absence a value of the run delay's counter.
 *
 * A slice is two packets that differ from others in a few numbers. protobuf-c, which asks for each
 * message as a tree of structures, takes more than 1 us for them [measured], and an absence, of
 * which there should be 3 million a second, is two slices. So these packets are put together here,
 * byte by byte. All else that a file needs is perfetto_state.c's; what is written here is read with
 * protobuf-c in the tests.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include "by_id.h"
#include "err.h"
#include "export.h"
#include "perfetto_state.h"

#define BUFFER	  65536
#define SLICE_MAX 1024 /* more than a slice's two packets can take */

/* All that slices refer to is repeated after so many slices of a vCPU, and after so long. */
#define STATE_SLICES 4096
#define STATE_NS     10000000000ULL

/* A field's number and wire type (0 a number, 2 bytes); those above 15 take two bytes. */
#define FIELD_NUMBER(n) ((n) << 3)
#define FIELD_BYTES(n)	((n) << 3 | 2)

enum {
	TRACE_PACKET = FIELD_BYTES(1),
	PACKET_TIMESTAMP = FIELD_NUMBER(8),
	PACKET_SEQUENCE = FIELD_NUMBER(10),
	PACKET_TRACK_EVENT = FIELD_BYTES(11),
	PACKET_FLAGS = FIELD_NUMBER(13),
	EVENT_ANNOTATION = FIELD_BYTES(4),
	EVENT_TYPE = FIELD_NUMBER(9),
	EVENT_NAME = FIELD_NUMBER(10),
	EVENT_COUNTER = FIELD_NUMBER(12),
	ANNOTATION_NAME = FIELD_NUMBER(1),
	ANNOTATION_BOOL = FIELD_NUMBER(2),
	ANNOTATION_UINT = FIELD_NUMBER(3),
	ANNOTATION_STRING = FIELD_NUMBER(17),
};

enum { SLICE_BEGIN = 1, SLICE_END = 2 };

/* Bytes that are kept and copied. */
#define KEPT_MAX 80

struct kept {
	__u8 len;
	__u8 bytes[KEPT_MAX];
};

/* Takers of a vCPU's CPU, as arguments. Few tasks take most of a vCPU's absences. */
#define TAKERS_BITS 6

struct kept_taker {
	struct taker_key key;
	struct kept annotations;
};

struct track {
	struct who_key key;
	__u64 lost;	 /* records of it, so far */
	__u64 missing;	 /* of these, just before the slice that comes; 0 = none, or not known */
	__u64 state_ns;	 /* when its state was written last */
	unsigned slices; /* since then */
	bool begun;
	__u64 next_iid;
	struct kept head; /* sequence and flags, up to the event's length */
	struct kept_taker taker[1 << TAKERS_BITS];
};

struct perfetto {
	struct export_out *o;
	const struct session *s;
	const struct model *m;
	struct track **track; /* by the vCPU's id */
	__u32 tracks;
	size_t len;
	__u8 buffer[BUFFER];
};

/* ---- bytes -------------------------------------------------------------------------------- */

static inline __u8 *put_number(__u8 *to, __u64 n)
{
	for (; n >= 0x80; n >>= 7)
		*to++ = n | 0x80;
	*to++ = n;
	return to;
}

/* The same for numbers that are mostly long: the seven-bit groups are spread all at once. */
static inline __u8 *put_long(__u8 *to, __u64 n)
{
	unsigned bytes;

	if (n >> 56)
		return put_number(to, n);
	bytes = (63 - __builtin_clzll(n | 1)) / 7 + 1;
	n = (n & 0xfffffff) | (n & 0xfffffff0000000) << 4;
	n = (n & 0x00003fff00003fff) | (n & 0x0fffc0000fffc000) << 2;
	n = (n & 0x007f007f007f007f) | (n & 0x3f803f803f803f80) << 1;
	n |= 0x8080808080808080 & ((1ULL << 8 * (bytes - 1)) - 1);
	n = htole64(n); /* the first group first, whatever machine this is */
	memcpy(to, &n, sizeof(n));
	return to + bytes;
}

static inline __u8 *put_field(__u8 *to, __u32 field, __u64 n)
{
	return put_number(put_number(to, field), n);
}

/* A length that is known later takes two bytes, whatever it is; protobuf allows that. */
static inline void put_length(__u8 *to, size_t len)
{
	to[0] = (len & 0x7f) | 0x80;
	to[1] = len >> 7;
}

/* An argument; all have less than 128 bytes. */
static inline __u8 *put_argument(__u8 *to, enum perfetto_name name, __u32 kind, __u64 value)
{
	__u8 *len = to + 1;

	to[0] = EVENT_ANNOTATION;
	to[2] = ANNOTATION_NAME;
	to[3] = name;
	to = put_long(put_number(to + 4, kind), value);
	*len = to - len - 1;
	return to;
}

static int flush(struct perfetto *p)
{
	size_t len = p->len;

	p->len = 0;
	return export__write(p->o, p->buffer, len);
}

/* ---- tracks ------------------------------------------------------------------------------- */

static void make_head(struct track *t, __u32 sequence)
{
	__u8 *to = t->head.bytes;

	to = put_field(to, PACKET_SEQUENCE, sequence);
	to = put_field(to, PACKET_FLAGS, PERFETTO_NEEDS);
	*to++ = PACKET_TRACK_EVENT;
	t->head.len = to - t->head.bytes;
}

static int write_state(struct perfetto *p, struct track *t, const struct model_vcpu *v, __u64 now)
{
	bool first = !t->begun, dropped = t->lost != v->v.lost;
	int err = flush(p);

	if (!t->begun) {
		make_head(t, perfetto_state__sequence(v));
		t->next_iid = PERFETTO_FIRST;
		t->begun = true;
	}
	for (unsigned i = 0; i < 1 << TAKERS_BITS; i++)
		t->taker[i].key.used = false;
	/* the first one's may have been lost before the window */
	t->missing = first && now > p->s->start_ns ? 0 : v->v.lost - t->lost;
	t->lost = v->v.lost;
	t->state_ns = now;
	t->slices = 0;
	return err ?: perfetto_state__write(p->o, p->s, p->m, v, first, dropped);
}

/* The vCPU's track, and what it needs said before a slice that begins now. NULL, having said why,
 * or with err set. */
static struct track *track_of(struct perfetto *p, const struct model_vcpu *v, __u64 now, int *err)
{
	struct track **at = by_id__at(&p->track, &p->tracks, sizeof(*at), v->id), *t;

	*err = 0;
	if (at && !*at)
		*at = calloc(1, sizeof(**at));
	t = at ? *at : NULL;
	if (!t) {
		*err = err__say(ENOMEM, "export");
		return NULL;
	}
	if (!who__same(&t->key, p->m, v) || t->lost != v->v.lost || t->slices >= STATE_SLICES ||
	    now - t->state_ns >= STATE_NS)
		*err = write_state(p, t, v, now);
	else if (p->len > BUFFER - SLICE_MAX)
		*err = flush(p);
	t->slices++;
	return t;
}

/* ---- who took the CPU --------------------------------------------------------------------- */

static int refill_taker(struct perfetto *p, struct track *t, __u32 sequence, struct kept_taker *k)
{
	struct perfetto_word word[2];
	unsigned words = 0;
	struct taker_words w;
	__u8 *to = k->annotations.bytes;

	taker__words(&k->key, p->m, &w);
	to = put_argument(to, PN_BY, ANNOTATION_STRING, PERFETTO_CLASS(k->key.by));
	if (w.comm) {
		word[words++] = (struct perfetto_word){t->next_iid, w.comm};
		to = put_argument(to, PN_BY_COMM, ANNOTATION_STRING, t->next_iid++);
	}
	to = put_argument(to, PN_BY_TID, ANNOTATION_UINT, w.tid);
	if (w.pid >= 0)
		to = put_argument(to, PN_BY_PID, ANNOTATION_UINT, w.pid);
	if (w.vm) {
		word[words++] = (struct perfetto_word){t->next_iid, w.vm};
		to = put_argument(to, PN_BY_VM, ANNOTATION_STRING, t->next_iid++);
	}
	if (w.vcpu >= 0)
		to = put_argument(to, PN_BY_VCPU, ANNOTATION_UINT, w.vcpu);
	k->annotations.len = to - k->annotations.bytes;
	return words ? flush(p) ?: perfetto_state__words(p->o, sequence, word, words) : 0;
}

static int taker_of(struct perfetto *p, struct track *t, const struct model_vcpu *v,
		    const struct absence *a, const struct model_task *task,
		    const struct kept **kept)
{
	struct kept_taker *k = &t->taker[taker__slot(a, TAKERS_BITS)];

	*kept = &k->annotations;
	if (taker__same(&k->key, p->m, a, task))
		return 0;
	return refill_taker(p, t, perfetto_state__sequence(v), k);
}

/* ---- a slice ------------------------------------------------------------------------------ */

/* Where a packet's and its event's lengths belong. */
struct open_packet {
	__u8 *packet, *event;
};

static inline __u8 *begin_packet(const struct track *t, __u64 ts, __u8 *to, struct open_packet *at)
{
	*to = TRACE_PACKET;
	at->packet = to + 1;
	to[3] = PACKET_TIMESTAMP;
	to = put_long(to + 4, ts);
	memcpy(to, t->head.bytes, 32); /* more than there are */
	at->event = to + t->head.len;
	return at->event + 2;
}

static inline __u8 *end_packet(const struct open_packet *at, __u8 *to)
{
	put_length(at->event, to - at->event - 2);
	put_length(at->packet, to - at->packet - 2);
	return to;
}

static inline __u8 *put_absence(__u8 *to, const struct span *s, const struct absence *a)
{
	to = put_argument(to, PN_REASON, ANNOTATION_STRING, PERFETTO_REASON(a->reason));
	if (a->cpu_out != VCPU_NO_CPU)
		to = put_argument(to, PN_CPU_OUT, ANNOTATION_UINT, a->cpu_out);
	if (!s->open)
		to = put_argument(to, PN_CPU_IN, ANNOTATION_UINT, a->cpu_in);
	if (a->has_run_delay)
		to = put_argument(to, PN_RUN_DELAY, ANNOTATION_UINT, a->run_delay_ns);
	if (!s->open && a->to - a->from != s->to - s->from) /* cut: the window's edge is in it */
		to = put_argument(to, PN_ABSENCE, ANNOTATION_UINT, a->to - a->from);
	if (!a->whole)
		to = put_argument(to, PN_NOT_WHOLE, ANNOTATION_BOOL, 1);
	return to;
}

static inline bool is_absence(enum state s)
{
	return s == ST_PREEMPTED || s == ST_HALTED || s == ST_SLEEPING;
}

static __u8 *put_begin(__u8 *to, const struct track *t, const struct span *s,
		       const struct absence *a, const struct kept *taker)
{
	struct open_packet at;

	to = begin_packet(t, s->from, to, &at);
	to = put_field(to, EVENT_TYPE, SLICE_BEGIN);
	to = put_field(to, EVENT_NAME, s->state + 1);
	if (a)
		to = put_absence(to, s, a);
	else if (s->state < ST_PREEMPTED)
		to = put_argument(to, PN_CPU, ANNOTATION_UINT, s->cpu);
	if (s->user_ns)
		to = put_argument(to, PN_USER, ANNOTATION_UINT, s->user_ns);
	if (s->open)
		to = put_argument(to, PN_OPEN, ANNOTATION_BOOL, 1);
	if (s->state == ST_UNKNOWN && t->missing)
		to = put_argument(to, PN_LOST, ANNOTATION_UINT, t->missing);
	if (taker) {
		memcpy(to, taker->bytes, KEPT_MAX);
		to += taker->len;
	}
	return end_packet(&at, to);
}

static __u8 *put_end(__u8 *to, const struct track *t, const struct span *s, const struct absence *a)
{
	struct open_packet at;

	to = begin_packet(t, s->to, to, &at);
	to = put_field(to, EVENT_TYPE, SLICE_END);
	if (a && !s->open && a->has_run_delay && a->to == s->to)
		to = put_field(to, EVENT_COUNTER, a->run_delay_ns);
	return end_packet(&at, to);
}

static int span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		const struct model_task *task)
{
	struct perfetto *p = ctx;
	const struct absence *of = is_absence(s->state) ? a : NULL;
	const struct kept *taker = NULL;
	struct track *t;
	__u8 *to;
	int err;

	t = track_of(p, v, s->from, &err);
	if (!err && of && of->by != KS_BY_NONE)
		err = taker_of(p, t, v, of, task, &taker);
	if (err)
		return err;
	to = put_begin(p->buffer + p->len, t, s, of, taker);
	p->len = put_end(to, t, s, of) - p->buffer;
	t->missing = 0;
	return 0;
}

/* ---- the sink ----------------------------------------------------------------------------- */

static int begin(void *ctx, const struct session *s, const struct model *m)
{
	struct perfetto *p = ctx;

	p->s = s;
	p->m = m;
	return perfetto_state__begin(p->o, s);
}

static int end(void *ctx, const struct summary *s)
{
	struct perfetto *p = ctx;
	int err = flush(p);

	err = err ?: perfetto_state__end(p->o, s);
	p->o->done = !err;
	return err;
}

int sink_perfetto__new(struct sink *sink, struct export_out *o)
{
	struct perfetto *p = calloc(1, sizeof(*p));

	*sink = (struct sink){
		.begin = begin, .span = span, .end = end, .ctx = p, .times_only = true};
	if (!p)
		return -ENOMEM;
	p->o = o;
	return 0;
}

void sink_perfetto__free(void *ctx)
{
	struct perfetto *p = ctx;

	if (!p)
		return;
	for (__u32 i = 0; i < p->tracks; i++)
		free(p->track[i]);
	free(p->track);
	free(p);
}
