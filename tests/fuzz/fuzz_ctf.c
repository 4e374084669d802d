// SPDX-License-Identifier: BSD-2-Clause
/*
 * libFuzzer target: opens a damaged recording and reads all of it. The input is a list of
 * changes to a valid one, so that the fuzzer need not find out what a packet looks like; one
 * kind of change replaces a whole file by the rest of the input. Aborts if what is handed out
 * is not whole records. Leaves its scratch directory behind (libFuzzer ends without a word):
 * set TMPDIR to one that is thrown away.
 *
 *	clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -Ibpf -Iuser
 *		tests/fuzz/fuzz_ctf.c user/ctf_*.c user/session.c user/err.c -o fuzz_ctf
 *	./fuzz_ctf -max_total_time=60 -timeout=10
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctf_metadata.h"
#include "ctf_packet.h"
#include "ctf_reader.h"
#include "../unit/ctf_synth.h"
#include "../unit/ctf_files.h"

static const char *const names[] = {
	"metadata",	  ".progress",	 "cpu0000_000000", "cpu0000_000001",
	"cpu0000_000002", "meta_000000", "meta_000001",
};
#define FILES (sizeof(names) / sizeof(*names))

static char path[CTF_PATH];
static struct {
	char name[CTF_PATH + 32];
	char *data;
	size_t bytes;
	int changed;
} file[FILES];

/* Not ended, so that .progress counts. */
static void make_recording(void)
{
	struct synth made = {.state = 5};
	struct session s = synth_session(1);
	const __u64 none[2] = {};
	struct ctf_writer *w;

	if (ctf_writer__new(&w, path, &s, NULL))
		abort();
	for (unsigned i = 0; i < 20; i++) {
		const unsigned stream = i == 10;
		struct synth_batch b = synth_batch(&made, stream, 50);

		if (synth_append(&made, w, stream, &b) || ctf_writer__commit(w, none, b.last_ts))
			abort();
	}
	ctf_writer__free(w);
	synth_free(&made);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char top[64];

	(void)argc;
	(void)argv;
	stderr = fopen("/dev/null", "w"); /* libFuzzer has kept the real one */
	files_scratch(top, sizeof(top), path);
	make_recording();
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(file[i].name, sizeof(file[i].name), "%s/%s", path, names[i]);
		file[i].data = files_load(file[i].name, &file[i].bytes);
	}
	return 0;
}

/* One change; returns how much of the input it took. */
static size_t change(const uint8_t *in, size_t left)
{
	const unsigned n = in[0] % FILES, kind = in[1] % 16, len = in[4];
	const size_t offset = (in[2] | in[3] << 8) % (file[n].bytes + 1);

	file[n].changed = 1;
	if (kind == 0) {
		files_store(file[n].name, in + 5, left - 5);
		return left;
	}
	if (kind == 1) {
		unlink(file[n].name);
		return 5;
	}
	if (access(file[n].name, F_OK))
		return 5;
	if (kind == 2) {
		if (truncate(file[n].name, offset))
			abort();
		return 5;
	}
	if (len > left - 5)
		return left;
	if (len)
		files_patch(file[n].name, kind < 8 ? offset % sizeof(struct ctf_packet) : offset,
			    in + 5, len);
	return 5 + len;
}

static void restore(void)
{
	for (unsigned i = 0; i < FILES; i++) {
		if (file[i].changed)
			files_store(file[i].name, file[i].data, file[i].bytes);
		file[i].changed = 0;
	}
}

static void check_whole(const struct ctf_chunk *c)
{
	size_t at = 0, size;

	for (; at < c->bytes; at += size) {
		size = record__size(((const struct ks_head *)(c->data + at))->type);
		if (!size)
			abort();
	}
	if (at != c->bytes)
		abort();
}

static void read_recording(__u64 seek_ns)
{
	struct ctf_reader *r;
	struct ctf_chunk c;
	struct session s;

	if (ctf_reader__open(&r, path, &s))
		return;
	if (s.end_ns < s.start_ns)
		abort();
	for (int pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < ctf_reader__streams(r); i++) {
			while (ctf_reader__next(r, i, &c) == 1)
				check_whole(&c);
			ctf_reader__discarded(r, i);
		}
		ctf_reader__seek(r, seek_ns);
	}
	ctf_reader__damaged(r);
	ctf_reader__free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t bytes)
{
	const uint8_t *end = in + bytes;

	while (end - in >= 5)
		in += change(in, end - in);
	read_recording(SYNTH_START_NS + 1000);
	restore();
	return 0;
}
