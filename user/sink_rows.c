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
#include "err.h"
#include "escape.h"
#include "export.h"
#include "report_json.h"

#define BUFFER	   65536
#define ROW_MAX	   8192 /* more than two texts of who and the numbers can have */
#define WHO_MAX	   3072
#define NAME_SIZE  160
#define TASKS_BITS 10 /* kept texts of tasks */

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

struct who {
	size_t len;
	char text[WHO_MAX];
};

struct kept_vcpu {
	struct who who;
	unsigned naming;
	__u32 tid;
};

struct kept_task {
	struct who who;
	struct model_task task;
	unsigned naming;
	__u8 by;
	bool known, used;
};

struct rows {
	struct export_out *o;
	bool csv;
	const struct session *s;
	const struct model *m;
	struct kept_vcpu **vcpu; /* by id */
	__u32 vcpus;
	struct kept_task *task;
	size_t len;
	char buffer[BUFFER];
};

/* A VM's name may still change while we look: what it was made of. */
static unsigned naming(const struct model *m, __u32 id)
{
	const struct model_vm *vm = model__vm(m, id);

	return vm ? 1 | vm->named << 1 | vm->twice << 2 | vm->same_vmm << 3 : 0;
}

/* ---- who, in words ------------------------------------------------------------------------ */

struct text {
	char *bytes;
	size_t size;
	FILE *f;
};

static int begin_text(struct text *t)
{
	t->bytes = NULL;
	t->f = open_memstream(&t->bytes, &t->size);
	return t->f ? 0 : -ENOMEM;
}

/* Keeps `cut` bytes less at each end. */
static int end_text(struct text *t, int err, size_t front, size_t back, struct who *to)
{
	if (fclose(t->f))
		err = -ENOMEM;
	if (!err && t->size - front - back > sizeof(to->text))
		err = -E2BIG;
	if (!err) {
		to->len = t->size - front - back;
		memcpy(to->text, t->bytes + front, to->len);
	}
	free(t->bytes);
	return err;
}

static void csv_text(FILE *f, const char *text, char end)
{
	escape__put(ESCAPE_CSV, text, f);
	fputc(end, f);
}

static void csv_number(FILE *f, __s64 n)
{
	if (n >= 0)
		fprintf(f, "%lld", (long long)n);
}

struct vcpu_words {
	const char *host, *vm, *uuid;
	__u32 vm_pid, tid;
	__s32 vcpu;
};

/* {"host":...,"tid":N without its end, or host,...,tid */
static int vcpu_text(bool csv, const struct vcpu_words *w, struct who *to)
{
	struct text t;
	struct json *j;

	if (begin_text(&t))
		return -ENOMEM;
	if (csv) {
		csv_text(t.f, w->host, ',');
		csv_text(t.f, w->vm, ',');
		csv_text(t.f, w->uuid, ',');
		fprintf(t.f, "%u,", w->vm_pid);
		csv_number(t.f, w->vcpu);
		fprintf(t.f, ",%u", w->tid);
		return end_text(&t, 0, 0, 0, to);
	}
	j = json__new(t.f, 0);
	json__object(j);
	json__key_str(j, "host", w->host);
	json__key_str(j, "vm", w->vm);
	if (*w->uuid)
		json__key_str(j, "vm_uuid", w->uuid);
	json__key_u64(j, "vm_pid", w->vm_pid);
	if (w->vcpu >= 0)
		json__key_u64(j, "vcpu", w->vcpu);
	json__key_u64(j, "tid", w->tid);
	json__end_object(j);
	return end_text(&t, json__close(j), 0, strlen("}\n"), to);
}

static int refill_vcpu(const struct rows *r, const struct model_vcpu *v, struct kept_vcpu *k)
{
	const struct model_vm *vm = model__vm(r->m, v->vm);
	char name[NAME_SIZE];
	const struct vcpu_words w = {.host = r->s->host,
				     .vm = model__vm_name(r->m, v->vm, name, sizeof(name)),
				     .uuid = vm ? vm->uuid : "",
				     .vm_pid = v->tgid,
				     .vcpu = v->vcpu_id,
				     .tid = v->v.tid};

	k->naming = naming(r->m, v->vm);
	k->tid = v->v.tid;
	return vcpu_text(r->csv, &w, &k->who);
}

