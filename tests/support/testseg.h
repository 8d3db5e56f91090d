/* SPDX-License-Identifier: MIT */
/*
 * testseg.h - a segment in plain memory, and hands to write and read it.
 *
 * The memory is shared with children and has a forbidden page on either side,
 * so that whoever reaches beyond the ring's last byte dies, with sanitizers or
 * without.  Nothing here knows cmocka: a wrong use aborts by CHECK(), which is
 * also what a child process of a test needs.
 */

#ifndef TESTS_TESTSEG_H
#define TESTS_TESTSEG_H

#include "broker/ring/ring.h"
#include "broker/shared/segment.h"

#include <stddef.h>
#include <stdint.h>

#define TESTSEG_WORKERS 8u  /* N of the run that a test segment is in */
#define TESTSEG_KEYS    8u  /* keys of publishes that it remembers */
#define TESTSEG_CHUNKS  12u /* of last values */
#define TESTSEG_MEMBERS 8192u

struct testseg {
	struct segment seg;
	unsigned char *mapping; /* with the forbidden pages */
	size_t mapped;          /* bytes */
};

/* Make a formatted segment, in a run of TESTSEG_WORKERS. */
void testseg_open(struct testseg *t, uint64_t ring_size, uint32_t topics_max);

void testseg_close(struct testseg *t);

/* A copy of the whole segment, and back: how a test plays death.
 * Owns: the caller, by free(3). */
unsigned char *testseg_save(const struct testseg *t);
void testseg_restore(struct testseg *t, const unsigned char *saved);

/* Take the lock, however long others have it. */
void hand_lock(struct ring *ring);

/* The slot of a topic, made if need be; takes the lock. */
uint32_t hand_topic(struct ring *ring, const char *name);

/* The slot of a topic that there is, or TOPICS_NONE.  Takes no lock: nobody may
 * write meanwhile. */
uint32_t hand_find(const struct segment *seg, const char *name);

/* Publish one text; takes the lock.  Returns its number. */
uint64_t hand_publish(struct ring *ring, uint32_t topic, const char *text);

/* A message as ring_publish() wants it; borrows the text. */
struct ring_msg hand_msg(uint32_t topic, const char *text);

/* A reader of everything, with a batch of its own. */
struct reader {
	struct ring ring;
	struct ring_cursor cur;
	struct ring_batch batch;
	uint64_t *wanted; /* all bits set to begin with */
};

/* Start a reader at the head.  size: bytes of its batch. */
void reader_open(
    struct reader *r, struct segment *seg, size_t records_max, size_t size);

void reader_close(struct reader *r);

/* ring_tail() with the reader's own things. */
enum ring_status reader_read(struct reader *r);

#endif
