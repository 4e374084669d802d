// SPDX-License-Identifier: BSD-2-Clause
/*
 * Absences or spans as rows, NDJSON or CSV: `export --to json` and `--to csv`. Millions of rows are
 * wanted per second, and most of a row is who: the vCPU, and the task that took its CPU. That text
 * comes from the JSON writer or the CSV escaper once, is kept, and copied; a row of its own are
 * only numbers and fixed words, which need no escaping.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "by_id.h"
#include "err.h"
#include "export.h"
#include "report_json.h"
#include "row_text.h"

#define BUFFER	    65536
#define ROW_MAX	    8192 /* more than two texts of who and the numbers can have */
#define TAKERS_BITS 10	 /* kept texts of tasks */

/* ---- columns ------------------------------------------------------------------------------ */

/* A column's name as it stands in JSON, behind the one before. */
#define SHORT 16 /* more than any has, so that it is copied as a whole */
/* clang-format off */
#define KEY(name) {sizeof(name) + 3, ",\"" name "\":"}
/* clang-format on */

enum column {
	C_FROM,
	C_TO,
	C_WALL,
	C_ABSENCE,
	C_RUN_DELAY,
	C_STATE,
	C_REASON,
	C_CPU,
	C_CPU_OUT,
	C_CPU_IN,
	C_USER,
	C_WHOLE,
	C_OPEN,
};

static const struct key {
	size_t len;
	char text[SHORT];
} keys[] = {
	[C_FROM] = KEY("from_ns"),
	[C_TO] = KEY("to_ns"),
	[C_WALL] = KEY("wall_ns"),
	[C_ABSENCE] = KEY("absence_ns"),
	[C_RUN_DELAY] = KEY("run_delay_ns"),
	[C_STATE] = KEY("state"),
	[C_REASON] = KEY("reason"),
	[C_CPU] = KEY("cpu"),
	[C_CPU_OUT] = KEY("cpu_out"),
	[C_CPU_IN] = KEY("cpu_in"),
	[C_USER] = KEY("user_ns"),
	[C_WHOLE] = KEY("whole"),
	[C_OPEN] = KEY("open"),
};

static const char vcpu_header[] = "host,vm,vm_uuid,vm_pid,vcpu,tid";
static const char by_header[] = "by,by_comm,by_tid,by_pid,by_vm,by_vcpu";
static const enum column absence_columns[] = {C_FROM,	C_TO,	   C_WALL,	C_STATE,
					      C_REASON, C_ABSENCE, C_RUN_DELAY, C_CPU_OUT,
					      C_CPU_IN, C_WHOLE,   C_OPEN};
static const enum column span_columns[] = {C_FROM, C_TO, C_WALL, C_STATE, C_USER, C_CPU, C_OPEN};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- what is kept ------------------------------------------------------------------------- */

#define WORDS_MAX 64 /* more than any has, copied as a whole */

/* Words of our own, columns and all. */
struct words {
	size_t len;
	char text[WORDS_MAX];
};

struct kept_vcpu {
	struct who_key key;
	struct row_text text;
};

struct kept_taker {
	struct taker_key key;
	struct row_text text;
};

struct rows {
	struct export_out *o;
	bool csv;
	const struct session *s;
	const struct model *m;
	struct words reason[KS_R_CNT], state[ST_CNT], flags[3];
	struct kept_vcpu **vcpu; /* by id */
	__u32 vcpus;
	struct kept_taker *taker;
	size_t len;
	char buffer[BUFFER];
};

static int vcpu_text(struct rows *r, const struct model_vcpu *v, const struct row_text **text)
{
	struct kept_vcpu **at = by_id__at(&r->vcpu, &r->vcpus, sizeof(*at), v->id), *k;
	int err;

	if (at && !*at)
		*at = calloc(1, sizeof(**at));
	if (!at || !*at)
		return -ENOMEM;
	k = *at;
	*text = &k->text;
	if (who__same(&k->key, r->m, v))
		return 0;
	err = row_text__vcpu(&k->text, r->csv, r->s, r->m, v);
	k->key.used = !err;
	return err;
}

static int taker_text(struct rows *r, const struct absence *a, const struct model_task *task,
		      const struct row_text **text)
{
	struct kept_taker *k = &r->taker[taker__slot(a, TAKERS_BITS)];
	struct taker_words w;
	int err;

	*text = &k->text;
	if (taker__same(&k->key, r->m, a, task))
		return 0;
	taker__words(&k->key, r->m, &w);
	err = row_text__taker(&k->text, r->csv, &w);
	k->key.used = !err;
	return err;
}

