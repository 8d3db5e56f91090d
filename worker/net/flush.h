/* SPDX-License-Identifier: MIT */
/*
 * flush.h - what this turn has for whom, and the one write it takes.
 *
 * During a turn runs of frames are collected per connection, as numbers; the
 * bytes stay in the turn's arena (arena.h).  At its end each connection
 * concerned gets one write: first what was waiting (outq.h), then the runs,
 * straight from the arena.  Only what the kernel does not take is copied, into
 * the connection's own bounded queue: only the slow pay for being slow.
 */

#ifndef WORKER_NET_FLUSH_H
#define WORKER_NET_FLUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct worker;

/* Pieces of one write; more than this take another. */
#define OUTBOX_IOV_MAX 64

/* What one connection may have waiting, whatever ?buffer= says, bytes. */
#define OUTBOX_BUFFER_BYTES (1024u * 1024)

/* A run of neighbouring frames for one connection. */
struct outbox_run {
	uint32_t first; /* frame index */
	uint32_t count;
	uint32_t next; /* the connection's next run: index + 1, 0: last */
	bool replayed; /* asked for: never dropped, paced by the replay */
};

/* A connection with something to write in this turn. */
struct outbox_entry {
	struct conn *conn;
	uint32_t first, last; /* its runs: index + 1, 0: none */
};

struct outbox {
	struct outbox_entry *entries; /* owned */
	struct outbox_run *runs;      /* owned */
	uint32_t entries_count, entries_max;
	uint32_t runs_count, runs_max;
};

void outbox_init(struct outbox *box);
void outbox_fini(struct outbox *box);

/* Have this connection's queue written at the end of the turn. */
void outbox_touch(struct outbox *box, struct conn *c);

/* The same, and give it these frames. */
void outbox_frames(
    struct outbox *box, struct conn *c, uint32_t first, uint32_t count);

/* The same for frames that a replay brings. */
void outbox_replay(
    struct outbox *box, struct conn *c, uint32_t first, uint32_t count);

/* Queue a copy of len > 0 bytes that must be sent.  When is the caller's affair:
 * see outbox_touch(). */
void outbox_answer(
    struct worker *w, struct conn *c, const void *data, size_t len);

/* Whether a replay has given it something in this turn. */
bool outbox_is_replayed(const struct outbox *box, const struct conn *c);

/*
 * Write what was collected, then forget it and the turn's frames.  May close
 * connections, whose memory stays until they are swept.
 */
void outbox_flush(struct worker *w);

/* Write a connection's queue now: its socket has room again. */
void outbox_drain_conn(struct worker *w, struct conn *c);

#endif
