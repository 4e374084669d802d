// SPDX-License-Identifier: BSD-2-Clause
/* See perfetto_state.h. The message types are those of perfetto.proto. */
#include <errno.h>
#include <stdlib.h>
#include "err.h"
#include "escape.h"
#include "perfetto.pb-c.h"
#include "perfetto_state.h"
#include "report_json.h"

#define REALTIME  1
#define MONOTONIC 3
#define TIME_NS	  1
#define EXPLICIT  3 /* TrackDescriptor.child_ordering: by sibling_order_rank */
#define NO_MERGE  2 /* .sibling_merge_behavior: not even with one of its name */

/* protobuf-c's names are long */
typedef Kvmsched__Perfetto__TracePacket packet_t;
typedef Kvmsched__Perfetto__TrackDescriptor track_t;
typedef Kvmsched__Perfetto__InternedName name_t;
typedef Kvmsched__Perfetto__InternedString string_t;
typedef Kvmsched__Perfetto__ClockSnapshot__Clock clock_msg_t;
#define PACKET_INIT KVMSCHED__PERFETTO__TRACE_PACKET__INIT
#define TRACK_INIT  KVMSCHED__PERFETTO__TRACK_DESCRIPTOR__INIT
#define NAME_INIT   KVMSCHED__PERFETTO__INTERNED_NAME__INIT
#define STRING_INIT KVMSCHED__PERFETTO__INTERNED_STRING__INIT
#define CLOCK_INIT  KVMSCHED__PERFETTO__CLOCK_SNAPSHOT__CLOCK__INIT

static const char *const names[PN_CNT] = {
	[PN_REASON] = "reason",
	[PN_CPU] = "cpu",
	[PN_CPU_OUT] = "cpu_out",
	[PN_CPU_IN] = "cpu_in",
	[PN_RUN_DELAY] = "run_delay_ns",
	[PN_ABSENCE] = "absence_ns",
	[PN_USER] = "user_ns",
	[PN_OPEN] = "open",
	[PN_NOT_WHOLE] = "beginning_not_seen",
	[PN_BY] = "by",
	[PN_BY_COMM] = "by_comm",
	[PN_BY_TID] = "by_tid",
	[PN_BY_PID] = "by_pid",
	[PN_BY_VM] = "by_vm",
	[PN_BY_VCPU] = "by_vcpu",
	[PN_LOST] = "lost_records",
};

/* As an element of Trace.packet, which makes a file of packets a Trace. */
static int write_packet(const struct export_out *o, packet_t *p)
{
	Kvmsched__Perfetto__Trace trace = KVMSCHED__PERFETTO__TRACE__INIT;
	size_t len;
	void *bytes;
	int err;

	trace.n_packet = 1;
	trace.packet = &p;
	len = kvmsched__perfetto__trace__get_packed_size(&trace);
	bytes = malloc(len);
	if (!bytes)
		return err__say(ENOMEM, "export");
	kvmsched__perfetto__trace__pack(&trace, bytes);
	err = export__write(o, bytes, len);
	free(bytes);
	return err;
}

static packet_t packet_of(__u32 sequence, __u32 flags)
{
	packet_t p = PACKET_INIT;

	p.has_trusted_packet_sequence_id = p.has_sequence_flags = true;
	p.trusted_packet_sequence_id = sequence;
	p.sequence_flags = flags;
	return p;
}

/* Names are shown by trace_processor_shell, too: nothing in them acts on a terminal. */
static char *escaped(const char *name, char *out, size_t size)
{
	escape__str(ESCAPE_TERMINAL, name, out, size);
	return out;
}

/* ---- about the file ------------------------------------------------------------------------ */

typedef Kvmsched__Perfetto__TraceAttributes__Attribute attribute_t;

struct attributes {
	attribute_t one[4], *all[4];
	size_t count;
};

static attribute_t *attribute(struct attributes *a, const char *key)
{
	attribute_t *one = &a->one[a->count];

	*one = (attribute_t)KVMSCHED__PERFETTO__TRACE_ATTRIBUTES__ATTRIBUTE__INIT;
	one->key = (char *)key;
	a->all[a->count++] = one;
	return one;
}

static void add_number(struct attributes *a, const char *key, __u64 n)
{
	attribute_t *one = attribute(a, key);

	one->has_long_value = true;
	one->long_value = n;
}

