/* SPDX-License-Identifier: MIT */
/*
 * arena.h - the messages of one turn, each encoded once for all who get it.
 *
 * An arena of bytes ready for a socket, that lives for one turn of the event
 * loop.  Frames lie one behind another, and a table says where each ends, so a
 * run of neighbours is just two numbers: that is all that a subscriber costs
 * per topic and turn, however many messages there were.
 *
 *	bytes  | frame 0 | frame 1  | frame 2 |
 *	table            ^          ^         ^   end, topic, number
 *
 * A message has as many forms as there are ways to listen; each is encoded only
 * when somebody on this worker needs it.
 */

#ifndef WORKER_NET_ARENA_H
#define WORKER_NET_ARENA_H

#include "common/buf.h"

#include <stddef.h>
#include <stdint.h>

struct ring_record;

enum frames_form {
	FRAMES_RAW = 0,  /* the message's text alone: the plain contract */
	FRAMES_ENVELOPE, /* pubsubd.v1: an object with topic, number and time */
	FRAMES_EVENT,    /* server-sent event */
	FRAMES_FORMS
};

/* What the table says of a frame. */
struct frames_entry {
	size_t end; /* offset behind its last byte */
	uint64_t seq;
	uint32_t topic; /* directory slot */
};

struct frames {
	struct buf bytes;
	struct frames_entry *table; /* owned */
	uint32_t count;
	uint32_t max; /* allocated */
};

void frames_init(struct frames *frames);
void frames_fini(struct frames *frames);

/* Forget all frames; the memory stays. */
void frames_reset(struct frames *frames);

/*
 * Append a message in a form.  topic_json is its topic as a JSON string
 * (FRAMES_ENVELOPE), epoch the ring's (FRAMES_EVENT); the other may be NULL.
 */
void frames_add(struct frames *frames, enum frames_form form,
    const struct ring_record *rec, const struct buf *topic_json,
    const char *epoch);

/*
 * Put a text frame together by hand: frames_open() leaves room for its header
 * and returns where it starts, the caller appends the text, frames_close()
 * writes the header and moves the text up to it.  Returns by how many bytes.
 */
size_t frames_open(struct buf *buf);
size_t frames_close(struct buf *buf, size_t start);

/* Append bytes that are a frame already, in the name of a topic's number. */
void frames_add_bytes(struct frames *frames, const void *data, size_t len,
    uint32_t topic, uint64_t seq);

/* Where a frame starts, or (index = count) where the next one would. */
static inline size_t
frames_start(const struct frames *frames, uint32_t index)
{
	return index == 0 ? 0 : frames->table[index - 1].end;
}

#endif
