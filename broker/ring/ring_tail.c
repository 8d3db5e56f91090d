/* SPDX-License-Identifier: MIT */
/*
 * ring_tail.c - the readers' side: copy, then look whether it was overwritten.
 *
 * The order matters:
 *	load head (acquire); copy; fence (acquire); load reserve;
 *	believed only if cursor + capacity >= reserve
 * A look at reserve before the copy would prove nothing, because a writer may
 * start in between.  Before the look, a length may be wrong: it is used only to
 * find the next header within bounds.
 */

#include "broker/ring/ring.h"

#include "broker/ring/ring_bytes.h"
#include "broker/ring/ring_cluster.h"

/* Records looked at in one call, wanted or not: bounds the time of a turn. */
#define RING_TAIL_LOOKS 8192

static bool
ring_wanted(const uint64_t *wanted, uint32_t topic)
{
	return wanted[topic / 64] >> (topic % 64) & 1;
}

/* Whether a record is a message for whoever reads. */
static bool
ring_is_for(const struct layout_record *rec, const uint64_t *wanted,
    const struct ring_batch *batch)
{
	if (!layout_is_message(rec->flags))
		return false;
	return ring_wanted(wanted, rec->topic) ||
	       (rec->flags & RECORD_MARKED &&
		   rec->worker + UINT32_C(1) == batch->for_worker);
}

/* The first record of a topic: its slot has another name than before. */
static void
ring_note_birth(uint64_t *reborn, const struct layout_record *rec)
{
	if (layout_is_message(rec->flags) && rec->prev == 0)
		reborn[rec->topic / 64] |= UINT64_C(1) << (rec->topic % 64);
}

/* Describe a record whose bytes (private by now) start at `bytes'. */
static void
ring_describe(struct ring_record *out, const struct layout_record *rec,
    const unsigned char *bytes, uint64_t pos)
{
	out->topic = rec->topic;
	out->worker = rec->worker;
	out->name_len = rec->name_len;
	out->flags = rec->flags;
	out->body_len = rec->body_len;
	out->pos = pos;
	out->seq = rec->seq;
	out->prev = rec->prev;
	out->time_ms = rec->time_ms;
	out->conn = rec->conn;
	out->name = (const char *)bytes + sizeof(*rec);
	out->body = out->name + rec->name_len;
	out->mark = rec->flags & RECORD_MARKED
	                ? (const void *)(bytes + rec->length -
					 sizeof(struct layout_mark))
	                : NULL;
	out->expires_ms = 0;
	if (rec->flags & RECORD_EXTRA)
		memcpy(&out->expires_ms,
		    bytes + ring_extra_at(rec) +
			offsetof(struct layout_extra, expires_ms),
		    sizeof(out->expires_ms));
}

/*
 * Walk from pos towards head and copy the wanted records.  Returns the position
 * reached; *ok is false if there was something that is no record.
 */
static uint64_t
ring_walk(const struct segment *seg, uint64_t pos, uint64_t head,
    const uint64_t *wanted, struct ring_batch *batch, bool *ok)
{
	size_t used = 0;
	struct layout_record rec;

	*ok = true;
	for (int i = 0; i < RING_TAIL_LOOKS && pos < head; i++) {
		if (!ring_peek(seg, pos, head, &rec)) {
			*ok = false;
			break;
		}
		if (batch->reborn != NULL)
			ring_note_birth(batch->reborn, &rec);
		if (ring_is_for(&rec, wanted, batch)) {
			if (batch->count == batch->records_max ||
			    rec.length > batch->size - used) {
				/* too long to fit into any batch */
				*ok = rec.length <= batch->size;
				break;
			}
			/* The header as it was checked, the rest as it is. */
			memcpy(batch->bytes + used, &rec, sizeof(rec));
			ring_bytes_read(seg, pos + sizeof(rec),
			    batch->bytes + used + sizeof(rec),
			    rec.length - sizeof(rec));
			ring_describe(&batch->records[batch->count++], &rec,
			    batch->bytes + used, pos);
			used += rec.length;
		}
		pos += rec.length;
	}
	return pos;
}

/*
 * Lapped: go on at `applied', not at head.  A writer may have moved head and
 * not yet updated the directory; the records that it has just committed would
 * be neither read nor counted as missed.  `applied' is never a whole ring
 * behind reserve.
 */
static enum ring_status
ring_skip(const struct segment *seg, struct ring_cursor *cur)
{
	/* tail-4: before tail-5, the directory's numbers */
	uint64_t applied =
	    atomic_load_explicit(&seg->header->applied, memory_order_acquire);

	if (applied <= cur->pos)
		return RING_CORRUPT;
	cur->pos = applied;
	return RING_LAPPED;
}

