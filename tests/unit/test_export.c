// SPDX-License-Identifier: BSD-2-Clause
/* The formats of `export`: made-up vCPUs through the sinks, and what stands in the file then. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include "escape.h"
#include "export.h"
#include "perfetto.pb-c.h"
#include "perfetto_state.h"
#include "scene.h"

#define T0 SCENE_START

typedef int (*new_fn)(struct sink *sink, struct export_out *o);

/* A sink that listens to a model, and what it writes. */
struct world {
	struct session s;
	struct filter filter;
	struct model *m;
	struct sink sink;
	struct export_out out;
	char *bytes;
	size_t size;
	int err;
};

static void on_span(void *ctx, struct model_vcpu *v, const struct span *s, const struct absence *a,
		    const struct model_task *task)
{
	struct world *w = ctx;

	if (w->sink.span && !w->err)
		w->err = w->sink.span(w->sink.ctx, v, s, a, task);
}

static void on_absence(void *ctx, struct model_vcpu *v, const struct absence *a,
		       const struct model_task *task)
{
	struct world *w = ctx;

	if (w->sink.absence && !w->err)
		w->err = w->sink.absence(w->sink.ctx, v, a, task);
}

static void world_begin(struct world *w, new_fn new, enum export_what what, FILE *f)
{
	const struct model_listener l = {.span = on_span, .absence = on_absence, .ctx = w};

	memset(w, 0, sizeof(*w));
	w->s = scene_session(MODE_DEFAULT);
	w->out.what = what;
	w->out.f = f ?: open_memstream(&w->bytes, &w->size);
	assert_int_equal(new (&w->sink, &w->out), 0);
	w->m = model__new(&w->s, &w->filter, &l);
	assert_non_null(w->m);
	w->err = w->sink.begin(w->sink.ctx, &w->s, w->m);
	assert_true(f || !w->err);
}

static void feed(struct world *w, const void *r)
{
	assert_int_equal(model__record(w->m, r), 0);
}

#define FEED(w, record)                           \
	do {                                      \
		__typeof__(record) r_ = (record); \
		feed(w, &r_);                     \
	} while (0)

/* One VM with a vCPU, id 1. */
static void introduce(struct world *w, const char *name)
{
	FEED(w, rec_vm(1, T0));
	FEED(w, rec_name(1, T0, name));
	FEED(w, rec_vcpu(1, T0, 1, 0, 0));
}

static int world_end(struct world *w, __u64 end_ns)
{
	struct summary none = {0};

	model__end(w->m, end_ns);
	if (!w->err)
		w->err = w->sink.end(w->sink.ctx, &none);
	if (fclose(w->out.f) && !w->err)
		w->err = -1;
	assert_int_equal(w->out.done, !w->err);
	return w->err;
}

static void world_free(struct world *w, void (*free_sink)(void *))
{
	free_sink(w->sink.ctx);
	model__free(w->m);
	free(w->bytes);
}

/* ---- rows --------------------------------------------------------------------------------- */

static void one_absence(struct world *w, const char *vm, const char *comm)
{
	introduce(w, vm);
	FEED(w, rec_task(7, T0, KS_K_HOST, comm, 0, 0));
	FEED(w, rec_out(1, 1, T0 + 100, KS_R_PREEMPTED));
	FEED(w, rec_in(1, 2, T0 + 350, 0));
	assert_int_equal(world_end(w, T0 + 400), 0);
}

static void test_json_row(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, sink_json_rows__new, EXPORT_ABSENCES, NULL);
	one_absence(&w, "a\"b\\<i>\033[31m,\n\xff", "=1+\"2");
	assert_string_equal(
		w.bytes,
		"{\"host\":\"testhost\",\"vm\":\"a\\\"b\\\\<i>\\u001B[31m,\\n\xef\xbf\xbd\",\"vm_pid\":10,"
		"\"vcpu\":0,\"tid\":101,\"from_ns\":1000000100,\"to_ns\":1000000350,"
		"\"wall_ns\":1700000001123456889,\"state\":\"preempted\",\"reason\":\"preempted\","
		"\"absence_ns\":250,\"run_delay_ns\":250,\"cpu_out\":1,\"cpu_in\":1,\"whole\":true,"
		"\"open\":false,\"by\":\"host\",\"by_comm\":\"=1+\\\"2\",\"by_tid\":7,\"by_pid\":7}\n");
	world_free(&w, sink_rows__free);
}

