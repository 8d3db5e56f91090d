/* SPDX-License-Identifier: MIT */
/* subs.c - see subs.h. */

#include "worker/delivery/subs.h"

#include "broker/shared/segment.h"
#include "common/bug.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

void
subs_init(struct subs *subs, uint32_t topics_max)
{
	memset(subs, 0, sizeof(*subs));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	subs->by_slot = xcalloc(topics_max, sizeof(*subs->by_slot));
	subs->wanted = xcalloc(topics_max / 64 + 1, sizeof(*subs->wanted));
}

void
subs_fini(struct subs *subs)
{
	CHECK(subs->topics == 0);
	free(subs->by_slot);
	free(subs->wanted);
}

struct sub_topic *
subs_find(const struct subs *subs, const char *name, size_t len, uint32_t hash)
{
	struct sub_topic *topic;

	HASH_FIND_BYHASHVALUE(hh, subs->by_name, name, len, hash, topic);
	return topic;
}

struct sub *
subs_find_of_client(const struct sub_list *list, const struct sub_topic *topic)
{
	struct sub *sub;

	SLIST_FOREACH(sub, list, link)
		if (sub->topic == topic)
			return sub;
	return NULL;
}

void
topic_snapshot(
    const struct segment *seg, uint32_t slot, struct subs_start *start)
{
	const struct layout_topic *topic = &seg->topics[slot];

	start->slot = slot;
	start->seq = atomic_load_explicit(&topic->seq, memory_order_relaxed);
	start->pos = atomic_load_explicit(&topic->last, memory_order_relaxed);
	start->base = topic->base;
}