enum ring_status
ring_tail(const struct ring *ring, struct ring_cursor *cur,
    const uint64_t *wanted, struct ring_batch *batch)
{
	const struct segment *seg = ring->seg;
	/* tail-1: all below it is whole */
	uint64_t head = ring_head(seg);
	uint64_t pos, reserve;
	bool ok;

	batch->count = 0;
	if (cur->pos == head)
		return RING_EMPTY;
	/* tail-2: copied, not yet believed */
	pos = ring_walk(seg, cur->pos, head, wanted, batch, &ok);
	/* tail-3: after the copy */
	reserve = ring_reserved(seg);
	if (reserve > cur->pos + seg->ring_size) {
		batch->count = 0;
		return ring_skip(seg, cur);
	}
	/* No writer stores such a head; with it the reader could go on for
	 * ever. */
	if (head < cur->pos || head > reserve) {
		batch->count = 0;
		return RING_CORRUPT;
	}
	cur->pos = pos;
	return ok ? RING_OK : RING_CORRUPT;
}

/* Copy the record at a position if it is of that kind. */
static enum ring_status
ring_fetch_kind(const struct segment *seg, uint64_t pos,
    bool (*is_kind)(uint8_t flags), unsigned char *bytes, size_t size,
    struct ring_record *out)
{
	struct layout_record rec;
	/* fetch-1: copied, not yet believed */
	bool ok = ring_peek(seg, pos, ring_head(seg), &rec) &&
	          is_kind(rec.flags) && rec.length <= size;

	if (ok) {
		memcpy(bytes, &rec, sizeof(rec));
		ring_bytes_read(seg, pos + sizeof(rec), bytes + sizeof(rec),
		    rec.length - sizeof(rec));
	}
	/* fetch-2: after the copy */
	if (ring_overtaken(seg, pos))
		return RING_LAPPED;
	if (!ok)
		return RING_CORRUPT;
	ring_describe(out, &rec, bytes, pos);
	return RING_OK;
}

enum ring_status
ring_fetch(const struct segment *seg, uint64_t pos, unsigned char *bytes,
    size_t size, struct ring_record *out)
{
	return ring_fetch_kind(seg, pos, layout_is_message, bytes, size, out);
}

enum ring_status
ring_outbox_fetch(const struct segment *seg, uint64_t pos, unsigned char *bytes,
    size_t size, struct ring_record *out)
{
	enum ring_status status =
	    ring_fetch_kind(seg, pos, layout_waits, bytes, size, out);

	if (status == RING_OK && out->mark != NULL) {
		out->seq = out->mark->out;
		out->prev = out->mark->before;
	}
	return status;
}

/* Read the link of the record at a position.  topic: whose record it must be;
 * NULL: the outbox's.  Reads as ring_fetch() does. */
static enum ring_status
ring_follow_kind(const struct segment *seg, uint64_t pos, const uint32_t *topic,
    struct ring_link *link)
{
	struct layout_extra extra = { 0 };
	struct layout_mark mark = { 0 };
	struct layout_record rec;
	/* follow-1: copied, not yet believed */
	bool ok =
	    ring_peek(seg, pos, ring_head(seg), &rec) &&
	    (topic != NULL ? layout_is_message(rec.flags) && rec.topic == *topic
			   : layout_waits(rec.flags));

	if (ok && rec.flags & RECORD_EXTRA)
		ring_bytes_extra(seg, pos, &rec, &extra);
	if (ok && rec.flags & RECORD_MARKED)
		ring_read_mark(seg, pos, &rec, &mark);

	/* follow-2: after the copy */
	if (ring_overtaken(seg, pos))
		return RING_LAPPED;
	if (!ok)
		return RING_CORRUPT;
	link->seq = rec.seq;
	link->prev = rec.prev;
	link->expires_ms = extra.expires_ms;
	link->place = mark.pos;
	link->out = mark.out;
	link->shown = mark.shown;
	link->returned = mark.returned;
	link->before = mark.before;
	link->is_local =
	    rec.flags & RECORD_MARKED && layout_mark_is_local(&mark);
	return RING_OK;
}

enum ring_status
ring_follow(const struct segment *seg, uint64_t pos, uint32_t topic,
    struct ring_link *link)
{
	return ring_follow_kind(seg, pos, &topic, link);
}

enum ring_status
ring_outbox_follow(
    const struct segment *seg, uint64_t pos, struct ring_link *link)
{
	enum ring_status status = ring_follow_kind(seg, pos, NULL, link);

	if (status == RING_OK && link->is_local) {
		link->seq = link->out;
		link->prev = link->before;
	}
	return status;
}

enum ring_status
ring_fetch_name(const struct segment *seg, uint64_t pos, uint32_t topic,
    char name[LAYOUT_TOPIC_NAME_MAX + 1], uint8_t *len)
{
	struct layout_record rec;
	/* As ring_fetch(): copied, not yet believed. */
	bool ok = ring_peek(seg, pos, ring_head(seg), &rec) &&
	          layout_is_message(rec.flags) && rec.topic == topic;

	if (ok) {
		ring_bytes_read(seg, pos + sizeof(rec), name,
		    ring_bytes_round(rec.name_len));
		*len = rec.name_len;
	}
	/* After the copy. */
	if (ring_overtaken(seg, pos))
		return RING_LAPPED;
	return ok ? RING_OK : RING_CORRUPT;
}
