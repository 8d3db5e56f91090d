/* SPDX-License-Identifier: MIT */
/*
 * log_message.h - a message of the log that the hosts of a cluster share, as
 * bytes.  Numbers are little-endian.
 *
 *	+------+------+-----+--------+
 *	| psd1 | kind | 0   | origin |       kind u8, three zeros, origin u64
 *	+------+------+-----+--------+
 *	| prev u64 | round u32 | count u32 |
 *	+-----------------------------------+
 *	a batch: `count' records, numbered prev + 1 and so on
 *	| time_ms u64 | conn u64 | body_len u32 | worker u16 | name_len u8 |
 *	| flags u8, of RECORD_UNNUMBERED |
 *	| name | body
 *	+-----------------------------------+
 *	a checkpoint, and a genesis: `count' origins, behind where they stand
 *	| pos u64 | hash u64 | name, 32 bytes |
 *	| id u64 | last u64 | touched u64 |
 *	+-----------------------------------+
 *	lost: nothing more; `count' records, numbered prev + 1 and so on, are gone
 *
 * A host says that records are lost which were messages to its own clients, in local
 * mode, and were overwritten in its ring before they were sent.  It counts as a batch
 * does, so its origin goes on behind them; the others tell their subscribers.
 *
 * A genesis is where a log begins of which nothing else is known.  `round' says
 * how often its sender had gone back before it was sent; it decides nothing.
 */

#ifndef BROKER_CLUSTER_LOG_MESSAGE_H
#define BROKER_CLUSTER_LOG_MESSAGE_H

#include "broker/ring/ring_cluster.h"
#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_RECORDS_MAX 256u         /* in a batch */
#define LOG_BYTES_MAX   (64u * 1024) /* a batch gets no record beyond these */
#define LOG_HEAD        32u          /* bytes */
#define LOG_RECORD_HEAD 24u
#define LOG_NAME        32u /* bytes of a host's name, cut and filled up by NUL */

enum log_kind { LOG_BATCH = 1, LOG_CHECKPOINT, LOG_GENESIS, LOG_LOST };

struct log_head {
	enum log_kind kind;
	uint32_t round;
	uint32_t count;
	uint64_t origin;
	uint64_t
	    prev; /* a batch, lost: number of the record before the first */
};

/* A record of a batch; borrows from its bytes. */
struct log_record {
	uint64_t time_ms, conn;
	uint32_t body_len;
	uint16_t worker;
	uint8_t name_len;
	uint8_t flags; /* of RECORD_UNNUMBERED */
	const char *name, *body;
};

/* Begin a batch without records; log_batch_add() adds them. */
void log_batch_open(struct buf *out, uint64_t origin, uint64_t prev);
void log_batch_add(struct buf *out, const struct ring_record *rec);

/* Say in a whole batch, or a loss, how often its sender had gone back. */
void log_batch_set_round(struct buf *batch, uint32_t round);

/* Take the first n records out of a batch, which has more: it then goes on
 * behind those. */
void log_batch_trim(struct buf *batch, uint32_t n);

/* Say that the n records behind `prev' are gone. */
void log_lost(struct buf *out, uint64_t origin, uint64_t prev, uint32_t n);

/* Write where a host stands; kind is no batch.  name: of the host. */
void log_checkpoint(struct buf *out, enum log_kind kind, uint64_t origin,
    const char *name, const struct ring_log_state *state);

/* Read the head of a message, and see that all of it is whole.  Returns false if
 * it is no message of this log. */
bool log_read(const void *data, size_t len, struct log_head *head);

/* Read on from *at (LOG_HEAD to begin with) in a batch that log_read() has found
 * whole; as often as it has records. */
void log_record_next(const void *data, size_t *at, struct log_record *rec);

/* Read a checkpoint, or genesis, that log_read() has found whole. */
void log_read_state(
    const void *data, struct ring_log_state *state, char name[LOG_NAME + 1]);

#endif
