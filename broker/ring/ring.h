/* SPDX-License-Identifier: MIT */
/*
 * ring.h - the log that every worker writes and every worker tails.
 *
 *	          reserve - capacity          head        reserve
 *	               |                        |            |
 *	  overwritten  |   records, readable    |  a batch   |   not yet
 *	---------------+------------------------+--copied in-+--> position
 *	                      ^         ^
 *	                   cursor    applied: the directory knows up to here
 *
 * Positions count bytes and only grow; a position's byte in the ring is
 * position % capacity.  Writers take turns by one robust lock; readers take
 * none, and writers never wait for them: a reader that falls a whole ring
 * behind has been lapped, finds that out, and goes on.
 *
 * The protocol's steps and memory orders are model-checked (tests/model/); the
 * code numbers the steps as the models do.  Nothing here maps memory (segment.h)
 * or wakes anybody (wakeup.h), so all of it runs in a plain buffer.
 *
 * A process may die at any instruction while it holds the lock.  The next
 * holder finds that out (EOWNERDEAD, or applied != head), replays the committed
 * records into the directory, and goes on.  Records that were not committed are
 * as if they had never been written.
 */

#ifndef BROKER_RING_RING_H
#define BROKER_RING_RING_H

#include "broker/ring/expired.h"
#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long ring_lock() waits at most, milliseconds. */
#define RING_LOCK_WAIT_MS 20

/* A batch is at most 1/RING_BATCH_PART of the ring, padding included; a ring
 * holds at least RING_RECORDS_MIN of the largest record. */
#define RING_BATCH_PART  8
#define RING_RECORDS_MIN 16

enum ring_status {
	RING_OK = 0,
	RING_BUSY,    /* the lock was not to be had in time */
	RING_SEALED,  /* draining: nothing more is published */
	RING_EMPTY,   /* the reader has seen everything so far */
	RING_LAPPED,  /* records were overwritten before they were read */
	RING_CORRUPT, /* lengths that no writer wrote; only after wild stores */
};

struct ring_mark;

/* One message to publish. */
struct ring_msg {
	uint32_t topic;    /* directory slot, kept by interest or by the lock */
	uint32_t body_len; /* bytes */
	const char *body;  /* JSON text; borrowed during ring_publish() */
	uint64_t time_ms;  /* wall clock */
	uint64_t conn;     /* number of the publishing connection */
	uint64_t seq;      /* out: its number, or the last before it */
	uint64_t out;  /* out: its number in a cluster's outbox, if it waits */
	uint8_t flags; /* of RECORD_UNNUMBERED, or 0 */
	/* What its publisher asked for beyond; borrowed, NULL: nothing, as of what
	 * has no number. */
	const struct layout_extra *extra;
	/* In a cluster (ring_marks.h), of all messages in one ring_publish()
	 * or of none; borrowed.  NULL: a message, and nothing else. */
	const struct ring_mark *mark;
};

/* The number and place a topic has reached within one batch. */
struct ring_reached {
	uint64_t batch; /* which batch of this process; others are stale */
	uint64_t seq;
	uint64_t last;
};

/* A process's handle. */
struct ring {
	struct segment *seg;          /* borrowed */
	struct layout_header *header; /* = seg->header */
	uint64_t capacity;            /* bytes */
	unsigned self;                /* slot of this worker */
	bool impatient;               /* the last wait was in vain: only try */
	uint64_t holdings;            /* number of the last: layout_owner() */
	uint64_t batch;               /* batches written by this process */
	uint64_t looked_at;           /* head when laggards were looked for */
	struct ring_reached *reached; /* [topics_max], owned */
	struct ring_reached outbox;   /* the same of the outbox */
};

/* Bytes of the largest record with a body of this many bytes; one that has a mark
 * (ring_marks.h) has sizeof(struct layout_mark) more. */
uint64_t ring_record_max(uint32_t body_len);

/*
 * Fill this process's handle.  The segment must outlive it.
 * Callers: workers (self is the own slot); tests.
 * Owns: the caller, until ring_detach().
 */
void ring_attach(struct ring *ring, struct segment *seg, unsigned self);

/* Free what the handle owns; touches nothing shared. */
void ring_detach(struct ring *ring);

/*
 * Take the lock, repair the ring if its last holder died, and sign as its owner
 * (layout_owner()).
 *
 * Callers: workers.  Never the supervisor.
 * Blocks:  at most RING_LOCK_WAIT_MS; after a wait in vain not at all, until
 *          the lock was taken once again.  So call it once per turn.
 * Returns: RING_OK (held; ring_unlock() it within the turn) or RING_BUSY.
 */
enum ring_status ring_lock(struct ring *ring);

/* Leave the lock. */
void ring_unlock(struct ring *ring);

/*
 * Append n messages in order and give each its number, unless its flags say that
 * it has none.  All can be read by everybody once this returns.  More than a batch's worth becomes several
 * batches, each committed by itself.  Each body is at most what the capacity
 * was chosen for (ring_record_max(), RING_RECORDS_MIN).
 *
 * Under the lock.
 * Blocks:  never.
 * Returns: RING_OK, or RING_SEALED and nothing was published.
 */
enum ring_status ring_publish(
    struct ring *ring, struct ring_msg *msgs, size_t n);

/*
 * Returns which workers must be woken for these messages, a bit per worker
 * slot: those with a subscriber of one of the topics, those that follow patterns
 * of topics, whatever the topic, and those that are a quarter of the ring behind
 * (looked for only when the head has crossed a sixteenth of it).  Makes the one seq_cst fence that has to stand between the
 * commit and wakeup_wake().
 * Callers: the publisher, after the commit, with or without the lock.
 */
