// SPDX-License-Identifier: BSD-2-Clause
/*
 * The report on a recording: where, when and how it was made, and whether it is whole. Counts
 * records but does not look into them; what they say is the other commands' business.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ctf_reader.h"
#include "err.h"
#include "host.h"
#include "info.h"
#include "record.h"
#include "session.h"
#include "table.h"
#include "units.h"

struct stream {
	__u64 events, lost;
};

struct recording {
	const char *dir;
	struct session s;
	struct stream *stream; /* per CPU, and the descriptors' as the last one */
	struct stream total;
	unsigned streams;
	unsigned damaged;
	bool clean;
	__u64 disk_bytes;
};

/* Which of a mode's functions are hooked where they begin, and where they end: as in the design's
 * table of modes and live_load.c. */
struct hook {
	const char *name;
	bool entry, exit;
};
#define HOOKS 4

static void hooks_of(enum session_mode mode, struct hook out[HOOKS])
{
	bool light = mode == MODE_LIGHT, full = mode == MODE_FULL;

	out[0] = (struct hook){"kvm_sched_out", !light, true};
	out[1] = (struct hook){"kvm_sched_in", true, !light};
	out[2] = (struct hook){"kvm_arch_vcpu_load", !light, full};
	out[3] = (struct hook){"kvm_arch_vcpu_put", !light, full};
}

/* ---- finding out -------------------------------------------------------------------------- */

static __u64 count_records(const struct ctf_chunk *c)
{
	__u64 cnt = 0;
	size_t size;

	for (size_t at = 0; at < c->bytes; at += size, cnt++) {
		size = record__size(((const struct ks_head *)(c->data + at))->type);
		if (!size)
			break;
	}
	return cnt;
}

static int count_stream(struct ctf_reader *r, unsigned i, struct stream *st)
{
	struct ctf_chunk c;
	int more;

	while ((more = ctf_reader__next(r, i, &c)) > 0)
		st->events += count_records(&c);
	st->lost = ctf_reader__discarded(r, i);
	return more;
}

static int count(struct recording *rec, struct ctf_reader *r)
{
	int err = 0;

	rec->streams = ctf_reader__streams(r);
	rec->stream = calloc(rec->streams, sizeof(*rec->stream));
	if (!rec->stream)
		return err__say(ENOMEM, "%s", rec->dir);
	for (unsigned i = 0; i < rec->streams && !err; i++) {
		err = count_stream(r, i, &rec->stream[i]);
		rec->total.events += rec->stream[i].events;
		rec->total.lost += rec->stream[i].lost;
	}
	rec->clean = ctf_reader__clean(r);
	rec->damaged = ctf_reader__damaged(r);
	return err;
}

/* What the files take up, the recorder's own ones included. */
static __u64 disk_bytes(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	struct stat st;
	__u64 sum = 0;

	while (dir && (e = readdir(dir)))
		if (!fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode))
			sum += (__u64)st.st_blocks *
			       512; /* st_blocks' unit, whatever the file system */
	if (dir)
		closedir(dir);
	return sum;
}

static int look(struct recording *rec)
{
	struct ctf_reader *r;
	int err = ctf_reader__open(&r, rec->dir, &rec->s);

	if (err)
		return err;
	err = count(rec, r);
	rec->disk_bytes = disk_bytes(rec->dir);
	ctf_reader__free(r);
	return err;
}

/* ---- for people --------------------------------------------------------------------------- */

static const char *size_text(char *out, size_t len, __u64 bytes)
{
	static const char units[] = "KMG";
	double n = bytes / 1024.0;
	int unit = 0;

	for (; n >= 1024 && units[unit + 1]; unit++)
		n /= 1024;
	snprintf(out, len, "%.1f%c", n, units[unit]);
	return out;
}

