/* SPDX-License-Identifier: MIT */
/*
 * outq.h - what one slow connection still has to be sent.
 *
 * Exists only while the kernel does not take everything: a connection that
 * keeps up has none.  Items leave in order.  Two kinds: answers (responses,
 * pongs, close frames, the rest of a frame that was begun) are never dropped;
 * messages are, by the connection's own choice, when too many wait.
 *
 * Pure: no socket; what to write comes out as iovecs, what was written goes in
 * as a number.
 */

#ifndef WORKER_OUTQ_H
#define WORKER_OUTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

enum outq_kind { OUTQ_ANSWER, OUTQ_MESSAGE };

/* What happens to a message that finds the queue full (?overflow=). */
enum outq_overflow {
	OUTQ_DROP = 0, /* it is dropped: the newest */
	OUTQ_LATEST,   /* the oldest one waiting is dropped for it */
	OUTQ_CLOSE,    /* the connection is closed */
};

struct outq_item {
	STAILQ_ENTRY(outq_item) link;
	uint32_t len; /* bytes of data */
	uint8_t kind; /* enum outq_kind */
	unsigned char data[];
};

struct outq {
	STAILQ_HEAD(, outq_item) items;
	size_t bytes;        /* still to be sent, all items */
	size_t answer_bytes; /* of these in answers */
	uint32_t messages;   /* droppable items; a begun one is an answer */
	uint32_t begun;      /* bytes of the first item that are sent */
};

void outq_init(struct outq *q);

/* Free all items. */
void outq_fini(struct outq *q);

/* Append a copy of len > 0 bytes. */
void outq_add(
    struct outq *q, enum outq_kind kind, const void *data, uint32_t len);

/*
 * Drop the oldest message of which nothing has been sent.  Returns its bytes,
 * 0 if there is none.
 */
uint32_t outq_drop_oldest(struct outq *q);

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
