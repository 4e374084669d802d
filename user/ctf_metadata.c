// SPDX-License-Identifier: BSD-2-Clause
/*
 * The metadata: blocks trace, clock and env here, the records in ctf_tsdl.c. One table says which
 * env keys there are, for writing and for reading. A key that a recording lacks is 0 or "", so that
 * recordings made before a key existed stay readable; only what no reader can do without is
 * required.
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctf_env.h"
#include "ctf_metadata.h"
#include "ctf_tsdl.h"
#include "err.h"
#include "wire.h"

#define TRACER	   "kvmsched"
#define CPUS_LIMIT 65536U			       /* a record's cpu has 16 bits */
#define LAST_LINE  "/* kvmsched: end of metadata */\n" /* without it, the text is truncated */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTE_ORDER_WORD "le"
#else
#define BYTE_ORDER_WORD "be"
#endif

/* 's' text, 'i' __s64, 'u' __u64, 'w' __u32 or int, 'x' the same in hex, 'm' enum session_mode */
struct row {
	const char *key;
	char kind;
	__u8 required;
	__u16 offset;
	__u16 size;
};

#define SIZE(m) sizeof(((struct ctf_metadata *)0)->m)
/* It takes the braces for a block. */
/* clang-format off */
#define ROW(key, kind, required, m) {key, kind, required, offsetof(struct ctf_metadata, m), SIZE(m)}
/* clang-format on */

static const struct row rows[] = {
	ROW("hostname", 's', 0, session.host),
	ROW("release", 's', 0, session.release),
	ROW("arch", 's', 0, session.arch),
	ROW("filter", 's', 0, session.filter),
	ROW("mode", 'm', 1, session.mode),
	ROW("loads", 'w', 0, session.loads),
	ROW("fields", 'x', 0, session.fields),
	ROW("cpus", 'w', 1, session.cpus),
	ROW("start_ns", 'u', 1, session.start_ns),
	ROW("end_ns", 'u', 1, session.end_ns),
	ROW("wall_start_ns", 'i', 0, session.wall_start_ns),
	ROW("wall_end_ns", 'i', 0, session.wall_end_ns),
	ROW("untracked", 'u', 0, session.untracked),
	ROW("trigger", 's', 0, session.trigger),
	ROW("trigger_ns", 'u', 0, session.trigger_ns),
	ROW("records", 'u', 0, records),
	ROW("event_bytes", 'u', 0, event_bytes),
};
#define ROW_CNT (sizeof(rows) / sizeof(*rows))

/* ---- writing ------------------------------------------------------------------------------ */

