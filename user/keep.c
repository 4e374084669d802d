// SPDX-License-Identifier: BSD-2-Clause
/*
 * A ring of records, and apart from it who is who: descriptors of VMs and vCPUs, which stay, and of
 * the last tasks. In the new recording a vCPU that was there before says how many records it had
 * had, so that its sequence goes on with the first one that is kept, or tells what is missing
 * before it. What is missing behind the last one is told as at the end of any trace, by a SNAP.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "ctf_dir.h"
#include "ctf_writer.h"
#include "err.h"
#include "keep.h"
#include "keep_hold.h"
#include "keep_seq.h"
#include "record.h"

#define PLACES (1U << 17) /* records: 7 MB */
#define TASKS  4096

struct keep {
	char *dir;
	bool force;
	struct keep_ring events, tasks;
	struct keep_pile who; /* VM, NAME, VCPU, in order of time */
	struct keep_seq seq;
	__u64 moment, last_ts;
	__u64 stop_count; /* of events: enough behind the moment */
	bool has_moment;
};

int keep__probe(const char *dir, bool force, const char *input, const char *output)
{
	const struct ctf_writer_opts o = {.force = force};

	int err = ctf_dir__apart("--keep", dir, input);

	if (err)
		return err;
	if (output && ctf_dir__same(dir, output))
		return err__say(0, "--keep %s and -o %s name one directory: give them two", dir,
				output);
	return ctf_writer__probe(dir, &o);
}

int keep__new(struct keep **out, const char *dir, bool force)
{
	struct keep *k = calloc(1, sizeof(*k));
	int err = 0;

	if (k) {
		k->force = force;
		k->dir = strdup(dir);
		err = keep_ring__init(&k->events, PLACES) ?: keep_ring__init(&k->tasks, TASKS);
	}
	if (!k || !k->dir || err) {
		keep__free(k);
		return err__say(ENOMEM, "--keep");
	}
	*out = k;
	return 0;
}

void keep__free(struct keep *k)
{
	if (!k)
		return;
	free(k->events.place);
	free(k->tasks.place);
	free(k->who.data);
	keep_seq__free(&k->seq);
	free(k->dir);
	free(k);
}

/* Behind what will be kept. */
static bool beyond(const struct keep *k, const struct ks_head *r)
{
	if (!k->has_moment)
		return false;
	return r->ts >= k->moment + KEEP_NS ||
	       k->events.count >= k->stop_count; /* what was before it is worth as much */
}

int keep__record(struct keep *k, const struct ks_head *r)
{
	bool held = !beyond(k, r);

	if (keep_seq__record(&k->seq, r, held))
		return -ENOMEM;
	if (!held)
		return 0;
	k->last_ts = r->ts;
	switch (r->type) {
	case KS_VM:
	case KS_NAME:
	case KS_VCPU:
		return keep_pile__put(&k->who, r, record__size(r->type));
	case KS_TASK:
		keep_ring__put(&k->tasks, r);
		return 0;
	}
	if (keep_ring__leaving(&k->events))
		keep_seq__before(&k->seq, keep_ring__leaving(&k->events));
	keep_ring__put(&k->events, r);
	return 0;
}

