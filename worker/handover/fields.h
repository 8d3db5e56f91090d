/* SPDX-License-Identifier: MIT */
/*
 * fields.h - bytes as a row of tagged fields, so that a format can grow.
 *
 *	| tag 16 | 0 16 | length 32 | bytes ... | tag 16 | ...
 *
 * Numbers are in the host's byte order: the bytes go from one process to another
 * on one machine.  Tags never decrease.  A reader that does not know a tag skips
 * the field if the tag has FIELD_OPTIONAL, and gives up otherwise, so whoever
 * adds a field decides by its tag whether older programs may do without.
 */

#ifndef WORKER_HANDOVER_FIELDS_H
#define WORKER_HANDOVER_FIELDS_H

#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bit of a tag: who does not know the field may leave it out. */
#define FIELD_OPTIONAL 0x8000u

/* Bytes in front of a field's own. */
#define FIELD_HEAD 8u

struct field {
	uint32_t tag;
	uint32_t len;            /* bytes */
	const unsigned char *at; /* borrowed; not aligned */
};

/* A reader's place. */
struct fields {
	const unsigned char *at; /* borrowed */
	size_t left;             /* bytes */
	uint32_t tag;            /* of the field before; 0: none */
};

enum fields_status {
	FIELDS_OK = 0, /* here is one */
	FIELDS_END,    /* there are no more */
	FIELDS_BROKEN, /* a length is too long, or the tags' order is wrong */
};

/*
 * Append a field of two parts, either of which may have no bytes.  tag > 0.
 * Returns: false, and appends nothing, if they are too long together for a
 *          field.
 */
bool fields_add(struct buf *out, uint32_t tag, const void *first,
    size_t first_len, const void *second, size_t second_len);

/* Read from the start. */
void fields_begin(struct fields *fields, const void *data, size_t len);

/* Take the next field. */
enum fields_status fields_next(struct fields *fields, struct field *field);

#endif
