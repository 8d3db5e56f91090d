/* SPDX-License-Identifier: MIT */
/*
 * floor.h - what the parts of the floor share (floor.c says what it is).
 *
 * The connections are known by their descriptors, so all that belongs to one is
 * found by that in a table; what belongs to a room is found by its number.
 */

#ifndef TESTS_FLOOR_FLOOR_H
#define TESTS_FLOOR_FLOOR_H

#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROOMS_MAX 100000u

struct member {
	bool is_open; /* the handshake is answered */
	uint32_t room;
	uint64_t rest;    /* bytes of the present frame that are to come */
	uint8_t head[14]; /* of a header that came in pieces */
	uint8_t head_len;
	struct buf kept; /* intake.c's: a frame that is not whole yet */
};

struct room {
	int *fds;
	size_t count;
	size_t max;
	struct buf out; /* intake.c's: what this turn has for its members */
};

struct floor {
	struct member *members; /* by descriptor */
	size_t members_max;
	size_t members_end; /* behind the last one that there ever was */
	struct room *rooms;
};

extern struct floor floor_state;

/* End the run, having said what was wrong (errno). */
_Noreturn void floor_die(const char *what);

/* Send a member so much.  There are no queues here: whoever does not take all at
 * once ends the run. */
void floor_send(int fd, const void *data, size_t len);

/*
 * The length of a client's header that begins so, and in *payload that of what
 * follows it.
 * Returns: 0 if not enough of it is there.
 */
size_t floor_header(const uint8_t *head, size_t len, uint64_t *payload);

#endif
