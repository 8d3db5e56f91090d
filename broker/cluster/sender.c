/* SPDX-License-Identifier: MIT */
/* sender.c - see sender.h. */

#include "broker/cluster/sender.h"

#include "common/bug.h"
#include "common/clock.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

/* Another host has the records up to this number, so far as is known. */
static uint64_t
sender_confirmed(const struct sender *s)
{
	return atomic_load_explicit(
	    &s->seg->header->cluster.confirmed, memory_order_relaxed);
}

/* Let those go that another host has: they are in the log, and in no batch to come. */
static void
sender_let_go(struct sender *s)
{
	uint64_t confirmed = sender_confirmed(s);

	gathered_let_go(
	    &s->gathered, confirmed < s->packed ? confirmed : s->packed);
}

/* Begin to pack behind `packed', and to gather behind `from'. */
static void
sender_begin(
    struct sender *s, const struct segment *seg, uint64_t packed, uint64_t from)
{
	memset(s, 0, sizeof(*s));
	s->seg = seg;
	s->packed = packed;
	gathered_init(&s->gathered, seg, from);
	/* The longest that a ring of this size has, whatever --max-message is by
	 * now; what is not used of it is not in memory. */
	s->record_size = seg->ring_size / RING_RECORDS_MIN;
	s->record = xmalloc(s->record_size);
	for (unsigned i = 0; i < SENDER_BATCHES; i++)
		buf_init(&s->batches[i].bytes);
}

void
sender_init(struct sender *s, const struct segment *seg)
{
	uint64_t last = ring_origin_last(seg, seg->header->cluster.self);
	uint64_t confirmed = atomic_load(&seg->header->cluster.confirmed);

	/* Those that have come back, and are not confirmed, count as waiting. */
	sender_begin(s, seg, last, confirmed < last ? confirmed : last);
}

void
sender_init_aside(struct sender *s, const struct segment *seg, uint64_t last)
{
	uint64_t confirmed = atomic_load(&seg->header->cluster.confirmed);
	uint64_t lost = last == 0 ? confirmed : last;

	sender_begin(s, seg, last, lost);
	s->lost = lost;
	s->is_aside = true;
}

void
sender_fini(struct sender *s)
{
	for (unsigned i = 0; i < SENDER_BATCHES; i++)
		buf_fini(&s->batches[i].bytes);
	gathered_fini(&s->gathered);
	free(s->record);
}

static struct sender_batch *
sender_batch(struct sender *s, unsigned i)
{
	return &s->batches[(s->first + i) % SENDER_BATCHES];
}

/* Records up to this number are overwritten, and those before them that are not
 * packed, too: they are older.  Returns false if one was no message here, and the ring
 * can still be given up for that. */
static bool
sender_lose(struct sender *s, uint64_t number)
{
	s->lost = number;
	return s->is_aside ||
	       number <= atomic_load_explicit(&s->seg->header->cluster.shown,
			     memory_order_acquire);
}

/* Find the records that are new.  Returns false if one of them is gone for good. */
static bool
sender_gather(struct sender *s)
{
	uint64_t lapped;

	switch (gathered_more(&s->gathered, &lapped)) {
	case RING_OK:
		break;
	case RING_LAPPED:
		if (lapped > s->packed && !sender_lose(s, lapped))
			return false;
		break;
	default:
		return false;
	}
	sender_let_go(s);
	return true;
}

/* The records up to this number are in a batch, or were, or are lost. */
static uint64_t
sender_done_to(const struct sender *s)
{
	return s->lost > s->packed ? s->lost : s->packed;
}

/* The next batch says that records are lost. */
static enum ring_status
sender_pack_lost(struct sender *s, struct sender_batch *batch)
{
	uint64_t n = s->lost - s->packed;

	if (n > UINT32_MAX)
		n = UINT32_MAX;
	batch->is_lost = true;
	batch->first = s->packed + 1;
	batch->last = s->packed + n;
	/* As old as what is in the ring can be. */
	batch->from = ring_head(s->seg) - s->seg->ring_size + 1;
	log_lost(&batch->bytes, s->seg->header->cluster.self, s->packed,
	    (uint32_t)n);
	return RING_OK;
}

/* When a record was accepted, on the monotonic clock.  Its stamp is gone if it has
 * waited for long; then its own time is exact enough. */
static uint64_t
sender_accepted_ns(struct sender *s, const struct ring_record *rec)
{
	if (stamps_find(s->seg, &s->stamps, rec->pos, ring_head(s->seg)))
		return s->stamps.ns;
	return clock_monotonic_ns() -
	       (clock_ns(CLOCK_REALTIME) - rec->time_ms * UINT64_C(1000000));
}

/* Add the next record to a batch that has n. */
static enum ring_status
sender_add(struct sender *s, struct sender_batch *batch, uint32_t n)
{
	uint64_t pos = gathered_position(&s->gathered, s->packed + n + 1);
	struct ring_record rec;
	enum ring_status status =
	    ring_outbox_fetch(s->seg, pos, s->record, s->record_size, &rec);

	if (status != RING_OK)
		return status;
	if (rec.seq != s->packed + n + 1)
		return RING_CORRUPT;
	if (n == 0) {
		batch->from = pos;
		batch->first = rec.seq;
		log_batch_open(
		    &batch->bytes, s->seg->header->cluster.self, rec.seq - 1);
	}
	log_batch_add(&batch->bytes, &rec);
	batch->accepted_ns[n] = sender_accepted_ns(s, &rec);
	batch->last = rec.seq;
	return RING_OK;
}