/* ---- a row -------------------------------------------------------------------------------- */

static int flush(struct rows *r)
{
	size_t len = r->len;

	r->len = 0;
	return export__write(r->o, r->buffer, len);
}

static inline void put(struct rows *r, const char *text, size_t len)
{
	memcpy(r->buffer + r->len, text, len);
	r->len += len;
}

/* text has room for SHORT bytes, whatever len is. */
static inline void put_short(struct rows *r, const char *text, size_t len)
{
	memcpy(r->buffer + r->len, text, SHORT);
	r->len += len;
}

static inline void put_words(struct rows *r, const struct words *w)
{
	memcpy(r->buffer + r->len, w->text, WORDS_MAX);
	r->len += w->len;
}

static inline void put_key(struct rows *r, enum column c)
{
	if (r->csv)
		r->buffer[r->len++] = ',';
	else
		put_short(r, keys[c].text, keys[c].len);
}

static const char pairs[] = "0001020304050607080910111213141516171819"
			    "2021222324252627282930313233343536373839"
			    "4041424344454647484950515253545556575859"
			    "6061626364656667686970717273747576777879"
			    "8081828384858687888990919293949596979899";

/* The last eight digits of n, zeros included. */
static inline void eight_digits(char *to, __u32 n)
{
	__u32 high = n / 10000, low = n % 10000;

	memcpy(to, pairs + high / 100 * 2, 2);
	memcpy(to + 2, pairs + high % 100 * 2, 2);
	memcpy(to + 4, pairs + low / 100 * 2, 2);
	memcpy(to + 6, pairs + low % 100 * 2, 2);
}

#define DIGITS_MAX 24 /* more than 2^64 has */

static inline void put_digits(struct rows *r, __u64 n)
{
	char text[2 * DIGITS_MAX], *at = text + DIGITS_MAX, *end = at;

	for (; n >= 100000000; n /= 100000000)
		eight_digits(at -= 8, n % 100000000);
	for (; n >= 100; n = (__u32)n / 100)
		memcpy(at -= 2, pairs + (__u32)n % 100 * 2, 2);
	if (n >= 10)
		memcpy(at -= 2, pairs + n * 2, 2);
	else
		*--at = '0' + n;
	memcpy(r->buffer + r->len, at, DIGITS_MAX); /* of a known size: no call */
	r->len += end - at;
}

static inline void put_u64(struct rows *r, enum column c, __u64 n)
{
	put_key(r, c);
	put_digits(r, n);
}

/* What is not known: an empty field, no key. */
static inline void put_none(struct rows *r)
{
	if (r->csv)
		r->buffer[r->len++] = ',';
}

static inline void put_if(struct rows *r, enum column c, bool known, __u64 n)
{
	if (known)
		put_u64(r, c, n);
	else
		put_none(r);
}

/* true and false, in CSV 1 and 0. */
static inline void put_bool(struct rows *r, enum column c, bool b)
{
	put_key(r, c);
	if (r->csv)
		r->buffer[r->len++] = '0' + b;
	else
		put(r, b ? "true" : "false", b ? 4 : 5);
}

/* A word of our own, without anything to escape. */
static inline void put_word(struct rows *r, enum column c, const char *word)
{
	put_key(r, c);
	if (!r->csv)
		r->buffer[r->len++] = '"';
	put(r, word, strlen(word));
	if (!r->csv)
		r->buffer[r->len++] = '"';
}

static int put_end(struct rows *r, const struct absence *a, const struct model_task *task)
{
	static const char none[] = ",,,,,,";
	const struct row_text *text;
	int err;

	if (a && a->by != KS_BY_NONE) {
		err = taker_text(r, a, task, &text);
		if (err)
			return err__say(err, "export");
		put(r, text->bytes, text->len);
	} else if (r->csv) {
		put(r, none, sizeof(none) - 1);
	}
	r->buffer[r->len++] = r->csv ? '\r' : '}';
	r->buffer[r->len++] = '\n';
	return 0;
}

static int put_start(struct rows *r, const struct model_vcpu *v, __u64 from, __u64 to)
{
	const struct row_text *text;
	int err = r->len > BUFFER - ROW_MAX ? flush(r) : 0;

	if (err)
		return err;
	err = vcpu_text(r, v, &text);
	if (err)
		return err__say(err, "export");
	put(r, text->bytes, text->len);
	put_u64(r, C_FROM, from);
	put_u64(r, C_TO, to);
	put_u64(r, C_WALL, from + r->s->wall_start_ns);
	return 0;
}

