/* SPDX-License-Identifier: MIT */
/* inspected.h - a segment as `inspect' has found it, and its topics. */

#ifndef BROKER_CLI_INSPECTED_H
#define BROKER_CLI_INSPECTED_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

enum inspect_verdict {
	INSPECT_GOOD = 0,
	INSPECT_REPAIRED, /* a start repairs it, and then it is good */
	INSPECT_CHANGING, /* it is written to, so it cannot be told */
	INSPECT_DAMAGED,  /* a start makes a new ring */
};

struct inspected {
	const char *name;
	struct segment seg; /* of a dead server a private copy; owned */
	bool is_alive;      /* a server, or a worker of a killed one */
	uid_t owner;
	/* As found, before any repair. */
	uint64_t head, applied, reserve, lock_owner;
	uint32_t making; /* slot + 1 of the directory */
	enum inspect_verdict verdict;
	char why[SEGMENT_ERROR_MAX]; /* of CHANGING and DAMAGED */
};

/* Fill in the words as found and the verdict; repairs seg if nobody is alive. */
void inspected_judge(struct inspected *it);

/* "good", "repaired", "changing" or "damaged". */
const char *inspected_verdict(enum inspect_verdict verdict);

struct inspected_topic {
	uint32_t slot;
	uint64_t seq, base;
	uint64_t last; /* position of its last record, 0: none */
	uint64_t subscribers;
	const char *name; /* borrowed; NULL: just being changed */
	uint8_t name_len;
};

/* Read the topic of a slot.  Returns false if there is none. */
bool inspected_topic(
    const struct inspected *it, uint32_t slot, struct inspected_topic *topic);

/* Slots of the directory that have ever been used. */
uint32_t inspected_used(const struct inspected *it);

/* A text in the segment's memory; "" if it has been overwritten so that it does
 * not end. */
static inline const char *
inspected_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL ? text : "";
}

#endif
