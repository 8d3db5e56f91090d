/* SPDX-License-Identifier: MIT */
/*
 * ring.c - the writers' side: publish, and which workers to wake; see ring.h.
 * The lock is in ring_lock.c.
 *
 * The steps of a publish; names like these number the steps of the whole
 * protocol, in all files, and the models in tests/model/ use the same:
 *	publish-1   reserve = max(reserve, end of this batch); release fence
 *	publish-2   copy the records in behind head
 *	publish-3   head = end, one release store: the commit
 *	publish-4   each topic's seq and last, and what a record asks for beyond
 *	publish-5   applied = head, a release store
 *	wake-1      one seq_cst fence, then the interest words
 *
 * What another order would break (the last three, if a writer dies in between):
 *	reserve after the copy		a reader believes a torn record
 *	head before the copy		the same
 *	directory before head		the directory knows a number that the
 *					log never had
 *	applied before directory	nobody repairs the directory
 *	reserve set back afterwards	a reader believes a half-written record
 */

#include "broker/ring/ring.h"

#include "broker/ring/member_table.h"
#include "broker/ring/ring_apply.h"
#include "broker/ring/ring_bytes.h"
#include "broker/ring/ring_marks.h"
#include "broker/shared/stop_point.h"
#include "common/bug.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
ring_attach(struct ring *ring, struct segment *seg, unsigned self)
{
	memset(ring, 0, sizeof(*ring));
	ring->seg = seg;
	ring->header = seg->header;
	ring->capacity = seg->ring_size;
	ring->self = self;
	ring->holdings = (uint64_t)getpid() << 32; /* not a predecessor's */
	ring->looked_at = ring_head(seg);
	ring->reached = xcalloc(seg->topics_max, sizeof(*ring->reached));
}

void
ring_detach(struct ring *ring)
{
	free(ring->reached);
	ring->reached = NULL;
}

uint64_t
ring_first(const struct segment *seg)
{
	/* Not 0, so that position 0 can mean "no record". */
	return seg->ring_size;
}

uint64_t
ring_head(const struct segment *seg)
{
	return atomic_load_explicit(&seg->header->head, memory_order_acquire);
}

/* Bytes of a message's record. */
static uint32_t
ring_record_len(const struct ring *ring, const struct ring_msg *msg)
{
	uint32_t len = ring_bytes_round((uint32_t)sizeof(struct layout_record) +
					ring->seg->topics[msg->topic].name_len +
					msg->body_len);

	if (msg->mark != NULL && !msg->mark->to_outbox)
		len += (uint32_t)sizeof(struct layout_mark);
	if (msg->extra != NULL)
		len += (uint32_t)sizeof(struct layout_extra);
	return len;
}

/* Padding that a record of this length needs in front of it at pos. */
static uint64_t
ring_padding(const struct ring *ring, uint64_t pos, uint32_t length)
{
	uint64_t left = ring->capacity - pos % ring->capacity;

	return length > left ? left : 0;
}

/* How many of the messages make one batch, and where it ends. */
static size_t
ring_plan(const struct ring *ring, const struct ring_msg *msgs, size_t n,
    uint64_t start, uint64_t *end)
{
	uint64_t limit = start + ring->capacity / RING_BATCH_PART;
	uint64_t pos = start, next;
	uint32_t length;
	size_t i;

	for (i = 0; i < n; i++) {
		length = ring_record_len(ring, &msgs[i]);
		next = pos + ring_padding(ring, pos, length) + length;
		if (next > limit)
			break;
		pos = next;
	}
	CHECK(i > 0); /* the capacity was chosen for the largest record */
	*end = pos;
	return i;
}

/* Where the topic stands within this batch. */
static struct ring_reached *
ring_reached(struct ring *ring, uint32_t slot)
{
	struct ring_reached *r = &ring->reached[slot];
	struct layout_topic *topic = &ring->seg->topics[slot];

	if (r->batch != ring->batch) {
		r->batch = ring->batch;
		r->seq =
		    atomic_load_explicit(&topic->seq, memory_order_relaxed);
		r->last =
		    atomic_load_explicit(&topic->last, memory_order_relaxed);
	}
	return r;
}

