/* SPDX-License-Identifier: MIT */
/*
 * overview.h - how the whole server stands, as its segment tells.
 *
 * Everything is read without the lock, word by word, so the numbers are of
 * nearly the same moment and not more.  `status' reads them from outside, a
 * worker for the operator's pages: both see the same.
 */

#ifndef BROKER_STATUS_OVERVIEW_H
#define BROKER_STATUS_OVERVIEW_H

#include "broker/shared/segment.h"
#include "common/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* The states of a server. */
#define OVERVIEW_STATES 5
extern const char *const overview_states[OVERVIEW_STATES];

/* The present state.  Returns "unknown" for a value that a program of another
 * version wrote. */
const char *overview_state(const struct layout_header *header);

uint64_t overview_uptime_ms(const struct layout_header *header);

/* One worker. */
struct overview_worker {
	unsigned slot;
	int pid; /* 0: none */
	const char *state;
	bool is_up;      /* it serves, or finishes what it has */
	uint32_t starts; /* in this run */
	uint64_t lag;    /* bytes of the ring it has still to read */
	const struct layout_worker *of; /* borrowed: its counters */
};

struct overview_worker overview_worker(
    const struct segment *seg, unsigned slot);

/* Append what confines the workers that are up, all of them, or why nothing
 * does: "seccomp, landlock, no_new_privs, user nobody". */
void overview_sandbox(struct buf *buf, const struct segment *seg);

/* Append URLs, which have spaces between them, as the JSON member "listen", an
 * array. */
void overview_json_urls(struct buf *buf, const char *urls);

/* Append all of it as one JSON object and a newline. */
void overview_json(
    struct buf *buf, const struct segment *seg, const char *instance);

#endif
