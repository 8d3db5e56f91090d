/* SPDX-License-Identifier: MIT */
/* busiest.h - the topics that most was published to between two looks. */

#ifndef BROKER_STATUS_BUSIEST_H
#define BROKER_STATUS_BUSIEST_H

#include "broker/status/look.h"

#include <stddef.h>
#include <stdint.h>

struct busy_topic {
	uint32_t slot;
	uint64_t messages; /* between the looks */
	uint64_t seq;      /* its last number */
	uint64_t subscribers;
	double rate; /* messages per second */
	uint8_t name_len;
	char name[LAYOUT_TOPIC_NAME_MAX + 1]; /* not NUL-terminated */
};

/*
 * Find up to `max' of them, the busiest first; those without a message are none.
 * Names are read from the topics' last records, since those of the directory
 * need the lock; a topic whose last record is overwritten again and again while
 * it is read is left out.
 * Returns: how many.
 */
size_t busiest_find(const struct segment *seg, const struct look *now,
    const struct look *before, struct busy_topic *out, size_t max);

#endif