static void test_csv_row(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, sink_csv_rows__new, EXPORT_ABSENCES, NULL);
	one_absence(&w, "a\"b,<i>", "=1+2");
	assert_string_equal(
		w.bytes,
		"host,vm,vm_uuid,vm_pid,vcpu,tid,from_ns,to_ns,wall_ns,state,reason,absence_ns,"
		"run_delay_ns,cpu_out,cpu_in,whole,open,by,by_comm,by_tid,by_pid,by_vm,by_vcpu\r\n"
		"testhost,\"a\"\"b,<i>\",,10,0,101,1000000100,1000000350,1700000001123456889,"
		"preempted,preempted,250,250,1,1,1,0,host,'=1+2,7,7,,\r\n");
	world_free(&w, sink_rows__free);
}

/* No row, no JSON; CSV has its header still. */
static void test_empty(void **state)
{
	static const struct {
		new_fn new;
		void (*free)(void *);
		bool header;
	} formats[] = {{sink_json_rows__new, sink_rows__free, false},
		       {sink_csv_rows__new, sink_rows__free, true}};
	struct world w;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		world_begin(&w, formats[i].new, EXPORT_SPANS, NULL);
		assert_int_equal(world_end(&w, T0 + 1), 0);
		if (formats[i].header)
			assert_memory_equal(w.bytes, "host,vm,", 8);
		else
			assert_int_equal(w.size, 0);
		world_free(&w, formats[i].free);
	}
}

/* What is lost is a span of its own; and the absence that it hides is no row. */
static void test_loss(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, sink_csv_rows__new, EXPORT_SPANS, NULL);
	introduce(&w, "web");
	FEED(&w, rec_out(1, 1, T0 + 100, KS_R_HALTED));
	FEED(&w, rec_out(1, 5, T0 + 300, KS_R_HALTED));
	assert_int_equal(world_end(&w, T0 + 400), 0);
	assert_non_null(strstr(w.bytes,
			       ",1000000100,1000000300,1700000001123456889,unknown,,,0,,,,,,\r\n"));
	assert_non_null(strstr(w.bytes,
			       ",1000000300,1000000400,1700000001123457089,halted,,1,1,,,,,,\r\n"));
	world_free(&w, sink_rows__free);
}

/* A name that is learnt late, another taker, numbers of all lengths: what is kept is not used. */
static void test_what_is_kept_changes(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, sink_json_rows__new, EXPORT_ABSENCES, NULL);
	FEED(&w, rec_vm(1, T0));
	FEED(&w, rec_vcpu(1, T0, 1, 0, 0));
	for (unsigned i = 0; i < 4; i++) {
		const char *comm[] = {"one", "one", "two", "two"};

		FEED(&w, rec_task(7, T0 + i, KS_K_HOST, comm[i], 0, 0));
		FEED(&w, rec_out(1, 2 * i + 1, T0 + 100 * (i + 1), KS_R_PREEMPTED));
		if (i == 3)
			FEED(&w, rec_name(1, T0, "late"));
		FEED(&w, rec_in(1, 2 * i + 2, T0 + 100 * (i + 1) + 1 + i * i * i * 3, 0));
	}
	assert_int_equal(world_end(&w, T0 + 1000), 0);
	for (unsigned i = 0; i < 4; i++) {
		const char *name[] = {"qemu-10", "qemu-10", "qemu-10", "late"};
		const char *comm[] = {"one", "one", "two", "two"};
		const char *ns[] = {"1", "4", "25", "82"};
		char *line = strtok(i ? NULL : w.bytes, "\n"), text[64];

		assert_non_null(line);
		snprintf(text, sizeof(text), "\"vm\":\"%s\"", name[i]);
		assert_non_null(strstr(line, text));
		snprintf(text, sizeof(text), "\"by_comm\":\"%s\"", comm[i]);
		assert_non_null(strstr(line, text));
		snprintf(text, sizeof(text), "\"absence_ns\":%s,", ns[i]);
		assert_non_null(strstr(line, text));
	}
	world_free(&w, sink_rows__free);
}

/* ---- Perfetto ----------------------------------------------------------------------------- */

typedef Kvmsched__Perfetto__Trace trace_t;
typedef Kvmsched__Perfetto__TracePacket packet_t;

static trace_t *unpack(const struct world *w)
{
	trace_t *t = kvmsched__perfetto__trace__unpack(NULL, w->size, (const uint8_t *)w->bytes);

	assert_non_null(t);
	return t;
}

