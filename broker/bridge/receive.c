/* SPDX-License-Identifier: MIT */
/* receive.c - from the log into the ring; see state.h. */

#include "broker/bridge/state.h"
#include "broker/cluster/bridge_args.h"
#include "common/log.h"

#include <inttypes.h>

/* Without a checkpoint for so long a host is gone, milliseconds. */
#define RECEIVE_HOST_MS 3000

/* Note that a host lives, and how many do. */
static void
receive_note_host(struct bridge *b, uint64_t now)
{
	unsigned oldest = 0, alive = 0;
	bool known = false;

	for (unsigned i = 0; i < BRIDGE_HOSTS; i++) {
		if (b->hosts[i].origin == b->in.head.origin) {
			b->hosts[i].heard_ms = now;
			known = true;
		}
		if (b->hosts[i].heard_ms < b->hosts[oldest].heard_ms)
			oldest = i;
	}
	if (!known) {
		b->hosts[oldest].origin = b->in.head.origin;
		b->hosts[oldest].heard_ms = now;
	}
	for (unsigned i = 0; i < BRIDGE_HOSTS; i++)
		alive += b->hosts[i].origin != 0 &&
		         now - b->hosts[i].heard_ms < RECEIVE_HOST_MS;
	bridge_set(b, CLUSTER_HOSTS, alive);
}

/* A batch of ours did not count: if it was sent since we last went back, and is
 * not all in the ring, go back. */
static void
receive_own_skipped(struct bridge *b)
{
	const struct log_head *head = &b->in.head;
	uint64_t self = bridge_words(b)->self;

	if (head->origin != self || head->round != b->sender.round ||
	    head->prev + head->count <= ring_origin_last(&b->seg, self))
		return;
	sender_go_back(&b->sender);
	bridge_count(b, CLUSTER_GO_BACKS);
}

/* Returns BRIDGE_DONE, or the exit status. */
static int
receive_result(struct bridge *b, enum ingest_result result, uint64_t now)
{
	switch (result) {
	case INGEST_ACCEPTED:
		bridge_count(b, CLUSTER_ACCEPTED);
		break;
	case INGEST_DOUBLE:
	case INGEST_HOLE:
		bridge_count(
		    b, result == INGEST_HOLE ? CLUSTER_HOLE : CLUSTER_DOUBLE);
		receive_own_skipped(b);
		break;
	case INGEST_CHECKPOINT:
		receive_note_host(b, now);
		break;
	case INGEST_FOREIGN:
		log_warnx("the log has a message of somebody else");
		break;
	case INGEST_OLD:
	case INGEST_SEALED:
		break;
	case INGEST_MISSED:
		log_errorx("the log has lost messages behind %" PRIu64,
		    atomic_load(&bridge_words(b)->pos) >> LAYOUT_PLACE_BITS);
		return BRIDGE_RENEW;
	case INGEST_DIVERGED:
		log_errorx(
		    "host %s had another log than we: this ring is given "
		    "up",
		    b->in.name);
		bridge_count(b, CLUSTER_DIVERGED);
		return BRIDGE_RENEW;
	case INGEST_RESTARTED:
		log_errorx("the log was begun anew by another host");
		return BRIDGE_RENEW;
	}
	return BRIDGE_DONE;
}

/* Have the messages that have come, without the lock. */
static void
receive_take_messages(struct bridge *b)
{
	uint64_t behind;
	natsMsg *msg;

	if (b->first < b->count)
		return; /* they wait for the lock */
	b->first = b->count = 0;
	while (b->count < LOG_RECORDS_MAX &&
	       (msg = link_next(&b->link, &b->numbers[b->count], &behind)) !=
		   NULL) {
		b->messages[b->count++] = msg;
		bridge_set(b, CLUSTER_LAG, behind);
	}
}

/* From the log into the ring.  Returns BRIDGE_DONE, or the exit status. */
int
bridge_receive(struct bridge *b, uint64_t now)
{
	enum ingest_result result = INGEST_OLD;
	int status = BRIDGE_DONE;

	receive_take_messages(b);
	if (b->first == b->count || b->verify_ms != 0 ||
	    ring_lock(&b->ring) != RING_OK)
		return BRIDGE_DONE;
	while (b->first < b->count && status == BRIDGE_DONE) {
		natsMsg *msg = b->messages[b->first];

		result = ingest_message(&b->in, b->numbers[b->first],
		    natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg));
		/* It waits: perhaps half of it is in the ring, and nothing
		 * behind it may count before the rest does. */
		if (result == INGEST_SEALED)
			break;
		status = receive_result(b, result, now);
		natsMsg_Destroy(msg);
		b->first++;
	}
	ring_unlock(&b->ring);
	wakeup_wake(&b->wakeup, b->in.wake);
	b->in.wake = 0;
	/* What we have already may be another stream's by now. */
	if (result != INGEST_OLD && result != INGEST_SEALED) {
		b->heard_ms = now;
		atomic_store_explicit(
		    &bridge_words(b)->heard_ms, now, memory_order_relaxed);
	}
	bridge_set(b, CLUSTER_DROPPED, b->in.dropped);
	return status;
}
