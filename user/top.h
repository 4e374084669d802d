/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `kvmsched top` shows, without a terminal: the rows of the last interval, in which order,
 * what the keys do, and the screen as lines of styled text. Pure but for memory: no clock, no
 * input, no terminal library. Numbers are the summary's.
 */
#ifndef KVMSCHED_TOP_H
#define KVMSCHED_TOP_H

#include "canvas.h"
#include "intervals.h"
#include "matrix.h"

enum top_sort {
	TOP_BY_DELAY,
	TOP_BY_P99,
	TOP_BY_MAX,
	TOP_BY_PREEMPTED,
	TOP_BY_RUNNING,
	TOP_BY_SWITCHES,
	TOP_BY_SINCE, /* in its state now, the longest first */
	TOP_BY_NAME,
	TOP_SORTS
};

enum top_group { TOP_VCPUS, TOP_VMS, TOP_CPUS, TOP_GROUPS };
enum top_page { TOP_LIST, TOP_DETAIL, TOP_MATRIX, TOP_HELP };

/* Keys that are no characters. */
enum {
	TOP_KEY_UP = 0x110000,
	TOP_KEY_DOWN,
	TOP_KEY_LEFT,
	TOP_KEY_RIGHT,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_ENTER,
	TOP_KEY_ESCAPE,
	TOP_KEY_BACKSPACE,
};

/* Sort words as the command line has them, and back; TOP_SORTS, TOP_GROUPS: no such. */
extern const char *const top_sort_names[TOP_SORTS];
extern const char *const top_group_names[TOP_GROUPS];

#define TOP_LAST   8 /* absences kept per vCPU */
#define TOP_FILTER 64

struct top_absence {
	struct absence a;
	__u32 vm, tgid;
	char comm[KS_COMM_LEN + 1];
};

/* What is remembered of a vCPU beyond an interval. */
struct top_past {
	enum state state; /* of its last span, and since when: spans of one state are one */
	__u64 since_ns, to_ns;
	__u64 max_ns, max_at_ns; /* this interval's longest run delay, and when it ended */
	struct top_absence
		last[TOP_LAST]; /* a ring; the newest is last[(absences - 1) % TOP_LAST] */
	__u64 absences;
};

/* How a vCPU stood when the interval ended. */
struct top_now {
	enum state state;
	__u64 since_ns;
	__u16 cpu;	 /* VCPU_NO_CPU: not known */
	__u64 max_at_ns; /* when the interval's longest run delay ended, 0 = not known */
};

/* A line of the list: a vCPU, or the vCPUs of a VM or of a host CPU. */
struct top_row {
	const struct summary_vcpu *sum;
	const struct summary_preemptor *by; /* who took most; of a VM or CPU: NULL */
	const struct matrix_col *taker;	    /* the same of a VM */
	__u64 taken_ns;			    /* what that one took */
	__u32 key;			    /* id of the vCPU or VM, or the CPU */
	unsigned index;		   /* of its first vCPU in the summary: the order by name */
	unsigned vcpus, preempted; /* how many, how many of them are now */
	struct top_now now;	   /* of a vCPU */
	__u64 open_ns;		   /* for how long it, or one of them, is preempted now */
	__u64 max_ns, max_at_ns;   /* the longest run delay, and when it ended; 0 = not known */
};

