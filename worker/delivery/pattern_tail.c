/* SPDX-License-Identifier: MIT */
/* pattern_tail.c - see pattern_tail.h. */

#include "worker/delivery/pattern_tail.h"

#include "common/pattern.h"
#include "common/xmalloc.h"
#include "worker/delivery/gap.h"
#include "worker/delivery/patterns.h"
#include "worker/net/outbox.h"

#include <stdlib.h>

void
pattern_tail_begin(struct pattern_tail *turn, uint32_t records_max)
{
	turn->count = 0;
	if (turn->next != NULL)
		return;
	turn->next = xcalloc(records_max, sizeof(*turn->next));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	turn->touched = xcalloc(records_max, sizeof(*turn->touched));
	turn->runs = xcalloc(records_max, sizeof(*turn->runs));
}

void
pattern_tail_fini(struct pattern_tail *turn)
{
	free(turn->next);
	free(turn->touched);
	free(turn->runs);
}

bool
pattern_tail_add(struct hub *hub, struct pattern_tail *turn,
    const struct ring_record *rec, uint32_t index)
{
	struct pattern_topic *pt;

	/* Of comings and goings only subscribers are told. */
	if ((rec->flags & RECORD_MEMBERS) != 0)
		return false;
	pt = patterns_topic(hub, rec);
	if (pt == NULL)
		return false;
	turn->next[index] = 0;
	if (pt->first == 0) {
		pt->first = index + 1;
		pt->turn = turn->count;
		turn->touched[turn->count++] = pt;
	} else {
		turn->next[pt->last - 1] = index + 1;
	}
	pt->last = index + 1;
	pt->topic->seq = rec->seq;
	if ((rec->flags & RECORD_UNNUMBERED) != 0)
		pt->topic->is_mixed = true;
	return true;
}

/* What a client wants of a topic's messages. */
struct pattern_wish {
	uint64_t from;  /* position */
	uint64_t until; /* the last number; UINT64_MAX: there is none */
	bool no_echo;
};

/* Take all of its patterns that match together: what one of them brings, it
 * gets. */
static void
pattern_wish_join(struct pattern_wish *wish, const struct pattern_client *pc,
    const struct sub_topic *topic)
{
	const struct pattern_sub *sub;

	SLIST_FOREACH(sub, &pc->subs, link) {
		if (!pattern_matches(sub->pattern->text, sub->pattern->len,
			topic->name, topic->name_len))
			continue;
		if (sub->from < wish->from)
			wish->from = sub->from;
		wish->no_echo = wish->no_echo && sub->no_echo;
	}
}

/* What comes by the topic's own subscription, if the client has one, patterns do
 * not bring.  Returns false if that is everything. */
static bool
pattern_wish_limit(struct pattern_wish *wish, const struct hub *hub,
    const struct client *client, const struct sub_topic *topic)
{
	const struct sub_topic *own = hub->subs.by_slot[topic->slot];
	const struct sub *sub;

	if (own == NULL || SLIST_EMPTY(&client->subs) ||
	    own->name_len != topic->name_len ||
	    memcmp(own->name, topic->name, own->name_len) != 0)
		return true;
	sub = subs_find_of_client(&client->subs, own);
	if (sub == NULL)
		return true;
	if (sub->replaying || sub->paced || !sub->fresh)
		return false;
	wish->until = sub->seen;
	return true;
}

/* Whether a record is from before the client's own subscription to the topic: one
 * without a number, if more numbers came before that. */
static bool
pattern_wish_is_before(
    const struct pattern_wish *wish, const struct ring_record *rec)
{
	return (rec->flags & RECORD_UNNUMBERED) != 0 ? rec->seq < wish->until
	                                             : rec->seq <= wish->until;
}

/* Give a client those of a run's messages that it wants, one by one. */
static void
pattern_tail_pick(struct hub *hub, struct client *client,
    const struct pattern_wish *wish, const struct tail_run *run,
    struct tail_records records, uint32_t first)
{
	uint32_t frame = run->from;

	for (uint32_t at = first; at != 0; at = records.next[at - 1], frame++) {
		const struct ring_record *rec = &records.at[at - 1];

		if (rec->pos >= wish->from &&
		    pattern_wish_is_before(wish, rec) &&
		    !(wish->no_echo && tail_run_is_own(hub, rec, client)))
			outbox_frames(
			    &hub->net->outbox, &client->conn, frame, 1);
	}
}