static void write_uuid(FILE *f, const __u8 *uuid)
{
	for (int i = 0; i < 16; i++)
		fprintf(f, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

static void write_trace(FILE *f, const struct ctf_metadata *m)
{
	fprintf(f, "/* CTF 1.8 */\n\n"
		   "trace {\n\tmajor = 1;\n\tminor = 8;\n\tbyte_order = " BYTE_ORDER_WORD
		   ";\n\tuuid = \"");
	write_uuid(f, m->uuid);
	fprintf(f, "\";\n"
		   "\tpacket.header := struct {\n"
		   "\t\tinteger { size = 32; align = 8; base = 16; } magic;\n"
		   "\t\tinteger { size = 8; align = 8; } uuid[16];\n"
		   "\t\tinteger { size = 32; align = 8; } stream_id;\n"
		   "\t\tinteger { size = 64; align = 8; } stream_instance_id;\n"
		   "\t};\n};\n\n");
}

/* absolute: with its offset the clock counts from 1970, so that recordings of several hosts, and
 * other tracers' traces, can be shown in one order. */
static void write_clock(FILE *f, const struct session *s)
{
	const long long sec = 1000000000, ns = s->wall_start_ns;
	const long long rest = (ns % sec + sec) % sec;

	fprintf(f,
		"clock {\n\tname = monotonic;\n\tdescription = \"CLOCK_MONOTONIC\";\n"
		"\tfreq = %lld;\n\toffset_s = %lld;\n\toffset = %lld;\n\tabsolute = TRUE;\n};\n\n",
		sec, (ns - rest) / sec, rest);
}

/* Readers hold an env number in 64 bits with a sign. */
static unsigned long long capped(__u64 n)
{
	return n > INT64_MAX ? INT64_MAX : n;
}

static void write_row(FILE *f, const struct row *r, const struct ctf_metadata *m)
{
	const void *at = (const char *)m + r->offset;

	fprintf(f, "\t%s = ", r->key);
	switch (r->kind) {
	case 's':
		env__write_string(f, at);
		break;
	case 'm':
		env__write_string(f, session__mode_name(m->session.mode));
		break;
	case 'i':
		fprintf(f, "%lld", *(const long long *)at);
		break;
	case 'u':
		fprintf(f, "%llu", capped(*(const __u64 *)at));
		break;
	default:
		fprintf(f, r->kind == 'x' ? "0x%x" : "%u", *(const __u32 *)at);
	}
	fprintf(f, ";\n");
}

char *ctf_metadata__text(const struct ctf_metadata *m)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int bad;

	if (!f)
		return NULL;
	write_trace(f, m);
	fprintf(f, "env {\n\ttracer_name = \"" TRACER "\";\n\twire_version = %d;\n",
		KS_WIRE_VERSION);
	for (unsigned i = 0; i < ROW_CNT; i++)
		write_row(f, &rows[i], m);
	fprintf(f, "};\n\n");
	write_clock(f, &m->session);
	tsdl__write(f);
	fputs(LAST_LINE, f);
	bad = ferror(f);
	if (fclose(f) || bad) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- reading ------------------------------------------------------------------------------ */

struct found {
	struct ctf_metadata m;
	int ours;
	__u64 version;
	char byte_order[8];
	int uuid;
	__u32 keys; /* bit i: rows[i] was there */
	const char *bad_key;
};

static int parse_uuid(const char *text, __u8 *uuid)
{
	int n = 0, end = 0;

	for (; n < 16; n++, text += end) {
		unsigned byte;

		text += *text == '-';
		if (sscanf(text, "%2x%n", &byte, &end) != 1 || end != 2)
			return 0;
		uuid[n] = byte;
	}
	return !*text;
}

/* 1 = stored, 0 = not of the row's kind, or out of range. */
static int set_row(const struct row *r, const struct env_value *v, struct ctf_metadata *m)
{
	void *at = (char *)m + r->offset;
	const size_t len = strlen(v->text) + 1;
	const __u64 word_max = r->kind == 'x' ? UINT_MAX : INT_MAX;

	switch (r->kind) {
	case 's':
		if (v->kind != ENV_STRING || len > r->size)
			return 0;
		memcpy(at, v->text, len);
		return 1;
	case 'm':
		return v->kind == ENV_STRING && !session__mode_from_name(v->text, &m->session.mode);
	case 'i':
		if (v->kind != ENV_NUMBER || v->magnitude > INT64_MAX)
			return 0;
		*(__s64 *)at = v->negative ? -(__s64)v->magnitude : (__s64)v->magnitude;
		return 1;
	case 'u':
		if (v->kind != ENV_NUMBER || v->negative || v->magnitude > INT64_MAX)
			return 0;
		*(__u64 *)at = v->magnitude;
		return 1;
	default:
		if (v->kind != ENV_NUMBER || v->negative || v->magnitude > word_max)
			return 0;
		*(__u32 *)at = v->magnitude;
		return 1;
	}
}

static void on_env(struct found *f, const char *key, const struct env_value *v)
{
	if (!strcmp(key, "tracer_name"))
		f->ours = v->kind == ENV_STRING && !strcmp(v->text, TRACER);
	if (!strcmp(key, "wire_version") && v->kind == ENV_NUMBER)
		f->version = v->magnitude;
	for (unsigned i = 0; i < ROW_CNT; i++) {
		if (strcmp(key, rows[i].key))
			continue;
		if (set_row(&rows[i], v, &f->m))
			f->keys |= 1U << i;
		else
			f->bad_key = rows[i].key;
	}
}

static int on_value(void *ctx, const char *block, const char *key, const struct env_value *v)
{
	struct found *f = ctx;

	if (!strcmp(block, "env"))
		on_env(f, key, v);
	if (!strcmp(block, "trace") && !strcmp(key, "byte_order") && v->kind == ENV_WORD)
		snprintf(f->byte_order, sizeof(f->byte_order), "%.7s", v->text);
	if (!strcmp(block, "trace") && !strcmp(key, "uuid") && v->kind == ENV_STRING)
		f->uuid = parse_uuid(v->text, f->m.uuid);
	return 0;
}

static int ends_whole(const char *text, size_t len)
{
	const size_t last = strlen(LAST_LINE);

	return len >= last && !memcmp(text + len - last, LAST_LINE, last);
}

/* A key that is missing, unusable, or makes no sense with the others; NULL = none. */
static const char *find_bad_key(const struct found *f)
{
	const struct session *s = &f->m.session;
	__s64 wall;

	if (f->bad_key)
		return f->bad_key;
	if (!f->uuid)
		return "uuid";
	for (unsigned i = 0; i < ROW_CNT; i++) {
		if (rows[i].required && !(f->keys & 1U << i))
			return rows[i].key;
	}
	if (!s->cpus || s->cpus > CPUS_LIMIT)
		return "cpus";
	if (s->end_ns && s->end_ns < s->start_ns)
		return "end_ns";
	if (__builtin_add_overflow((__s64)s->start_ns, s->wall_start_ns, &wall))
		return "wall_start_ns";
	if (__builtin_add_overflow((__s64)s->end_ns, s->wall_end_ns, &wall))
		return "wall_end_ns";
	if (__builtin_add_overflow((__s64)s->trigger_ns, s->wall_start_ns, &wall))
		return "trigger_ns";
	return NULL;
}

/* From the most telling answer to the least: a newer version may well look damaged to us. */
static int judge(const char *path, const struct found *f, int whole)
{
	const char *key;

	if (!f->ours)
		return err__say(EINVAL, "%s: not the metadata of a kvmsched recording", path);
	if (f->version > KS_WIRE_VERSION)
		return err__say(EPROTONOSUPPORT,
				"%s: recorded by a newer kvmsched (wire version %llu, "
				"this one knows %d)",
				path, (unsigned long long)f->version, KS_WIRE_VERSION);
	if (!whole)
		return err__say(EBADMSG, "%s: truncated or damaged", path);
	if (strcmp(f->byte_order, BYTE_ORDER_WORD))
		return err__say(EPROTONOSUPPORT,
				"%s: recorded on a machine of the other byte order (%s)", path,
				f->byte_order);
	key = f->version ? find_bad_key(f) : "wire_version";
	return key ? err__say(EBADMSG, "%s: damaged: bad or missing %s", path, key) : 0;
}

int ctf_metadata__parse(const char *path, const char *text, size_t len, struct ctf_metadata *m)
{
	struct found f = {};
	int bad = env__parse(text, len, on_value, &f);
	int err = judge(path, &f, !bad && ends_whole(text, len));

	if (err)
		return err;
	*m = f.m;
	return 0;
}

int ctf_metadata__is_ours(const char *text, size_t len)
{
	struct found f = {};

	env__parse(text, len, on_value, &f);
	return f.ours;
}
