/* SPDX-License-Identifier: MIT */
/* adopt.c - see adopt.h. */

#include "worker/delivery/adopt.h"

#include "broker/ring/topics.h"
#include "common/xmalloc.h"
#include "worker/delivery/holding.h"
#include "worker/delivery/pace.h"
#include "worker/delivery/pattern_subscribe.h"
#include "worker/delivery/replay.h"
#include "worker/delivery/sub_link.h"

#include <stdlib.h>

bool
adopt_topic(struct hub *hub, const struct adopt_topic *topic)
{
	uint32_t hash = topics_hash(hub->seg, topic->name, topic->name_len);
	struct sub_topic *made;

	if (!topics_has_interest(hub->seg, topic->slot, hub->slot, topic->name,
		topic->name_len) ||
	    hub->subs.by_slot[topic->slot] != NULL)
		return false;
	made =
	    sub_topic_new(hub, topic->slot, topic->name, topic->name_len, hash);
	made->seq = topic->seq;
	made->pos = topic->pos;
	return true;
}

struct sub_topic *
adopt_sub(struct hub *hub, struct client *client, const char *name, uint8_t len,
    bool no_echo, uint64_t told)
{
	uint32_t hash = topics_hash(hub->seg, name, len);
	struct sub_topic *topic = subs_find(&hub->subs, name, len, hash);

	if (topic == NULL || subs_find_of_client(&client->subs, topic) != NULL)
		return NULL;
	if (topic->count == 0)
		holding_begin(topic, client);
	sub_link(hub, client, topic, told)->no_echo = no_echo;
	return topic;
}

void
adopt_unused(struct hub *hub)
{
	struct sub_topic *topic, *next;

	HASH_ITER(hh, hub->subs.by_name, topic, next)
		if (topic->count == 0)
			sub_topic_free(hub, topic);
	sub_count(hub);
}

/* The worker was lapped, so it did not know where the topic's last record is.
 * Under the lock that can be read, if there is none behind it. */
static void
adopt_find_last(struct hub *hub, struct sub_topic *topic)
{
	struct subs_start start;

	if (topic->pos != 0)
		return;
	topic_snapshot(hub->seg, topic->slot, &start);
	if (start.seq == topic->seq)
		topic->pos = start.pos;
}

/* Go on with the replays of a topic, each from where its client was: with a
 * chain of nothing, behind which the next is found in the replay's turn. */
static void
adopt_replays(struct hub *hub, struct sub_topic *topic)
{
	struct chain chain;

	for (uint32_t i = 0; i < topic->count; i++) {
		struct sub *sub = topic->subs[i];

		if (sub->paced) {
			pace_note(hub, sub, topic->seq, topic->pos);
			continue;
		}
		if (sub->seen >= topic->seq)
			continue;
		chain_init(&chain, hub->seg, topic->slot, sub->seen, 0);
		replay_begin(hub, sub, &chain);
	}
}

void
adopt_slot(struct hub *hub)
{
	uint32_t *counts = xcalloc(hub->seg->topics_max, sizeof(*counts));
	struct sub_topic *topic, *next;

	HASH_ITER(hh, hub->subs.by_name, topic, next)
		counts[topic->slot] = topic->count;
	topics_take_over(hub->seg, hub->slot, counts);
	free(counts);
	pattern_adopt_slot(hub);
	HASH_ITER(hh, hub->subs.by_name, topic, next) {
		adopt_find_last(hub, topic);
		adopt_replays(hub, topic);
	}
}
