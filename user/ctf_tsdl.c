// SPDX-License-Identifier: BSD-2-Clause
/*
 * The description of the records. A new record type is a new table and a row in tsdl_events; that a
 * table leaves no byte of its record out is checked by tests/unit/test_ctf.c.
 *
 * CTF readers show a record's payload but not its event header, so the header has only what they
 * need to find their way, ts and type; `what` and `mask` are fields of each event.
 */
#include <string.h>
#include "ctf_tsdl.h"
#include "wire.h"

#define SIZE(rec, m) sizeof(((struct rec *)0)->m)
/* It takes the braces for blocks. */
/* clang-format off */
#define FIELD(name, rec, m, size, count, kind, of) \
	{name, offsetof(struct rec, m), size, count, kind, of}
#define END {NULL, 0, 0, 0, 0, NULL}
/* clang-format on */
#define F(rec, m, kind)	 FIELD(#m, rec, m, SIZE(rec, m), 0, kind, NULL)
#define ENUM(rec, m, of) FIELD(#m, rec, m, SIZE(rec, m), 0, 'e', of)
#define UNUSED(rec, m)	 FIELD("_" #m, rec, m, SIZE(rec, m), 0, 'u', NULL)
#define LIST(name, rec, m, kind) \
	FIELD(name, rec, m, SIZE(rec, m[0]), SIZE(rec, m) / SIZE(rec, m[0]), kind, NULL)
#define ARRAY(rec, m, kind)  LIST(#m, rec, m, kind)
#define UNUSED_ARRAY(rec, m) LIST("_" #m, rec, m, 'u')
#define WHAT(kind, of)	     FIELD("what", ks_head, what, SIZE(ks_head, what), 0, kind, of)
#define MASK		     F(ks_head, mask, 'x')
#define COMMON		     WHAT('u', NULL), MASK

static const struct tsdl_field out[] = {
	WHAT('e', "by"),
	MASK,
	F(ks_out, vcpu, 'u'),
	F(ks_out, seq, 'u'),
	F(ks_out, tid, 'u'),
	F(ks_out, next_tid, 'u'),
	ARRAY(ks_out, flags, 'x'),
	F(ks_out, entry_ns, 'u'),
	F(ks_out, put_entry_ns, 'u'),
	F(ks_out, put_exit_ns, 'u'),
	F(ks_out, state, 'x'),
	F(ks_out, task, 'x'),
	ENUM(ks_out, reason, "reason"),
	F(ks_out, cpu, 'u'),
	F(ks_out, next_vm, 'u'),
	END,
};

static const struct tsdl_field in[] = {
	COMMON,
	F(ks_in, vcpu, 'u'),
	F(ks_in, seq, 'u'),
	F(ks_in, tid, 'u'),
	ARRAY(ks_in, flags, 'x'),
	F(ks_in, load_entry_ns, 'u'),
	F(ks_in, load_exit_ns, 'u'),
	F(ks_in, exit_ns, 'u'),
	F(ks_in, run_delay_ns, 'u'),
	F(ks_in, cpu, 'u'),
	F(ks_in, cpu_arg, 'u'),
	F(ks_in, load_cpu_arg, 'u'),
	ENUM(ks_in, reason, "reason"),
	UNUSED(ks_in, reserved),
	END,
};

static const struct tsdl_field loads[] = {
	COMMON,
	F(ks_loads, vcpu, 'u'),
	F(ks_loads, seq, 'u'),
	F(ks_loads, loads, 'u'),
	F(ks_loads, user_ns, 'u'),
	F(ks_loads, puts, 'u'),
	F(ks_loads, load_ns, 'u'),
	F(ks_loads, put_ns, 'u'),
	F(ks_loads, load_max_ns, 'u'),
	F(ks_loads, put_max_ns, 'u'),
	F(ks_loads, load_flags, 'x'),
	F(ks_loads, put_flags, 'x'),
	F(ks_loads, cpu, 'u'),
	END,
};

