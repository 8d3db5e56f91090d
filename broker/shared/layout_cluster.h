/* SPDX-License-Identifier: MIT */
/*
 * layout_cluster.h - what a segment has of a server's cluster; a part of
 * layout.h.  Without --cluster nobody looks at it.
 *
 * A publish of a client here becomes a record that waits to be sent (OUTBOX);
 * the bridge sends it to the log that all hosts share, a JetStream stream, and
 * what comes back from there, from all hosts in the log's order, becomes a
 * message with a mark: where in the log it stands.
 *
 *	client --> OUTBOX records --> bridge --> log --> bridge --> messages
 *	            out 1, 2, ...                         seq, with a mark
 *
 * The control words below are what the marked records say, so that a repair can
 * store them again (ring_repair.c): pos, hash and an origin's last number with
 * every accepted batch, `out' and `outbox' with every OUTBOX record.
 */

/* clang-format off */
/*
 *  field                   written by              an unlocked read is safe because
 *  ----------------------  ----------------------  --------------------------------
 *  self                    supervisor, before the  constant
 *                          first fork
 *  out, outbox, returned   lock holder             atomic, only grow
 *  pos                     lock holder: the bridge atomic, only grows; the other
 *                          (or a repair)           words of the log are the bridge's
 *                                                  own, and read by it alone
 *  hash, origins           likewise                read by the bridge, which is their
 *                                                  only writer but for repairs, and
 *                                                  none is due once it has had the
 *                                                  lock
 *  alone, noting           lock holder             never read without the lock
 *  joined, stream          the bridge, under the   `joined' is stored last (release);
 *                          lock                    the stream's name is constant then
 *  waits_from              the bridge              atomic; for how full the outbox
 *                                                  is, which may be a moment's value
 *  heard_ms, counters      the bridge              atomic; one writer
 */
/* clang-format on */

#ifndef BROKER_SHARED_LAYOUT_CLUSTER_H
#define BROKER_SHARED_LAYOUT_CLUSTER_H

#include <stdatomic.h>
#include <stdint.h>

/* Origins whose last number is known: a host has another with each new ring.  If
 * there are more, the one that the log has not heard of for longest is
 * forgotten, on all hosts at the same place of the log. */
#define LAYOUT_ORIGINS 64u

#define LAYOUT_STREAM 24u /* bytes of the name of a log's life, NUL included */

/* A place of the log: the number of a message of the stream, and which of the
 * records in it. */
#define LAYOUT_PLACE_BITS  8
#define LAYOUT_PLACE_INDEX ((UINT64_C(1) << LAYOUT_PLACE_BITS) - 1)

/* Behind the body of a record that came from the log (RECORD_MARKED), at the end
 * of the record. */
struct layout_mark {
	uint64_t pos;    /* place in the log */
	uint64_t origin; /* of the host that it was published to */
	uint64_t out;    /* its number among those of that origin */
	uint64_t hash;   /* of all that was accepted up to here */
};

/* Whose records have been accepted up to which number. */
struct layout_origin {
	uint64_t id;      /* 0: free */
	uint64_t last;    /* number of the last record */
	uint64_t touched; /* message of the stream that it was last heard in */
};

/* What the bridge counts; metrics_cluster.c has the names. */
enum layout_cluster_counter {
	CLUSTER_SENT = 0,   /* batches */
	CLUSTER_ACCEPTED,   /* batches, of all hosts; so the next two */
	CLUSTER_DOUBLE,     /* came once more: skipped */
	CLUSTER_HOLE,       /* came without the one before: skipped */
	CLUSTER_GO_BACKS,   /* sent again from the last that had come back */
	CLUSTER_RECONNECTS, /* to a server of the log */
	CLUSTER_DROPPED,    /* records without a place in the directory */
	CLUSTER_DIVERGED,   /* other hosts had another log: a new ring */
	CLUSTER_CONNECTED,  /* 1: to a server of the log */
	CLUSTER_HOSTS,      /* heard of in the last seconds, this one too */
	CLUSTER_LAG,        /* messages of the stream behind its end */
	CLUSTER_COUNTERS
};

struct layout_cluster {
	uint64_t self;           /* this ring as an origin; never 0 */
	_Atomic uint64_t out;    /* number of the last OUTBOX record */
	_Atomic uint64_t outbox; /* its position, 0: there was none */
	_Atomic uint64_t pos;    /* the log is in the ring up to here */
	/* position of the oldest OUTBOX record that has not come back */
	_Atomic uint64_t waits_from;
	_Atomic uint64_t
	    joined; /* place where this ring began; 0: it has not */
	_Atomic uint64_t returned; /* own records up to here are in the ring */
	uint64_t hash;
	char stream[LAYOUT_STREAM];
	struct layout_origin origins[LAYOUT_ORIGINS];
	/* of a record without a place in the ring, while the words above are told
	 * of it */
	struct layout_mark alone;
	uint32_t noting;           /* they are: changing.h */
	_Atomic uint64_t heard_ms; /* of the log, monotonic clock; 0: never */
	_Atomic uint64_t counters[CLUSTER_COUNTERS];
};

#endif
