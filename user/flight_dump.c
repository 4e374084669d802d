// SPDX-License-Identifier: BSD-2-Clause
/* From the hold to the writer. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "err.h"
#include "flight_dump.h"
#include "record.h"

#define NUMBER_MAX 1000000000UL

/* ---- names -------------------------------------------------------------------------------- */

/* N, if the name is BASE.N; else 0. */
static unsigned long number_in(const char *name, const char *base)
{
	size_t len = strlen(base);
	unsigned long n;
	char *end;

	if (strncmp(name, base, len) || name[len] != '.' || !isdigit((unsigned char)name[len + 1]))
		return 0;
	n = strtoul(name + len + 1, &end, 10);
	return *end || n >= NUMBER_MAX ? 0 : n;
}

unsigned dump__number(const char *dir)
{
	char path[DUMP_DIR_MAX], name[DUMP_DIR_MAX];
	const char *base;
	unsigned long last = 0, n;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s", dir);
	snprintf(name, sizeof(name), "%s", dir);
	base = basename(name);
	d = opendir(dirname(path));
	while (d && (e = readdir(d))) {
		n = number_in(e->d_name, base);
		last = n > last ? n : last;
	}
	if (d)
		closedir(d);
	return last + 1;
}

int dump__name(const char *dir, unsigned number, char out[DUMP_DIR_MAX])
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	if (snprintf(out, DUMP_DIR_MAX, "%.*s.%u", (int)len, dir, number) < DUMP_DIR_MAX)
		return 0;
	return err__say(ENAMETOOLONG, "-o");
}

/* ---- writing ------------------------------------------------------------------------------ */

static int append_pile(struct dump *d, const struct keep_pile *p, __u64 ts)
{
	return p->count ? ctf_writer__append(d->writer, d->s.cpus, p->data, p->bytes, p->count, ts,
					     ts)
			: 0;
}

static int write_start(struct dump *d)
{
	struct keep_pile p = {.count = 0};
	int err = who__put_start(d->who, &d->s, &p);

	err = err ? err__say(err, "%s", d->dir) : append_pile(d, &p, d->s.start_ns);
	free(p.data);
	return err;
}

int dump__begin(struct dump *d, struct hold *h, struct who *w, const struct session *s,
		const struct ctf_writer_opts *o)
{
	int err;

	d->hold = h;
	d->who = w;
	d->s = *s;
	err = ctf_writer__new(&d->writer, d->dir, s, o);
	if (err) {
		d->writer = NULL;
		return err;
	}
	who__open(w);
	hold__rewind(h);
	err = write_start(d);
	if (err)
		dump__discard(d);
	return err;
}

/* Of the bytes at p, whole records of the dump: at most `most` bytes or so. */
static size_t cut(struct dump *d, const char *p, size_t bytes, size_t most, __u32 *count,
		  __u64 *last_ts)
{
	size_t at = 0;

	for (*count = 0; at < bytes && at < most; ++*count) {
		const struct ks_head *r = (const void *)(p + at);

		if (r->ts > d->s.end_ns)
			break;
		who__inside(d->who, r);
		*last_ts = r->ts;
		at += record__size(r->type);
	}
	return at;
}

/* The bytes written, 0 = there is nothing now, or -errno. */
static long write_some(struct dump *d, unsigned stream, size_t most)
{
	const char *p;
	__u32 count;
	__u64 last_ts;
	size_t n = hold__peek(d->hold, stream, &p);
	int err;

	n = n ? cut(d, p, n, most, &count, &last_ts) : 0;
	if (!n)
		return 0;
	err = ctf_writer__append(d->writer, stream, p, n, count, ((const struct ks_head *)p)->ts,
				 last_ts);
	if (err)
		return err;
	hold__pass(d->hold, stream, n);
	return n;
}

int dump__write(struct dump *d, size_t bytes)
{
	for (unsigned i = 0; i < d->hold->streams; i++) {
		long n;

		while ((n = write_some(d, i, bytes)) > 0) {
			if ((size_t)n >= bytes)
				return 1;
			bytes -= n;
		}
		if (n)
			return n;
	}
	return 0;
}

int dump__write_block(struct dump *d, unsigned stream)
{
	long n = write_some(d, stream, d->hold->block_bytes);

	return n < 0 ? n : 0;
}

/* ---- rounds and the end ------------------------------------------------------------------- */

int dump__commit(struct dump *d, const __u64 *discarded, __u64 watermark_ns)
{
	return ctf_writer__commit(d->writer, discarded, watermark_ns);
}

/* What came behind the end, as far as it has come. */
static void look_behind(struct dump *d)
{
	const struct ks_head *r;

	for (unsigned i = 0; i < d->hold->streams; i++) {
		struct hold_cursor c = d->hold->stream[i].cursor;

		while ((r = hold__next(d->hold, i, &c)))
			if (r->ts > d->s.end_ns)
				who__behind(d->who, r);
	}
}

static int write_end(struct dump *d, __u64 *discarded)
{
	struct keep_pile p = {.count = 0};
	__u64 told = 0, missing;
	int err;

	look_behind(d);
	for (unsigned i = 0; i < d->hold->streams; i++)
		told += discarded[i];
	missing = who__missing(d->who);
	if (missing > told)
		discarded[d->s.cpus] += missing - told;
	err = who__put_tails(d->who, &d->s, &p);
	err = err ? err__say(err, "%s", d->dir) : append_pile(d, &p, d->s.end_ns);
	free(p.data);
	return err;
}

int dump__end(struct dump *d, __u64 *discarded)
{
	int err = write_end(d, discarded);

	err = err ?: ctf_writer__commit(d->writer, discarded, d->s.end_ns);
	err = err ?: ctf_writer__close(d->writer, &d->s);
	ctf_writer__free(d->writer);
	d->writer = NULL;
	who__close(d->who);
	return err;
}

void dump__discard(struct dump *d)
{
	ctf_writer__discard(d->writer);
	d->writer = NULL;
	who__close(d->who);
}