static int absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		   const struct model_task *task)
{
	struct rows *r = ctx;
	int err = put_start(r, v, a->from, a->to);

	if (err)
		return err;
	put_words(r, &r->reason[a->reason]);
	put_u64(r, C_ABSENCE, a->to - a->from);
	put_if(r, C_RUN_DELAY, a->has_run_delay, a->run_delay_ns);
	put_if(r, C_CPU_OUT, a->cpu_out != VCPU_NO_CPU, a->cpu_out);
	put_if(r, C_CPU_IN, !a->open, a->cpu_in);
	put_words(r, &r->flags[a->open ? 2 : a->whole]);
	return put_end(r, a, task);
}

static bool has_place(enum state s)
{
	return s != ST_ABSENT && s != ST_UNKNOWN && s != ST_ELSEWHERE;
}

static int span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		const struct model_task *task)
{
	struct rows *r = ctx;
	int err = put_start(r, v, s->from, s->to);

	if (err)
		return err;
	put_words(r, &r->state[s->state]);
	put_if(r, C_USER, s->user_ns, s->user_ns);
	put_if(r, C_CPU, has_place(s->state) && s->cpu != VCPU_NO_CPU, s->cpu);
	put_bool(r, C_OPEN, s->open);
	return put_end(r, s->state == ST_PREEMPTED ? a : NULL, task);
}

/* What put_...() put last, to be put again. */
static void keep_words(struct rows *r, struct words *w)
{
	memcpy(w->text, r->buffer, r->len);
	w->len = r->len;
	r->len = 0;
}

static void make_words(struct rows *r)
{
	for (unsigned i = 1; i < KS_R_CNT; i++) {
		put_word(r, C_STATE, state__name(state__of_reason(i)));
		put_word(r, C_REASON, report_reason_names[i]);
		keep_words(r, &r->reason[i]);
	}
	for (unsigned i = 0; i < ST_CNT; i++) {
		put_word(r, C_STATE, state__name(i));
		keep_words(r, &r->state[i]);
	}
	for (unsigned i = 0; i < 3; i++) {
		put_bool(r, C_WHOLE, i == 1);
		put_bool(r, C_OPEN, i == 2);
		keep_words(r, &r->flags[i]);
	}
}

/* ---- the sink ----------------------------------------------------------------------------- */

static void csv_header(struct rows *r)
{
	bool spans = r->o->what == EXPORT_SPANS;
	const enum column *c = spans ? span_columns : absence_columns;

	put(r, vcpu_header, sizeof(vcpu_header) - 1);
	for (size_t i = 0; i < (spans ? COUNT(span_columns) : COUNT(absence_columns)); i++) {
		put(r, ",", 1);
		put(r, keys[c[i]].text + 2, keys[c[i]].len - 4);
	}
	put(r, ",", 1);
	put(r, by_header, sizeof(by_header) - 1);
	put(r, "\r\n", 2);
}

static int begin(void *ctx, const struct session *s, const struct model *m)
{
	struct rows *r = ctx;

	r->s = s;
	r->m = m;
	make_words(r);
	if (r->csv)
		csv_header(r);
	return 0;
}

static int end(void *ctx, const struct summary *s)
{
	struct rows *r = ctx;
	int err = flush(r);

	(void)s;
	r->o->done = !err;
	return err;
}

static int rows_new(struct sink *sink, struct export_out *o, bool csv)
{
	struct rows *r = calloc(1, sizeof(*r));

	sink->ctx = r;
	if (!r)
		return -ENOMEM;
	r->o = o;
	r->csv = csv;
	r->taker = calloc(1U << TAKERS_BITS, sizeof(*r->taker));
	sink->begin = begin;
	sink->end = end;
	sink->times_only = true;
	if (o->what == EXPORT_SPANS)
		sink->span = span;
	else
		sink->absence = absence;
	return r->taker ? 0 : -ENOMEM;
}

int sink_json_rows__new(struct sink *sink, struct export_out *o)
{
	return rows_new(sink, o, false);
}

int sink_csv_rows__new(struct sink *sink, struct export_out *o)
{
	return rows_new(sink, o, true);
}

void sink_rows__free(void *ctx)
{
	struct rows *r = ctx;

	if (!r)
		return;
	for (__u32 i = 0; i < r->vcpus; i++)
		free(r->vcpu[i]);
	free(r->vcpu);
	free(r->taker);
	free(r);
}
