/* SPDX-License-Identifier: MIT */
/*
 * ingest.h - from the log into the ring: which batches count, and their records
 * as messages.
 *
 *	message of the stream          what becomes of it
 *	a batch that goes on where     its records are published here
 *	 its origin had come to
 *	one that begins before that    skipped: it comes once more
 *	one that begins behind it      skipped: one before it was lost, and its
 *	                               origin will send both again
 *	records of it are lost         counts as a batch that has none
 *	a checkpoint                   skipped; a host lives, and has this hash
 *
 * The rule looks at the log alone, so all hosts come to the same.  Whatever
 * cannot be published here (its topic finds no slot, it is longer than this ring
 * takes) is left out here, and counts all the same; so is what this host had
 * published at once (local mode).
 */

#ifndef BROKER_CLUSTER_INGEST_H
#define BROKER_CLUSTER_INGEST_H

#include "broker/cluster/log_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INGEST_HASHES 8192u /* messages whose hash is remembered */

enum ingest_result {
	INGEST_ACCEPTED = 0, /* a batch, or a loss */
	INGEST_DOUBLE,       /* a batch: skipped */
	INGEST_HOLE,         /* a batch: skipped */
	INGEST_CHECKPOINT,   /* agrees, or is of a place not remembered */
	INGEST_FOREIGN,      /* no message of ours: skipped */
	INGEST_OLD,          /* it is in the ring already */
	INGEST_SEALED,       /* the ring takes no more; not done */
	/* This ring cannot go on with this log: */
	INGEST_MISSED,    /* the stream lost messages that we have not read */
	INGEST_DIVERGED,  /* another host has accepted something else */
	INGEST_RESTARTED, /* the log was begun anew */
};

struct ingest {
	struct ring *ring;    /* borrowed */
	uint32_t body_max;    /* bytes that a message here may have */
	uint64_t wake;        /* out: workers to be woken, bits; the caller's to
	                     * clear */
	uint64_t dropped;     /* records that found no place */
	struct log_head head; /* of the last message */
	struct ring_log_state state; /* of the last checkpoint, and its host: */
	char name[LOG_NAME + 1];
	/* for one batch */
	struct ring_msg msgs[LOG_RECORDS_MAX];
	struct ring_mark marks[LOG_RECORDS_MAX];
	uint32_t count;
	struct {
		uint64_t pos, hash;
	} hashes[INGEST_HASHES]; /* by message: behind all of it */
};

/* Begin, with a ring that has joined a log.  body_max: of --max-message. */
void ingest_init(struct ingest *in, struct ring *ring, uint32_t body_max);

/*
 * Take the next message of the stream, whose number is `message'.  in->head says
 * what it was, if it was one of ours.
 * Under the ring's lock.  Callers: the bridge.
 */
enum ingest_result ingest_message(
    struct ingest *in, uint64_t message, const void *data, size_t len);

/* Whether a result means that this ring is at its end. */
bool ingest_is_end(enum ingest_result result);

#endif