/* Give a subscriber a topic's messages, unless it has got them by another of its
 * patterns. */
static void
pattern_tail_give(struct hub *hub, const struct pattern_sub *sub,
    const struct pattern_topic *pt, const struct tail_run *run,
    struct tail_records records)
{
	struct pattern_client *pc = sub->client;
	struct pattern_wish wish = { sub->from, UINT64_MAX, sub->no_echo };
	uint64_t first_pos = records.at[pt->first - 1].pos;

	if (pc->served == hub->patterns->deliveries)
		return;
	pc->served = hub->patterns->deliveries;
	if (pc->count > 1 && (wish.from > first_pos || wish.no_echo))
		pattern_wish_join(&wish, pc, pt->topic);
	if (!pattern_wish_limit(&wish, hub, pc->client, pt->topic))
		return;
	if (wish.from <= first_pos && !wish.no_echo &&
	    (wish.until == UINT64_MAX ||
		(run->last_seq <= wish.until && !pt->topic->is_mixed)))
		outbox_frames(&hub->net->outbox, &pc->client->conn, run->from,
		    run->count);
	else
		pattern_tail_pick(
		    hub, pc->client, &wish, run, records, pt->first);
}

static bool
pattern_topic_needs(const struct pattern_topic *pt, enum form_id form)
{
	for (uint32_t i = 0; i < pt->count; i++)
		if (pt->patterns[i]->forms[form] > 0)
			return true;
	return false;
}

/* One topic's messages. */
static void
pattern_tail_topic(struct hub *hub, struct pattern_topic *pt,
    struct tail_run *runs, struct tail_records records)
{
	for (int form = 0; form < FORMS; form++) {
		runs[form].count = 0;
		if (pattern_topic_needs(pt, form))
			runs[form] = tail_run_encode(
			    hub, pt->topic, form, records, pt->first);
	}
	hub->patterns->deliveries++;
	for (uint32_t i = 0; i < pt->count; i++) {
		const struct pattern *pattern = pt->patterns[i];

		for (uint32_t k = 0; k < pattern->count; k++) {
			const struct pattern_sub *sub = pattern->subs[k];

			pattern_tail_give(hub, sub, pt,
			    &runs[sub->client->client->form], records);
		}
	}
}

void
pattern_tail_deliver(
    struct hub *hub, struct pattern_tail *turn, const struct ring_record *at)
{
	struct tail_records records = { at, turn->next };

	for (uint32_t i = 0; i < turn->count; i++)
		pattern_tail_topic(
		    hub, turn->touched[i], turn->runs[i], records);
}

bool
pattern_tail_run(struct hub *hub, const struct pattern_tail *turn,
    const struct sub_topic *topic, enum form_id form, struct tail_run *run)
{
	const struct pattern_topic *pt = hub->patterns->by_slot[topic->slot];

	if (pt == NULL || pt->first == 0 || pt->topic->is_mixed ||
	    pt->first != topic->first || pt->last != topic->last ||
	    turn->runs[pt->turn][form].count == 0)
		return false;
	*run = turn->runs[pt->turn][form];
	return true;
}

void
pattern_tail_end(struct hub *hub, struct pattern_tail *turn)
{
	for (uint32_t i = 0; i < turn->count; i++) {
		struct pattern_topic *pt = turn->touched[i];

		pt->first = pt->last = 0;
		pt->topic->is_mixed = false;
		if (pt->is_left)
			pattern_topic_free(pt);
	}
	turn->count = 0;
	patterns_count(hub);
}

void
pattern_tail_tell(struct hub *hub, enum gap_reason reason)
{
	const struct pattern_client *pc, *next;
	const struct pattern_sub *sub;

	HASH_ITER(hh, hub->patterns->clients, pc, next)
		SLIST_FOREACH(sub, &pc->subs, link)
			gap_tell_pattern(sub, reason);
}

void
pattern_tail_lapped(struct hub *hub)
{
	patterns_forget(hub);
	pattern_tail_tell(hub, GAP_LAPPED);
}
