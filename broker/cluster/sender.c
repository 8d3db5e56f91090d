/* SPDX-License-Identifier: MIT */
/* sender.c - see sender.h. */

#include "broker/cluster/sender.h"

#include "common/bug.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

void
sender_init(struct sender *s, const struct segment *seg, uint32_t body_max)
{
	memset(s, 0, sizeof(*s));
	s->seg = seg;
	s->gathered = ring_origin_last(seg, seg->header->cluster.self);
	s->record_size = ring_record_max(body_max);
	s->record = xmalloc(s->record_size);
	for (unsigned i = 0; i < SENDER_BATCHES; i++)
		buf_init(&s->batches[i].bytes);
}

void
sender_fini(struct sender *s)
{
	for (unsigned i = 0; i < SENDER_BATCHES; i++)
		buf_fini(&s->batches[i].bytes);
	free(s->positions);
	free(s->record);
}

static struct sender_batch *
sender_batch(struct sender *s, unsigned i)
{
	return &s->batches[(s->first + i) % SENDER_BATCHES];
}

static void
sender_remember(struct sender *s, uint64_t pos)
{
	if (s->positions_count == s->positions_max) {
		s->positions_max = s->positions_max * 2 + 256;
		s->positions = xreallocarray(
		    s->positions, s->positions_max, sizeof(*s->positions));
	}
	s->positions[s->positions_count++] = pos;
}

/* Put these positions into the opposite order. */
static void
sender_reverse(uint64_t *at, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		uint64_t other = at[n - 1 - i];

		at[n - 1 - i] = at[i];
		at[i] = other;
	}
}

/* Walk from the newest record back to those that we have.  Returns false if one
 * in between is gone. */
static bool
sender_gather(struct sender *s)
{
	const struct layout_cluster *c = &s->seg->header->cluster;
	uint64_t newest = 0, expected = 0, pos;
	struct ring_link link;
	size_t begin;

	/* gather-1: `outbox' may name one that is overwritten, if there is no news.
	 * `out' may also be less than what we have: a publisher stands between
	 * the two words. */
	if (atomic_load_explicit(&c->out, memory_order_acquire) <= s->gathered)
		return true;
	/* gather-2: behind `out' */
	pos = atomic_load_explicit(&c->outbox, memory_order_relaxed);

	if (s->positions_at == s->positions_count)
		s->positions_at = s->positions_count = 0;
	begin = s->positions_count;
	do {
		if (pos == 0 ||
		    ring_outbox_follow(s->seg, pos, &link) != RING_OK)
			return false;
		if (newest == 0)
			newest = link.seq;
		expected = link.seq - 1;
		sender_remember(s, pos);
		pos = link.prev;
	} while (expected > s->gathered);
	sender_reverse(s->positions + begin, s->positions_count - begin);
	s->gathered = newest;
	return true;
}

/* Pack the records that wait, as many as one batch has.  Returns false if one is
 * gone. */
static bool
sender_pack(struct sender *s, struct sender_batch *batch)
{
	struct ring_record rec;
	uint32_t n = 0;

	batch->from = s->positions[s->positions_at];
	do {
		if (ring_outbox_fetch(s->seg, s->positions[s->positions_at],
			s->record, s->record_size, &rec) != RING_OK)
			return false;
		if (n == 0) {
			batch->first = rec.seq;
			log_batch_open(&batch->bytes,
			    s->seg->header->cluster.self, rec.seq - 1);
		}
		log_batch_add(&batch->bytes, &rec);
		batch->last = rec.seq;
		s->positions_at++;
		n++;
	} while (n < LOG_RECORDS_MAX && batch->bytes.len < LOG_BYTES_MAX &&
		 s->positions_at < s->positions_count);
	log_batch_set_round(&batch->bytes, s->round);
	return true;
}

bool
sender_fill(struct sender *s)
{
	if (!sender_gather(s))
		return false;
	while (
	    s->count < SENDER_BATCHES && s->positions_at < s->positions_count) {
		if (!sender_pack(s, sender_batch(s, s->count)))
			return false;
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
			log_batch_trim(
			    &batch->bytes, (uint32_t)(last - batch->first + 1));
			batch->first = last + 1;
			break;
		}
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

uint64_t
sender_waits_from(const struct sender *s)
{
	if (s->count > 0)
		return s->batches[s->first].from;
	return s->positions_at < s->positions_count
	           ? s->positions[s->positions_at]
	           : 0;
}