void keep__moment(struct keep *k, __u64 ts)
{
	if (k->has_moment)
		return;
	k->has_moment = true;
	k->moment = ts;
	k->stop_count = k->events.count + k->events.places / 2;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* What is cut out. */
struct cut {
	struct session s;
	__u64 *lost; /* by stream */
};

static bool inside(const struct cut *c, const struct ks_head *h)
{
	bool start_snap = h->type == KS_SNAP && !(h->mask & KS_M_END);

	return h->ts >= c->s.start_ns && h->ts <= c->s.end_ns && !start_snap;
}

/* A descriptor as it has to be at the start, if it was made before. */
static int put_who(const struct keep *k, const struct cut *c, struct keep_pile *to,
		   const struct ks_head *h)
{
	union {
		struct ks_head h;
		struct ks_vcpu vcpu;
		struct ks_name name;
	} r;

	if (h->ts > c->s.end_ns)
		return 0;
	memcpy(&r, h, record__size(h->type));
	if (h->ts < c->s.start_ns) {
		r.h.ts = c->s.start_ns;
		r.h.mask &= ~KS_M_CREATED;
	}
	if (h->type == KS_VCPU)
		r.vcpu.seq = keep_seq__had(&k->seq, r.vcpu.vcpu);
	return keep_pile__put(to, &r, record__size(h->type));
}

/* Which stream a record was in. What user space or a destruction added is among the descriptors. */
static unsigned stream_of(const struct session *s, const struct ks_head *h)
{
	if (h->type == KS_LOADS && (h->mask & KS_M_USER || h->ts >= s->end_ns))
		return s->cpus;
	return record__stream(h, s->cpus);
}

/* ---- what is missing ---------------------------------------------------------------------- */

/* Where the vCPUs' numbers stand at the start and at the end. A loss is the stream's that has the
 * record behind it: in which one the lost records were to be, nobody knows. Those that no number
 * tells of anywhere in the trace (descriptors, or a vCPU's last ones before the recorder was
 * killed) may have been here as well, and are the descriptors' stream's. */
static int count_lost(struct keep *k, struct cut *c, const struct session *whole, __u64 lost)
{
	const struct ks_head *h;
	__u64 i;

	c->lost = calloc(whole->cpus + 1, sizeof(*c->lost));
	if (!c->lost)
		return -ENOMEM;
	for (i = 0; (h = keep_ring__at(&k->events, i)) && h->ts <= c->s.end_ns; i++) {
		if (h->ts < c->s.start_ns)
			keep_seq__before(&k->seq, h);
		else
			c->lost[stream_of(whole, h)] += keep_seq__inside(&k->seq, h);
	}
	while (i < k->events.count && keep_ring__at(&k->events, i))
		i++;
	while (i-- && (h = keep_ring__at(&k->events, i))->ts > c->s.end_ns)
		keep_seq__behind(&k->seq, h);
	if (lost > k->seq.missing)
		c->lost[whole->cpus] += lost - k->seq.missing;
	return 0;
}

/* What is missing between the last record that is kept and the one that would follow: from that
 * last one on, the vCPU's state is not known. */
static int put_tails(const struct keep *k, const struct cut *c, struct keep_pile *to)
{
	int err = 0;

	for (__u32 vcpu = 0; !err && vcpu < k->seq.lanes; vcpu++) {
		struct ks_snap r = {
			.h = {.ts = c->s.end_ns, .type = KS_SNAP, .mask = c->s.fields | KS_M_END},
			.vcpu = vcpu};

		r.lost = keep_seq__tail(&k->seq, vcpu, &r.seq);
		if (!r.lost)
			continue;
		c->lost[c->s.cpus] += r.lost;
		err = keep_pile__put(to, &r, sizeof(r));
	}
	return err;
}

/* ---- the recording ------------------------------------------------------------------------ */

static int by_time(const void *a, const void *b)
{
	const struct ks_head *x = *(const struct ks_head *const *)a;
	const struct ks_head *y = *(const struct ks_head *const *)b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x < y ? -1 : x > y; /* as they came */
}

/* The records of `from` in order of time. */
static int sort(struct keep_pile *from, struct keep_pile *to)
{
	const struct ks_head **at = calloc(from->count + 1, sizeof(*at));
	size_t offset = 0;
	int err = 0;

	if (!at)
		return -ENOMEM;
	for (__u32 i = 0; i < from->count; i++) {
		at[i] = (const void *)(from->data + offset);
		offset += record__size(at[i]->type);
	}
	qsort(at, from->count, sizeof(*at), by_time);
	for (__u32 i = 0; !err && i < from->count; i++)
		err = keep_pile__put(to, at[i], record__size(at[i]->type));
	free(at);
	return err;
}

static int append(struct ctf_writer *w, unsigned stream, const struct keep_pile *p)
{
	const struct ks_head *first = (const void *)p->data, *last = first;
	size_t size;

	for (size_t at = 0; at < p->bytes; at += size) {
		last = (const void *)(p->data + at);
		size = record__size(last->type);
	}
	return p->count ? ctf_writer__append(w, stream, p->data, p->bytes, p->count, first->ts,
					     last->ts)
			: 0;
}

static int write_cpu(const struct keep *k, const struct cut *c, const struct session *whole,
		     struct ctf_writer *w, unsigned stream)
{
	struct keep_pile p = {.count = 0};
	const struct ks_head *h;
	int err = 0;

	for (__u64 i = 0; !err && (h = keep_ring__at(&k->events, i)); i++)
		if (inside(c, h) && stream_of(whole, h) == stream)
			err = keep_pile__put(&p, h, record__size(h->type));
	err = err ?: append(w, stream, &p);
	free(p.data);
	return err;
}

static int write_descriptors(const struct keep *k, const struct cut *c, const struct session *whole,
			     struct ctf_writer *w)
{
	struct keep_pile p = {.count = 0}, sorted = {.count = 0};
	const struct ks_head *h;
	size_t size;
	int err = 0;

	for (size_t at = 0; !err && at < k->who.bytes; at += size) {
		h = (const void *)(k->who.data + at);
		size = record__size(h->type);
		err = put_who(k, c, &p, h);
	}
	for (__u64 i = 0; !err && (h = keep_ring__at(&k->tasks, i)); i++)
		err = put_who(k, c, &p, h);
	for (__u64 i = 0; !err && (h = keep_ring__at(&k->events, i)); i++)
		if (inside(c, h) && stream_of(whole, h) == whole->cpus)
			err = keep_pile__put(&p, h, record__size(h->type));
	err = err ?: put_tails(k, c, &p);
	err = err ?: sort(&p, &sorted);
	err = err ?: append(w, whole->cpus, &sorted);
	free(p.data);
	free(sorted.data);
	return err;
}

static int write_all(const struct keep *k, const struct cut *c, const struct session *whole,
		     struct ctf_writer *w)
{
	int err = 0;

	for (unsigned i = 0; !err && i < whole->cpus; i++)
		err = write_cpu(k, c, whole, w, i);
	err = err ?: write_descriptors(k, c, whole, w);
	err = err ?: ctf_writer__commit(w, c->lost, c->s.end_ns);
	return err ?: ctf_writer__close(w, &c->s);
}

/* The stretch: around the moment, inside the trace, and what is still there. */
static void set_window(const struct keep *k, struct cut *c)
{
	const struct ks_head *oldest = keep_ring__at(&k->events, 0);
	__u64 from = k->moment > KEEP_NS ? k->moment - KEEP_NS : 0, to = k->moment + KEEP_NS;

	if (k->events.count > k->events.places && oldest->ts + 1 > from)
		from = oldest->ts + 1; /* of its time some may be gone already */
	if (k->events.count >= k->stop_count && k->last_ts + 1 < to)
		to = k->last_ts + 1; /* behind the last one: a SNAP there comes after it */
	c->s.trigger[0] = '\0';	     /* that of a recording which was cut before */
	c->s.trigger_ns = 0;
	if (from > c->s.start_ns)
		c->s.start_ns = from;
	if (to < c->s.end_ns)
		c->s.end_ns = to;
}

static void tell(const struct keep *k, const struct cut *c, const struct session *whole,
		 const struct ctf_writer *w)
{
	char missing[64] = "";
	__u64 lost = 0;

	for (__u32 i = 0; i <= whole->cpus; i++)
		lost += c->lost[i];
	if (lost)
		snprintf(missing, sizeof(missing), " (%llu more were lost)",
			 (unsigned long long)lost);
	err__note("kept %llu records%s %s: %s", (unsigned long long)ctf_writer__records(w), missing,
		  k->moment < whole->end_ns
			  ? "around the first violation"
			  : "before the trace's end: what was violated has no moment",
		  k->dir);
}

int keep__write(struct keep *k, const struct session *s, __u64 lost)
{
	const struct ctf_writer_opts o = {.force = k->force};
	struct cut c = {.s = *s};
	struct ctf_writer *w = NULL;
	int err;

	keep__moment(k, s->end_ns);
	set_window(k, &c);
	err = count_lost(k, &c, s, lost) ?: ctf_writer__new(&w, k->dir, &c.s, &o);
	if (!err)
		err = write_all(k, &c, s, w);
	if (err == -ENOMEM)
		err__say(ENOMEM, "--keep");
	if (!err)
		tell(k, &c, s, w);
	if (err && w)
		ctf_writer__discard(w);
	else
		ctf_writer__free(w);
	free(c.lost);
	return err;
}

void keep__nothing(const struct keep *k)
{
	struct stat st;

	if (!stat(k->dir, &st))
		err__note("nothing was violated, so nothing is kept: %s is from before", k->dir);
}
