/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every test of recordings on disk begins and ends with: a scratch directory, a recording in
 * it that does not exist yet, made-up records from a seed, and messages that are listened to.
 * Include it after <cmocka.h>; CTF_SEED is the test's own.
 */
#ifndef KVMSCHED_TESTS_CTF_SCENE_H
#define KVMSCHED_TESTS_CTF_SCENE_H

#include "ctf_synth.h"
#include "ctf_files.h"

static char top[64];	    /* the scratch directory, removed at the end */
static char path[CTF_PATH]; /* the recording of the running test */
static struct synth made;

static inline int fresh(void **state)
{
	(void)state;
	files_remove(path);
	synth_free(&made);
	made.state = CTF_SEED;
	listen_begin();
	return 0;
}

static inline int done(void **state)
{
	(void)state;
	listen_end();
	return 0;
}

/* A file of the recording, until the next call. */
static inline const char *in(const char *name)
{
	return files_in(path, name);
}

static inline size_t made_bytes(void)
{
	size_t bytes = 0;

	for (unsigned i = 0; i <= SYNTH_CPUS_MAX; i++)
		bytes += made.stream[i].bytes;
	return bytes;
}

static inline void scene_begin(void)
{
	files_scratch(top, sizeof(top), path);
}

static inline void scene_end(void)
{
	files_remove(path);
	synth_free(&made);
	rmdir(top);
}

#endif
