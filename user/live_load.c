// SPDX-License-Identifier: BSD-2-Clause
/*
 * From options to loaded programs. libbpf's own words are kept back and shown only when something
 * failed, below a sentence that says what it means.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include "cgroup.h"
#include "err.h"
#include "host.h"
#include "live_load.h"
#include "step.h"
#include "kvmsched.skel.h"

static char log_text[16384];
static size_t log_len;

/* Keeps the end of it all: a verifier's last words are the ones that count. */
static int keep_log(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	size_t room = sizeof(log_text) - 1, n;
	char *line;
	int len;

	if (level == LIBBPF_DEBUG)
		return 0;
	len = vasprintf(&line, fmt, ap);
	if (len < 0)
		return 0;
	n = (size_t)len < room ? (size_t)len : room;
	if (log_len + n > room) {
		memmove(log_text, log_text + log_len + n - room, room - n);
		log_len = room - n;
	}
	memcpy(log_text + log_len, line + len - n, n);
	log_len += n;
	free(line);
	return 0;
}

/* The last lines of what libbpf had to say. */
static void show_log(void)
{
	const char *p = log_text + log_len;
	int lines = getenv("KVMSCHED_DEBUG") ? 1000 : 12;

	while (p > log_text && lines >= 0)
		if (*--p == '\n')
			lines--;
	if (p > log_text)
		p++;
	fputs(p, stderr);
}

/* Which hooks a mode has; programs that are not listed here are loaded in every mode. A hook's
 * programs are compiled in sets (bpf/kvmsched.bpf.c): "in_exit" + the set's suffix. */
#define ALL_MODES (1 << MODE_DEFAULT | 1 << MODE_FULL | 1 << MODE_LIGHT | 1 << MODE_AGGREGATES)
static const struct {
	const char *hook;
	unsigned modes; /* bits: 1 << MODE_* */
} hooks[] = {
	{"out_entry", 1 << MODE_DEFAULT | 1 << MODE_FULL},
	{"out_exit", ALL_MODES},
	{"in_entry", ALL_MODES},
	{"in_exit", 1 << MODE_DEFAULT | 1 << MODE_FULL},
	{"load_entry", 1 << MODE_DEFAULT | 1 << MODE_FULL},
	{"load_exit", 1 << MODE_FULL},
	{"put_entry", 1 << MODE_DEFAULT | 1 << MODE_FULL},
	{"put_exit", 1 << MODE_FULL},
};

static const char *const mode_set[] = {[MODE_DEFAULT] = "",
				       [MODE_FULL] = "_full",
				       [MODE_LIGHT] = "_light",
				       [MODE_AGGREGATES] = "_agg"};

static bool wanted(const char *program, enum session_mode mode, const char *set)
{
	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		size_t len = strlen(hooks[i].hook);

		if (!strncmp(program, hooks[i].hook, len))
			return hooks[i].modes >> mode & 1 && !strcmp(program + len, set);
	}
	return true;
}

/* The mode's own set supposes what most have: see struct mode in bpf/state.bpf.h. */
static void choose_programs(struct kvmsched_bpf *skel, const struct live_opts *o, bool modern)
{
	const struct ks_config *c = &skel->rodata->cfg;
	bool own = modern && !c->loads && !c->by_cpu && !c->by_tid && !(c->aggregate && c->records);
	const char *set = c->aggregate && c->classes ? "_agg_by" : mode_set[o->mode];
	struct bpf_program *p;

	bpf_object__for_each_program(p, skel->obj) bpf_program__set_autoload(
		p, wanted(bpf_program__name(p), o->mode, own ? set : "_any"));
}

/* A vCPU's sums take 16 KB, whether there is a vCPU or not. */
#define AGGS 1024

static __u32 max_vcpus(const struct live_opts *o)
{
	return o->max_vcpus ?: o->mode == MODE_AGGREGATES ? AGGS : KS_SLOTS;
}

/* Places in a ring of about the wanted size: a power of two. */
static __u32 ring_places(__u64 bytes)
{
	__u32 places = 64;

	while (places < 1U << 24 && (__u64)places * 2 * KS_RECORD_MAX <= bytes)
		places *= 2;
	return places;
}

static int size_maps(struct kvmsched_bpf *skel, unsigned cpus, __u32 places, __u32 aggs)
{
	if (bpf_map__set_max_entries(skel->maps.rings, cpus) ||
	    bpf_map__set_value_size(skel->maps.rings,
				    sizeof(struct ks_ring) + places * KS_RECORD_MAX) ||
	    bpf_map__set_max_entries(skel->maps.tasks,
				     bpf_map__max_entries(skel->maps.tasks) * cpus) ||
	    (aggs && bpf_map__set_max_entries(skel->maps.aggs, aggs)))
		return err__say(errno, "sizing the maps for %u CPUs", cpus);
	return 0;
}

