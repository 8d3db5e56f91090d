/* SPDX-License-Identifier: MIT */
/*
 * questions.h - a worker asks the other hosts of its cluster, by its bridge.
 *
 *	worker					bridge
 *	questions_put()
 *	  a free slot is its own, the question
 *	  in it; asked + 1, doorbell  ----->	questions_next() in its next turn
 *						  (the hosts are asked)
 *	questions_take()  <-----------------	questions_answer(), doorbell
 *	questions_leave(): the slot is free
 *
 * Question and answer are written and read as words.h says.  An `id' belongs to
 * one question alone, and grows with each in its slot.  So nobody waits for
 * anybody in here:
 *
 *	the worker gives	the slot is free, and may be asked in again; what is
 *	up			told later is told to an `id' that nobody waits for
 *	it dies			its successor lets go of what it had
 *	the bridge dies		its successor finds what was not answered, and asks
 *				once more; the worker's patience goes on meanwhile
 *	either dies while	the word that says that it is whole does not, until
 *	it writes		the next writer's does
 *
 * What the bytes mean is no matter of this module (broker/cluster/question.h).
 */

#ifndef BROKER_SHARED_QUESTIONS_H
#define BROKER_SHARED_QUESTIONS_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define QUESTIONS_LEN_MAX  (8u * LAYOUT_QUESTION_WORDS) /* of a question */
#define QUESTIONS_TOLD_MAX (8u * LAYOUT_GATHERED_WORDS) /* of an answer */

#define QUESTIONS_NONE UINT32_MAX /* no slot */

/*
 * Ask this, of at most QUESTIONS_LEN_MAX bytes; then ring the bridge's doorbell.
 * Callers: that worker.
 * Returns: the slot, which is this worker's from now on, and *id; or
 *          QUESTIONS_NONE: all are taken.
 */
uint32_t questions_put(struct segment *seg, unsigned worker, const void *bytes,
    size_t len, uint64_t *id);

/* Append the answer to out.  Callers: whose slot it is.  Returns false if it is
 * not there (yet). */
bool questions_take(
    const struct segment *seg, uint32_t slot, uint64_t id, struct buf *out);

/* Let go of a slot.  Callers: whose it is. */
void questions_leave(struct segment *seg, uint32_t slot);

/* Let go of all that a worker, now dead, had asked.  Callers: the successor,
 * before it asks anything. */
void questions_clear_worker(struct segment *seg, unsigned worker);

/* The bridge's memory of what it has been asked. */
struct questions_seen {
	uint64_t asked; /* as of its last look */
	uint64_t ids[LAYOUT_QUESTIONS];
};

/* What was answered is known; what was not is new.  Callers: a bridge that
 * starts. */
void questions_seen_init(
    struct questions_seen *seen, const struct segment *seg);

/* Whether there may be something new; costs one load. */
static inline bool
questions_may_be(const struct questions_seen *seen, const struct segment *seg)
{
	return atomic_load_explicit(&seg->header->cluster.asked,
		   memory_order_seq_cst) != seen->asked;
}

/* A question, copied. */
struct questions_one {
	uint32_t slot;
	unsigned worker; /* who asks */
	uint64_t id;
	size_t len;
	unsigned char bytes[QUESTIONS_LEN_MAX];
};

/* The next one that is new.  Callers: the bridge.  Returns false: there is
 * none. */
bool questions_next(struct questions_seen *seen, const struct segment *seg,
    struct questions_one *one);

/* Tell the answer to a question, of at most QUESTIONS_TOLD_MAX bytes; then ring
 * the worker's doorbell.  Callers: the bridge. */
void questions_answer(struct segment *seg, uint32_t slot, uint64_t id,
    const void *bytes, size_t len);

#endif