static int grow_vcpus(struct rows *r, __u32 id)
{
	__u32 n = r->vcpus ?: 64;
	struct kept_vcpu **p;

	while (n <= id)
		n *= 2;
	p = realloc(r->vcpu, n * sizeof(*p));
	if (!p)
		return -ENOMEM;
	memset(p + r->vcpus, 0, (n - r->vcpus) * sizeof(*p));
	r->vcpu = p;
	r->vcpus = n;
	return 0;
}

static int vcpu_of(struct rows *r, const struct model_vcpu *v, const struct who **who)
{
	struct kept_vcpu *k;

	if (v->id >= r->vcpus && grow_vcpus(r, v->id))
		return -ENOMEM;
	k = r->vcpu[v->id];
	if (!k)
		k = r->vcpu[v->id] = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	*who = &k->who;
	if (k->who.len && k->naming == naming(r->m, v->vm) && k->tid == v->v.tid)
		return 0;
	return refill_vcpu(r, v, k);
}

struct by_words {
	const char *by, *comm, *vm; /* NULL: not known, or none */
	__u32 tid;
	__s64 pid, vcpu; /* -1: not known, or none */
};

/* ,"by":... or ,by,...,by_vcpu */
static int by_text(bool csv, const struct by_words *w, struct who *to)
{
	struct text t;
	struct json *j;

	if (begin_text(&t))
		return -ENOMEM;
	if (csv) {
		fprintf(t.f, ",%s,", w->by);
		csv_text(t.f, w->comm ?: "", ',');
		fprintf(t.f, "%u,", w->tid);
		csv_number(t.f, w->pid);
		fputc(',', t.f);
		csv_text(t.f, w->vm ?: "", ',');
		csv_number(t.f, w->vcpu);
		return end_text(&t, 0, 0, 0, to);
	}
	j = json__new(t.f, 0);
	json__object(j);
	json__key_str(j, "by", w->by);
	if (w->comm)
		json__key_str(j, "by_comm", w->comm);
	json__key_u64(j, "by_tid", w->tid);
	if (w->pid >= 0)
		json__key_s64(j, "by_pid", w->pid);
	if (w->vm)
		json__key_str(j, "by_vm", w->vm);
	if (w->vcpu >= 0)
		json__key_s64(j, "by_vcpu", w->vcpu);
	json__end_object(j);
	return end_text(&t, json__close(j), 0, strlen("}\n"), to);
}

static int refill_task(const struct rows *r, const struct model_task *t, struct kept_task *k)
{
	const struct model_vcpu *v = model__vcpu(r->m, t->vcpu);
	char name[NAME_SIZE];
	const struct by_words w = {.by = report_class_names[k->by],
				   .comm = t->comm[0] ? t->comm
					   : t->tid   ? NULL
						      : "swapper",
				   .vm = t->vm ? model__vm_name(r->m, t->vm, name, sizeof(name))
					       : NULL,
				   .tid = t->tid,
				   .pid = t->tgid,
				   .vcpu = v ? v->vcpu_id : -1};
	int err = by_text(r->csv, &w, &k->who);

	if (!r->csv && !err)
		k->who.text[0] = ','; /* instead of the brace */
	k->used = !err;
	return err;
}

/* One task is of several classes, as it takes the CPUs of several VMs. */
static struct kept_task *slot_of(const struct rows *r, const struct absence *a)
{
	return &r->task[(a->next_tid * KS_BY_CNT + a->by) * 2654435761U >> (32 - TASKS_BITS)];
}

static int task_of(struct rows *r, const struct absence *a, const struct model_task *task,
		   const struct who **who)
{
	struct kept_task *k = slot_of(r, a);
	const struct model_task unknown = {.tid = a->next_tid, .vm = a->next_vm};
	const struct model_task *t = task ?: &unknown;
	unsigned now = naming(r->m, t->vm);

	*who = &k->who;
	if (k->used && k->known == !!task && k->by == a->by && k->naming == now &&
	    k->task.tid == t->tid && k->task.start_ns == t->start_ns && k->task.vcpu == t->vcpu &&
	    k->task.vm == t->vm && k->task.tgid == t->tgid &&
	    !memcmp(k->task.comm, t->comm, sizeof(t->comm)))
		return 0;
	k->task = *t;
	k->known = task;
	k->by = a->by;
	k->naming = now;
	return refill_task(r, t, k);
}

