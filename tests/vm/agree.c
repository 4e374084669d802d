// SPDX-License-Identifier: BSD-2-Clause
/*
 * agree CMD [ARG...]: traces while CMD runs, with programs that make records and add up too, of the
 * same events with the same clock; then compares the summary made of the records with the one made
 * of the kernel's sums, number by number: times to the nanosecond, counts, histograms bucket by
 * bucket (those of the records in the kernel's wider buckets), maxima, who took the CPU.
 *
 * Prints a row per vCPU from both, "ok NAME" or "not ok NAME: why" per vCPU, and a last line.
 * Exit status: 0 they agree, and vCPUs were preempted and halted; else 1.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "aggregate.h"
#include "err.h"
#include "live.h"
#include "order.h"
#include "record.h"
#include "step.h"
#include "units.h"

#define RING_BYTES (64ULL << 20)

struct store {
	char *data;
	size_t bytes, room;
	bool given;
};

struct agree {
	struct session session;
	struct filter filter; /* none */
	struct live *live;
	struct store *stream;
	struct model *of_records, *of_sums;
	struct summary records, sums;
	unsigned compared, failed;
	__u64 absences[ST_CNT], buckets; /* what there was to compare */
};

static int on_batch(void *ctx, const struct batch *b)
{
	struct agree *g = ctx;
	struct store *s = &g->stream[b->stream];

	while (s->room < s->bytes + b->bytes) {
		s->room = s->room ? s->room * 2 : 1 << 20;
		s->data = realloc(s->data, s->room);
		if (!s->data)
			return err__say(ENOMEM, "keeping records");
	}
	memcpy(s->data + s->bytes, b->records, b->bytes);
	s->bytes += b->bytes;
	return 0;
}

static int fill(void *ctx, unsigned stream, const __u8 **data, size_t *bytes)
{
	struct store *s = &((struct agree *)ctx)->stream[stream];

	if (s->given || !s->bytes)
		return 0;
	s->given = true;
	*data = (const __u8 *)s->data;
	*bytes = s->bytes;
	return 1;
}

static int trace(struct agree *g, char **cmd)
{
	__u64 watermark;
	int status, err = live__begin(g->live, &g->session);
	pid_t pid;

	if (err)
		return err;
	pid = fork();
	if (!pid) {
		execvp(cmd[0], cmd);
		_exit(127);
	}
	while (!err && !waitpid(pid, &status, WNOHANG)) {
		live__wait(g->live, -1, -1, 50);
		err = live__drain(g->live, on_batch, g, &watermark);
	}
	if (err || status)
		return err ?: err__say(0, "%s failed", cmd[0]);
	return live__end(g->live, &g->session, on_batch, g);
}

/* Descriptors only, as aggregation has them. */
static int describe(struct agree *g, struct model *m,
		    int (*tell)(struct model *, const struct ks_head *))
{
	const struct store *s = &g->stream[g->session.cpus];
	const char *p = s->data, *end = p + s->bytes;
	int err = 0;

	for (; !err && p < end; p += record__size(((const struct ks_head *)p)->type))
		err = tell(m, (const struct ks_head *)p);
	return err;
}

static int add_records(struct agree *g)
{
	struct model_listener l;
	struct order *order = order__new(g->session.cpus + 1, fill, g);
	const struct ks_head *h;
	int err;

	summary__init(&g->records, &g->session, &g->filter, 0, g->session.end_ns, &l);
	g->of_records = model__new(&g->session, &g->filter, &l);
	if (!order || !g->of_records)
		return -ENOMEM;
	err = describe(g, g->of_records, model__describe);
	while (!err && (h = order__next(order, ~0ULL, &err)))
		err = model__record(g->of_records, h);
	order__free(order);
	model__end(g->of_records, g->session.end_ns);
	return err ?: summary__finish(&g->records, g->of_records, 0);
}

