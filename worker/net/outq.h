/* SPDX-License-Identifier: MIT */
/*
 * outq.h - what one slow connection still has to be sent.
 *
 * Exists only while the kernel does not take everything: a connection that
 * keeps up has none.  Items leave in order.  Two kinds: answers (responses,
 * pongs, close frames, gaps, the rest of a frame that was begun) are never
 * dropped; messages are, by the connection's own choice, when too many wait.
 *
 * Who speaks v1 is told what was dropped, at the place in the order where it
 * would have come.  A gap is an item with two numbers in it, of which the
 * second grows as more is dropped; it is written with a fixed width, so that
 * growing changes digits and nothing else.
 *
 * Pure: no socket; what to write comes out as iovecs, what was written goes in
 * as a number.
 */

#ifndef WORKER_NET_OUTQ_H
#define WORKER_NET_OUTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

struct budget;

enum outq_kind { OUTQ_ANSWER, OUTQ_MESSAGE };

/* What happens to a message that finds the queue full (?overflow=). */
enum outq_overflow {
	OUTQ_DROP = 0, /* it is dropped: the newest */
	OUTQ_LATEST,   /* the oldest one waiting is dropped for it */
	OUTQ_CLOSE,    /* the connection is closed */
};

/* Digits of a gap's second number, padded with spaces: below 2^53. */
#define OUTQ_GAP_DIGITS 16

struct outq_item {
	TAILQ_ENTRY(outq_item) link;           /* in order of sending */
	TAILQ_ENTRY(outq_item) next_droppable; /* OUTQ_MESSAGE: among these */
	uint32_t len;                          /* bytes of data */
	uint8_t kind;                          /* enum outq_kind */
	uint32_t topic; /* of a message: directory slot */
	uint64_t seq;   /* of a message: its number; 0: never was one */
	unsigned char data[];
};

/* The last gap of a topic that has not been begun. */
struct outq_gap {
	struct outq_item *item; /* in the queue */
	uint32_t topic;
	uint32_t digits_at; /* offset of the second number in item->data */
	uint64_t to;        /* the second number */
};

struct outq {
	TAILQ_HEAD(outq_items, outq_item) items;
	/* The messages among them that may still be dropped, so that dropping
	 * the oldest does not walk past the answers that wait. */
	TAILQ_HEAD(outq_droppable, outq_item) droppable;
	struct budget *budget; /* borrowed; NULL: nobody counts */
	struct outq_gap *gaps; /* owned */
	uint32_t gaps_count, gaps_max;
	size_t bytes;        /* still to be sent, all items */
	size_t answer_bytes; /* of these in answers */
	uint32_t messages;   /* a message that was begun is an answer */
	uint32_t begun;      /* bytes of the first item that are sent */
};

/* What was dropped. */
struct outq_dropped {
	uint32_t len;
	uint32_t topic;
	uint64_t seq;
	struct outq_item *next; /* what came after it, NULL: nothing */
};

/* An empty queue whose bytes are charged to this budget, as output. */
struct outq *outq_new(struct budget *budget);

/* Free it with all items. */
void outq_free(struct outq **q);

/* Append len > 0 bytes that must be sent.  Returns where the caller puts them,
 * before anything else is asked of the queue. */
void *outq_answer_room(struct outq *q, uint32_t len);

/* The same with a copy of data. */
void outq_add_answer(struct outq *q, const void *data, uint32_t len);

/* Append a copy of a message: number seq of the topic in that slot. */
void outq_add_message(struct outq *q, uint32_t topic, uint64_t seq,
    const void *data, uint32_t len);

/*
 * Drop the oldest message of which nothing has been sent.  Returns false if
 * there is none.
 */
bool outq_drop_oldest(struct outq *q, struct outq_dropped *dropped);

/*
 * If the last gap of this topic ends right before number seq and has not been
 * begun, have it end at seq.  Returns whether it could.
 */
bool outq_extend_gap(struct outq *q, uint32_t topic, uint64_t seq);

/*
 * Add a gap that ends at number seq, in front of `before' or (NULL) last.
 * frame is what to send; at digits_at it has OUTQ_GAP_DIGITS bytes for the
 * number.
 */
void outq_add_gap(struct outq *q, uint32_t topic, uint64_t seq,
    struct outq_item *before, const void *frame, uint32_t len,
    uint32_t digits_at);

/*
 * The connection leaves this topic, of which it will be told no more gaps: its
 * gaps grow no more, and those of its messages that wait are answers from now
 * on, not to be dropped.
 */
void outq_leave_topic(struct outq *q, uint32_t topic);

/* Describe what to write next, at most max pieces.  Returns how many. */
int outq_iov(struct outq *q, struct iovec *iov, int max);

/*
 * n bytes were written.  Frees what has been sent whole; of a message that was
 * begun the rest is an answer.  Returns how many messages were begun, each of
 * which counts as handed over.
 */
uint32_t outq_sent(struct outq *q, size_t n);

static inline bool
outq_empty(const struct outq *q)
{
	return q->bytes == 0;
}

#endif
