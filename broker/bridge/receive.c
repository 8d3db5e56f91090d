/* SPDX-License-Identifier: MIT */
/* receive.c - from the log into the ring; see state.h. */

#include "broker/bridge/state.h"
#include "broker/cluster/bridge_args.h"
#include "broker/cluster/hosts.h"
#include "common/log.h"

#include <inttypes.h>

/* A batch of ours did not count: if it was sent since we last went back, and is
 * not all in the ring, go back. */
static void
receive_own_skipped(struct bridge *b)
{
	const struct log_head *head = &b->in.head;
	uint64_t self = bridge_words(b)->self;

	asides_skipped(&b->asides, head);
	if (head->origin != self || head->round != b->sender.round ||
	    head->prev + head->count <= ring_origin_last(&b->seg, self))
		return;
	sender_go_back(&b->sender);
	bridge_count(b, CLUSTER_GO_BACKS);
}

/* What this host has published may be let go when another host has it. */
static void
receive_checkpoint(struct bridge *b, uint64_t now)
{
	const struct log_head *head = &b->in.head;
	uint64_t self = bridge_words(b)->self;

	if (asides_have(&b->asides, head->origin))
		return; /* it was this host */
	hosts_note(bridge_words(b), head->origin, now);
	if (head->kind != LOG_CHECKPOINT || head->origin == self)
		return;
	sender_confirm(&b->sender, ring_state_last(&b->in.state, self),
	    ring_origin_last(&b->seg, self));
	asides_confirm(&b->asides, &b->in.state);
}

/* The log was heard: which hosts live by now?  Alone, what has come back is let
 * go. */
static void
receive_count_hosts(struct bridge *b, uint64_t now)
{
	uint64_t others[LAYOUT_ORIGINS];
	uint32_t count;

	hosts_heard_log(bridge_words(b), now);
	count = hosts_others(bridge_words(b), others);
	bridge_set(b, CLUSTER_HOSTS, count + 1);
	if (count > 0)
		return;
	sender_confirm(&b->sender, UINT64_MAX,
	    ring_origin_last(&b->seg, bridge_words(b)->self));
	asides_confirm(&b->asides, NULL);
}

/* Returns BRIDGE_DONE, or the exit status. */
static int
receive_result(
    struct bridge *b, enum ingest_result result, size_t len, uint64_t now)
{
	switch (result) {
	case INGEST_ACCEPTED:
		bridge_count(b, CLUSTER_ACCEPTED);
		if (b->in.head.origin != bridge_words(b)->self)
			b->taken_bytes += len;
		break;
	case INGEST_DOUBLE:
	case INGEST_HOLE:
		bridge_count(
		    b, result == INGEST_HOLE ? CLUSTER_HOLE : CLUSTER_DOUBLE);
		receive_own_skipped(b);
		break;
	case INGEST_CHECKPOINT:
		receive_checkpoint(b, now);
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
		size_t len = (size_t)natsMsg_GetDataLength(msg);

		result = ingest_message(
		    &b->in, b->numbers[b->first], natsMsg_GetData(msg), len);
		/* It waits: perhaps half of it is in the ring, and nothing
		 * behind it may count before the rest does. */
		if (result == INGEST_SEALED)
			break;
		status = receive_result(b, result, len, now);
		natsMsg_Destroy(msg);
		b->first++;
	}
	ring_unlock(&b->ring);
	wakeup_wake(&b->wakeup, b->in.wake);
	b->in.wake = 0;
	/* What we have already may be another stream's by now. */
	if (result != INGEST_OLD && result != INGEST_SEALED) {
		b->heard_ms = now;
		receive_count_hosts(b, now);
	}
	bridge_set(b, CLUSTER_DROPPED, b->in.dropped);
	return status;
}