static unsigned count_flag(const trace_t *t, __u32 flag)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->n_packet; i++)
		n += t->packet[i]->sequence_flags == flag;
	return n;
}

static const packet_t *event(const trace_t *t, unsigned nth)
{
	for (size_t i = 0; i < t->n_packet; i++)
		if (t->packet[i]->track_event && !nth--)
			return t->packet[i];
	fail_msg("fewer events");
	return NULL;
}

static __u64 argument(const packet_t *p, enum perfetto_name name)
{
	const Kvmsched__Perfetto__TrackEvent *e = p->track_event;

	for (size_t i = 0; i < e->n_debug_annotations; i++)
		if (e->debug_annotations[i]->name_iid == name)
			return e->debug_annotations[i]->has_uint_value
				       ? e->debug_annotations[i]->uint_value
			       : e->debug_annotations[i]->has_string_value_iid
				       ? e->debug_annotations[i]->string_value_iid
				       : (__u64)e->debug_annotations[i]->bool_value;
	return ~0ULL;
}

static void test_slices(void **state)
{
	struct world w;
	trace_t *t;

	(void)state;
	world_begin(&w, sink_perfetto__new, EXPORT_ABSENCES, NULL);
	one_absence(&w, "<b>\"x\"\xff\033[1m", "comm");
	t = unpack(&w);
	assert_int_equal(count_flag(t, PERFETTO_CLEARED), 1);
	assert_string_equal(t->packet[0]->system_info->utsname->release, "6.12.0-test");
	assert_string_equal(t->packet[1]->trace_attributes->attribute[0]->string_value, "testhost");
	assert_string_equal(t->packet[3]->track_descriptor->process->process_name,
			    "<b>\"x\"\\xff\\x1b[1m");
	assert_int_equal(t->packet[3]->track_descriptor->process->pid, 10);
	assert_int_equal(t->packet[4]->track_descriptor->child_ordering, 3);
	assert_int_equal(t->packet[4]->track_descriptor->parent_uuid,
			 t->packet[3]->track_descriptor->uuid);
	assert_string_equal(t->packet[5]->track_descriptor->name, "vCPU 0 [101]");
	assert_int_equal(t->packet[5]->track_descriptor->parent_uuid,
			 t->packet[4]->track_descriptor->uuid);
	assert_true(t->packet[6]->track_descriptor->sibling_order_rank >
		    t->packet[5]->track_descriptor->sibling_order_rank);
	/* running (or user), preempted, running: a begin and an end each */
	assert_int_equal(event(t, 2)->timestamp, T0 + 100);
	assert_int_equal(event(t, 2)->track_event->type, 1);
	assert_int_equal(event(t, 2)->track_event->name_iid, ST_PREEMPTED + 1);
	assert_int_equal(argument(event(t, 2), PN_REASON), PERFETTO_REASON(KS_R_PREEMPTED));
	assert_int_equal(argument(event(t, 2), PN_RUN_DELAY), 250);
	assert_int_equal(argument(event(t, 2), PN_BY), PERFETTO_CLASS(KS_BY_HOST));
	assert_int_equal(argument(event(t, 2), PN_BY_COMM), PERFETTO_FIRST);
	assert_int_equal(argument(event(t, 2), PN_BY_TID), 7);
	assert_int_equal(argument(event(t, 2), PN_OPEN), ~0ULL);
	assert_int_equal(event(t, 3)->timestamp, T0 + 350);
	assert_int_equal(event(t, 3)->track_event->type, 2);
	assert_int_equal(event(t, 3)->track_event->extra_counter_values[0], 250);
	assert_int_equal(argument(event(t, 4), PN_OPEN), 1);
	kvmsched__perfetto__trace__free_unpacked(t, NULL);
	world_free(&w, sink_perfetto__free);
}

static void harmless(const void *text, size_t len)
{
	char *copy = strndup(text, len), *plain = malloc(ESCAPE_SIZE(len));

	assert_int_equal(strlen(copy), len); /* no NUL inside */
	for (char *c = copy; *c; c++)
		if (*c == '\\')
			*c = '/'; /* which escaping doubles */
	escape__str(ESCAPE_TERMINAL, copy, plain, ESCAPE_SIZE(len));
	assert_string_equal(plain, copy); /* there is nothing left to escape */
	free(plain);
	free(copy);
}

/* All strings of a message and of those in it. InternedString.str is bytes, and text, too. How many
 * contain `mark`. */