/* The record of a message in a cluster.  Returns where it counts on. */
static struct ring_reached *
ring_mark_record(struct ring *ring, const struct ring_msg *msg,
    struct layout_record *rec, struct ring_reached *reached)
{
	struct layout_cluster *c = &ring->header->cluster;

	if (!msg->mark->to_outbox) {
		rec->flags |= RECORD_MARKED;
		rec->worker = msg->mark->worker;
		return reached;
	}
	reached = &ring->outbox;
	if (reached->batch != ring->batch) {
		reached->batch = ring->batch;
		reached->seq =
		    atomic_load_explicit(&c->out, memory_order_relaxed);
		reached->last =
		    atomic_load_explicit(&c->outbox, memory_order_relaxed);
	}
	rec->flags |= RECORD_OUTBOX;
	rec->seq = reached->seq + 1;
	rec->prev = reached->last;
	return reached;
}

/* One message of the batch: its record, and padding before it.  Returns the
 * position behind it. */
static uint64_t
ring_copy_in(struct ring *ring, struct ring_msg *msg, uint64_t pos)
{
	struct ring_reached *reached = ring_reached(ring, msg->topic);
	uint32_t length = ring_record_len(ring, msg);
	uint64_t pad = ring_padding(ring, pos, length);
	bool is_numbered = msg->flags == 0 || msg->mark != NULL;
	struct layout_record rec = {
		.length = length,
		.flags = (uint8_t)(msg->flags |
				   (msg->extra != NULL ? RECORD_EXTRA : 0)),
		.name_len = ring->seg->topics[msg->topic].name_len,
		.worker = (uint16_t)ring->self,
		.topic = msg->topic,
		.body_len = msg->body_len,
		.seq = reached->seq + is_numbered,
		.prev = is_numbered ? reached->last : 0,
		.time_ms = msg->time_ms,
		.conn = msg->conn,
	};

	if (msg->mark != NULL)
		reached = ring_mark_record(ring, msg, &rec, reached);
	if (pad != 0)
		ring_bytes_pad(ring->seg, pos, (uint32_t)pad);
	pos += pad;
	ring_bytes_write(ring->seg, pos, &rec,
	    ring->seg->names[msg->topic].name, msg->body, msg->extra);
	if (rec.flags & RECORD_MARKED)
		ring_bytes_mark(ring->seg, pos + length, &msg->mark->at);
	reached->seq = msg->seq = rec.seq;
	if (is_numbered || rec.flags & RECORD_OUTBOX)
		reached->last = pos;
	return pos + length;
}

/* Whether it is no message yet, but waits to be sent to the cluster's log. */
static bool
ring_waits(const struct ring_msg *msg)
{
	return msg->mark != NULL && msg->mark->to_outbox;
}

/* The words of the cluster know that batch now, too. */
static void
ring_note_marks(struct ring *ring, const struct ring_mark *last)
{
	if (last->to_outbox)
		ring_note_outbox(
		    ring->header, ring->outbox.seq, ring->outbox.last);
	else
		ring_note_mark(ring->header, &last->at);
}

/* Do what a message asks for beyond its number. */
static void
ring_apply_msg(struct segment *seg, const struct ring_msg *msg)
{
	const struct layout_topic *topic = &seg->topics[msg->topic];
	const struct retain_name name = { .at = seg->names[msg->topic].name,
		.len = topic->name_len,
		.hash = topic->hash };
	struct retain_value value = { .body = msg->body,
		.body_len = msg->body_len,
		.seq = msg->seq,
		.time_ms = msg->time_ms };

	ring_apply_extra(seg, msg->extra, &name, &value);
}

