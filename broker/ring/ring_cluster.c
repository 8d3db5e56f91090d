/* SPDX-License-Identifier: MIT */
/* ring_cluster.c - the control words of a cluster, and reading what goes with
 * them; see ring_cluster.h. */

#include "broker/ring/ring_cluster.h"

#include "broker/ring/ring_bytes.h"
#include "broker/shared/stop_point.h"

#include <stdio.h>
#include <string.h>

/* No host gets so far: the log has no place for such a number. */
#define RING_OUT_MAX (UINT64_C(1) << 53)

uint64_t
ring_outbox_bytes(const struct segment *seg)
{
	uint64_t from = atomic_load_explicit(
	    &seg->header->cluster.waits_from, memory_order_relaxed);

	return from != 0 ? ring_head(seg) - from : 0;
}

bool
ring_outbox_full(const struct ring *ring, uint32_t percent)
{
	return ring_outbox_bytes(ring->seg) > ring->capacity / 100 * percent;
}

bool
ring_outbox_sound(const struct segment *seg)
{
	const struct layout_cluster *c = &seg->header->cluster;
	uint64_t head = ring_head(seg), reserve = ring_reserved(seg);
	uint64_t pos = atomic_load(&c->outbox), out = atomic_load(&c->out);
	struct ring_link link;

	if (head < seg->ring_size || reserve < head ||
	    reserve - head > seg->ring_size || pos < seg->ring_size ||
	    c->self == 0 || out == 0 || atomic_load(&c->confirmed) > out)
		return false;
	switch (ring_outbox_follow(seg, pos, &link)) {
	case RING_OK:
		return link.seq == out;
	case RING_LAPPED:
		return out < RING_OUT_MAX;
	default:
		return false;
	}
}

unsigned
ring_bridge_slot(const struct segment *seg)
{
	return segment_workers(seg);
}

uint64_t
ring_outbox_interest(const struct ring *ring)
{
	/* As wake-1: the other half is in wakeup_fall_asleep(). */
	atomic_thread_fence(memory_order_seq_cst);
	return UINT64_C(1) << ring_bridge_slot(ring->seg);
}

void
ring_log_skip(struct ring *ring, uint64_t message, uint64_t origin)
{
	struct layout_cluster *c = &ring->header->cluster;

	/* skip-1: `pos' last */
	if (origin != 0)
		ring_note_origin(
		    c, origin, ring_origin_last(ring->seg, origin), message);
	stop_point_here(ring->header, STOP_LOG_HALF_SKIPPED);
	atomic_store_explicit(&c->pos,
	    message << LAYOUT_PLACE_BITS | LAYOUT_PLACE_INDEX,
	    memory_order_release);
}

enum ring_status
ring_log_lost(struct ring *ring, const struct layout_mark *mark)
{
	const struct ring_mark lost = {
		.at = *mark, .worker = RING_NO_WORKER, .kind = RING_LOST
	};
	struct ring_msg msg = { .body = "", .mark = &lost };

	return ring_publish(ring, &msg, 1);
}

void
ring_log_state(const struct segment *seg, struct ring_log_state *state)
{
	const struct layout_cluster *c = &seg->header->cluster;

	/* state-1: the bridge itself is the only one that changes it */
	memset(state, 0, sizeof(*state));
	state->pos = atomic_load_explicit(&c->pos, memory_order_acquire);
	state->hash = c->hash;
	for (unsigned i = 0; i < LAYOUT_ORIGINS; i++)
		if (c->origins[i].id != 0)
			state->origins[state->count++] = c->origins[i];
}

uint64_t
ring_state_last(const struct ring_log_state *state, uint64_t origin)
{
	for (uint32_t i = 0; i < state->count; i++)
		if (state->origins[i].id == origin)
			return state->origins[i].last;
	return 0;
}

void
ring_log_join(struct ring *ring, const struct ring_log_state *state,
    const char *stream, uint64_t last)
{
	struct layout_cluster *c = &ring->header->cluster;

	/* join-2: all that the ring begins with */
	memset(c->origins, 0, sizeof(c->origins));
	memcpy(
	    c->origins, state->origins, state->count * sizeof(*state->origins));
	snprintf(c->stream, sizeof(c->stream), "%s", stream);
	c->hash = state->hash;
	c->found = last;
	stop_point_here(ring->header, STOP_LOG_HALF_JOINED);
	atomic_store_explicit(&c->pos, state->pos, memory_order_release);
	/* join-3: last.  Never 0: a stream's first message is number 1. */
	atomic_store_explicit(
	    &c->joined, state->pos | LAYOUT_PLACE_INDEX, memory_order_release);
}
