/* SPDX-License-Identifier: MIT */
/* gathered.c - see gathered.h. */

#include "broker/cluster/gathered.h"

#include "common/bug.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

void
gathered_init(struct gathered *g, const struct segment *seg, uint64_t number)
{
	memset(g, 0, sizeof(*g));
	g->seg = seg;
	g->newest = number;
}

void
gathered_fini(struct gathered *g)
{
	free(g->positions);
	g->positions = NULL;
}

static void
gathered_remember(struct gathered *g, uint64_t pos)
{
	if (g->count == g->max) {
		g->max = g->max * 2 + 256;
		g->positions =
		    xreallocarray(g->positions, g->max, sizeof(*g->positions));
	}
	g->positions[g->count++] = pos;
}

/* Before more come: those that were let go need no room. */
static void
gathered_make_room(struct gathered *g)
{
	size_t left = g->count - g->first;

	if (g->first == 0 || left > g->first)
		return;
	memmove(g->positions, g->positions + g->first,
	    left * sizeof(*g->positions));
	g->first = 0;
	g->count = left;
}

/* Put the positions from this one on into the opposite order. */
static void
gathered_reverse(struct gathered *g, size_t begin)
{
	size_t end = g->count;

	for (; begin + 1 < end; begin++) {
		uint64_t other = g->positions[--end];

		g->positions[end] = g->positions[begin];
		g->positions[begin] = other;
	}
}

/* Read where the record of this number, or of a later one if it is the newest, links
 * to.  Any other would send us round in circles, and is none that a writer wrote. */
static enum ring_status
gathered_follow(const struct gathered *g, uint64_t pos, uint64_t number,
    bool is_newest, struct ring_link *link)
{
	enum ring_status status;

	if (pos == 0)
		return RING_CORRUPT;
	status = ring_outbox_follow(g->seg, pos, link);
	if (status != RING_OK)
		return status;
	/* Numbers go down one by one, and positions with them. */
	if (link->prev >= pos || link->seq < number ||
	    (link->seq > number && !is_newest))
		return RING_CORRUPT;
	return RING_OK;
}

enum ring_status
gathered_more(struct gathered *g, uint64_t *lapped)
{
	const struct layout_cluster *c = &g->seg->header->cluster;
	uint64_t newest = atomic_load_explicit(&c->out, memory_order_acquire);
	uint64_t number = newest, pos;
	enum ring_status status = RING_OK;
	struct ring_link link;
	size_t begin;

	/* gather-1: `outbox' may name one that is overwritten, if there is no news.
	 * `out' may also be less than what we have: a publisher stands between
	 * the two words. */
	if (newest <= g->newest)
		return RING_OK;
	/* gather-2: behind `out' */
	pos = atomic_load_explicit(&c->outbox, memory_order_relaxed);
	gathered_make_room(g);
	begin = g->count;
	for (bool is_first = true; number > g->newest; is_first = false) {
		status = gathered_follow(g, pos, number, is_first, &link);
		if (status != RING_OK)
			break;
		if (is_first) /* `outbox' may be newer than `out' was */
			newest = number = link.seq;
		gathered_remember(g, pos);
		pos = link.prev;
		number--;
	}
	gathered_reverse(g, begin);
	g->newest = newest;
	if (status != RING_OK)
		g->first = begin; /* older ones are gone with it */
	*lapped = number;
	return status;
}

uint64_t
gathered_position(const struct gathered *g, uint64_t number)
{
	CHECK(number <= g->newest && g->newest - number < g->count - g->first);
	return g->positions[g->count - 1 - (size_t)(g->newest - number)];
}

void
gathered_let_go(struct gathered *g, uint64_t number)
{
	uint64_t left = g->newest > number ? g->newest - number : 0;

	if (left < g->count - g->first)
		g->first = g->count - (size_t)left;
}

uint64_t
gathered_oldest(const struct gathered *g)
{
	return g->first < g->count ? g->positions[g->first] : 0;
}