static const struct tsdl_field load[] = {
	COMMON,
	F(ks_load, vcpu, 'u'),
	F(ks_load, seq, 'u'),
	F(ks_load, tid, 'u'),
	ARRAY(ks_load, flags, 'x'),
	F(ks_load, cpu, 'u'),
	F(ks_load, cpu_arg, 'u'),
	UNUSED(ks_load, reserved),
	F(ks_load, cost_ns, 'u'),
	UNUSED_ARRAY(ks_load, reserved2),
	END,
};

static const struct tsdl_field vcpu[] = {
	COMMON,
	F(ks_vcpu, vcpu, 'u'),
	F(ks_vcpu, seq, 'u'),
	F(ks_vcpu, vm, 'u'),
	F(ks_vcpu, vcpu_id, 's'),
	F(ks_vcpu, tgid, 'u'),
	F(ks_vcpu, tid, 'u'),
	UNUSED(ks_vcpu, reserved),
	END,
};

static const struct tsdl_field gone[] = {
	COMMON, F(ks_gone, vcpu, 'u'), F(ks_gone, seq, 'u'), F(ks_gone, lost, 'u'), END,
};

static const struct tsdl_field task[] = {
	WHAT('e', "kind"),	   MASK,
	F(ks_task, tid, 'u'),	   F(ks_task, start_ns, 'u'),
	F(ks_task, tgid, 'u'),	   F(ks_task, vm, 'u'),
	F(ks_task, vcpu, 'u'),	   UNUSED(ks_task, reserved),
	ARRAY(ks_task, comm, 't'), END,
};

static const struct tsdl_field snap[] = {
	COMMON,
	F(ks_snap, vcpu, 'u'),
	F(ks_snap, seq, 'u'),
	F(ks_snap, lost, 'u'),
	F(ks_snap, tid, 'u'),
	F(ks_snap, cpu, 'u'),
	F(ks_snap, flags, 'x'),
	ENUM(ks_snap, reason, "reason"),
	END,
};

static const struct tsdl_field vm[] = {
	COMMON,
	F(ks_vm, vm, 'u'),
	F(ks_vm, tgid, 'u'),
	UNUSED(ks_vm, reserved),
	F(ks_vm, cgroup, 'u'),
	ARRAY(ks_vm, comm, 't'),
	END,
};

static const struct tsdl_field name[] = {
	COMMON,
	F(ks_name, vm, 'u'),
	UNUSED(ks_name, reserved),
	ARRAY(ks_name, name, 't'),
	ARRAY(ks_name, uuid, 't'),
	ARRAY(ks_name, cgroup, 't'),
	END,
};

const struct tsdl_event tsdl_events[] = {
	{KS_OUT, "out", sizeof(struct ks_out), out},
	{KS_IN, "in", sizeof(struct ks_in), in},
	{KS_LOADS, "loads", sizeof(struct ks_loads), loads},
	{KS_LOAD, "load", sizeof(struct ks_load), load},
	{KS_PUT, "put", sizeof(struct ks_load), load},
	{KS_VCPU, "vcpu", sizeof(struct ks_vcpu), vcpu},
	{KS_GONE, "gone", sizeof(struct ks_gone), gone},
	{KS_TASK, "task", sizeof(struct ks_task), task},
	{KS_SNAP, "snap", sizeof(struct ks_snap), snap},
	{KS_VM, "vm", sizeof(struct ks_vm), vm},
	{KS_NAME, "name", sizeof(struct ks_name), name},
};
const unsigned tsdl_event_cnt = sizeof(tsdl_events) / sizeof(*tsdl_events);

