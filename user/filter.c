// SPDX-License-Identifier: BSD-2-Clause
/*
 * The one filter of every command: parses its options, decides, and writes itself down again. Pure:
 * finds out nothing about a vCPU itself.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include "filter.h"
#include "units.h"

/* ---- parsing ------------------------------------------------------------------------------ */

typedef int (*range_fn)(struct filter *f, __u32 from, __u32 to);

/* "N[,N-M]...": each to add(). */
static int parse_list(struct filter *f, const char *arg, range_fn add)
{
	struct units_range range[KS_CPUS_MAX];
	int cnt = units__ranges(arg, range, KS_CPUS_MAX), err = 0;

	for (int i = 0; i < cnt && !err; i++)
		err = add(f, range[i].from, range[i].to);
	return cnt == -E2BIG ? cnt : cnt < 0 ? -EINVAL : err;
}

static int add_id(__u32 *ids, unsigned *cnt, __u32 from, __u32 to)
{
	if (from != to || !from)
		return -EINVAL; /* no ranges of threads, and no thread 0 */
	if (*cnt == FILTER_MAX)
		return -E2BIG;
	ids[(*cnt)++] = from;
	return 0;
}

static int add_tgid(struct filter *f, __u32 from, __u32 to)
{
	return add_id(f->tgid, &f->tgids, from, to);
}

static int add_tid(struct filter *f, __u32 from, __u32 to)
{
	return add_id(f->tid, &f->tids, from, to);
}

static int add_vcpu(struct filter *f, __u32 from, __u32 to)
{
	if (f->vcpus == FILTER_MAX)
		return -E2BIG;
	f->vcpu[f->vcpus].from = from;
	f->vcpu[f->vcpus++].to = to;
	return 0;
}

static int add_cpus(struct filter *f, __u32 from, __u32 to)
{
	if (to >= KS_CPUS_MAX)
		return -EINVAL;
	for (__u32 cpu = from; cpu <= to; cpu++)
		f->cpus[cpu / 64] |= 1ULL << (cpu % 64);
	f->by_cpu = true;
	return 0;
}

static int add_text(const char **list, unsigned *cnt, const char *arg)
{
	if (!*arg)
		return -EINVAL;
	if (*cnt == FILTER_MAX)
		return -E2BIG;
	list[(*cnt)++] = arg;
	return 0;
}

static int add(struct filter *f, int kind, const char *arg)
{
	switch (kind) {
	case 'v':
		return add_text(f->vm, &f->vms, arg);
	case 'g':
		return add_text(f->cgroup, &f->cgroups, arg);
	case 'p':
		return parse_list(f, arg, add_tgid);
	case 't':
		return parse_list(f, arg, add_tid);
	case 'V':
		return parse_list(f, arg, add_vcpu);
	case 'C':
		return parse_list(f, arg, add_cpus);
	}
	return -EINVAL;
}

int filter__add(struct filter *f, int kind, const char *arg)
{
	struct filter with = *f;
	int err = add(&with, kind, arg);

	if (!err)
		*f = with;
	return err;
}

/* ---- deciding ----------------------------------------------------------------------------- */

bool filter__any(const struct filter *f)
{
	return f->vms || f->cgroups || f->tgids || f->tids || f->vcpus || f->by_cpu || f->also;
}

bool filter__cpu(const struct filter *f, unsigned cpu)
{
	if (!f->by_cpu)
		return true;
	return cpu < KS_CPUS_MAX && (f->cpus[cpu / 64] >> (cpu % 64) & 1);
}

bool filter__name(const struct filter *f, const char *name)
{
	bool match = !f->vms;

	for (unsigned i = 0; i < f->vms && !match; i++)
		/* a name that is not valid in the locale is an error to fnmatch(), even spelled out
		 */
		match = !strcmp(f->vm[i], name) || !fnmatch(f->vm[i], name, 0);
	return match;
}

static bool listed(const __u32 *ids, unsigned cnt, __u32 id)
{
	for (unsigned i = 0; i < cnt; i++)
		if (ids[i] == id)
			return true;
	return !cnt;
}

static bool vcpu_listed(const struct filter *f, __s32 vcpu)
{
	for (unsigned i = 0; i < f->vcpus; i++)
		if (vcpu >= f->vcpu[i].from && vcpu <= f->vcpu[i].to)
			return true;
	return !f->vcpus;
}

/* Both ways of writing a cgroup are the same one: "/sys/fs/cgroup/a.slice/" and "a.slice". */
static const char *cgroup_name(const char *path, size_t *len)
{
	static const char mount[] = "/sys/fs/cgroup";
	const size_t n = sizeof(mount) - 1;

	if (!strncmp(path, mount, n) && (!path[n] || path[n] == '/'))
		path += n;
	while (*path == '/')
		path++;
	for (*len = strlen(path); *len && path[*len - 1] == '/';)
		--*len;
	return path;
}

/* Is `path` the cgroup `top`, or below it? */
static bool cgroup_below(const char *path, const char *top)
{
	size_t path_len, top_len;

	path = cgroup_name(path, &path_len);
	top = cgroup_name(top, &top_len);
	if (!top_len)
		return true; /* everything is below the root */
	return path_len >= top_len && !strncmp(path, top, top_len) &&
	       (path_len == top_len || path[top_len] == '/');
}

static bool cgroup_listed(const struct filter *f, const char *cgroup)
{
	for (unsigned i = 0; i < f->cgroups; i++)
		if (cgroup_below(cgroup, f->cgroup[i]))
			return true;
	return !f->cgroups;
}

bool filter__vm(const struct filter *f, const char *name, __u32 tgid)
{
	return listed(f->tgid, f->tgids, tgid) && filter__name(f, name) &&
	       (!f->also || filter__vm(f->also, name, tgid));
}

