/* SPDX-License-Identifier: MIT */
/* follow.c - see follow.h. */

#include "broker/status/follow.h"

#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

#define FOLLOW_RECORDS 1024u /* in a batch */

/* Bytes of a batch: room for the largest message that a server takes. */
#define FOLLOW_BYTES_MAX (32u << 20)

void
follow_begin(struct follow *follow, struct segment *seg, bool is_new)
{
	size_t words = (seg->topics_max + 63u) / 64u;

	memset(follow, 0, sizeof(*follow));
	follow->seg = seg;
	ring_attach(&follow->ring, seg, 0);
	follow->batch.records =
	    xcalloc(FOLLOW_RECORDS, sizeof(*follow->batch.records));
	follow->batch.records_max = FOLLOW_RECORDS;
	/* No record is larger than this part of the ring. */
	follow->batch.size = seg->ring_size / RING_RECORDS_MIN;
	if (follow->batch.size > FOLLOW_BYTES_MAX)
		follow->batch.size = FOLLOW_BYTES_MAX;
	follow->batch.bytes = xmalloc(follow->batch.size);
	follow->wanted = xcalloc(words, sizeof(*follow->wanted));
	memset(follow->wanted, 0xff, words * sizeof(*follow->wanted));
	follow->seen = xcalloc(seg->topics_max, sizeof(*follow->seen));
	follow->cursor.pos = ring_first(seg);
	if (is_new)
		return;
	/* Head before the numbers: what comes in between is read, and only
	 * after a lap do these numbers say what has been told. */
	follow->cursor.pos = ring_head(seg);
	for (uint32_t slot = 0; slot < seg->topics_max; slot++)
		follow->seen[slot] = ring_topic_seq(seg, slot);
}

void
follow_end(struct follow *follow)
{
	ring_detach(&follow->ring);
	free(follow->batch.records);
	free(follow->batch.bytes);
	free(follow->wanted);
	free(follow->seen);
	memset(follow, 0, sizeof(*follow));
}

/* The name of a slot's topic, from its last record.  That one may be overwritten
 * at any time, but then there is another. */
static bool
follow_name(const struct segment *seg, uint32_t slot,
    char name[LAYOUT_TOPIC_NAME_MAX + 1], uint8_t *len)
{
	enum ring_status status = RING_LAPPED;

	for (int i = 0; i < 100 && status == RING_LAPPED; i++)
		status = ring_fetch_name(
		    seg, atomic_load(&seg->topics[slot].last), slot, name, len);
	return status == RING_OK;
}

/* Tell what was missed: all up to each topic's last number.  Some of that may
 * still be in the ring; it is skipped when it comes, as told already. */
static void
follow_tell_missed(struct follow *follow, const struct follow_events *events)
{
	struct segment *seg = follow->seg;
	char name[LAYOUT_TOPIC_NAME_MAX + 1];
	uint8_t len;

	for (uint32_t slot = 0; slot < seg->topics_max; slot++) {
		uint64_t seq = ring_topic_seq(seg, slot);
		uint64_t from = atomic_load(&seg->topics[slot].base);

		if (from < follow->seen[slot])
			from = follow->seen[slot];
		if (seq <= from || !follow_name(seg, slot, name, &len))
			continue;
		follow->seen[slot] = seq;
		events->missed(events->owner, name, len, from + 1, seq);
	}
}

static void
follow_tell(struct follow *follow, const struct follow_events *events)
{
	for (size_t i = 0; i < follow->batch.count; i++) {
		const struct ring_record *record = &follow->batch.records[i];
		uint64_t *seen = &follow->seen[record->topic];

		if (follow->has_lapped &&
		    (record->flags & RECORD_UNNUMBERED) == 0 &&
		    record->seq <= *seen)
			continue;
		if (record->seq > *seen)
			*seen = record->seq;
		events->message(events->owner, record);
	}
}

enum follow_status
follow_read(struct follow *follow, const struct follow_events *events)
{
	switch (ring_tail(
	    &follow->ring, &follow->cursor, follow->wanted, &follow->batch)) {
	case RING_OK:
		follow_tell(follow, events);
		return FOLLOW_OK;
	case RING_LAPPED:
		follow->has_lapped = true;
		follow_tell_missed(follow, events);
		return FOLLOW_OK;
	case RING_EMPTY:
		return FOLLOW_EMPTY;
	case RING_CORRUPT:
	case RING_BUSY:
	case RING_SEALED:
		break;
	}
	follow_tell(follow, events);
	return FOLLOW_CORRUPT;
}
