/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading and attaching the BPF programs that a mode needs, and explaining why that failed.
 */
#ifndef KVMSCHED_LIVE_LOAD_H
#define KVMSCHED_LIVE_LOAD_H

#include "live.h"

struct kvmsched_bpf;

/* Opens, configures and loads. Says why not, returns -errno. */
int live_load(struct kvmsched_bpf **skel, const struct live_opts *o, unsigned cpus);

/* Attaches everything that was loaded. */
int live_attach(struct kvmsched_bpf *skel);

#endif