bool filter__vcpu(const struct filter *f, const char *vm, __u32 tgid, const char *cgroup,
		  __s32 vcpu, __u32 tid)
{
	return vcpu_listed(f, vcpu) && listed(f->tid, f->tids, tid) && cgroup_listed(f, cgroup) &&
	       filter__vm(f, vm, tgid);
}

/* ---- writing it down ---------------------------------------------------------------------- */

struct text {
	char *out;
	size_t size, len;
	char cut; /* the first byte that did not fit */
};

static void put(struct text *t, const char *s)
{
	for (; *s; s++, t->len++) {
		if (t->len + 1 < t->size)
			t->out[t->len] = *s;
		else if (!t->cut)
			t->cut = *s;
	}
}

static void put_number(struct text *t, __u32 n)
{
	char s[12];

	snprintf(s, sizeof(s), "%u", n);
	put(t, s);
}

static void put_option(struct text *t, const char *name)
{
	if (t->len)
		put(t, " ");
	put(t, name);
	put(t, " ");
}

/* One word, quoted where a shell would take it apart. */
static void put_word(struct text *t, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "%+,-./:=@_";
	char c[2] = "";

	if (!s[strspn(s, plain)]) {
		put(t, s);
		return;
	}
	put(t, "'");
	for (; *s; s++) {
		*c = *s;
		put(t, *s == '\'' ? "'\\''" : c);
	}
	put(t, "'");
}

static void put_words(struct text *t, const char *option, const char *const *words, unsigned cnt)
{
	for (unsigned i = 0; i < cnt; i++) {
		put_option(t, option);
		put_word(t, words[i]);
	}
}

static void put_ids(struct text *t, const char *option, const __u32 *ids, unsigned cnt)
{
	for (unsigned i = 0; i < cnt; i++) {
		if (i)
			put(t, ",");
		else
			put_option(t, option);
		put_number(t, ids[i]);
	}
}

static void put_range(struct text *t, const char *option, bool first, __u32 from, __u32 to)
{
	if (first)
		put_option(t, option);
	else
		put(t, ",");
	put_number(t, from);
	if (to == from)
		return;
	put(t, "-");
	put_number(t, to);
}

static void put_cpus(struct text *t, const struct filter *f)
{
	bool first = true;
	unsigned to;

	if (!f->by_cpu)
		return;
	for (unsigned cpu = 0; cpu < KS_CPUS_MAX; cpu = to + 1) {
		to = cpu;
		if (!filter__cpu(f, cpu))
			continue;
		while (to + 1 < KS_CPUS_MAX && filter__cpu(f, to + 1))
			to++;
		put_range(t, "-C", first, cpu, to);
		first = false;
	}
}

/* Ends the text, and where it is cut, not in the middle of a UTF-8 character. */
static void end_text(struct text *t)
{
	char next = t->cut;

	if (t->len >= t->size)
		t->len = t->size - 1;
	while (t->len && ((unsigned char)next & 0xc0) == 0x80)
		next = t->out[--t->len];
	t->out[t->len] = '\0';
}

void filter__describe(const struct filter *f, char *out, size_t size)
{
	struct text t = {.out = out, .size = size};

	put_words(&t, "--vm", f->vm, f->vms);
	put_ids(&t, "-p", f->tgid, f->tgids);
	for (unsigned i = 0; i < f->vcpus; i++)
		put_range(&t, "--vcpu", !i, f->vcpu[i].from, f->vcpu[i].to);
	put_ids(&t, "-t", f->tid, f->tids);
	put_cpus(&t, f);
	put_words(&t, "--cgroup", f->cgroup, f->cgroups);
	if (size)
		end_text(&t);
}

/* ---- reading it back ---------------------------------------------------------------------- */

/* The next word, its quotes taken off in place; NULL = no more, or a quote that does not end. */
static char *next_word(char **at)
{
	char *in = *at + strspn(*at, " "), *out = in, *word = in;
	bool quoted = false;

	if (!*in)
		return NULL;
	for (; *in && (quoted || *in != ' '); in++) {
		if (*in == '\'')
			quoted = !quoted;
		else if (*in == '\\' && !quoted && in[1])
			*out++ = *++in;
		else
			*out++ = *in;
	}
	*at = *in ? in + 1 : in;
	*out = '\0';
	return quoted ? NULL : word;
}

static int recall_option(struct filter *made, const char *option, const char *arg)
{
	if (!strcmp(option, "--vm"))
		return filter__add(made, 'v', arg);
	if (!strcmp(option, "-p")) /* with --vm, it is for user space to tell them apart */
		return filter__add(made, 'p', arg);
	if (!strcmp(option, "-C"))
		return filter__add(made, 'C', arg);
	return *option == '-' ? 0 : -EINVAL; /* decided when it was recorded */
}

/* Those CPUs that both want. */
static void share_cpus(struct filter *f, const struct filter *made)
{
	for (unsigned i = 0; i < KS_CPUS_MAX / 64 && made->by_cpu; i++)
		f->cpus[i] = f->by_cpu ? f->cpus[i] & made->cpus[i] : made->cpus[i];
	f->by_cpu |= made->by_cpu;
}

int filter__recall(struct filter *f, struct filter *made, char *text)
{
	char *option, *arg, *at = text;

	memset(made, 0, sizeof(*made));
	while ((option = next_word(&at))) {
		arg = next_word(&at);
		if (!arg || recall_option(made, option, arg))
			return -EINVAL;
	}
	if (*at)
		return -EINVAL;
	if (made->vms || made->tgids)
		f->also = made;
	share_cpus(f, made);
	return 0;
}
