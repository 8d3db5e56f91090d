/* SPDX-License-Identifier: MIT */
/*
 * ring_show.c - what waits in the outbox of a cluster becomes messages, when this
 * host goes on without the log; see ring_cluster.h.
 */

#include "broker/ring/ring_cluster.h"
#include "broker/ring/topics.h"
#include "common/bug.h"
#include "common/xmalloc.h"

#include <stdlib.h>

/* Copied out of the ring at a time, before they are published behind its head: so
 * many at most, and one more after so many bytes. */
#define SHOW_RECORDS 64u
#define SHOW_BYTES   (256u * 1024)

struct show {
	struct ring *ring;
	uint64_t *positions; /* owned: of those to be shown, the newest first */
	size_t count, max;
	unsigned char *bytes; /* owned */
	size_t record_size;   /* of the longest */
	struct ring_msg msgs[SHOW_RECORDS];
	struct ring_mark marks[SHOW_RECORDS];
	uint32_t gathered;
	uint64_t shown; /* up to this number */
	uint64_t who;   /* is to be woken, bits */
};

bool
ring_all_shown(const struct ring *ring)
{
	const struct layout_cluster *c = &ring->header->cluster;

	return atomic_load_explicit(&c->shown, memory_order_acquire) ==
	       atomic_load_explicit(&c->out, memory_order_acquire);
}

/* Walk back to the first that is not shown, or as far as the ring has them. */
static void
show_find(struct show *show)
{
	const struct layout_cluster *c = &show->ring->header->cluster;
	uint64_t shown = atomic_load(&c->shown), number = atomic_load(&c->out);
	uint64_t pos = atomic_load(&c->outbox);
	struct ring_link link;

	for (; number > shown && pos != 0; number--, pos = link.prev) {
		if (ring_outbox_follow(show->ring->seg, pos, &link) != RING_OK)
			break;
		if (show->count == show->max) {
			show->max = show->max * 2 + 256;
			show->positions = xreallocarray(show->positions,
			    show->max, sizeof(*show->positions));
		}
		show->positions[show->count++] = pos;
	}
}

/* Publish what was gathered.  Returns false if the ring is sealed. */
static bool
show_publish(struct show *show)
{
	struct ring *ring = show->ring;

	if (show->gathered > 0) {
		if (ring_publish(ring, show->msgs, show->gathered) != RING_OK)
			return false;
		show->who |= ring_interest(ring, show->msgs, show->gathered);
		for (uint32_t i = 0; i < show->gathered; i++)
			show->who |= UINT64_C(1) << show->marks[i].worker;
	}
	show->gathered = 0;
	/* The last may have found no place in the directory. */
	ring_note_shown(ring->header, show->shown);
	return true;
}

/* Its topic's slot, which may be another than when it began to wait. */
static uint32_t
show_slot(struct show *show, const struct ring_record *rec)
{
	struct segment *seg = show->ring->seg;
	uint32_t hash = topics_hash(seg, rec->name, rec->name_len);
	uint32_t slot = topics_find(seg, rec->name, rec->name_len, hash);

	if (slot != TOPICS_NONE)
		return slot;
	/* Before the slot of a gathered one becomes another topic's. */
	if (!show_publish(show))
		return TOPICS_NONE;
	return topics_open(seg, rec->name, rec->name_len, hash);
}

/* Gather one.  One whose topic finds no slot is left out here. */
static void
show_add(struct show *show, const struct ring_record *rec)
{
	uint32_t slot = show_slot(show, rec), i = show->gathered;

	show->shown = rec->seq;
	if (slot == TOPICS_NONE)
		return;
	show->marks[i] = (struct ring_mark){
		.at = { .out = rec->seq },
		.worker = rec->worker,
		.kind = RING_SHOWN,
	};
	show->msgs[i] = (struct ring_msg){
		.topic = slot,
		.body = rec->body,
		.body_len = rec->body_len,
		.time_ms = rec->time_ms,
		.conn = rec->conn,
		.flags = rec->flags & RECORD_UNNUMBERED,
		.mark = &show->marks[i],
	};
	show->gathered++;
}

/* Show the next ones, as many as are copied at a time.  Returns false if the ring
 * is sealed. */
static bool
show_some(struct show *show, size_t *done)
{
	struct ring_record rec;
	size_t used = 0;

	for (uint32_t i = 0;
	     i < SHOW_RECORDS && used < SHOW_BYTES && show->count > 0; i++) {
		unsigned char *bytes = show->bytes + used;
		enum ring_status status = ring_outbox_fetch(show->ring->seg,
		    show->positions[--show->count], bytes, show->record_size,
		    &rec);

		if (status == RING_LAPPED) /* by what was published here */
			continue;
		CHECK(status == RING_OK && rec.worker < LAYOUT_WORKERS);
		show_add(show, &rec);
		used += ring_record_max(rec.body_len);
	}
	*done += used;
	return show_publish(show);
}

uint64_t
ring_show(struct ring *ring, uint32_t body_max)
{
	struct layout_cluster *c = &ring->header->cluster;
	struct show *show;
	size_t done = 0;
	uint64_t who;

	if (ring_all_shown(ring) || atomic_load(&ring->header->sealed))
		return 0;
	show = xcalloc(1, sizeof(*show));
	show->ring = ring;
	show->record_size = ring_record_max(body_max);
	show->bytes = xmalloc(SHOW_BYTES + 2 * show->record_size);
	show_find(show);
	if (show->count == 0) /* overwritten */
		ring_note_shown(ring->header, atomic_load(&c->out));
	for (size_t n = 0; show->count > 0 && n < RING_SHOW_RECORDS &&
			   done < RING_SHOW_BYTES && show_some(show, &done);
	     n += SHOW_RECORDS)
		;
	who = show->who;
	free(show->positions);
	free(show->bytes);
	free(show);
	return who;
}
