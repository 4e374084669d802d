/* SPDX-License-Identifier: BSD-2-Clause */
/* One look per state of a vCPU, the same in every output. */
#ifndef KVMSCHED_STYLE_H
#define KVMSCHED_STYLE_H

#include "term.h"
#include "vcpu.h"

enum term_style style__of_state(enum state st);

#endif