static int add_sums(struct agree *g)
{
	static const struct model_listener nobody;
	struct aggregate *a;
	struct sums sums;
	int err;

	live__sums(g->live, &sums);
	g->of_sums = model__new(&g->session, &g->filter, &nobody);
	a = g->of_sums ? aggregate__new(&g->session, &g->filter, g->of_sums, &sums) : NULL;
	if (!a)
		return -ENOMEM;
	err = describe(g, g->of_sums, aggregate__describe);
	return err ?: aggregate__read(a, g->session.end_ns, false, &g->sums);
}

/* ---- comparing ---------------------------------------------------------------------------- */

static char why[256];

static bool same(const char *what, __u64 records, __u64 sums)
{
	if (records != sums && !why[0])
		snprintf(why, sizeof(why), "%s: records %" PRIu64 ", sums %" PRIu64, what,
			 (uint64_t)records, (uint64_t)sums);
	return records == sums;
}

/* Returns how many buckets have something. */
static unsigned same_hist(const char *name, const struct hist *records, const struct hist *sums)
{
	unsigned buckets = 0;
	__u64 wide[KS_AGG_BUCKETS] = {0};
	struct hist_bucket b;
	char what[64];

	for (unsigned at = 0; hist__next(records, &at, &b);)
		wide[ks_bucket(b.high)] += b.count;
	for (unsigned at = 0; hist__next(sums, &at, &b); buckets++) {
		snprintf(what, sizeof(what), "%s, bucket up to %llu ns", name,
			 (unsigned long long)b.high);
		same(what, wide[ks_bucket(b.high)], b.count);
		wide[ks_bucket(b.high)] = 0;
	}
	for (unsigned i = 0; i < KS_AGG_BUCKETS; i++)
		same(name, wide[i], 0);
	snprintf(what, sizeof(what), "%s, count", name);
	same(what, records->count, sums->count);
	snprintf(what, sizeof(what), "%s, sum", name);
	same(what, records->sum, sums->sum);
	snprintf(what, sizeof(what), "%s, greatest", name);
	same(what, records->max, sums->max);
	return buckets;
}

static void same_vcpu(struct agree *g, const struct summary_vcpu *r, const struct summary_vcpu *s)
{
	__u64 before = g->buckets;

	for (enum state st = 0; st < ST_CNT; st++) {
		same(state__name(st), r->state_ns[st], s->state_ns[st]);
		same(state__name(st), r->state_cnt[st], s->state_cnt[st]);
		g->buckets += same_hist(state__name(st), &r->by_state[st], &s->by_state[st]);
		g->absences[st] += r->state_cnt[st];
	}
	same("run delay", r->run_delay_ns, s->run_delay_ns);
	g->buckets += same_hist("run delay", &r->run_delay, &s->run_delay);
	g->buckets += same_hist("absence", &r->absence, &s->absence);
	printf("  histograms of %" PRIu64 " absences: %" PRIu64
	       " buckets that have any are compared"
	       " (12.5 %% wide: the records' finer ones are put together)\n",
	       (uint64_t)r->absence.count, (uint64_t)(g->buckets - before));
	same("switches", r->switches, s->switches);
	same("reloads", r->reloads, s->reloads);
	same("migrations", r->migrations, s->migrations);
	same("clamped", r->clamped, s->clamped);
	same("unmeasured", r->unmeasured, s->unmeasured);
	same("thread", r->v->v.tid, s->v->v.tid);
}

/* By class, of a VM. */
static void same_takers(const struct agree *g, __u32 vm)
{
	__u64 ns[2][KS_BY_CNT] = {{0}}, count[2][KS_BY_CNT] = {{0}};
	const struct summary *both[] = {&g->records, &g->sums};

	for (int i = 0; i < 2; i++)
		for (unsigned j = 0; j < both[i]->preemptors; j++) {
			const struct summary_preemptor *p = &both[i]->preemptor[j];

			if (p->victim_vm != vm)
				continue;
			ns[i][p->by] += p->time_ns;
			count[i][p->by] += p->count;
		}
	for (int by = 0; by < KS_BY_CNT; by++) {
		same("taken, time", ns[0][by], ns[1][by]);
		same("taken, count", count[0][by], count[1][by]);
	}
}