/* The words of wire.h's enums, without their prefix. */
static const struct {
	const char *of, *label;
	int value;
} labels[] = {
	{"reason", "UNKNOWN", KS_R_UNKNOWN},
	{"reason", "PREEMPTED", KS_R_PREEMPTED},
	{"reason", "IOCTL", KS_R_IOCTL},
	{"reason", "HALTED", KS_R_HALTED},
	{"reason", "SLEEPING", KS_R_SLEEPING},
	{"by", "NONE", KS_BY_NONE},
	{"by", "OTHER_VM", KS_BY_OTHER_VM},
	{"by", "SAME_VM", KS_BY_SAME_VM},
	{"by", "EMULATOR", KS_BY_EMULATOR},
	{"by", "KERNEL", KS_BY_KERNEL},
	{"by", "HOST", KS_BY_HOST},
	{"by", "QUOTA", KS_BY_QUOTA},
	{"kind", "HOST", KS_K_HOST},
	{"kind", "KERNEL", KS_K_KERNEL},
	{"kind", "VCPU", KS_K_VCPU},
	{"kind", "VMM", KS_K_VMM},
};
_Static_assert(KS_R_CNT == 5 && KS_BY_CNT == 7, "a new word needs its row");

/* The packet header belongs to the trace block and is in ctf_metadata.c. */
static const char stream_class[] = "stream {\n"
				   "\tid = 0;\n"
				   "\tevent.header := struct {\n"
				   "\t\ttime timestamp;\n"
				   "\t\tu8 id;\n"
				   "\t};\n"
				   "\tpacket.context := struct {\n"
				   "\t\ttime timestamp_begin;\n"
				   "\t\ttime timestamp_end;\n"
				   "\t\tu64 events_discarded;\n"
				   "\t\tu64 content_size;\n"
				   "\t\tu64 packet_size;\n"
				   "\t\tu64 packet_seq_num;\n"
				   "\t\ts64 cpu_id;\n"
				   "\t};\n"
				   "};\n\n";

/* Everything stands where the record before it ended, hence align = 8 (bits) throughout. */
static void write_types(FILE *f)
{
	for (int bits = 8; bits <= 64; bits *= 2) {
		fprintf(f, "typealias integer { size = %d; align = 8; signed = false; } := u%d;\n",
			bits, bits);
		fprintf(f, "typealias integer { size = %d; align = 8; signed = true; } := s%d;\n",
			bits, bits);
		fprintf(f,
			"typealias integer { size = %d; align = 8; signed = false; base = 16; } := x%d;\n",
			bits, bits);
	}
	fprintf(f,
		"typealias integer { size = 8; align = 8; signed = false; encoding = UTF8; } := t8;\n");
	fprintf(f, "typealias integer { size = 64; align = 8; signed = false; "
		   "map = clock.monotonic.value; } := time;\n\n");
}

static void write_enums(FILE *f)
{
	const unsigned cnt = sizeof(labels) / sizeof(*labels);

	for (unsigned i = 0; i < cnt; i++) {
		if (!i || strcmp(labels[i].of, labels[i - 1].of))
			fprintf(f, "enum %s : u8 {\n", labels[i].of);
		fprintf(f, "\t%s = %d,\n", labels[i].label, labels[i].value);
		if (i + 1 == cnt || strcmp(labels[i].of, labels[i + 1].of))
			fprintf(f, "};\n\n");
	}
}

static void write_field(FILE *f, const struct tsdl_field *d)
{
	if (d->kind == 'e')
		fprintf(f, "\t\tenum %s %s", d->of, d->name);
	else
		fprintf(f, "\t\t%c%d %s", d->kind, d->size * 8, d->name);
	if (d->count)
		fprintf(f, "[%d]", d->count);
	fprintf(f, ";\n");
}

void tsdl__write(FILE *f)
{
	write_types(f);
	write_enums(f);
	fputs(stream_class, f);
	for (unsigned i = 0; i < tsdl_event_cnt; i++) {
		const struct tsdl_event *e = &tsdl_events[i];

		fprintf(f,
			"event {\n\tname = \"%s\";\n\tid = %d;\n\tstream_id = 0;\n\tfields := struct {\n",
			e->name, e->id);
		for (const struct tsdl_field *d = e->field; d->name; d++)
			write_field(f, d);
		fprintf(f, "\t};\n};\n\n");
	}
}