/* Publish the first messages, one batch of them.  Returns how many. */
static size_t
ring_publish_batch(struct ring *ring, struct ring_msg *msgs, size_t n)
{
	struct layout_header *h = ring->header;
	uint64_t start = atomic_load_explicit(&h->head, memory_order_relaxed);
	uint64_t reserve =
	    atomic_load_explicit(&h->reserve, memory_order_relaxed);
	uint64_t pos, end;

	ring->batch++;
	n = ring_plan(ring, msgs, n, start, &end);
	stop_point_here(h, STOP_BEFORE_RESERVE);

	/* publish-1: never back, so that the half-written records of a dead
	 * writer stay out of reach */
	atomic_store_explicit(
	    &h->reserve, reserve > end ? reserve : end, memory_order_release);
	atomic_thread_fence(memory_order_release);
	stop_point_here(h, STOP_RESERVED);

	/* publish-2: behind head, where no reader reads yet */
	pos = start;
	for (size_t i = 0; i < n; i++) {
		pos = ring_copy_in(ring, &msgs[i], pos);
		stop_point_here(h, STOP_HALF_COPIED);
	}
	CHECK(pos == end);
	stop_point_here(h, STOP_COPIED);

	/* publish-3: the commit */
	atomic_store_explicit(&h->head, end, memory_order_release);
	stop_point_here(h, STOP_COMMITTED);

	/* publish-4: the log has these numbers now */
	for (size_t i = 0; i < n; i++) {
		struct ring_reached *r = &ring->reached[msgs[i].topic];

		ring_apply(&ring->seg->topics[msgs[i].topic], r->seq, r->last);
		if ((msgs[i].flags & RECORD_MEMBERS) != 0)
			member_apply(ring->seg, msgs[i].flags, msgs[i].conn);
		if (msgs[i].extra != NULL && !ring_waits(&msgs[i]))
			ring_apply_msg(ring->seg, &msgs[i]);
		stop_point_here(h, STOP_HALF_APPLIED);
	}
	if (msgs[n - 1].mark != NULL)
		ring_note_marks(ring, msgs[n - 1].mark);
	/* publish-5: a death before this is repaired by the next holder */
	atomic_store_explicit(&h->applied, end, memory_order_release);
	stop_point_here(h, STOP_APPLIED);
	return n;
}

enum ring_status
ring_publish(struct ring *ring, struct ring_msg *msgs, size_t n)
{
	/* seal-7: under the lock, or the seal might come before the commit */
	if (atomic_load(&ring->header->sealed))
		return RING_SEALED;
	while (n > 0) {
		size_t done = ring_publish_batch(ring, msgs, n);

		msgs += done;
		n -= done;
	}
	return RING_OK;
}

/* Workers that are a quarter of the ring behind. */
static uint64_t
ring_laggards(const struct ring *ring, uint64_t head)
{
	unsigned n = segment_workers(ring->seg);
	uint64_t who = 0;

	for (unsigned w = 0; w < n; w++) {
		uint64_t cursor = atomic_load_explicit(
		    &ring->seg->workers[w].cursor, memory_order_relaxed);

		/* a cursor may be beyond the head that we looked at */
		if (head > cursor && head - cursor > ring->capacity / 4)
			who |= UINT64_C(1) << w;
	}
	return who;
}

uint64_t
ring_interest(struct ring *ring, const struct ring_msg *msgs, size_t n)
{
	uint64_t who = 0;
	uint64_t head;

	/* wake-1: the other half of this fence is in wakeup_fall_asleep() */
	atomic_thread_fence(memory_order_seq_cst);
	/* wake-2: a later subscriber subscribes under the lock, and sees
	 * head */
	who |= atomic_load_explicit(
	    &ring->header->following, memory_order_relaxed);
	for (size_t i = 0; i < n; i++)
		who |= atomic_load_explicit(
		    &ring->seg->topics[msgs[i].topic].interest,
		    memory_order_relaxed);
	head = atomic_load_explicit(&ring->header->head, memory_order_relaxed);
	if (head - ring->looked_at >= ring->capacity / 16) {
		ring->looked_at = head;
		who |= ring_laggards(ring, head);
	}
	return who;
}

void
ring_seal(struct ring *ring)
{
	atomic_store(&ring->header->sealed, 1);
	stop_point_here(ring->header, STOP_SEALED);
}

uint64_t
ring_topic_seq(const struct segment *seg, uint32_t topic)
{
	return atomic_load_explicit(
	    &seg->topics[topic].seq, memory_order_relaxed);
}

uint64_t
ring_record_max(uint32_t body_len)
{
	return ring_bytes_round((uint32_t)sizeof(struct layout_record) +
				LAYOUT_TOPIC_NAME_MAX + body_len) +
	       (uint32_t)sizeof(struct layout_extra);
}
