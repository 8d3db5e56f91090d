/* SPDX-License-Identifier: MIT */
/* ingest.c - see ingest.h. */

#include "broker/cluster/ingest.h"

#include "broker/ring/topics.h"
#include "broker/shared/stamps.h"
#include "common/clock.h"
#include "common/siphash.h"

#include <string.h>

void
ingest_init(struct ingest *in, struct ring *ring, uint32_t body_max)
{
	memset(in, 0, sizeof(*in));
	in->ring = ring;
	in->body_max = body_max;
}

bool
ingest_is_end(enum ingest_result result)
{
	return result == INGEST_MISSED || result == INGEST_DIVERGED ||
	       result == INGEST_RESTARTED;
}

static struct layout_cluster *
ingest_words(const struct ingest *in)
{
	return &in->ring->header->cluster;
}

static uint64_t
ingest_pos(const struct ingest *in)
{
	return atomic_load_explicit(
	    &ingest_words(in)->pos, memory_order_relaxed);
}

/* The hash behind an accepted batch: of the one before, of the message that it is,
 * and of all of its bytes.  A server of the log that has one message more or less
 * than the others gives each batch behind it another number, and clients could not
 * go from host to host; the bytes alone would not show that.  No secret: all hosts
 * come to the same. */
static uint64_t
ingest_hash(uint64_t before, uint64_t message, const void *data, size_t len)
{
	const struct siphash_key key = { { before, message } };

	return siphash(&key, data, len);
}

/* Remember the hash behind a message. */
static void
ingest_remember(struct ingest *in, uint64_t message)
{
	in->hashes[message % INGEST_HASHES].pos = ingest_pos(in);
	in->hashes[message % INGEST_HASHES].hash = ingest_words(in)->hash;
}

/* Publish what has been gathered, and note whom that wakes.  Returns false if
 * the ring is sealed. */
static bool
ingest_publish(struct ingest *in)
{
	if (in->count == 0)
		return true;
	/* A delivery begins here: the way to here has its own histogram. */
	stamps_add(in->ring->seg, clock_monotonic_ns());
	if (ring_publish(in->ring, in->msgs, in->count) != RING_OK)
		return false;
	in->wake |= ring_interest(in->ring, in->msgs, in->count);
	for (uint32_t i = 0; i < in->count; i++)
		if (in->marks[i].worker < LAYOUT_WORKERS)
			in->wake |= UINT64_C(1) << in->marks[i].worker;
	in->count = 0;
	return true;
}

/* The slot of a record's topic; TOPICS_NONE: it has none, or the ring is
 * sealed. */
static uint32_t
ingest_slot(struct ingest *in, const struct log_record *rec, bool *sealed)
{
	struct segment *seg = in->ring->seg;
	uint32_t hash = topics_hash(seg, rec->name, rec->name_len);
	uint32_t slot = topics_find(seg, rec->name, rec->name_len, hash);

	if (slot != TOPICS_NONE)
		return slot;
	/* Before the slot of a gathered one becomes another topic's. */
	if (!ingest_publish(in)) {
		*sealed = true;
		return TOPICS_NONE;
	}
	return topics_open(seg, rec->name, rec->name_len, hash);
}

/* Gather one record.  Returns false if the ring is sealed. */
static bool
ingest_record(struct ingest *in, const struct log_record *rec,
    const struct layout_mark *at)
{
	bool own = at->origin == ingest_words(in)->self, sealed = false;
	uint32_t slot = TOPICS_NONE;

	if (own && at->out <= atomic_load(&ingest_words(in)->shown))
		return true; /* it is a message here */
	if (rec->body_len <= in->body_max)
		slot = ingest_slot(in, rec, &sealed);
	if (slot == TOPICS_NONE) {
		in->dropped += !sealed;
		return !sealed;
	}
	in->marks[in->count] = (struct ring_mark){
		.at = *at,
		.worker = own ? rec->worker : RING_NO_WORKER,
	};
	in->msgs[in->count] = (struct ring_msg){
		.topic = slot,
		.body = rec->body,
		.body_len = rec->body_len,
		.time_ms = rec->time_ms,
		.conn = own ? rec->conn : 0,
		.flags = rec->flags,
		.mark = &in->marks[in->count],
	};
	in->count++;
	return true;
}

/*
 * Publish the records of a batch that counts, but for those that are in the ring
 * already.  All have the hash that was before it, and the last the next one: a
 * batch whose half is in the ring when we die begins with that again.
 */
