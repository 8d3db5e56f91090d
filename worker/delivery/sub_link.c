/* SPDX-License-Identifier: MIT */
/* sub_link.c - see sub_link.h. */

#include "worker/delivery/sub_link.h"

#include "common/bug.h"
#include "common/xmalloc.h"
#include "worker/delivery/patterns.h"

#include <stdlib.h>
#include <string.h>

void
sub_count(struct hub *hub)
{
	stats_set(&hub->net->stats, STATS_SUBSCRIPTIONS, hub->subs.count);
	stats_set(&hub->net->stats, STATS_TOPICS, hub->subs.topics);
}

struct sub_topic *
sub_topic_new(struct hub *hub, uint32_t slot, const char *name, uint8_t len,
    uint32_t hash)
{
	struct subs *subs = &hub->subs;
	struct sub_topic *topic = xcalloc(1, sizeof(*topic) + len);

	topic->slot = slot;
	topic->name_len = len;
	memcpy(topic->name, name, len);
	buf_json_string(&topic->json, name, len);
	HASH_ADD_KEYPTR_BYHASHVALUE(
	    hh, subs->by_name, topic->name, len, hash, topic);
	CHECK(subs->by_slot[slot] == NULL);
	subs->by_slot[slot] = topic;
	subs->wanted[slot / 64] |= UINT64_C(1) << (slot % 64);
	if (hub->patterns != NULL)
		hub->patterns->wanted[slot / 64] |= UINT64_C(1) << (slot % 64);
	subs->topics++;
	return topic;
}

void
sub_topic_free(struct hub *hub, struct sub_topic *topic)
{
	struct subs *subs = &hub->subs;

	subs->by_slot[topic->slot] = NULL;
	subs->wanted[topic->slot / 64] &= ~(UINT64_C(1) << (topic->slot % 64));
	HASH_DELETE(hh, subs->by_name, topic);
	subs->topics--;
	buf_fini(&topic->json);
	free(topic->subs);
	free(topic);
}

struct sub *
sub_link(struct hub *hub, struct client *client, struct sub_topic *topic,
    uint64_t seen)
{
	struct sub *sub = xmalloc(sizeof(*sub));

	if (topic->count == topic->max) {
		topic->max += topic->max / 2 + 1;
		topic->subs = xreallocarray(
		    topic->subs, topic->max, sizeof(struct sub *));
	}
	sub->client = client;
	sub->topic = topic;
	sub->seen = seen;
	sub->index = topic->count;
	sub->begun_by = 0;
	sub->no_echo = sub->replaying = sub->paced = false;
	sub->is_member = sub->is_uncounted = sub->is_excess = false;
	sub->watches = sub->is_over = false;
	sub->fresh = true;
	topic->forms[client->form]++;
	topic->subs[topic->count++] = sub;
	SLIST_INSERT_HEAD(&client->subs, sub, link);
	client->subs_count++;
	hub->subs.count++;
	return sub;
}
