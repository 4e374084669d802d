/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.h's records, as CTF's own language describes them to other readers: one table row per field.
 */
#ifndef KVMSCHED_CTF_TSDL_H
#define KVMSCHED_CTF_TSDL_H

#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

/* One member of a record. kind: 'u' unsigned, 's' signed, 'x' printed in hex, 't' text, 'e' enum.
 */
struct tsdl_field {
	const char *name; /* as in wire.h */
	__u16 offset;
	__u16 size;  /* of one element, in bytes */
	__u16 count; /* elements; 0 = not an array */
	char kind;
	const char *of; /* 'e': which enum */
};

struct tsdl_event {
	__u8 id;	  /* KS_OUT ... */
	const char *name; /* the same in lower case */
	__u16 size;
	const struct tsdl_field *field; /* ends with a NULL name */
};

extern const struct tsdl_event tsdl_events[];
extern const unsigned tsdl_event_cnt;

/* The first byte of a record that its fields describe; before it stands what all events begin with,
 * ts and type, as CTF's event header. */
#define TSDL_HEADER_BYTES 9

/* Appends the types, the stream class with its packet and event headers, and all events. */
void tsdl__write(FILE *f);

#endif