struct top {
	/* what is shown */
	enum top_page page, under; /* under: where help leads back to */
	enum top_sort sort;
	bool reverse;
	enum top_group group;
	bool within; /* only the vCPUs of one group: of this VM or CPU */
	enum top_group within_group;
	__u32 within_key;
	char filter[TOP_FILTER]; /* glob of VM names; without *?[ a part of them */
	bool editing;
	char before[TOP_FILTER]; /* the filter before it was edited */
	unsigned cursor, first;	 /* the row that Enter means, the first one on the screen */
	unsigned scroll;	 /* of the other pages */
	unsigned page_rows;	 /* how many rows the last layout had room for */
	unsigned page_lines;	 /* how many lines the page has, where it scrolls by lines */
	__u32 vcpu;		 /* whose details */
	bool paused, quit, step, ended;
	bool replay;
	bool keep_past; /* absences are wanted for details */
	/* the interval */
	bool have;
	struct summary sum;
	struct tick tick;     /* its summary pointer is not used */
	struct top_now *now;  /* for each of sum.vcpu[] */
	bool raw;	      /* for machines: preemptors are left as they are */
	bool named;	      /* preemptors are tasks; else only their classes are known */
	struct matrix takers; /* by name, or class; made when VMs are first shown */
	struct top_row *row;
	unsigned rows;
	struct summary_vcpu *group_sum;
	unsigned group_sums;
	struct top_past **past; /* by vCPU id */
	__u32 past_room;
};

void top__init(struct top *t);
void top__free(struct top *t);

/* An interval has ended; takes its summary. 0 or -ENOMEM. */
int top__tick(struct top *t, struct tick *tick);

/* An interval has ended that is not to be seen, as the screen is paused. */
void top__skip(struct top *t);

/* As a sink has them. 0 or -ENOMEM. */
int top__span(struct top *t, const struct model_vcpu *v, const struct span *s);
int top__absence(struct top *t, const struct model_vcpu *v, const struct absence *a,
		 const struct model_task *task);

/* Did this vCPU of the summary exist in the interval, or any? */
bool top__existed(const struct top *t, unsigned i);
bool top__any(const struct top *t);

/* Makes the rows anew after a change of what is shown. 0 or -ENOMEM. */
int top__rows(struct top *t);

/* A key was pressed. 0 or -ENOMEM. */
int top__key(struct top *t, int key);

/* The screen of term->rows lines and term->columns; whole: all rows of the list and nothing of the
 * keys, as wide as term->limit. c is initialised here unless it was before. 0 or -ENOMEM. */
int top__layout(struct top *t, struct canvas *c, const struct term *term, bool whole);

/* ---- between the parts of it --------------------------------------------------------------- */

/* "1.23ms": at most 6 columns up to a day. Returns out. */
const char *top__brief(char *out, size_t size, __u64 ns);
bool top__delay(const struct top *t, const struct summary_vcpu *v,
		__u64 *ns);		     /* false: not known */
__u64 top__longest(const struct top_row *r); /* run delay, the open one included */
void top__vm_name(const struct top *t, const struct term *term, __u32 vm, char *out, size_t size);
/* The bar of the states' shares. */
void top__bar(struct canvas *c, const struct term *term, const struct summary_vcpu *v, __u64 window,
	      unsigned width);
/* "web vCPU 0", "web: vhost-7", "own vCPU 1" (of the same VM), "its CPU quota", escaped. */
void top__taker(const struct top *t, const struct term *term, const struct summary_preemptor *p,
		char *out, size_t size);
/* How much of its run delay was after a wake-up: who had the CPU then is not known. */
__u64 top__woken(const struct top *t, const struct summary_vcpu *v);
int top__join_quota(struct summary *s); /* 0 or -ENOMEM */
#define TOP_PART 8
/* "62%", "<1%". Returns out[TOP_PART]. */
const char *top__part(char *out, __u64 ns, __u64 of);
/* Who took most, and which part of the row's wait that is: " 62% web vCPU 0"; if it is less than
 * what nobody is known of: " 97% ? (woken), 3% kworker/0:2". */
void top__taken_by(const struct top *t, const struct term *term, const struct top_row *r, char *out,
		   size_t size);
void top__list(struct top *t, struct canvas *c, const struct term *term, bool whole);
void top__detail(struct top *t, struct canvas *c, const struct term *term);
void top__matrix(struct top *t, struct canvas *c, const struct term *term);
void top__help(const struct top *t, struct canvas *c, const struct term *term);
/* What the marks of the bar mean that are to be seen in it. */
void top__legend(const struct top *t, struct canvas *c, const struct term *term);

#endif