static unsigned strings_of(const ProtobufCMessage *m, const char *mark)
{
	unsigned found = 0;

	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		const char *at = (const char *)m + f->offset;
		size_t n = 1;

		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			n = *(const size_t *)((const char *)m + f->quantifier_offset);
			at = *(const char *const *)at;
		}
		for (size_t k = 0; k < n; k++) {
			if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
				const ProtobufCMessage *sub = ((ProtobufCMessage *const *)at)[k];

				found += sub ? strings_of(sub, mark) : 0;
			} else if (f->type == PROTOBUF_C_TYPE_STRING) {
				const char *text = ((char *const *)at)[k];

				if (text)
					harmless(text, strlen(text));
				found += text && strstr(text, mark);
			} else if (f->type == PROTOBUF_C_TYPE_BYTES) {
				const ProtobufCBinaryData *b = &((ProtobufCBinaryData *)at)[k];

				if (b->data)
					harmless(b->data, b->len);
				found += b->data && memmem(b->data, b->len, mark, strlen(mark));
			}
		}
	}
	return found;
}

/* Whatever a VM or a process is called: strings in the file are UTF-8, and act on no terminal. */
static void test_hostile_strings(void **state)
{
	static const char *const bad[] = {
		"MK\033]0;x\a",
		"MK\n\t\r",
		"MK\xff\xfe",
		"MK\xc3",
		"MK\xed\xa0\x80",
		"MK\xc0\x80",
		"MK\xf4\x90\x80\x80",
		"MK\xc2\x9b"
		"1m",
		"MK\xe2\x80\xae",
		"MK\\x1b",
	};
	struct world w;
	trace_t *t;

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		world_begin(&w, sink_perfetto__new, EXPORT_ABSENCES, NULL);
		one_absence(&w, bad[i], bad[i]);
		t = unpack(&w);
		/* the VM's track and process, and who took the CPU */
		assert_true(strings_of(&t->base, "MK") >= 3);
		kvmsched__perfetto__trace__free_unpacked(t, NULL);
		world_free(&w, sink_perfetto__free);
	}
}

/* Numbers of all lengths come out as they went in. */
static void test_long_numbers(void **state)
{
	struct world w;
	trace_t *t;
	__u32 seq = 0;

	(void)state;
	world_begin(&w, sink_perfetto__new, EXPORT_ABSENCES, NULL);
	introduce(&w, "web");
	for (unsigned bit = 31; bit < 63; bit++) {
		FEED(&w, rec_out(1, ++seq, (1ULL << bit) - 1, KS_R_PREEMPTED));
		FEED(&w, rec_in(1, ++seq, 1ULL << bit, 0));
	}
	assert_int_equal(world_end(&w, 1ULL << 63), 0);
	t = unpack(&w);
	for (unsigned i = 0, bit = 31; bit < 63; bit++, i += 4) {
		assert_int_equal(event(t, i + 2)->timestamp, (1ULL << bit) - 1);
		assert_int_equal(event(t, i + 3)->timestamp, 1ULL << bit);
		assert_int_equal(argument(event(t, i + 2), PN_RUN_DELAY), 1);
	}
	kvmsched__perfetto__trace__free_unpacked(t, NULL);
	world_free(&w, sink_perfetto__free);
}

/* Lost records: the sequence says so once, just before the slice `unknown`, and says all again. */
static void test_loss_in_perfetto(void **state)
{
	unsigned dropped = 0;
	struct world w;
	trace_t *t;

	(void)state;
	world_begin(&w, sink_perfetto__new, EXPORT_ABSENCES, NULL);
	introduce(&w, "web");
	FEED(&w, rec_out(1, 1, T0 + 100, KS_R_HALTED));
	FEED(&w, rec_out(1, 5, T0 + 300, KS_R_HALTED));
	FEED(&w, rec_in(1, 6, T0 + 400, 0));
	assert_int_equal(world_end(&w, T0 + 500), 0);
	t = unpack(&w);
	assert_int_equal(count_flag(t, PERFETTO_CLEARED), 2);
	for (size_t i = 0; i < t->n_packet; i++) {
		if (!t->packet[i]->previous_packet_dropped)
			continue;
		dropped++;
		assert_int_equal(t->packet[i]->sequence_flags, PERFETTO_CLEARED);
		assert_int_equal(t->packet[i + 5]->track_event->name_iid, ST_UNKNOWN + 1);
		assert_int_equal(argument(t->packet[i + 5], PN_LOST), 3);
	}
	assert_int_equal(dropped, 1);
	kvmsched__perfetto__trace__free_unpacked(t, NULL);
	world_free(&w, sink_perfetto__free);
}