static int write_attributes(const struct export_out *o, struct attributes *a)
{
	Kvmsched__Perfetto__TraceAttributes all = KVMSCHED__PERFETTO__TRACE_ATTRIBUTES__INIT;
	packet_t p = packet_of(PERFETTO_FILE, 0);

	all.attribute = a->all;
	all.n_attribute = a->count;
	p.trace_attributes = &all;
	return write_packet(o, &p);
}

static int write_system(const struct export_out *o, const struct session *s)
{
	Kvmsched__Perfetto__SystemInfo system = KVMSCHED__PERFETTO__SYSTEM_INFO__INIT;
	Kvmsched__Perfetto__Utsname uts = KVMSCHED__PERFETTO__UTSNAME__INIT;
	char release[ESCAPE_SIZE(sizeof(s->release))], machine[ESCAPE_SIZE(sizeof(s->arch))];
	packet_t p = packet_of(PERFETTO_FILE, 0);

	uts.sysname = "Linux";
	uts.release = escaped(s->release, release, sizeof(release));
	uts.machine = escaped(s->arch, machine, sizeof(machine));
	system.utsname = &uts;
	system.has_num_cpus = true;
	system.num_cpus = s->cpus;
	p.system_info = &system;
	return write_packet(o, &p);
}

int perfetto_state__begin(const struct export_out *o, const struct session *s)
{
	char host[ESCAPE_SIZE(sizeof(s->host))], filter[ESCAPE_SIZE(sizeof(s->filter))];
	struct attributes a = {.count = 0};
	int err = write_system(o, s);

	attribute(&a, "kvmsched.host")->string_value = escaped(s->host, host, sizeof(host));
	attribute(&a, "kvmsched.mode")->string_value = (char *)session__mode_name(s->mode);
	if (*s->filter)
		attribute(&a, "kvmsched.filter")->string_value =
			escaped(s->filter, filter, sizeof(filter));
	return err ?: write_attributes(o, &a);
}

/* TraceStats is where Perfetto's UI looks when it warns that data were lost. */
int perfetto_state__end(const struct export_out *o, const struct summary *s)
{
	Kvmsched__Perfetto__TraceStats stats = KVMSCHED__PERFETTO__TRACE_STATS__INIT;
	Kvmsched__Perfetto__TraceStats__BufferStats buffer =
		KVMSCHED__PERFETTO__TRACE_STATS__BUFFER_STATS__INIT;
	Kvmsched__Perfetto__TraceStats__BufferStats *buffers = &buffer;
	packet_t p = packet_of(PERFETTO_FILE, 0);
	struct attributes a = {.count = 0};
	int err;

	add_number(&a, "kvmsched.events", s->events);
	add_number(&a, "kvmsched.lost", s->lost);
	add_number(&a, "kvmsched.window_from_ns", s->from_ns);
	add_number(&a, "kvmsched.window_to_ns", s->to_ns);
	err = write_attributes(o, &a);
	buffer.has_trace_writer_packet_loss = true;
	buffer.trace_writer_packet_loss = s->lost;
	stats.n_buffer_stats = 1;
	stats.buffer_stats = &buffers;
	p.trace_stats = &stats;
	return err ?: write_packet(o, &p);
}

/* ---- tracks ------------------------------------------------------------------------------- */

enum track_kind { TRACK_VM = 1, TRACK_VCPU, TRACK_RUN_DELAY, TRACK_VCPUS };

