/* SPDX-License-Identifier: MIT */
/* pattern_subscribe.c - see pattern_subscribe.h. */

#include "worker/delivery/pattern_subscribe.h"

#include "broker/ring/following.h"
#include "common/config.h"
#include "worker/delivery/patterns.h"
#include "worker/delivery/tail.h"

/* This worker's first pattern comes.  Under the lock. */
static void
pattern_follow(struct hub *hub)
{
	bool follows = hub_follows(hub);

	hub->patterns = patterns_new(hub->seg);
	following_set(hub->seg, hub->slot, true);
	/* Messages that were slept through are in no gap, as in
	 * subscribe_topic_begin(). */
	if (!follows)
		tail_skip_to_head(hub);
}

/* The last one has gone. */
static void
pattern_follow_no_more(struct hub *hub)
{
	if (hub->patterns->subs == 0) {
		following_set(hub->seg, hub->slot, false);
		patterns_free(hub);
	}
	patterns_count(hub);
}

enum pattern_status
pattern_subscribe(struct hub *hub, struct client *client, const char *text,
    uint8_t len, bool no_echo)
{
	struct pattern_client *pc = patterns_of(hub, client);
	struct pattern_sub *sub = patterns_find(hub, client, text, len);

	if (sub != NULL) {
		sub->no_echo = no_echo;
		return PATTERN_ALREADY;
	}
	if ((pc != NULL ? pc->count : 0) >=
	    hub->net->config->max_patterns_per_conn)
		return PATTERN_TOO_MANY;
	if (hub->patterns == NULL)
		pattern_follow(hub);
	if (!patterns_has_room(hub, text, len)) {
		stats_add(&hub->net->stats, STATS_REFUSED_PATTERNS, 1);
		pattern_follow_no_more(hub);
		return PATTERN_NO_ROOM;
	}
	sub = patterns_link(hub, client, text, len, ring_head(hub->seg));
	sub->no_echo = no_echo;
	patterns_count(hub);
	return PATTERN_OK;
}

bool
pattern_adopt(struct hub *hub, struct client *client, const char *text,
    uint8_t len, bool no_echo, uint64_t from)
{
	if (hub->patterns == NULL)
		hub->patterns = patterns_new(hub->seg);
	if (patterns_find(hub, client, text, len) != NULL)
		return false;
	patterns_link(hub, client, text, len, from)->no_echo = no_echo;
	patterns_count(hub);
	return true;
}

void
pattern_adopt_slot(struct hub *hub)
{
	following_set(hub->seg, hub->slot, hub->patterns != NULL);
}

void
pattern_unsubscribe(struct hub *hub, struct pattern_sub *sub)
{
	struct client *client = sub->client->client;

	patterns_unlink(hub, sub);
	if (client->conn.out != NULL)
		outq_leave_all(client->conn.out);
	pattern_follow_no_more(hub);
}

void
pattern_unsubscribe_all(struct hub *hub, struct client *client)
{
	struct pattern_client *pc = patterns_of(hub, client);

	while (client->has_patterns)
		patterns_unlink(hub, SLIST_FIRST(&pc->subs));
	pattern_follow_no_more(hub);
}