static void print_verdict(const struct term *t, const struct recording *rec)
{
	enum term_style style = rec->damaged			 ? STYLE_BAD
				: !rec->clean || rec->total.lost ? STYLE_WARN
								 : STYLE_GOOD;

	printf("%s", term__on(t, style));
	if (rec->damaged)
		printf("This recording is damaged in %u places: parts of it are missing.",
		       rec->damaged);
	else if (!rec->clean)
		printf("This recording was not ended: it is still being made, or its recorder was killed.");
	else if (rec->total.lost)
		printf("This recording is whole, but %llu records were lost when it was made.",
		       rec->total.lost);
	else
		printf("This recording is whole.");
	printf("%s\n\n", term__off(t, style));
}

/* A row with a text that came from elsewhere. */
static void print_text(const struct term *t, const char *label, const char *text)
{
	char safe[ESCAPE_SIZE(sizeof(((struct session *)0)->filter))];

	escape__str(t->escape, text, safe, sizeof(safe));
	info_row(label, "%s", safe);
}

static void print_window(const struct session *s, bool clean)
{
	char text[UNITS_LEN];

	info_row("begin", "%s", units__iso(text, s->start_ns, s->wall_start_ns, 6));
	info_row("end", "%s%s",
		 units__iso(text, s->end_ns, clean ? s->wall_end_ns : s->wall_start_ns, 6),
		 clean ? "" : " (as far as it is complete)");
	info_row("length", "%s", units__own(text, s->end_ns - s->start_ns));
}

/* Of a flight recording. */
static void print_trigger(const struct term *t, const struct session *s)
{
	char text[UNITS_LEN];

	if (!*s->trigger)
		return;
	print_text(t, "written for", s->trigger);
	info_row("", "at %s", units__iso(text, s->trigger_ns, s->wall_start_ns, 6));
}

static void print_mode(const struct session *s)
{
	static const char *const at[] = {"", "begin", "end", "begin and end"};
	struct hook hooks[HOOKS];
	const char *label = "hooks";

	info_row("mode", "%s%s", session__mode_name(s->mode),
		 s->loads ? ", with a record for each load and put" : "");
	hooks_of(s->mode, hooks);
	for (int i = 0; i < HOOKS; i++) {
		if (!hooks[i].entry && !hooks[i].exit)
			continue;
		info_row(label, "%-19s %s", hooks[i].name, at[hooks[i].entry + 2 * hooks[i].exit]);
		label = "";
	}
}

static void add_row(struct table *tab, const char *name, const struct stream *st)
{
	char text[UNITS_LEN];

	table__cell(tab, name);
	table__cell(tab, units__count(text, st->events));
	table__styled(tab, st->lost ? STYLE_WARN : STYLE_PLAIN, units__count(text, st->lost));
}

/* Streams in which nothing happened are left out. */
static int print_streams(const struct term *t, const struct recording *rec)
{
	struct table *tab = table__new();
	char name[32];
	int err;

	table__add_col(tab, "stream", TABLE_LEFT, 0, TABLE_KEEP);
	table__add_col(tab, "records", TABLE_RIGHT, 0, TABLE_KEEP);
	table__add_col(tab, "lost", TABLE_RIGHT, 0, TABLE_KEEP);
	for (unsigned i = 0; i < rec->streams; i++) {
		if (!rec->stream[i].events && !rec->stream[i].lost)
			continue;
		snprintf(name, sizeof(name), i == rec->s.cpus ? "descriptors" : "CPU %u", i);
		add_row(tab, name, &rec->stream[i]);
	}
	add_row(tab, "all", &rec->total);
	putchar('\n');
	err = table__print(tab, t, stdout);
	table__free(tab);
	return err < 0 ? err__say(err, "printing the streams") : 0;
}