/* ---- a row -------------------------------------------------------------------------------- */

static int flush(struct rows *r)
{
	size_t len = r->len;

	r->len = 0;
	errno = 0;
	if (fwrite(r->buffer, 1, len, r->o->f) == len)
		return 0;
	return r->o->f == stdout ? -(errno ?: EIO) : err__say(errno ?: EIO, "writing");
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

static inline void put_who(struct rows *r, const struct who *who)
{
	put(r, who->text, who->len);
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

static inline void put_digits(struct rows *r, __u64 n)
{
	char text[24], *at = text + sizeof(text);

	for (; n >= 100000000; n /= 100000000)
		eight_digits(at -= 8, n % 100000000);
	for (; n >= 100; n = (__u32)n / 100)
		memcpy(at -= 2, pairs + (__u32)n % 100 * 2, 2);
	if (n >= 10)
		memcpy(at -= 2, pairs + n * 2, 2);
	else
		*--at = '0' + n;
	memcpy(r->buffer + r->len, at, text + sizeof(text) - at);
	r->len += text + sizeof(text) - at;
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

static inline void put_bool(struct rows *r, enum column c, bool b)
{
	put_key(r, c);
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

static void put_times(struct rows *r, __u64 from, __u64 to)
{
	put_u64(r, C_FROM, from);
	put_u64(r, C_TO, to);
	put_u64(r, C_WALL, from + r->s->wall_start_ns);
}

static int put_end(struct rows *r, const struct absence *a, const struct model_task *task)
{
	static const char none[] = ",,,,,,";
	const struct who *who;
	int err;

	if (a && a->by != KS_BY_NONE) {
		err = task_of(r, a, task, &who);
		if (err)
			return err__say(-err, "export");
		put_who(r, who);
	} else if (r->csv) {
		put(r, none, sizeof(none) - 1);
	}
	if (!r->csv)
		r->buffer[r->len++] = '}';
	else
		r->buffer[r->len++] = '\r';
	r->buffer[r->len++] = '\n';
	return 0;
}

static int put_start(struct rows *r, const struct model_vcpu *v)
{
	const struct who *who;
	int err = r->len > BUFFER - ROW_MAX ? flush(r) : 0;

	if (err)
		return err;
	err = vcpu_of(r, v, &who);
	if (err)
		return err__say(-err, "export");
	put_who(r, who);
	return 0;
}

static int absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		   const struct model_task *task)
{
	struct rows *r = ctx;
	int err = put_start(r, v);

	if (err)
		return err;
	put_times(r, a->from, a->to);
	put_word(r, C_STATE, state__name(state__of_reason(a->reason)));
	put_word(r, C_REASON, report_reason_names[a->reason]);
	put_u64(r, C_ABSENCE, a->to - a->from);
	put_if(r, C_RUN_DELAY, a->has_run_delay, a->run_delay_ns);
	put_if(r, C_CPU_OUT, a->cpu_out != VCPU_NO_CPU, a->cpu_out);
	put_if(r, C_CPU_IN, !a->open, a->cpu_in);
	put_bool(r, C_WHOLE, a->whole && !a->open);
	put_bool(r, C_OPEN, a->open);
	return put_end(r, a, task);
}

static int span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		const struct model_task *task)
{
	struct rows *r = ctx;
	int err = put_start(r, v);

	if (err)
		return err;
	put_times(r, s->from, s->to);
	put_word(r, C_STATE, state__name(s->state));
	put_if(r, C_USER, s->user_ns, s->user_ns);
	put_if(r, C_CPU, s->cpu != VCPU_NO_CPU && s->state != ST_ABSENT && s->state != ST_UNKNOWN,
	       s->cpu);
	put_bool(r, C_OPEN, s->open);
	return put_end(r, s->state == ST_PREEMPTED ? a : NULL, task);
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
	r->task = calloc(1U << TASKS_BITS, sizeof(*r->task));
	sink->begin = begin;
	sink->end = end;
	if (o->what == EXPORT_SPANS)
		sink->span = span;
	else
		sink->absence = absence;
	return r->task ? 0 : -ENOMEM;
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
	free(r->task);
	free(r);
}