/* Nothing but names and counts: still a trace, that says what it is of. */
static void test_no_slices(void **state)
{
	struct world w;
	trace_t *t;

	(void)state;
	world_begin(&w, sink_perfetto__new, EXPORT_ABSENCES, NULL);
	assert_int_equal(world_end(&w, T0 + 1000), 0);
	t = unpack(&w);
	assert_int_equal(t->n_packet, 4);
	assert_int_equal(t->packet[3]->trace_stats->buffer_stats[0]->trace_writer_packet_loss, 0);
	kvmsched__perfetto__trace__free_unpacked(t, NULL);
	world_free(&w, sink_perfetto__free);
}

/* Many slices, by more takers than are kept: all is repeated now and then, no number means two
 * words, and each slice refers to a word that was said since. */
static void test_state_is_repeated(void **state)
{
	enum { ROUNDS = 5000, TASKS = 300 };
	static char said[3 * ROUNDS][8];
	static size_t said_in[3 * ROUNDS];
	size_t since = 0;
	struct world w;
	trace_t *t;

	(void)state;
	world_begin(&w, sink_perfetto__new, EXPORT_ABSENCES, NULL);
	introduce(&w, "web");
	for (unsigned i = 0; i < ROUNDS; i++) {
		union rec out = rec_out(1, 2 * i + 1, T0 + 200 * i + 100, KS_R_PREEMPTED);
		char comm[8];

		snprintf(comm, sizeof(comm), "t%u", i * 7 % TASKS);
		out.out.next_tid = 1000 + i * 7 % TASKS;
		FEED(&w, rec_task(out.out.next_tid, T0 + 200 * i, KS_K_HOST, comm, 0, 0));
		feed(&w, &out);
		FEED(&w, rec_in(1, 2 * i + 2, T0 + 200 * i + 200, 0));
	}
	assert_int_equal(world_end(&w, T0 + 200 * ROUNDS + 200), 0);
	t = unpack(&w);
	assert_true(count_flag(t, PERFETTO_CLEARED) >= 3);
	for (size_t i = 0; i < t->n_packet; i++) {
		const packet_t *p = t->packet[i];
		const Kvmsched__Perfetto__InternedData *d = p->interned_data;
		char comm[16];
		__u64 iid;

		if (p->sequence_flags == PERFETTO_CLEARED)
			since = i;
		for (size_t k = 0; d && k < d->n_debug_annotation_string_values; k++) {
			iid = d->debug_annotation_string_values[k]->iid;
			if (iid < PERFETTO_FIRST)
				continue;
			assert_true(iid < 3 * ROUNDS && !said[iid][0]);
			said_in[iid] = i;
			memcpy(said[iid], d->debug_annotation_string_values[k]->str.data,
			       d->debug_annotation_string_values[k]->str.len);
		}
		if (!p->track_event || p->track_event->name_iid != ST_PREEMPTED + 1)
			continue;
		iid = argument(p, PN_BY_COMM);
		snprintf(comm, sizeof(comm), "t%llu", argument(p, PN_BY_TID) - 1000);
		assert_string_equal(said[iid], comm);
		assert_true(said_in[iid] >= since);
	}
	kvmsched__perfetto__trace__free_unpacked(t, NULL);
	world_free(&w, sink_perfetto__free);
}

/* ---- errors ------------------------------------------------------------------------------- */

static void test_full_disk(void **state)
{
	static const new_fn new[] = {sink_json_rows__new, sink_csv_rows__new, sink_perfetto__new};
	struct world w;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		FILE *full = fopen("/dev/full", "w");

		assert_non_null(full);
		setvbuf(full, NULL, _IONBF, 0);
		world_begin(&w, new[i], EXPORT_ABSENCES, full);
		introduce(&w, "web");
		FEED(&w, rec_out(1, 1, T0 + 100, KS_R_HALTED));
		FEED(&w, rec_in(1, 2, T0 + 300, 0));
		assert_int_equal(world_end(&w, T0 + 400), -ENOSPC);
		world_free(&w, i < 2 ? sink_rows__free : sink_perfetto__free);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_row),
		cmocka_unit_test(test_csv_row),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_what_is_kept_changes),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_hostile_strings),
		cmocka_unit_test(test_long_numbers),
		cmocka_unit_test(test_loss_in_perfetto),
		cmocka_unit_test(test_no_slices),
		cmocka_unit_test(test_state_is_repeated),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
