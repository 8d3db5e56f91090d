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
 * In local mode (--cluster-order, --cluster-down) a publish is a message at once,
 * and the same record waits to be sent: one commit does both.  What comes back of
 * it is skipped here.
 *
 *	flags            origin   record                             written by
 *	OUTBOX           -        waits; no message                  a worker
 *	OUTBOX, MARKED   0        local: a message that waits        a worker
 *	MARKED           0        shown: a message whose record      a worker
 *	                          waits already, further back
 *	MARKED           a host   a message from the log             the bridge
 *	PADDING, MARKED  a host   lost: numbers of that host, up to  the bridge
 *	                          this one, will never come; no topic
 *
 * `shown' is the last own number that is a message here, so the numbers above it
 * up to `out' wait only.  Whoever commits a local record has shown all before it:
 * the messages of this host are in one order here and in the log.
 *
 * The control words below are what these records say, so that a repair can
 * store them again (ring_repair.c): pos, hash and an origin's last number with
 * every accepted batch, `out' and `outbox' with every record that waits, `shown'
 * with every message of this host, `lost' with every record of lost ones.
 */

/* clang-format off */
/*
 *  field                   written by              an unlocked read is safe because
 *  ----------------------  ----------------------  --------------------------------
 *  self                    supervisor, before the  constant
 *                          first fork
 *  out, outbox, returned,  lock holder             atomic, only grow
 *  shown
 *  pos                     lock holder: the bridge atomic, only grows; the other
 *                          (or a repair)           words of the log are the bridge's
 *                                                  own, and read by it alone
 *  lost                    likewise                atomic, only grows
 *  hash, origins           likewise                read by the bridge, which is their
 *                                                  only writer but for repairs, and
 *                                                  none is due once it has had the
 *                                                  lock
 *  alone, noting           lock holder             never read without the lock
 *  joined, stream,         the bridge, under the   `joined' is stored last (release);
 *  found                   lock                    the others are constant then
 *  waits_from              the bridge; a lock      atomic; for how full the outbox
 *                          holder, while it is 0   is, which may be a moment's value
 *  confirmed               the bridge              atomic, only grows; what a killed
 *                                                  one has not stored is said again
 *  asides_done             the bridge sets bits;   atomic; each bit is set once
 *                          the supervisor clears
 *                          them
 *  counters,               the bridge; the         atomic; one writer
 *  accept_to_ring          supervisor, while
 *                          there is none
 *  heard_ms, hosts         the bridge; the         atomic words; an entry of hosts
 *                          supervisor before it    counts for none while it is
 *                          starts one              changed
 *  asked                   any worker: one more    atomic; only a hint
 */
/* clang-format on */

#ifndef BROKER_SHARED_LAYOUT_CLUSTER_H
#define BROKER_SHARED_LAYOUT_CLUSTER_H

#include "broker/shared/stats.h"

#include <stdatomic.h>
#include <stdbool.h>
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

/* Behind the body of a RECORD_MARKED, at the end of the record.  The last two say
 * behind which places of the log a resume may need a message that has none. */
struct layout_mark {
	uint64_t
	    pos; /* place in the log; without an origin, where that stood */
	uint64_t
	    origin;   /* of the host that it was published to; 0: see above */
	uint64_t out; /* its number among those of that host */
	union {
		uint64_t hash;   /* of all that was accepted up to here */
		uint64_t before; /* local: position of the one that waits before
		                  * it, 0: none */
	};
	uint64_t shown;    /* own messages before this one are at most these */
	uint64_t returned; /* and up to here they had come back */
};

/* Whether it is the mark of a message that has no place in the log. */
static inline bool
layout_mark_is_local(const struct layout_mark *mark)
{
	return mark->origin == 0;
}

/* Whose records have been accepted up to which number. */
struct layout_origin {
	uint64_t id;      /* 0: free */
	uint64_t last;    /* number of the last record */
	uint64_t touched; /* message of the stream that it was last heard in */
};

/* What the bridge counts; status/metrics_cluster.c has the names.  They go over
 * into the next ring, or nobody would see why this one was given up. */
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

/* A host that was heard of, by its checkpoints in the log. */
struct layout_host {
	_Atomic uint64_t origin;   /* 0: free */
	_Atomic uint64_t heard_ms; /* monotonic clock; 0: being changed */
};

struct layout_cluster {
	uint64_t self;           /* this ring as an origin; never 0 */
	_Atomic uint64_t out;    /* number of the last OUTBOX record */
	_Atomic uint64_t outbox; /* its position, 0: there was none */
	_Atomic uint64_t pos;    /* the log is in the ring up to here */
	/* position of the oldest OUTBOX record that is not confirmed */
	_Atomic uint64_t waits_from;
	_Atomic uint64_t
	    joined; /* place where this ring began; 0: it has not */
	_Atomic uint64_t returned; /* own records up to here have come back */
	/* and up to here another host has them, or there was none */
	_Atomic uint64_t confirmed;
	/* rings that were set aside, and are needed no more: bits, by place */
	_Atomic uint32_t asides_done;
	_Atomic uint64_t shown; /* and up to here are messages here */
	_Atomic uint64_t lost;  /* place of the last loss of another host */
	uint64_t hash;
	uint64_t
	    found; /* message that the log ended with when this ring began */
	char stream[LAYOUT_STREAM];
	struct layout_origin origins[LAYOUT_ORIGINS];
	/* of a record without a place in the ring, while the words above are told
	 * of it */
	struct layout_mark alone;
	uint32_t noting; /* they are: changing.h */
	/* the bridge heard of the log, or this run began; monotonic clock.  0:
	 * this server has no cluster */
	_Atomic uint64_t heard_ms;
	_Atomic uint64_t counters[CLUSTER_COUNTERS];
	struct layout_host hosts[LAYOUT_ORIGINS]; /* cluster/hosts.h */
	_Atomic uint64_t asked;                   /* questions so far */
	struct stats_delays accept_to_ring; /* of this host's own records */
};

#endif
