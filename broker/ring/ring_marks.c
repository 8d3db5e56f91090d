/* SPDX-License-Identifier: MIT */
/* ring_marks.c - see ring_marks.h. */

#include "broker/ring/ring_marks.h"

#include "broker/ring/changing.h"
#include "broker/ring/ring_bytes.h"
#include "broker/shared/stop_point.h"

#include <stddef.h>

const struct ring_mark ring_to_outbox = { .kind = RING_TO_OUTBOX };
const struct ring_mark ring_local = { .kind = RING_LOCAL };

static struct layout_origin *
origin_find(struct layout_cluster *c, uint64_t id)
{
	for (unsigned i = 0; i < LAYOUT_ORIGINS; i++)
		if (c->origins[i].id == id)
			return &c->origins[i];
	return NULL;
}

/* The entry that a new origin gets: a free one, or that of the origin which has
 * been silent for longest.  All hosts come to the same, because `touched' comes
 * from the log. */
static struct layout_origin *
origin_oldest(struct layout_cluster *c)
{
	struct layout_origin *oldest = &c->origins[0];

	for (unsigned i = 0; i < LAYOUT_ORIGINS; i++) {
		if (c->origins[i].id == 0)
			return &c->origins[i];
		if (c->origins[i].touched < oldest->touched)
			oldest = &c->origins[i];
	}
	return oldest;
}

/* Note where an origin is.  A death in between leaves a free entry, which the
 * repair then takes. */
void
ring_note_origin(
    struct layout_cluster *c, uint64_t id, uint64_t last, uint64_t message)
{
	struct layout_origin *origin = origin_find(c, id);

	if (origin == NULL) {
		origin = origin_oldest(c);
		origin->id = 0;
		atomic_signal_fence(memory_order_seq_cst);
		origin->last = last;
		origin->touched = message;
		atomic_signal_fence(memory_order_seq_cst);
		origin->id = id;
		return;
	}
	origin->last = last;
	origin->touched = message;
}

uint64_t
ring_origin_last(const struct segment *seg, uint64_t origin)
{
	const struct layout_origin *found =
	    origin_find(&seg->header->cluster, origin);

	return found != NULL ? found->last : 0;
}

void
ring_note_outbox(struct layout_header *h, uint64_t out, uint64_t pos)
{
	/* outbox-1: before `out', and never back, when a repair says it again: the
	 * bridge looks at `out' and then at `outbox', which must be no less */
	if (out <= atomic_load_explicit(&h->cluster.out, memory_order_relaxed))
		return;
	/* The bridge says what waits, and is away perhaps: from here on something
	 * does. */
	if (atomic_load_explicit(
		&h->cluster.waits_from, memory_order_relaxed) == 0)
		atomic_store_explicit(
		    &h->cluster.waits_from, pos, memory_order_relaxed);
	atomic_store_explicit(&h->cluster.outbox, pos, memory_order_relaxed);
	/* outbox-2: last, because the bridge looks at it first */
	atomic_store_explicit(&h->cluster.out, out, memory_order_release);
}

void
ring_note_shown(struct layout_header *h, uint64_t out)
{
	if (out > atomic_load_explicit(&h->cluster.shown, memory_order_relaxed))
		atomic_store_explicit(
		    &h->cluster.shown, out, memory_order_release);
}

void
ring_note_lost(struct layout_header *h, const struct layout_mark *mark)
{
	if (mark->origin != h->cluster.self)
		atomic_store_explicit(
		    &h->cluster.lost, mark->pos, memory_order_release);
	ring_note_mark(h, mark);
}

void
ring_note_mark(struct layout_header *h, const struct layout_mark *mark)
{
	struct layout_cluster *c = &h->cluster;

	/* note-1: which counts as the next record of its origin */
	ring_note_origin(
	    c, mark->origin, mark->out, mark->pos >> LAYOUT_PLACE_BITS);
	/* note-2: the hash up to there */
	c->hash = mark->hash;
	stop_point_here(h, STOP_LOG_HALF_NOTED);
	/* note-3: for workers whose clients wait */
	if (mark->origin == c->self) {
		ring_note_shown(h, mark->out);
		atomic_store_explicit(
		    &c->returned, mark->out, memory_order_release);
	}
	/* note-4: last, because the bridge reads the stream from here on */
	atomic_store_explicit(&c->pos, mark->pos, memory_order_release);
}

void
ring_note_alone(struct layout_header *h, const struct layout_mark *mark)
{
	/* omit-1: no record says it, so a death in between is repaired by this */
	h->cluster.alone = *mark;
	changing_begin(&h->cluster.noting);
	ring_note_mark(h, mark);
	changing_end(&h->cluster.noting);
}

void
ring_marks_repair(struct segment *seg)
{
	struct layout_cluster *c = &seg->header->cluster;

	if (c->noting == 0)
		return;
	/* omit-2: as after a record */
	ring_note_mark(seg->header, &c->alone);
	changing_end(&c->noting);
}

void
ring_read_mark(const struct segment *seg, uint64_t pos,
    const struct layout_record *rec, struct layout_mark *mark)
{
	ring_bytes_read(
	    seg, pos + rec->length - sizeof(*mark), mark, sizeof(*mark));
}