static int configure(struct kvmsched_bpf *skel, const struct live_opts *o, __u32 places)
{
	const struct filter *f = o->filter;
	struct ks_config *c = &skel->rodata->cfg;
	int err;

	c->light = session__two_hooks(o->mode);
	c->aggregate = o->mode == MODE_AGGREGATES;
	c->records = !c->aggregate || o->records;
	c->classes = o->classes;
	for (unsigned i = 0; i < KS_BUCKET_REST; i++)
		*(__u8 *)&skel->rodata->bucket_rest[i] = ks_bucket(i);
	c->full = o->mode == MODE_FULL;
	c->loads = o->loads;
	c->own_btf = o->btf != NULL;
	c->slots = c->aggregate ? KS_SLOTS : max_vcpus(o);
	c->aggs = c->aggregate ? max_vcpus(o) : 0;
	c->ring_places = places;
	c->by_tgid = f->tgids || f->vms;
	c->by_name = f->vms > 0;
	c->by_tid = f->tids > 0;
	c->by_cpu = f->by_cpu;
	memcpy(c->cpus, f->cpus, sizeof(c->cpus));
	c->vcpu_ranges = f->vcpus;
	for (unsigned i = 0; i < f->vcpus; i++) {
		c->vcpus[i].from = f->vcpu[i].from;
		c->vcpus[i].to = f->vcpu[i].to;
	}
	if (f->cgroups > KS_CGROUPS)
		return err__say(0, "--cgroup: at most %d of them", KS_CGROUPS);
	c->cgroups = f->cgroups;
	for (unsigned i = 0; i < f->cgroups; i++) {
		err = cgroup__find(f->cgroup[i], &c->cgroup[i].id, &c->cgroup[i].level);
		if (err)
			return err__say(err, "--cgroup %s: not found below the cgroup2 mount",
					f->cgroup[i]);
	}
	return 0;
}

static int explain(int err, const struct live_opts *o)
{
	struct host h;

	host__look(&h, o->btf);
	err__say(err, "loading the BPF programs");
	host__advise(&h, stderr);
	if (host__usable(&h) || getenv("KVMSCHED_DEBUG"))
		show_log(); /* nothing obvious is missing: what libbpf said is all there is */
	host__free(&h);
	return -abs(err);
}

/* Refuses what cannot work, and tells what this kernel has. */
static int check_host(const struct live_opts *o, __u16 *fields, bool *modern)
{
	struct host h;
	int err = 0;

	host__look(&h, o->btf);
	*fields = h.fields;
	*modern = h.modern;
	if (!host__usable(&h)) {
		err = err__say(0, "this host cannot be traced");
		host__advise(&h, stderr);
	}
	host__free(&h);
	return err;
}

int live_load(struct kvmsched_bpf **out, const struct live_opts *o, unsigned cpus)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = o->btf);
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct kvmsched_bpf *skel;
	__u32 places = ring_places(o->mode == MODE_AGGREGATES && !o->records ? 0 : o->ring_bytes);
	__u16 fields;
	bool modern;
	int err = check_host(o, &fields, &modern);

	if (!err && o->max_vcpus > KS_SLOTS)
		err = err__say(0, "--max-vcpus: at most %d", KS_SLOTS);
	if (!err && cpus > KS_CPUS_MAX)
		err = err__say(0, "%u CPUs: more than %d are not supported", cpus, KS_CPUS_MAX);
	if (err)
		return err;
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* kernels before 5.11 charge maps to it */
	libbpf_set_print(keep_log);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	skel = kvmsched_bpf__open_opts(&opts);
	if (!skel)
		return explain(errno, o);
	*out = skel;
	skel->rodata->cfg.fields = fields;
	err = size_maps(skel, cpus, places, o->mode == MODE_AGGREGATES ? max_vcpus(o) : 0);
	if (!err)
		err = configure(skel, o, places);
	if (err)
		return err;
	choose_programs(skel, o, modern);
	err = kvmsched_bpf__load(skel);
	return err ? explain(err, o) : 0;
}

/* Exits before entries: what an entry hook has begun is always ended. */
static int attach_exits(struct kvmsched_bpf *skel)
{
	for (int i = 0; i < skel->skeleton->prog_cnt; i++) {
		struct bpf_prog_skeleton *s = &skel->skeleton->progs[i];
		struct bpf_program *p = *s->prog;

		if (!bpf_program__autoload(p) ||
		    bpf_program__expected_attach_type(p) != BPF_TRACE_FEXIT)
			continue;
		*s->link = bpf_program__attach(p);
		if (!*s->link)
			return -errno;
	}
	return 0;
}

int live_attach(struct kvmsched_bpf *skel)
{
	int err = attach_exits(skel);

	if (!err)
		err = kvmsched_bpf__attach(skel); /* those that are not attached yet */
	if (!err)
		return 0;
	err__say(err, "attaching to KVM's functions");
	show_log();
	return err;
}