uint64_t ring_interest(
    struct ring *ring, const struct ring_msg *msgs, size_t n);

/* Say that nothing more will be published (drain, step 2).  Under the lock. */
void ring_seal(struct ring *ring);

/* Position of the first record that there ever is in a ring.  Anybody. */
uint64_t ring_first(const struct segment *seg);

/* Position behind the newest record.  Anybody. */
uint64_t ring_head(const struct segment *seg);

/* A reader's place.  Lives in the reader's own memory. */
struct ring_cursor {
	uint64_t pos; /* position of the next record to read */
};

/* A message read: a private copy, in the batch's bytes. */
struct ring_record {
	uint32_t topic; /* directory slot */
	uint16_t worker;
	uint8_t name_len;
	uint8_t flags; /* RECORD_* */
	uint32_t body_len;
	uint64_t pos, seq, prev, time_ms, conn;
	uint64_t expires_ms; /* monotonic clock; 0: never */
	const char *name;
	const char *body;
	const struct layout_mark *mark; /* of a cluster's log; NULL: not so */
};

/* Room for the records that one ring_tail() copies.  The caller's memory; bytes
 * is aligned to 8, size at least ring_record_max() of the largest body. */
struct ring_batch {
	struct ring_record *records;
	size_t records_max;
	size_t count; /* out */
	unsigned char *bytes;
	size_t size;
	/* Wanted as well: what comes back from a cluster's log to this worker's
	 * own clients, its slot + 1.  0: nothing. */
	uint32_t for_worker;
	uint64_t *reborn; /* NULL, or a bit per slot: see ring_tail() */
};

/*
 * Read on from the cursor, to the head or until the batch is full, and copy
 * the records whose topic has its bit set in `wanted' (a bit per directory
 * slot).  The others cost a look at their header.  If batch->reborn is not NULL,
 * the first record of a topic, behind which its slot has another name than before,
 * sets its bit there; who passes the same bits as `wanted' gets that and what
 * follows.
 *
 * Callers: the owner of the cursor.
 * Blocks:  never; takes no lock.
 * Returns: RING_OK: batch->count records (0 if none was wanted), cursor moved.
 *          RING_EMPTY: nothing new.
 *          RING_LAPPED: nothing copied, and the cursor stands at `applied'; the
 *          caller now reads each of its topics' last number (ring_topic_seq())
 *          and counts all up to that as missed.
 *          RING_CORRUPT: the ring or its positions were overwritten by a bug
 *          somewhere; the batch->count records before that place are good, and
 *          the cursor stands there.
 */
enum ring_status ring_tail(const struct ring *ring, struct ring_cursor *cur,
    const uint64_t *wanted, struct ring_batch *batch);

/*
 * Copy one record from a position that a locked look, a record read before, or
 * its `prev' has named.  bytes has room for `size' bytes, aligned to 8.
 * Blocks:  never; takes no lock.
 * Returns: RING_OK with rec filled in; RING_LAPPED: it has been overwritten;
 *          RING_CORRUPT: never a record, or longer than size.
 */
enum ring_status ring_fetch(const struct segment *seg, uint64_t pos,
    unsigned char *bytes, size_t size, struct ring_record *rec);

/* Which message of its topic a record is, and where the one before it is. */
struct ring_link {
	uint64_t seq;
	uint64_t prev;       /* position, 0: none */
	uint64_t expires_ms; /* monotonic clock; 0: never */
	uint64_t place; /* in a cluster's log, as the next of its mark; 0: it
	                      * has none */
	uint64_t out, before;
	uint64_t shown, returned;
	bool is_local;
};

/*
 * Read that of the record at a position, as ring_fetch() does.
 * Blocks:  never; takes no lock.
 * Returns: RING_OK with link filled in; RING_LAPPED: it has been overwritten;
 *          RING_CORRUPT: no record, or not one of this topic.
 */
enum ring_status ring_follow(const struct segment *seg, uint64_t pos,
    uint32_t topic, struct ring_link *link);

/*
 * Read the name of the topic that the record at a position is of, as ring_fetch()
 * does.  It is that topic's whatever has become of its slot since.
 * Callers: status, which cannot take the lock that the directory's names need.
 * Blocks:  never; takes no lock.
 * Returns: RING_OK with name (not NUL-terminated) and *len; RING_LAPPED: it has
 *          been overwritten; RING_CORRUPT: no record, or not one of this topic.
 */
enum ring_status ring_fetch_name(const struct segment *seg, uint64_t pos,
    uint32_t topic, char name[LAYOUT_TOPIC_NAME_MAX + 1], uint8_t *len);

/* The last number given in a topic; after RING_LAPPED or under the lock. */
uint64_t ring_topic_seq(const struct segment *seg, uint32_t topic);

/*
 * Repair the ring after the death of a lock holder: replay the records that it
 * had committed into the directory, and free the slot that it was making.  If
 * the repairing process dies in the middle, the next one repairs from the
 * start.
 * Callers: ring_lock(), with the lock; ring_recover(), alone.
 */
void ring_repair(struct segment *seg);

/*
 * Whether a ring at rest, which needs no repair, can be believed:
 * control words in order, every chain and every record within bounds, the
 * directory exactly the log's.
 * Callers: ring_recover(); tests.  Returns false with a reason.
 */
bool ring_verify(const struct segment *seg, char error[SEGMENT_ERROR_MAX]);

/*
 * Make a segment that a dead server left ready to go on with: check the bytes
 * that a repair reads, repair, and verify the result.
 * Callers: supervisor, while no worker is alive.
 * Returns: false with a reason: the segment cannot be believed.
 */
bool ring_recover(struct segment *seg, char error[SEGMENT_ERROR_MAX]);

#endif
