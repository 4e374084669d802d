// SPDX-License-Identifier: BSD-2-Clause
/* See style.h. */
#include "style.h"

enum term_style style__of_state(enum state st)
{
	static const enum term_style style[ST_CNT] = {
		[ST_RUNNING] = STYLE_RUNNING,	    [ST_USER] = STYLE_USER,
		[ST_ON_OR_USER] = STYLE_ON_OR_USER, [ST_PREEMPTED] = STYLE_PREEMPTED,
		[ST_HALTED] = STYLE_HALTED,	    [ST_SLEEPING] = STYLE_SLEEPING,
		[ST_ABSENT] = STYLE_ABSENT,	    [ST_UNKNOWN] = STYLE_UNKNOWN,
		[ST_ELSEWHERE] = STYLE_DIM,
	};

	return style[st];
}
