/* SPDX-License-Identifier: MIT */
/*
 * ring_repair.c - the repair after the death of a lock holder; see ring.h.
 *
 *	lock-2      put keys (dedup.c) and last values (retain_repair.c) right, then
 *	            replay what is committed but not applied: repair-1, -2
 *	lock-3      finish what was being made in the directory, in the table of
 *	            members, and in the words of a cluster
 *
 * A repair does not ask whether the lock reports a death: a lock that was made
 * anew for another run does not know the holder of the old one.  A repair
 * stores values and never adds to them, so after a death in the middle it is
 * simply done again.
 */

#include "broker/ring/ring.h"

#include "broker/ring/member_table.h"
#include "broker/ring/ring_apply.h"
#include "broker/ring/ring_bytes.h"
#include "broker/ring/ring_marks.h"
#include "broker/ring/topics.h"
#include "broker/shared/stop_point.h"
#include "common/bug.h"

/* Do what a record asks for beyond its number.  Nobody writes, and a record does
 * not wrap, so its bytes are read where they are. */
static void
repair_extra(struct segment *seg, const struct layout_record *rec, uint64_t pos)
{
	const char *text =
	    (const char *)seg->ring + pos % seg->ring_size + sizeof(*rec);
	const struct retain_name name = { .at = text,
		.len = rec->name_len,
		.hash = topics_hash(seg, text, rec->name_len) };
	struct retain_value value = { .body = text + rec->name_len,
		.body_len = rec->body_len,
		.seq = rec->seq,
		.time_ms = rec->time_ms };
	struct layout_extra extra;

	ring_bytes_extra(seg, pos, rec, &extra);
	ring_apply_extra(seg, &extra, &name, &value);
}

/* Tell the words of a cluster what a record's mark says. */
static void
repair_mark(struct segment *seg, const struct layout_record *rec, uint64_t pos)
{
	struct layout_mark mark;

	ring_read_mark(seg, pos, rec, &mark);
	if (rec->flags & RECORD_PADDING) {
		ring_note_lost(seg->header, &mark);
	} else if (!layout_mark_is_local(&mark)) {
		ring_note_mark(seg->header, &mark);
	} else {
		ring_note_shown(seg->header, mark.out);
		if (rec->flags & RECORD_OUTBOX)
			ring_note_outbox(seg->header, mark.out, pos);
	}
}

/* Tell the directory of one record, and the words of a cluster if it is of one. */
static void
repair_note(struct segment *seg, const struct layout_record *rec, uint64_t pos)
{
	/* repair-1: stored, never added */
	if (rec->flags & RECORD_MARKED)
		repair_mark(seg, rec, pos);
	if (!layout_is_message(rec->flags)) {
		if (layout_waits(rec->flags))
			ring_note_outbox(seg->header, rec->seq, pos);
		return;
	}
	if (!(rec->flags & RECORD_UNNUMBERED))
		ring_apply(&seg->topics[rec->topic], rec->seq, pos);
	if (rec->flags & RECORD_MEMBERS)
		member_apply(seg, rec->flags, rec->conn);
	if (rec->flags & RECORD_EXTRA)
		repair_extra(seg, rec, pos);
}

/* Tell the directory of each record that is committed but not applied. */
static void
repair_replay(struct segment *seg)
{
	struct layout_header *h = seg->header;
	uint64_t head = atomic_load(&h->head);
	uint64_t pos = atomic_load(&h->applied);
	struct layout_record rec;

	while (pos < head) {
		if (!ring_peek(seg, pos, head, &rec))
			BUG("the ring holds a record that nobody wrote");
		repair_note(seg, &rec, pos);
		pos += rec.length;
		stop_point_here(h, STOP_HALF_REPLAYED);
	}
	/* repair-2: last, or nobody would repeat the repair after a death */
	atomic_store_explicit(&h->applied, head, memory_order_release);
}

void
ring_repair(struct segment *seg)
{
	struct layout_header *h = seg->header;

	/* lock-2: whether or not anybody is known to have died */
	dedup_repair(seg);
	retain_repair(seg);
	if (atomic_load(&h->applied) != atomic_load(&h->head))
		repair_replay(seg);
	/* lock-3: the same */
	topics_repair(seg);
	member_table_repair(seg);
	ring_marks_repair(seg);
}
