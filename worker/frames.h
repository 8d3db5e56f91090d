/* SPDX-License-Identifier: MIT */
/*
 * frames.h - the messages of one turn, each encoded once for all who get it.
 *
 * An arena of WebSocket frames that lives for one turn of the event loop.
 * Frames lie one behind another, and a table says where each ends, so a run of
 * neighbours is just two numbers: that is all that a subscriber costs per
 * topic and turn, however many messages there were.
 *
 *	bytes  | frame 0 | frame 1  | frame 2 |
 *	ends             ^          ^         ^
 */

#ifndef WORKER_FRAMES_H
#define WORKER_FRAMES_H

#include <stddef.h>
#include <stdint.h>

struct frames {
	unsigned char *bytes; /* owned */
	size_t size;          /* allocated */
	size_t *ends;         /* owned; of each frame, in bytes */
	uint32_t count;
	uint32_t max; /* allocated */
};

void frames_init(struct frames *frames);
void frames_fini(struct frames *frames);

/* Forget all frames; the memory stays. */
void frames_reset(struct frames *frames);

/*
 * Append the raw form of a stored message: a text frame with the string that
 * the JSON text stands for, or the JSON text itself if it is no string.
 */
void frames_add_raw(struct frames *frames, const char *json, uint32_t len);

/* Where a frame starts, or (index = count) where the next one would. */
static inline size_t
frames_start(const struct frames *frames, uint32_t index)
{
	return index == 0 ? 0 : frames->ends[index - 1];
}

#endif
