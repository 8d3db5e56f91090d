/* SPDX-License-Identifier: MIT */
/*
 * hub_record.h - what one worker tells its successor, parcel by parcel.
 *
 *	successor                       predecessor
 *	    |--- ASK, a socket -------------->|    over the supervisor's socket;
 *	    |                                 |    all else over the one in it
 *	    |                          waits till all are at rest, freezes
 *	    |<-- HELLO -----------------------|
 *	    |<-- TOPICS, as many as needed ---|
 *	    |<-- IDENTITIES, likewise --------|    none if everybody is nobody
 *	    |<-- CONNS, with descriptors -----|    likewise
 *	    |<-- END -------------------------|
 *
 * What follows is said by succession.h.  Every number that HELLO promises is
 * counted, so END tells that nothing is missing.
 *
 * Who asks for another segment (ASK_TO_MOVE) sends the page of upgrade_page.h as
 * well, gets no topics, and what follows is said there.
 */

#ifndef WORKER_HANDOVER_HUB_RECORD_H
#define WORKER_HANDOVER_HUB_RECORD_H

#include "broker/shared/layout.h"
#include "common/buf.h"
#include "worker/delivery/adopt.h"
#include "worker/handover/fields.h"

#include <stdbool.h>
#include <stdint.h>

enum hub_parcel {
	HUB_PARCEL_ASK = 1,
	HUB_PARCEL_HELLO,
	HUB_PARCEL_TOPICS,
	HUB_PARCEL_CONNS,
	HUB_PARCEL_END,
	HUB_PARCEL_IDENTITIES,
	HUB_PARCEL_ASK_TO_MOVE, /* and the page where that is decided */
};

/* Bytes of topics, of identities or of connections, after which a parcel is sent. */
#define HUB_PARCEL_BYTES (64u * 1024)

/* In ASK and in HELLO. */
struct hub_hello {
	uint32_t version; /* CONN_RECORD_VERSION */
	uint32_t zero;
	uint64_t cursor;   /* position up to which the ring has been read */
	uint64_t numbered; /* the last number that one was given */
	char epoch[LAYOUT_EPOCH + 4]; /* of the ring, NUL behind it */
};

void hub_hello_put(struct buf *out, const struct hub_hello *hello);

/* Returns false if those bytes are none, or are of a version that this program
 * does not read. */
bool hub_hello_take(struct hub_hello *hello, const struct buf *body);

/* Append a topic; take the next one.  The latter returns FIELDS_BROKEN also for
 * what is no topic. */
bool hub_topic_put(struct buf *out, const struct adopt_topic *topic);
enum fields_status hub_topic_next(
    struct fields *topics, struct adopt_topic *topic);

/* Append the record of a connection, or of an identity, which was written into a
 * buffer of its own. */
bool hub_conn_put(struct buf *out, const struct buf *record);
bool hub_identity_put(struct buf *out, const struct buf *record);

/* Take the next.  Borrows: its bytes, from those of the parcel. */
enum fields_status hub_conn_next(struct fields *conns, struct field *record);
enum fields_status hub_identity_next(
    struct fields *identities, struct field *record);

#endif