/* Pack the records that wait, as many as one batch has.  Returns RING_OK, or why
 * there is not even one. */
static enum ring_status
sender_pack(struct sender *s, struct sender_batch *batch)
{
	enum ring_status status = RING_OK;
	uint32_t n = 0;

	batch->is_lost = false;
	while (n < LOG_RECORDS_MAX && s->packed + n < s->gathered.newest &&
	       (n == 0 || batch->bytes.len < LOG_BYTES_MAX)) {
		status = sender_add(s, batch, n);
		if (status != RING_OK)
			break;
		n++;
	}
	return n > 0 ? RING_OK : status;
}

/* Leave out those that are overwritten by now.  Returns false if one is gone for
 * good. */
static bool
sender_skip_lost(struct sender *s)
{
	uint64_t before = sender_done_to(s), number = before;
	struct ring_link link;

	while (number < s->gathered.newest &&
	       ring_outbox_follow(s->seg,
		   gathered_position(&s->gathered, number + 1),
		   &link) == RING_LAPPED)
		number++;
	return number == before || sender_lose(s, number);
}

/* Whether anything is to be packed. */
static bool
sender_has_more(const struct sender *s)
{
	return s->lost > s->packed || s->gathered.newest > s->packed;
}

bool
sender_fill(struct sender *s)
{
	struct sender_batch *batch;
	enum ring_status status;

	if (!sender_gather(s) || !sender_skip_lost(s))
		return false;
	while (s->count < SENDER_BATCHES && sender_has_more(s)) {
		batch = sender_batch(s, s->count);
		status = s->lost > s->packed ? sender_pack_lost(s, batch)
		                             : sender_pack(s, batch);
		if (status == RING_LAPPED) { /* since we looked */
			if (!sender_skip_lost(s))
				return false;
			continue;
		}
		if (status != RING_OK)
			return false;
		log_batch_set_round(&batch->bytes, s->round);
		s->packed = batch->last;
		s->count++;
	}
	return true;
}

const struct buf *
sender_next(struct sender *s)
{
	if (s->sent == s->count)
		return NULL;
	return &sender_batch(s, s->sent++)->bytes;
}

/* Count how long the first n records of a batch took.  Those that are lost took
 * nothing. */
static void
sender_measure(struct sender *s, const struct sender_batch *batch, uint64_t n)
{
	struct stats_delays *delays = &s->seg->header->cluster.accept_to_ring;
	uint64_t now = clock_monotonic_ns();

	/* After the wall clock was set back, one may lie in the future. */
	for (uint64_t i = 0; i < n && !batch->is_lost; i++)
		stats_delay_add(delays,
		    now > batch->accepted_ns[i] ? now - batch->accepted_ns[i]
						: 0,
		    1);
}

/* The first records of a batch have come back, up to this number. */
static void
sender_trim(struct sender *s, struct sender_batch *batch, uint64_t last)
{
	if (batch->is_lost) {
		log_lost(&batch->bytes, s->seg->header->cluster.self, last,
		    (uint32_t)(batch->last - last));
		log_batch_set_round(&batch->bytes, s->round);
	} else {
		uint64_t n = last - batch->first + 1;

		sender_measure(s, batch, n);
		log_batch_trim(&batch->bytes, (uint32_t)n);
		memmove(batch->accepted_ns, batch->accepted_ns + n,
		    (LOG_RECORDS_MAX - n) * sizeof(*batch->accepted_ns));
	}
	batch->first = last + 1;
}

bool
sender_came_back(struct sender *s, uint64_t last)
{
	struct sender_batch *batch;
	bool news = false;

	while (s->count > 0) {
		batch = sender_batch(s, 0);
		/* came-1: all of it, or as much of it as has come */
		if (batch->first > last)
			break;
		news = true;
		if (batch->last > last) {
			/* An earlier bridge had packed them otherwise. */
			sender_trim(s, batch, last);
			break;
		}
		sender_measure(s, batch, batch->last - batch->first + 1);
		s->first = (s->first + 1) % SENDER_BATCHES;
		s->count--;
		s->sent -= s->sent > 0;
	}
	return news;
}

void
sender_go_back(struct sender *s)
{
	/* back-1: in a new round, so that what is skipped of the one before
	 * is no reason to go back once more */
	s->round++;
	s->sent = 0;
	for (unsigned i = 0; i < s->count; i++)
		log_batch_set_round(&sender_batch(s, i)->bytes, s->round);
}

bool
sender_is_waiting(const struct sender *s)
{
	return s->sent > 0;
}

void
sender_confirm(struct sender *s, uint64_t said, uint64_t back)
{
	uint64_t number = said < back ? said : back;

	if (number <= sender_confirmed(s))
		return;
	atomic_store_explicit(
	    &s->seg->header->cluster.confirmed, number, memory_order_relaxed);
	sender_let_go(s);
}

uint64_t
sender_waits_from(const struct sender *s)
{
	uint64_t from = gathered_oldest(&s->gathered);
	uint64_t sent = s->count > 0 ? s->batches[s->first].from : 0;

	/* A batch may outlive its records, which the ring overwrites. */
	return from == 0 || (sent != 0 && sent < from) ? sent : from;
}
