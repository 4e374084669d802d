// SPDX-License-Identifier: BSD-2-Clause
/* What the reports on a host and on a recording say in the same words. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include "err.h"
#include "info.h"
#include "wire.h"

static const struct {
	__u32 bit;
	const char *name, *with, *without;
} fields[] = {
	{KS_M_SCHEDULED_OUT, "scheduled_out", "check verifies it",
	 "since 6.11; check applies the rules of older kernels"},
	{KS_M_WANTS_TO_RUN, "wants_to_run", "tells absences in other ioctls from preemptions",
	 "since 6.11; absences in other ioctls count as preemptions"},
	{KS_M_BLOCKING, "blocking", "tells halted from sleeping",
	 "since 5.16; halted counts as sleeping"},
	{KS_M_SCHED_DELAYED, "sched_delayed", "a delayed dequeue does not pass for runnable",
	 "since 6.12, with delayed dequeue; not needed before"},
	{KS_M_RUN_DELAY, "run_delay", "run delay also of blocked absences",
	 "CONFIG_SCHED_INFO is off: no run delay of blocked absences"},
	{KS_M_QUOTA, "quota", "tells when CPU bandwidth (cpu.max) held a vCPU up",
	 "CONFIG_CFS_BANDWIDTH is off: there are no quotas"},
};
#define FIELDS (sizeof(fields) / sizeof(*fields))

void info_row(const char *label, const char *fmt, ...)
{
	va_list ap;

	printf("%-14s", label);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void info_print_fields(const struct term *t, __u32 have)
{
	for (size_t i = 0; i < FIELDS; i++) {
		bool yes = have & fields[i].bit;
		enum term_style style = yes ? STYLE_GOOD : STYLE_DIM;

		info_row(i ? "" : "fields", "%-14s %s%-3s%s  %s", fields[i].name,
			 term__on(t, style), yes ? "yes" : "no", term__off(t, style),
			 yes ? fields[i].with : fields[i].without);
	}
}

void info_json_fields(struct json *j, __u32 have)
{
	for (size_t i = 0; i < FIELDS; i++)
		json__key_bool(j, fields[i].name, have & fields[i].bit);
}

int info_flush(void)
{
	if (fflush(stdout) || ferror(stdout)) {
		err__say(errno, "writing the report");
		return EXIT_ERROR;
	}
	return EXIT_FINE;
}