static enum ingest_result
ingest_batch(struct ingest *in, uint64_t message, const void *data, size_t len)
{
	const struct log_head *head = &in->head;
	uint64_t before = ingest_words(in)->hash, pos = ingest_pos(in);
	struct layout_mark at = { .origin = head->origin };
	struct log_record rec;
	size_t offset = LOG_HEAD;

	in->count = 0;
	for (uint32_t i = 0; i < head->count; i++) {
		log_record_next(data, &offset, &rec);
		at.pos = message << LAYOUT_PLACE_BITS | i;
		at.out = head->prev + 1 + i;
		at.hash = i + 1 < head->count
		              ? before
		              : ingest_hash(before, message, data, len);
		if (at.pos > pos && !ingest_record(in, &rec, &at))
			return INGEST_SEALED;
	}
	if (!ingest_publish(in))
		return INGEST_SEALED;
	/* The last may have found no place, and nothing says so in the ring. */
	if (ingest_pos(in) < at.pos)
		ring_note_alone(in->ring->header, &at);
	return INGEST_ACCEPTED;
}

/* Records of an origin will never come: note that in the ring, and wake all. */
static enum ingest_result
ingest_lost(struct ingest *in, uint64_t message, const void *data, size_t len)
{
	const struct layout_mark at = {
		.pos = message << LAYOUT_PLACE_BITS | LAYOUT_PLACE_INDEX,
		.origin = in->head.origin,
		.out = in->head.prev + in->head.count,
		.hash = ingest_hash(ingest_words(in)->hash, message, data, len),
	};

	if (ring_log_lost(in->ring, &at) != RING_OK)
		return INGEST_SEALED;
	in->wake |=
	    (UINT64_C(1) << segment_workers(in->ring->seg)) - UINT64_C(1);
	return INGEST_ACCEPTED;
}

/* Another host, or we, said where it stands.  That may be in the midst of a
 * batch, when its bridge has just been begun anew: the hash there is that from
 * before the batch, and says nothing.  Nor does what was said before this ring began:
 * a ring that was given up for it is not given up for it again. */
static enum ingest_result
ingest_checkpoint(struct ingest *in, uint64_t number, const void *data)
{
	uint64_t message;

	/* state-2: only where we have stood, too */
	log_read_state(data, &in->state, in->name);
	message = in->state.pos >> LAYOUT_PLACE_BITS;
	if (number > ingest_words(in)->found &&
	    in->hashes[message % INGEST_HASHES].pos == in->state.pos &&
	    message != 0 &&
	    in->hashes[message % INGEST_HASHES].hash != in->state.hash)
		return INGEST_DIVERGED;
	return INGEST_CHECKPOINT;
}

/* What it is, and if it counts, its records into the ring. */
static enum ingest_result
ingest_judge(struct ingest *in, uint64_t message, const void *data, size_t len)
{
	uint64_t last;

	if (!log_read(data, len, &in->head))
		return INGEST_FOREIGN;
	if (in->head.kind == LOG_GENESIS)
		return ingest_pos(in) == 0 ? INGEST_CHECKPOINT
		                           : INGEST_RESTARTED;
	if (in->head.kind == LOG_CHECKPOINT)
		return ingest_checkpoint(in, message, data);
	/* judge-2: half of it is in the ring: it counted */
	if (message == ingest_pos(in) >> LAYOUT_PLACE_BITS)
		return ingest_batch(in, message, data, len);
	/* judge-3: it goes on where its origin had come to */
	last = ring_origin_last(in->ring->seg, in->head.origin);
	if (in->head.prev != last)
		return in->head.prev < last ? INGEST_DOUBLE : INGEST_HOLE;
	if (in->head.kind == LOG_LOST)
		return ingest_lost(in, message, data, len);
	return ingest_batch(in, message, data, len);
}

/* Whether the message is in the ring, all of it. */
static bool
ingest_is_old(
    const struct ingest *in, uint64_t message, const void *data, size_t len)
{
	uint64_t pos = ingest_pos(in);
	struct log_head head;

	if (message != pos >> LAYOUT_PLACE_BITS)
		return message < pos >> LAYOUT_PLACE_BITS;
	return (pos & LAYOUT_PLACE_INDEX) == LAYOUT_PLACE_INDEX ||
	       !log_read(data, len, &head) || head.kind != LOG_BATCH ||
	       (pos & LAYOUT_PLACE_INDEX) + 1 >= head.count;
}

enum ingest_result
ingest_message(
    struct ingest *in, uint64_t message, const void *data, size_t len)
{
	uint64_t known = ingest_pos(in) >> LAYOUT_PLACE_BITS;
	enum ingest_result result;

	/* judge-1: what is in the ring, or is not what comes next */
	if (ingest_is_old(in, message, data, len))
		return INGEST_OLD;
	if (message > known + 1)
		return INGEST_MISSED;
	result = ingest_judge(in, message, data, len);
	if (result == INGEST_SEALED || ingest_is_end(result))
		return result;
	if (result != INGEST_ACCEPTED)
		ring_log_skip(in->ring, message,
		    result == INGEST_CHECKPOINT ? in->head.origin : 0);
	ingest_remember(in, message);
	return result;
}