/* Unlikely to be another trace's, should somebody put two into one file. */
static __u64 uuid_of(const struct session *s, enum track_kind kind, __u32 id)
{
	__u32 hash = 2166136261U;

	for (const char *p = s->host; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619;
	hash ^= s->start_ns ^ s->start_ns >> 32;
	return (__u64)hash << 32 | (__u32)kind << 28 | (id & 0xfffffff);
}

static int write_track(const struct export_out *o, __u32 sequence, track_t *t)
{
	packet_t p = packet_of(sequence, PERFETTO_NEEDS);

	t->has_uuid = true;
	p.track_descriptor = t;
	return write_packet(o, &p);
}

/* A VM is its VMM process; but one of several in a process is only a name. */
static int write_vm(const struct export_out *o, const struct session *s, const struct model *m,
		    const struct model_vcpu *v)
{
	Kvmsched__Perfetto__ProcessDescriptor process =
		KVMSCHED__PERFETTO__PROCESS_DESCRIPTOR__INIT;
	char name[WHO_NAME_SIZE], text[ESCAPE_SIZE(WHO_NAME_SIZE)];
	const struct model_vm *vm = model__vm(m, v->vm);
	track_t t = TRACK_INIT;

	escaped(model__vm_name(m, v->vm, name, sizeof(name)), text, sizeof(text));
	t.uuid = uuid_of(s, TRACK_VM, v->vm);
	t.name = text;
	process.has_pid = true;
	process.pid = v->tgid;
	process.process_name = text;
	if (!vm || !vm->same_vmm)
		t.process = &process;
	return write_track(o, perfetto_state__sequence(v), &t);
}

/* Perfetto sorts what is directly below a process by name, vCPU 10 before vCPU 2. What is below a
 * track of its own goes by rank. */
static int write_vcpus(const struct export_out *o, const struct session *s,
		       const struct model_vcpu *v)
{
	track_t t = TRACK_INIT;

	t.uuid = uuid_of(s, TRACK_VCPUS, v->vm);
	t.has_parent_uuid = true;
	t.parent_uuid = uuid_of(s, TRACK_VM, v->vm);
	t.name = "vCPUs";
	t.has_child_ordering = true;
	t.child_ordering = EXPLICIT;
	return write_track(o, perfetto_state__sequence(v), &t);
}

/* By KVM's number, each vCPU followed by its counter; those not introduced come last. A number may
 * come again, with another vCPU: that is another track. */
static void place(track_t *t, const struct session *s, const struct model_vcpu *v, bool counter)
{
	__s32 number = v->vcpu_id >= 0 && v->vcpu_id < 1 << 29 ? v->vcpu_id : 1 << 29;

	t->has_parent_uuid = true;
	t->parent_uuid = uuid_of(s, TRACK_VCPUS, v->vm);
	t->has_sibling_order_rank = true;
	t->sibling_order_rank = 2 * number + counter;
	t->has_sibling_merge_behavior = true;
	t->sibling_merge_behavior = NO_MERGE;
}

/* A track with a name, not Perfetto's track of a thread: a thread may run several vCPUs. */
static int write_vcpu(const struct export_out *o, const struct session *s,
		      const struct model_vcpu *v)
{
	track_t t = TRACK_INIT;
	char name[48] = "vCPU ?";

	if (v->vcpu_id >= 0)
		snprintf(name, sizeof(name), "vCPU %d [%u]", v->vcpu_id, v->v.tid);
	t.uuid = uuid_of(s, TRACK_VCPU, v->id);
	t.name = name;
	place(&t, s, v, false);
	return write_track(o, perfetto_state__sequence(v), &t);
}

static int write_counter(const struct export_out *o, const struct session *s,
			 const struct model_vcpu *v)
{
	Kvmsched__Perfetto__CounterDescriptor counter =
		KVMSCHED__PERFETTO__COUNTER_DESCRIPTOR__INIT;
	track_t t = TRACK_INIT;
	char name[48] = "run delay of vCPU ?";

	if (v->vcpu_id >= 0)
		snprintf(name, sizeof(name), "run delay of vCPU %d", v->vcpu_id);
	counter.has_unit = true;
	counter.unit = TIME_NS;
	counter.y_axis_share_key = "run_delay"; /* a VM's vCPUs can be compared */
	t.uuid = uuid_of(s, TRACK_RUN_DELAY, v->id);
	t.name = name;
	place(&t, s, v, true);
	t.counter = &counter;
	return write_track(o, perfetto_state__sequence(v), &t);
}

/* ---- names and words ---------------------------------------------------------------------- */

struct interned {
	name_t state[ST_CNT], name[PN_CNT];
	name_t *states[ST_CNT], *names[PN_CNT];
	string_t word[PERFETTO_FIRST];
	string_t *words[PERFETTO_FIRST];
	unsigned word_cnt;
};

static void intern(struct interned *in, __u64 iid, const char *text)
{
	string_t *s = &in->word[in->word_cnt];

	*s = (string_t)STRING_INIT;
	s->has_iid = s->has_str = true;
	s->iid = iid;
	s->str.data = (uint8_t *)text;
	s->str.len = strlen(text);
	in->words[in->word_cnt++] = s;
}

static void intern_all(struct interned *in, Kvmsched__Perfetto__InternedData *data)
{
	in->word_cnt = 0;
	for (unsigned i = 0; i < ST_CNT; i++) {
		in->state[i] = (name_t)NAME_INIT;
		in->state[i].has_iid = true;
		in->state[i].iid = i + 1;
		in->state[i].name = (char *)state__name(i);
		in->states[i] = &in->state[i];
	}
	for (unsigned i = 1; i < PN_CNT; i++) {
		in->name[i] = (name_t)NAME_INIT;
		in->name[i].has_iid = true;
		in->name[i].iid = i;
		in->name[i].name = (char *)names[i];
		in->names[i - 1] = &in->name[i];
	}
	for (unsigned i = 1; i < KS_R_CNT; i++)
		intern(in, PERFETTO_REASON(i), report_reason_names[i]);
	for (unsigned i = 0; i < KS_BY_CNT; i++)
		if (report_class_names[i])
			intern(in, PERFETTO_CLASS(i), report_class_names[i]);
	data->n_event_names = ST_CNT;
	data->event_names = in->states;
	data->n_debug_annotation_names = PN_CNT - 1;
	data->debug_annotation_names = in->names;
	data->n_debug_annotation_string_values = in->word_cnt;
	data->debug_annotation_string_values = in->words;
}

int perfetto_state__words(const struct export_out *o, __u32 sequence,
			  const struct perfetto_word *words, unsigned count)
{
	Kvmsched__Perfetto__InternedData data = KVMSCHED__PERFETTO__INTERNED_DATA__INIT;
	packet_t p = packet_of(sequence, PERFETTO_NEEDS);
	char text[2][ESCAPE_SIZE(WHO_NAME_SIZE)];
	struct interned in;

	in.word_cnt = 0;
	for (unsigned i = 0; i < count && i < 2; i++) {
		intern(&in, words[i].iid, escaped(words[i].text, text[i], sizeof(text[i])));
	}
	data.n_debug_annotation_string_values = in.word_cnt;
	data.debug_annotation_string_values = in.words;
	p.interned_data = &data;
	return write_packet(o, &p);
}

/* ---- all of it ---------------------------------------------------------------------------- */

/* Slices are told in CLOCK_MONOTONIC, which is the trace's clock, on the vCPU's track. */
static int write_head(const struct export_out *o, const struct session *s,
		      const struct model_vcpu *v, bool first, bool dropped)
{
	Kvmsched__Perfetto__TrackEventDefaults event =
		KVMSCHED__PERFETTO__TRACK_EVENT_DEFAULTS__INIT;
	Kvmsched__Perfetto__TracePacketDefaults defaults =
		KVMSCHED__PERFETTO__TRACE_PACKET_DEFAULTS__INIT;
	Kvmsched__Perfetto__ClockSnapshot snapshot = KVMSCHED__PERFETTO__CLOCK_SNAPSHOT__INIT;
	Kvmsched__Perfetto__InternedData data = KVMSCHED__PERFETTO__INTERNED_DATA__INIT;
	packet_t p = packet_of(perfetto_state__sequence(v), PERFETTO_CLEARED);
	clock_msg_t clock[2] = {CLOCK_INIT, CLOCK_INIT}, *clocks[2] = {&clock[0], &clock[1]};
	__u64 counter = uuid_of(s, TRACK_RUN_DELAY, v->id);
	struct interned in;

	for (unsigned i = 0; i < 2; i++)
		clock[i].has_clock_id = clock[i].has_timestamp = true;
	clock[0].clock_id = MONOTONIC;
	clock[0].timestamp = s->start_ns;
	clock[1].clock_id = REALTIME;
	clock[1].timestamp = s->start_ns + s->wall_start_ns;
	snapshot.n_clocks = 2;
	snapshot.clocks = clocks;
	snapshot.has_primary_trace_clock = true;
	snapshot.primary_trace_clock = MONOTONIC;
	event.has_track_uuid = true;
	event.track_uuid = uuid_of(s, TRACK_VCPU, v->id);
	event.n_extra_counter_track_uuids = 1;
	event.extra_counter_track_uuids = (uint64_t *)&counter;
	defaults.track_event_defaults = &event;
	defaults.has_timestamp_clock_id = true;
	defaults.timestamp_clock_id = MONOTONIC;
	intern_all(&in, &data);
	p.clock_snapshot = &snapshot;
	p.trace_packet_defaults = &defaults;
	p.interned_data = &data;
	p.has_first_packet_on_sequence = p.first_packet_on_sequence = first;
	p.has_previous_packet_dropped = p.previous_packet_dropped = dropped;
	return write_packet(o, &p);
}

int perfetto_state__write(const struct export_out *o, const struct session *s,
			  const struct model *m, const struct model_vcpu *v, bool first,
			  bool dropped)
{
	int err = write_head(o, s, v, first, dropped);

	if (!err)
		err = write_vm(o, s, m, v);
	if (!err)
		err = write_vcpus(o, s, v);
	if (!err)
		err = write_vcpu(o, s, v);
	return err ?: write_counter(o, s, v);
}
