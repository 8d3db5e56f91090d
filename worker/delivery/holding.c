/* SPDX-License-Identifier: MIT */
/* holding.c - see holding.h. */

#include "worker/delivery/holding.h"

#include "broker/ring/topics.h"
#include "worker/net/address_limits.h"

/* The free slots are counted anew for each of the directory's 1024th parts that
 * are asked for: 16 words per question, however large it is. */
#define HOLDING_COUNT_PART 1024u

static struct address_share *
holding_share(const struct client *client)
{
	return client->conn.io.data;
}

/* Slots that are free, or were a moment ago. */
static uint32_t
holding_free(struct hub *hub)
{
	struct subs *subs = &hub->subs;

	if (subs->free_good_for == 0) {
		subs->free_slots = topics_free(hub->seg);
		subs->free_good_for =
		    hub->seg->topics_max / HOLDING_COUNT_PART + 1;
	}
	subs->free_good_for--;
	return subs->free_slots;
}

bool
holding_allows(struct hub *hub, const struct client *client, uint32_t slot)
{
	const struct address_share *share = holding_share(client);
	uint64_t held, most;

	if (share == NULL || address_topics(share) == 0)
		return true;
	if (slot != TOPICS_NONE && topics_is_busy(hub->seg, slot))
		return true;
	held = (uint64_t)address_topics(share) * segment_workers(hub->seg);
	most = (uint64_t)HOLDING_PARTS * holding_free(hub);
	return held * hub->seg->topics_max <= most * most;
}

static void
holding_set(struct sub_topic *topic, struct address_share *share)
{
	if (topic->holder != NULL)
		address_remove_topic(topic->holder);
	topic->holder = share;
	if (share != NULL)
		address_add_topic(share);
}

void
holding_begin(struct sub_topic *topic, const struct client *client)
{
	holding_set(topic, holding_share(client));
}

void
holding_pass(struct sub_topic *topic, const struct client *client)
{
	if (topic->holder != holding_share(client))
		return;
	holding_set(topic,
	    topic->count > 0 ? holding_share(topic->subs[0]->client) : NULL);
}
