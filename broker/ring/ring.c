/* SPDX-License-Identifier: MIT */
/*
 * ring.c - the writers' side: publish; see ring.h.  Which workers to wake is in
 * ring_wake.c, the lock in ring_lock.c.
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

/* Bytes of the name that a message's record has. */
static uint8_t
ring_name_len(const struct ring *ring, const struct ring_msg *msg)
{
	return msg->mark != NULL && msg->mark->kind == RING_LOST
	           ? 0
	           : ring->seg->topics[msg->topic].name_len;
}

/* Bytes of a message's record. */
static uint32_t
ring_record_len(const struct ring *ring, const struct ring_msg *msg)
{
	uint32_t len =
	    ring_bytes_round((uint32_t)sizeof(struct layout_record) +
			     ring_name_len(ring, msg) + msg->body_len);

	if (msg->mark != NULL && msg->mark->kind != RING_TO_OUTBOX)
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

/* Where the outbox of a cluster stands within this batch. */
static struct ring_reached *
ring_outbox_reached(struct ring *ring)
{
	struct layout_cluster *c = &ring->header->cluster;
	struct ring_reached *outbox = &ring->outbox;

	if (outbox->batch != ring->batch) {
		outbox->batch = ring->batch;
		outbox->seq =
		    atomic_load_explicit(&c->out, memory_order_relaxed);
		outbox->last =
		    atomic_load_explicit(&c->outbox, memory_order_relaxed);
	}
	return outbox;
}

/* Give a record that will stand at pos its number in the outbox. */
static void
ring_number_sent(struct ring *ring, struct ring_msg *msg, uint64_t pos,
    struct layout_record *rec, struct layout_mark *mark)
{
	struct ring_reached *outbox = ring_outbox_reached(ring);

	rec->flags |= RECORD_OUTBOX;
	msg->out = mark->out = ++outbox->seq;
	mark->before = outbox->last;
	outbox->last = pos;
	if (msg->mark->kind == RING_TO_OUTBOX) {
		rec->seq = mark->out;
		rec->prev = mark->before;
	}
}

/* What the record of a message in a cluster, which will stand at pos, has beyond
 * the message. */
static void
ring_mark_record(struct ring *ring, struct ring_msg *msg, uint64_t pos,
    struct layout_record *rec, struct layout_mark *mark)
{
	struct layout_cluster *c = &ring->header->cluster;
	enum ring_mark_kind kind = msg->mark->kind;

	*mark = msg->mark->at;
	mark->shown = atomic_load_explicit(&c->shown, memory_order_relaxed);
	mark->returned =
	    atomic_load_explicit(&c->returned, memory_order_relaxed);
	if (kind == RING_LOCAL || kind == RING_SHOWN)
		mark->pos = atomic_load_explicit(&c->pos, memory_order_relaxed);
	if (kind == RING_LOST)
		rec->flags |= RECORD_PADDING;
	if (kind != RING_TO_OUTBOX)
		rec->flags |= RECORD_MARKED;
	if (ring_is_sent(msg->mark))
		ring_number_sent(ring, msg, pos, rec, mark);
	else
		rec->worker = msg->mark->worker;
}

/* One message of the batch: its record, and padding before it.  Returns the
 * position behind it. */
static uint64_t
ring_copy_in(struct ring *ring, struct ring_msg *msg, uint64_t pos)
{
	struct ring_reached *reached = ring_reached(ring, msg->topic);
	uint32_t length = ring_record_len(ring, msg);
	uint64_t pad = ring_padding(ring, pos, length);
	bool is_numbered = msg->flags == 0 && ring_is_message(msg->mark);
	struct layout_mark mark;
	struct layout_record rec = {
		.length = length,
		.flags = (uint8_t)(msg->flags |
				   (msg->extra != NULL ? RECORD_EXTRA : 0)),
		.name_len = ring_name_len(ring, msg),
		.worker = (uint16_t)ring->self,
		.topic = msg->topic,
		.body_len = msg->body_len,
		.seq = reached->seq + is_numbered,
		.prev = is_numbered ? reached->last : 0,
		.time_ms = msg->time_ms,
		.conn = msg->conn,
	};

	if (pad != 0)
		ring_bytes_pad(ring->seg, pos, (uint32_t)pad);
	pos += pad;
	if (msg->mark != NULL)
		ring_mark_record(ring, msg, pos, &rec, &mark);
	msg->seq = rec.seq;
	ring_bytes_write(ring->seg, pos, &rec,
	    ring->seg->names[msg->topic].name, msg->body, msg->extra);
	if (rec.flags & RECORD_MARKED)
		ring_bytes_mark(ring->seg, pos + length, &mark);
	if (is_numbered) {
		reached->seq = rec.seq;
		reached->last = pos;
	}
	return pos + length;
}

/* The words of the cluster know that batch now, too: whose last mark this is. */
static void
ring_note_marks(struct ring *ring, const struct ring_mark *last)
{
	struct layout_header *h = ring->header;

	switch (last->kind) {
	case RING_FROM_LOG:
		ring_note_mark(h, &last->at);
		return;
	case RING_LOST:
		ring_note_lost(h, &last->at);
		return;
	case RING_SHOWN:
		ring_note_shown(h, last->at.out);
		return;
	case RING_LOCAL:
		ring_note_shown(h, ring->outbox.seq);
		ring_note_outbox(h, ring->outbox.seq, ring->outbox.last);
		return;
	case RING_TO_OUTBOX:
		ring_note_outbox(h, ring->outbox.seq, ring->outbox.last);
		return;
	}
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

		if (ring_is_message(msgs[i].mark))
			ring_apply(
			    &ring->seg->topics[msgs[i].topic], r->seq, r->last);
		if ((msgs[i].flags & RECORD_MEMBERS) != 0)
			member_apply(ring->seg, msgs[i].flags, msgs[i].conn);
		if (msgs[i].extra != NULL && ring_is_message(msgs[i].mark))
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
