/* SPDX-License-Identifier: MIT */
/*
 * outq.h - the bytes that wait for one slow connection.
 *
 * A queue exists only while the kernel does not take everything: a connection
 * that keeps up has none.  Items leave in order.  Two kinds: answers
 * (responses, pongs, close frames, gaps, the rest of a frame that was begun)
 * are never dropped; messages are, by the connection's own choice, when too
 * many wait.
 *
 * A client that can be is told which messages were dropped, by a gap in their
 * place.  A gap is an item with two numbers in it.  The second number grows as
 * more messages are dropped.  It stands in one or two places of fixed width, so
 * growing changes only the bytes there.
 *
 * What a queue holds: of an answer its bytes; of a message, and of an answer that
 * others get as well, one small item with a reference to the one copy that all
 * who wait for it share (kept.h).  So
 * the memory that a backlog takes is the messages that wait for anybody, and
 * sizeof(struct outq_item) for each of those and each connection that waits for
 * it.  Its limits and the budget (budget.h) know nothing of sharing: there a
 * message counts with all its bytes in every queue, so what a client may have
 * waiting does not depend on who else is slow, and real memory is never more
 * than what is counted, items aside.
 *
 * Pure: no socket.  The bytes to write come out as iovecs, and how many were
 * written goes in as a number.
 */

#ifndef WORKER_NET_OUTQ_H
#define WORKER_NET_OUTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

struct budget;
struct kept;

enum outq_kind { OUTQ_ANSWER, OUTQ_MESSAGE };

/* The fate of a message that finds the queue full (?overflow=). */
enum outq_overflow {
	OUTQ_DROP = 0, /* it is dropped: the newest */
	OUTQ_LATEST,   /* the oldest one waiting is dropped for it */
	OUTQ_CLOSE,    /* the connection is closed */
	OUTQ_ENDED,    /* it is left away, room or not, and nobody is told: the
	                * connection follows its topic no more.  No client's
	                * choice, but service.overflow's answer */
};

/* Digits of a gap's second number, padded with spaces: below 2^53. */
#define OUTQ_GAP_DIGITS 16

/* The same number as the end of a line, for the id of a server-sent event: its
 * digits, a line feed, and colons, which begin a comment there. */
#define OUTQ_GAP_LINE (OUTQ_GAP_DIGITS + 2)

/* Where a gap's second number stands: offsets in its bytes. */
struct outq_gap_places {
	uint32_t digits; /* OUTQ_GAP_DIGITS bytes */
	uint32_t line;   /* OUTQ_GAP_LINE bytes; 0: there is none */
};

struct outq_item {
	TAILQ_ENTRY(outq_item) link;           /* in order of sending */
	TAILQ_ENTRY(outq_item) next_droppable; /* OUTQ_MESSAGE: among these */
	struct kept *kept;   /* a reference to its bytes; NULL: they are here */
	uint64_t seq;        /* of a message: its number; 0: never was one */
	uint32_t len;        /* bytes */
	uint32_t topic : 31; /* of a message: directory slot */
	uint32_t kind : 1;   /* enum outq_kind */
	unsigned char data[]; /* its bytes, if nothing is kept */
};

/* The last gap of a topic that has not been begun. */
struct outq_gap {
	struct outq_item *item; /* in the queue */
	uint32_t topic;
	struct outq_gap_places at; /* in item->data */
	uint64_t to;               /* the second number */
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

/* The same with a copy of data, and with what is kept, to which the queue takes
 * a reference. */
void outq_add_answer(struct outq *q, const void *data, uint32_t len);
void outq_add_kept(struct outq *q, struct kept *kept);

/* Append a message: number seq of the topic in that slot.  The queue takes a
 * reference of its own. */
void outq_add_message(
    struct outq *q, uint32_t topic, uint64_t seq, struct kept *kept);

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
 * If the last gap of this topic has not been begun, add one to its second number,
 * which counts what was dropped.  Returns whether it could.
 */
bool outq_count_gap(struct outq *q, uint32_t topic);

/*
 * Add a gap that ends at number seq, in front of `before' or (NULL) last.
 * frame is what to send, with room for the number at these places.
 */
void outq_add_gap(struct outq *q, uint32_t topic, uint64_t seq,
    struct outq_item *before, const void *frame, uint32_t len,
    struct outq_gap_places at);

/* Write a gap's second number as the two kinds of places have it. */
void outq_gap_digits(char out[OUTQ_GAP_DIGITS], uint64_t to);
void outq_gap_line(char out[OUTQ_GAP_LINE], uint64_t to);

/*
 * Drop all messages of this topic of which nothing has been sent.  Returns how
 * many there were.
 */
uint32_t outq_drop_topic(struct outq *q, uint32_t topic);

/*
 * The connection unsubscribes from this topic and will be told no more of its
 * gaps.  So the topic's gaps stop growing, and its messages in the queue become
 * answers, which are not dropped.
 */
void outq_leave_topic(struct outq *q, uint32_t topic);

/* The same for all topics and their gaps. */
void outq_leave_all(struct outq *q);

/* Describe the next bytes to write, at most max pieces.  Returns how many. */
int outq_iov(struct outq *q, struct iovec *iov, int max);

/*
 * n bytes were written.  Frees the items that were sent whole.  The rest of a
 * message that was begun becomes an answer.  Returns how many messages were
 * begun; each counts as handed over.
 */
uint32_t outq_sent(struct outq *q, size_t n);

static inline bool
outq_empty(const struct outq *q)
{
	return q->bytes == 0;
}

#endif
