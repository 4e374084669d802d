/* SPDX-License-Identifier: BSD-2-Clause */
/* How much memory is in use: under AddressSanitizer, mallinfo2() does not know. */
#ifndef KVMSCHED_ALLOCATED_H
#define KVMSCHED_ALLOCATED_H

#include <malloc.h>
#include <stddef.h>

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static inline size_t allocated_bytes(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	return mallinfo2().uordblks;
}

#endif
