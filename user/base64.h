/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes as RFC 4648 base64, for where only text goes. Pure. */
#ifndef KVMSCHED_BASE64_H
#define KVMSCHED_BASE64_H

#include <stddef.h>

/* How long the text of so many bytes is. */
#define BASE64_SIZE(bytes) (((size_t)(bytes) + 2) / 3 * 4)

/* Writes BASE64_SIZE(bytes) characters, padded, without a NUL. Returns how many. */
size_t base64__encode(const void *data, size_t bytes, char *out);

#endif
