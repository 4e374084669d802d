// SPDX-License-Identifier: BSD-2-Clause
/* How much the page knows: what is unknown must not look like all is well. See html_json.h. */
#include "escape.h"
#include "html_json.h"

bool html_json__known(const struct summary_vcpu *v)
{
	__u64 seen_ns = 0;

	for (enum state st = 0; st < ST_CNT; st++)
		if (st != ST_UNKNOWN && st != ST_ABSENT)
			seen_ns += v->state_ns[st];
	return seen_ns || !v->state_ns[ST_UNKNOWN];
}

static void put_known(struct json *j, const struct summary_vcpu *v, __u64 window_ns)
{
	json__key_bool(j, "known", html_json__known(v));
	json__key_u64(j, "unknown_ns", v->state_ns[ST_UNKNOWN]);
	json__key_u64(j, "window_ns", window_ns);
}

int html_json__put_known(struct json *j, const struct html_json *h, unsigned first, unsigned count)
{
	const struct summary *s = h->summary;
	struct summary_vcpu sum;
	int err = summary__add_up(s, first, count, &sum);

	if (!err)
		put_known(j, &sum, (s->to_ns - s->from_ns) * count);
	summary__free_vcpu(&sum);
	return err;
}

void html_json__hidden(struct json *j)
{
	unsigned count;
	const struct escape_range *r = escape__hidden(&count);

	json__key_array(j, "hidden");
	for (unsigned i = 0; i < count; i++) {
		json__array(j);
		json__u64(j, r[i].from);
		json__u64(j, r[i].to);
		json__end_array(j);
	}
	json__end_array(j);
}