static int print_recording(const struct info_opts *o, const struct recording *rec)
{
	const struct session *s = &rec->s;
	struct term t;
	char size[32];

	term__look(&t, STDOUT_FILENO, o->color);
	print_verdict(&t, rec);
	print_text(&t, "host", s->host);
	print_text(&t, "kernel", s->release);
	print_text(&t, "architecture", s->arch);
	info_row("CPUs", "%u", s->cpus);
	print_window(s, rec->clean);
	print_mode(s);
	print_text(&t, "filters", *s->filter ? s->filter : "none");
	print_trigger(&t, s);
	info_print_fields(&t, s->fields);
	if (s->untracked)
		info_row("untracked", "%llu vCPUs did not fit into the table (--max-vcpus)",
			 s->untracked);
	info_row("on disk", "%s", size_text(size, sizeof(size), rec->disk_bytes));
	return print_streams(&t, rec);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void json_hooks(struct json *j, enum session_mode mode)
{
	struct hook hooks[HOOKS];

	hooks_of(mode, hooks);
	json__key_array(j, "hooks");
	for (int i = 0; i < HOOKS; i++) {
		if (!hooks[i].entry && !hooks[i].exit)
			continue;
		json__object(j);
		json__key_str(j, "name", hooks[i].name);
		json__key_bool(j, "entry", hooks[i].entry);
		json__key_bool(j, "exit", hooks[i].exit);
		json__end_object(j);
	}
	json__end_array(j);
}

static void json_trigger(struct json *j, const struct session *s)
{
	if (!*s->trigger)
		return;
	json__key_object(j, "trigger");
	json__key_str(j, "why", s->trigger);
	json__key_u64(j, "ns", s->trigger_ns);
	json__key_s64(j, "wall_ns", (__s64)s->trigger_ns + s->wall_start_ns);
	json__end_object(j);
}

static void json_session(struct json *j, const struct session *s, bool clean)
{
	__s64 wall_end_ns = clean ? s->wall_end_ns : s->wall_start_ns;

	json__key_str(j, "host", s->host);
	json__key_str(j, "kernel", s->release);
	json__key_str(j, "arch", s->arch);
	json__key_str(j, "mode", session__mode_name(s->mode));
	json__key_bool(j, "loads", s->loads);
	json__key_str(j, "filter", s->filter);
	json__key_u64(j, "cpus", s->cpus);
	json__key_u64(j, "start_ns", s->start_ns);
	json__key_u64(j, "end_ns", s->end_ns);
	json__key_u64(j, "window_ns", s->end_ns - s->start_ns);
	json__key_s64(j, "wall_start_ns", (__s64)s->start_ns + s->wall_start_ns);
	json__key_s64(j, "wall_end_ns", (__s64)s->end_ns + wall_end_ns);
	json__key_u64(j, "untracked", s->untracked);
	json_trigger(j, s);
	json_hooks(j, s->mode);
	json__key_object(j, "fields");
	info_json_fields(j, s->fields);
	json__end_object(j);
}

static void json_streams(struct json *j, const struct recording *rec)
{
	json__key_array(j, "streams");
	for (unsigned i = 0; i < rec->streams; i++) {
		json__object(j);
		json__key_u64(j, "stream", i);
		if (i < rec->s.cpus)
			json__key_u64(j, "cpu", i);
		json__key_u64(j, "events", rec->stream[i].events);
		json__key_u64(j, "lost", rec->stream[i].lost);
		json__end_object(j);
	}
	json__end_array(j);
}

static int json_recording(const struct recording *rec)
{
	struct json *j = json__new(stdout, JSON_PRETTY);
	int err;

	json__object(j);
	json__key_u64(j, "schema", 1);
	json__key_str(j, "what", "recording");
	json__key_str(j, "path", rec->dir);
	json__key_bool(j, "clean", rec->clean);
	json__key_u64(j, "damaged", rec->damaged);
	json__key_u64(j, "events", rec->total.events);
	json__key_u64(j, "lost", rec->total.lost);
	json__key_u64(j, "disk_bytes", rec->disk_bytes);
	json_session(j, &rec->s, rec->clean);
	json_streams(j, rec);
	json__end_object(j);
	err = json__close(j);
	return err ? err__say(err, "writing JSON") : 0;
}

int info_recording(const struct info_opts *o)
{
	struct recording rec = {.dir = o->dir};
	int err = look(&rec);

	if (!err)
		err = o->json ? json_recording(&rec) : print_recording(o, &rec);
	free(rec.stream);
	if (err || info_flush())
		return EXIT_ERROR;
	return rec.damaged ? EXIT_ERROR : EXIT_FINE;
}
