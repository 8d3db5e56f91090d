/* SPDX-License-Identifier: MIT */
/* subscribe.c - see subscribe.h. */

#include "worker/delivery/subscribe.h"

#include "broker/ring/topics.h"
#include "common/config.h"
#include "worker/delivery/attend.h"
#include "worker/delivery/ending.h"
#include "worker/delivery/holding.h"
#include "worker/delivery/pace.h"
#include "worker/delivery/pattern_subscribe.h"
#include "worker/delivery/replay.h"
#include "worker/delivery/sub_link.h"
#include "worker/delivery/tail.h"
#include "worker/delivery/watch.h"

#include <stdlib.h>

/* A topic's name, and its hash. */
struct subs_name {
	const char *at;
	uint8_t len;
	uint32_t hash;
};

/* A topic's first subscriber is new: messages come from now on.  Under the
 * lock. */
static void
subscribe_topic_begin(struct hub *hub, struct sub_topic *topic)
{
	topic->seq = ring_topic_seq(hub->seg, topic->slot);
	topic->pos = atomic_load(&hub->seg->topics[topic->slot].last);
	/* subscribe-3: messages that were slept through are in no gap */
	if (hub->subs.topics == 1 && hub->awaited == 0 && hub->patterns == NULL)
		tail_skip_to_head(hub);
}

/* Find or make the directory's slot for a topic that has no subscriber here. */
static enum subs_status
subscribe_open(struct hub *hub, const struct client *client, const char *name,
    uint8_t len, uint32_t hash, uint32_t *slot)
{
	*slot = topics_find(hub->seg, name, len, hash);
	if (!holding_allows(hub, client, *slot)) {
		stats_add(&hub->net->stats, STATS_REFUSED_TOPICS, 1);
		return SUBS_HOLDS_TOO_MANY;
	}
	if (*slot == TOPICS_NONE)
		*slot = topics_open(hub->seg, name, len, hash);
	if (*slot != TOPICS_NONE)
		return SUBS_OK;
	stats_add(&hub->net->stats, STATS_DIRECTORY_FULL, 1);
	return SUBS_DIRECTORY_FULL;
}

/* Add the subscription; topic is NULL where it is the slot's first one here. */
static void
subscribe_add(struct hub *hub, struct client *client, struct sub_topic *topic,
    const struct subs_name *name, struct subs_start *start)
{
	/* subscribe-1: under the lock, like the next two */
	topics_subscribe(hub->seg, start->slot, hub->slot);
	/* subscribe-2: number and place, an exact pair */
	topic_snapshot(hub->seg, start->slot, start);
	if (topic == NULL) {
		topic = sub_topic_new(
		    hub, start->slot, name->at, name->len, name->hash);
		subscribe_topic_begin(hub, topic);
		holding_begin(topic, client);
	}
	attend_begin(hub, sub_link(hub, client, topic, start->seq));
	sub_count(hub);
}

enum subs_status
subscribe_begin(struct hub *hub, struct client *client, const char *name,
    uint8_t len, uint32_t hash, struct subs_start *start)
{
	struct sub_topic *topic = subs_find(&hub->subs, name, len, hash);
	enum subs_status status = SUBS_OK;
	const struct subs_name by = { .at = name, .len = len, .hash = hash };
	uint32_t slot;

	if (topic != NULL &&
	    subs_find_of_client(&client->subs, topic) != NULL) {
		topic_snapshot(hub->seg, topic->slot, start);
		return SUBS_ALREADY;
	}
	if (client->subs_count >= hub->net->config->max_topics_per_conn)
		return SUBS_TOO_MANY;
	if (topic != NULL)
		slot = topic->slot;
	else
		status = subscribe_open(hub, client, name, len, hash, &slot);
	if (status != SUBS_OK)
		return status;
	if (!attend_allows(hub, client, slot)) {
		stats_add(&hub->net->stats, STATS_REFUSED_MEMBERS, 1);
		return SUBS_TOO_MANY_MEMBERS;
	}
	start->slot = slot;
	subscribe_add(hub, client, topic, &by, start);
	return SUBS_OK;
}

struct sub *
subscribe_anew(
    struct hub *hub, struct client *client, const char *name, uint8_t len)
{
	const struct subs_name by = {
		.at = name, .len = len, .hash = topics_hash(hub->seg, name, len)
	};
	struct sub_topic *topic = subs_find(&hub->subs, name, len, by.hash);
	struct subs_start start = { .slot = TOPICS_NONE };

	if (topic != NULL && subs_find_of_client(&client->subs, topic) != NULL)
		return NULL;
	start.slot = topic != NULL ? topic->slot
	                           : topics_open(hub->seg, name, len, by.hash);
	if (start.slot == TOPICS_NONE)
		return NULL;
	subscribe_add(hub, client, topic, &by, &start);
	return SLIST_FIRST(&client->subs);
}

/* Take a subscription out of its topic, and the topic away with the last. */
static void
subscribe_unlink(struct hub *hub, struct sub *sub)
{
	struct sub_topic *topic = sub->topic;
	struct sub *moved = topic->subs[--topic->count];

	topic->subs[sub->index] = moved;
	moved->index = sub->index;
	if (sub->paced)
		pace_end(hub, sub);
	topic->forms[sub->client->form]--;
	if (sub->replaying)
		replay_cancel(hub, sub);
	attend_end(hub, sub);
	watch_end(hub, sub);
	if (sub->is_over)
		ending_forget(&hub->endings, sub);
	if (sub->client->conn.out != NULL)
		outq_leave_topic(sub->client->conn.out, topic->slot);
	topics_unsubscribe(hub->seg, topic->slot, hub->slot);
	holding_pass(topic, sub->client);
	if (topic->count == 0)
		sub_topic_free(hub, topic);
	free(sub);
	hub->subs.count--;
}

void
subscribe_end(struct hub *hub, struct sub *sub)
{
	struct client *client = sub->client;

	SLIST_REMOVE(&client->subs, sub, sub, link);
	client->subs_count--;
	subscribe_unlink(hub, sub);
	sub_count(hub);
}

void
subscribe_end_noted(struct hub *hub)
{
	struct endings *endings = &hub->endings;

	for (uint32_t i = 0; i < endings->count; i++)
		if (endings->subs[i] != NULL)
			subscribe_end(hub, endings->subs[i]);
	endings->count = 0;
}

void
subscribe_end_all(struct conn *c)
{
	struct client *client = client_of(c);
	struct hub *hub = hub_of(c);
	struct sub *sub;

	while ((sub = SLIST_FIRST(&client->subs)) != NULL) {
		SLIST_REMOVE_HEAD(&client->subs, link);
		subscribe_unlink(hub, sub);
	}
	client->subs_count = 0;
	sub_count(hub);
	if (client->has_patterns)
		pattern_unsubscribe_all(hub, client);
}
