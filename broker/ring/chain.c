/* SPDX-License-Identifier: MIT */
/* chain.c - see chain.h. */

#include "broker/ring/chain.h"

#include "broker/ring/ring_cluster.h"
#include "common/bug.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

void
chain_init(struct chain *chain, const struct segment *seg, uint32_t topic,
    uint64_t seq, uint64_t pos)
{
	memset(chain, 0, sizeof(*chain));
	chain->seg = seg;
	chain->topic = topic;
	chain->seq = seq;
	chain->low = seq + 1;
	if (pos != 0) {
		chain->marks_max = 1;
		chain->marks = xcalloc(1, sizeof(*chain->marks));
		chain->marks[chain->marks_count++] = pos;
	}
}

void
chain_fini(struct chain *chain)
{
	free(chain->marks);
	memset(chain, 0, sizeof(*chain));
}

/* Remember every stride-th position; number seq is in already. */
static void
chain_mark(struct chain *chain, uint64_t number, uint64_t pos)
{
	if ((chain->seq - number) % CHAIN_STRIDE != 0 || number == chain->seq)
		return;
	if (chain->marks_count == chain->marks_max) {
		chain->marks_max *= 2;
		chain->marks = xreallocarray(
		    chain->marks, chain->marks_max, sizeof(*chain->marks));
	}
	chain->marks[chain->marks_count++] = pos;
}

void
chain_walk(struct chain *chain, uint64_t first)
{
	uint64_t pos = chain->marks_count > 0 ? chain->marks[0] : 0;
	uint64_t number = chain->seq;
	struct ring_link link;

	chain->low = chain->seq + 1;
	chain->expired = 0;
	while (pos != 0 && number >= first && number > 0) {
		/* An earlier life of the slot has other numbers. */
		if (ring_follow(chain->seg, pos, chain->topic, &link) !=
			RING_OK ||
		    link.seq != number)
			break;
		chain_mark(chain, number, pos);
		chain->expired += ring_expired(link.expires_ms);
		chain->low = number--;
		pos = link.prev;
	}
}

/*
 * Whether a client that has all up to a place of the log has this message and all
 * before it.  *bound, UINT64_MAX to begin with: own messages up to this number came
 * to the log at or before the place, by what the first message says that is not
 * behind it.  A message without a place is known by its number alone; one with a
 * place says which of those can be before it.
 */
static bool
chain_is_behind(const struct ring_link *link, uint64_t place, uint64_t *bound)
{
	if (link->place > place)
		return false;
	if (*bound == UINT64_MAX)
		*bound = link->returned;
	return (link->is_local ? link->out : link->shown) <= *bound;
}

bool
chain_walk_place(struct chain *chain, uint64_t place)
{
	uint64_t bound = UINT64_MAX;
	uint64_t pos = chain->marks_count > 0 ? chain->marks[0] : 0;
	uint64_t number = chain->seq;
	struct ring_link link;

	chain->low = chain->seq + 1;
	while (pos != 0 && number > 0) {
		if (ring_follow(chain->seg, pos, chain->topic, &link) !=
			RING_OK ||
		    link.seq != number)
			return false;
		if (chain_is_behind(&link, place, &bound))
			return true;
		chain_mark(chain, number, pos);
		chain->low = number--;
		pos = link.prev;
	}
	return false;
}

/* Find the positions of the stretch that holds this number. */
static void
chain_load(struct chain *chain, uint64_t number)
{
	size_t i = (chain->seq - number) / CHAIN_STRIDE;
	struct ring_link link;
	uint64_t pos;

	CHECK(i < chain->marks_count);
	pos = chain->marks[i];
	chain->top = chain->seq - i * CHAIN_STRIDE;
	chain->stretch_low = chain->top + 1;
	for (unsigned n = 0; n < CHAIN_STRIDE && pos != 0; n++) {
		if (ring_follow(chain->seg, pos, chain->topic, &link) !=
			RING_OK ||
		    link.seq != chain->top - n)
			break;
		chain->stretch[n] = pos;
		chain->stretch_low = link.seq;
		pos = link.prev;
	}
}

enum ring_status
chain_read(struct chain *chain, uint64_t number, unsigned char *bytes,
    size_t size, struct ring_record *rec)
{
	enum ring_status status;

	CHECK(number >= chain->low && number <= chain->seq);
	if (chain->top == 0 || number > chain->top ||
	    number + CHAIN_STRIDE <= chain->top)
		chain_load(chain, number);
	if (number < chain->stretch_low)
		return RING_LAPPED;
	status = ring_fetch(
	    chain->seg, chain->stretch[chain->top - number], bytes, size, rec);
	if (status == RING_OK &&
	    (rec->seq != number || rec->topic != chain->topic))
		return RING_CORRUPT;
	return status;
}
