// SPDX-License-Identifier: BSD-2-Clause
/* See base64.h. */
#include "base64.h"

size_t base64__encode(const void *data, size_t bytes, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = data;
	char *to = out;

	for (size_t i = 0; i < bytes; i += 3) {
		size_t left = bytes - i;
		unsigned n =
			p[i] << 16 | (left > 1 ? p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);

		*to++ = digits[n >> 18];
		*to++ = digits[n >> 12 & 63];
		*to++ = left > 1 ? digits[n >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[n & 63] : '=';
	}
	return to - out;
}