static void print(const char *which, const struct summary_vcpu *v)
{
	printf("  %-8s on %" PRIu64 ", preempted %" PRIu64 ", halted %" PRIu64 ", sleeping %" PRIu64
	       ", run delay %" PRIu64 " ns; %" PRIu64 " switches, run delay p99 %" PRIu64
	       " max %" PRIu64 "\n",
	       which, (uint64_t)v->state_ns[ST_ON_OR_USER], (uint64_t)v->state_ns[ST_PREEMPTED],
	       (uint64_t)v->state_ns[ST_HALTED], (uint64_t)v->state_ns[ST_SLEEPING],
	       (uint64_t)v->run_delay_ns, (uint64_t)v->switches,
	       (uint64_t)hist__quantile(&v->run_delay, 990), (uint64_t)v->run_delay.max);
}

static const struct summary_vcpu *find(const struct summary *s, __u32 id)
{
	for (unsigned i = 0; i < s->vcpus; i++)
		if (s->vcpu[i].v->id == id)
			return &s->vcpu[i];
	return NULL;
}

static void compare(struct agree *g)
{
	char vm[160];

	why[0] = '\0';
	if (!same("vCPUs", g->records.vcpus, g->sums.vcpus)) {
		printf("not ok vCPUs: %s\n", why);
		g->failed++;
	}
	for (unsigned i = 0; i < g->records.vcpus; i++) {
		const struct summary_vcpu *r = &g->records.vcpu[i], *s = find(&g->sums, r->v->id);

		summary__vm_name(&g->records, r->v->vm, vm, sizeof(vm));
		why[0] = '\0';
		printf("%s vCPU %d\n", vm, r->v->vcpu_id);
		print("records", r);
		if (s) {
			print("sums", s);
			same_vcpu(g, r, s);
			same_takers(g, r->v->vm);
		} else {
			snprintf(why, sizeof(why), "no sums");
		}
		printf("%sok %s vCPU %d%s%s\n", why[0] ? "not " : "", vm, r->v->vcpu_id,
		       why[0] ? ": " : "", why);
		g->compared++;
		g->failed += why[0] != '\0';
	}
}

int main(int argc, char **argv)
{
	struct agree g = {0};
	struct live_opts o = {.mode = MODE_AGGREGATES,
			      .ring_bytes = RING_BYTES,
			      .max_vcpus = 1024,
			      .classes = true,
			      .records = true,
			      .filter = &g.filter};

	err__set_command("agree");
	if (argc < 2 || live__open(&g.live, &o, &g.session))
		return 1;
	g.stream = calloc(g.session.cpus + 1, sizeof(*g.stream));
	if (!g.stream || trace(&g, argv + 1) || add_records(&g) || add_sums(&g))
		return 1;
	for (__u32 i = 0; i <= g.session.cpus; i++)
		if (live__lost(g.live)[i])
			return err__say(0, "records were lost: nothing to compare"), 1;
	compare(&g);
	if (!g.absences[ST_PREEMPTED] || !g.absences[ST_HALTED]) {
		printf("not ok: no vCPU was preempted, or none halted: there was little to compare\n");
		g.failed++;
	}
	printf("%u vCPUs compared, %u differ: %" PRIu64 " records, %" PRIu64
	       " preemptions, %" PRIu64 " halts, %" PRIu64 " sleeps, %" PRIu64 " buckets\n",
	       g.compared, g.failed, (uint64_t)g.records.events, (uint64_t)g.absences[ST_PREEMPTED],
	       (uint64_t)g.absences[ST_HALTED], (uint64_t)g.absences[ST_SLEEPING],
	       (uint64_t)g.buckets);
	live__free(g.live);
	return g.failed || !g.compared;
}
