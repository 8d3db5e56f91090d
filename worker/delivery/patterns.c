/* SPDX-License-Identifier: MIT */
/* patterns.c - see patterns.h. */

#include "worker/delivery/patterns.h"

#include "common/config.h"
#include "common/pattern.h"

#include <stdlib.h>
#include <string.h>

static size_t
patterns_words(uint32_t topics_max)
{
	return topics_max / 64 + 1;
}

struct patterns *
patterns_new(const struct segment *seg)
{
	struct patterns *p = xcalloc(1, sizeof(*p));
	size_t words = patterns_words(seg->topics_max);

	pattern_trie_init(&p->trie, &seg->header->hash_key);
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	p->by_slot = xcalloc(seg->topics_max, sizeof(*p->by_slot));
	p->wanted = xcalloc(words, sizeof(*p->wanted));
	return p;
}

/* Forget what was found for a slot. */
static void
patterns_forget_topic(struct patterns *p, uint32_t slot)
{
	struct pattern_topic *pt = p->by_slot[slot];

	p->by_slot[slot] = NULL;
	if (pt == NULL)
		return;
	p->topic_bytes -= pt->bytes;
	if (pt->first != 0)
		pt->is_left = true;
	else
		pattern_topic_free(pt);
}

void
pattern_topic_free(struct pattern_topic *pt)
{
	buf_fini(&pt->topic->json);
	free(pt->topic);
	free(pt->patterns);
	free(pt);
}

void
patterns_free(struct hub *hub)
{
	struct patterns *p = hub->patterns;

	CHECK(p->subs == 0 && p->count == 0 && p->clients == NULL);
	hub->patterns = NULL;
	for (uint32_t slot = 0; slot < hub->seg->topics_max; slot++)
		patterns_forget_topic(p, slot);
	pattern_trie_fini(&p->trie);
	free(p->by_slot);
	free(p->wanted);
	free(p);
}

void
patterns_forget(struct hub *hub)
{
	struct patterns *p = hub->patterns;

	for (uint32_t slot = 0; slot < hub->seg->topics_max; slot++)
		patterns_forget_topic(p, slot);
	p->is_wider = true;
}

void
patterns_count(struct hub *hub)
{
	const struct patterns *p = hub->patterns;

	stats_set(&hub->net->stats, STATS_PATTERN_SUBSCRIPTIONS,
	    p != NULL ? p->subs : 0);
	stats_set(&hub->net->stats, STATS_PATTERNS, p != NULL ? p->count : 0);
	stats_set(&hub->net->stats, STATS_PATTERN_BYTES,
	    p != NULL ? p->trie.bytes + p->pattern_bytes + p->topic_bytes : 0);
}

struct pattern_client *
patterns_of(struct hub *hub, const struct client *client)
{
	struct pattern_client *pc = NULL;

	if (client->has_patterns)
		HASH_FIND_PTR(hub->patterns->clients, &client, pc);
	return pc;
}

struct pattern_sub *
patterns_find(
    struct hub *hub, const struct client *client, const char *text, size_t len)
{
	struct pattern_client *pc = patterns_of(hub, client);
	struct pattern_sub *sub;

	if (pc == NULL)
		return NULL;
	SLIST_FOREACH(sub, &pc->subs, link)
		if (sub->pattern->len == len &&
		    memcmp(sub->pattern->text, text, len) == 0)
			return sub;
	return NULL;
}

bool
patterns_has_room(struct hub *hub, const char *text, size_t len)
{
	struct patterns *p = hub->patterns;
	uint64_t max = hub->net->config->max_patterns;

	return pattern_trie_find(&p->trie, text, len) != NULL ||
	       (p->count < max &&
		   p->trie.bytes + p->pattern_bytes < max * PATTERN_BYTES);
}

/* The pattern of this text, made if there is none. */
static struct pattern *
patterns_open(struct patterns *p, const char *text, uint8_t len)
{
	struct pattern_node *node = pattern_trie_add(&p->trie, text, len);
	struct pattern *pattern = node->value;

	if (pattern != NULL)
		return pattern;
	pattern = xcalloc(1, sizeof(*pattern) + len);
	pattern->node = node;
	pattern->len = len;
	memcpy(pattern->text, text, len);
	node->value = pattern;
	p->pattern_bytes += sizeof(*pattern) + len;
	p->count++;
	p->generation++;
	p->is_wider = true;
	return pattern;
}

/* It has no subscriber any more.  Who has found it must not look at it. */
static void
patterns_close(struct patterns *p, struct pattern *pattern)
{
	pattern_trie_remove(&p->trie, pattern->node);
	p->pattern_bytes -= sizeof(*pattern) + pattern->len;
	p->count--;
	p->generation++;
	free(pattern->subs);
	free(pattern);
}

static struct pattern_client *
patterns_client(struct hub *hub, struct client *client)
{
	struct pattern_client *pc = patterns_of(hub, client);

	if (pc != NULL)
		return pc;
	pc = xcalloc(1, sizeof(*pc));
	pc->client = client;
	SLIST_INIT(&pc->subs);
	HASH_ADD_PTR(hub->patterns->clients, client, pc);
	client->has_patterns = true;
	return pc;
}

struct pattern_sub *
patterns_link(struct hub *hub, struct client *client, const char *text,
    uint8_t len, uint64_t from)
{
	struct pattern_client *pc = patterns_client(hub, client);
	struct pattern *pattern = patterns_open(hub->patterns, text, len);
	struct pattern_sub *sub = xcalloc(1, sizeof(*sub));

	if (pattern->count == pattern->max) {
		pattern->max += pattern->max / 2 + 1;
		pattern->subs = xreallocarray(
		    pattern->subs, pattern->max, sizeof(struct pattern_sub *));
	}
	sub->pattern = pattern;
	sub->client = pc;
	sub->from = from;
	sub->index = pattern->count;
	sub->number = pc->numbered++;
	pattern->forms[client->form]++;
	pattern->subs[pattern->count++] = sub;
	SLIST_INSERT_HEAD(&pc->subs, sub, link);
	pc->count++;
	hub->patterns->subs++;
	return sub;
}

void
patterns_unlink(struct hub *hub, struct pattern_sub *sub)
{
	struct patterns *p = hub->patterns;
	struct pattern_client *pc = sub->client;
	struct pattern *pattern = sub->pattern;
	struct pattern_sub *moved = pattern->subs[--pattern->count];

	pattern->subs[sub->index] = moved;
	moved->index = sub->index;
	pattern->forms[pc->client->form]--;
	SLIST_REMOVE(&pc->subs, sub, pattern_sub, link);
	free(sub);
	p->subs--;
	if (pattern->count == 0)
		patterns_close(p, pattern);
	if (--pc->count > 0)
		return;
	pc->client->has_patterns = false;
	HASH_DELETE(hh, p->clients, pc);
	free(pc);
}

static void
pattern_topic_found(void *context, void *pattern)
{
	struct pattern_topic *pt = context;

	if (pt->count == pt->max) {
		pt->max += pt->max + 1;
		pt->patterns = xreallocarray(
		    pt->patterns, pt->max, sizeof(struct pattern *));
	}
	pt->patterns[pt->count++] = pattern;
}

/* A topic that has been seen for the first time, with its name alone. */
static struct pattern_topic *
pattern_topic_new(const struct ring_record *rec)
{
	struct pattern_topic *pt = xcalloc(1, sizeof(*pt));

	pt->first_seq = rec->seq;
	pt->topic = xcalloc(1, sizeof(*pt->topic) + rec->name_len);
	pt->topic->slot = rec->topic;
	pt->topic->name_len = rec->name_len;
	memcpy(pt->topic->name, rec->name, rec->name_len);
	buf_json_string(&pt->topic->json, rec->name, rec->name_len);
	return pt;
}

/* Whether what was found for a slot was under the name that a record has. */
static bool
pattern_topic_is_of(
    const struct pattern_topic *pt, const struct ring_record *rec)
{
	return (rec->prev != 0 || (rec->flags & RECORD_UNNUMBERED) != 0) &&
	       pt->topic->name_len == rec->name_len &&
	       memcmp(pt->topic->name, rec->name, rec->name_len) == 0;
}

/* Look the name of a record up. */
static struct pattern_topic *
patterns_look_up(struct hub *hub, const struct ring_record *rec)
{
	struct patterns *p = hub->patterns;
	struct pattern_topic *pt = p->by_slot[rec->topic];

	if (pt == NULL || !pattern_topic_is_of(pt, rec)) {
		patterns_forget_topic(p, rec->topic);
		pt = pattern_topic_new(rec);
		p->by_slot[rec->topic] = pt;
	}
	p->topic_bytes -= pt->bytes;
	pt->count = 0;
	pt->generation = p->generation;
	pattern_trie_match(
	    &p->trie, rec->name, rec->name_len, pattern_topic_found, pt);
	/* The name is there twice, also as JSON. */
	pt->bytes = sizeof(*pt) + sizeof(*pt->topic) + 2 * rec->name_len +
	            pt->max * sizeof(struct pattern *);
	p->topic_bytes += pt->bytes;
	stats_add(&hub->net->stats, STATS_PATTERN_LOOKUPS, 1);
	return pt;
}

static bool
patterns_is_wanted(const struct patterns *p, uint32_t slot)
{
	return p->wanted[slot / 64] >> (slot % 64) & 1;
}

struct pattern_topic *
patterns_topic(struct hub *hub, const struct ring_record *rec)
{
	struct patterns *p = hub->patterns;
	struct pattern_topic *pt = p->by_slot[rec->topic];

	/* One before it, in the same turn, was looked up. */
	if (!patterns_is_wanted(p, rec->topic) && rec->prev != 0)
		return NULL;
	if (pt == NULL || pt->generation != p->generation ||
	    (rec->prev == 0 && !pattern_topic_is_of(pt, rec)))
		pt = patterns_look_up(hub, rec);
	if (pt->count > 0) {
		/* The one before it may have cleared this. */
		p->wanted[rec->topic / 64] |= UINT64_C(1) << (rec->topic % 64);
		return pt;
	}
	/* Who subscribes to the topic itself wants it still. */
	if (hub->subs.by_slot[rec->topic] == NULL) {
		patterns_forget_topic(p, rec->topic);
		p->wanted[rec->topic / 64] &=
		    ~(UINT64_C(1) << (rec->topic % 64));
	}
	return NULL;
}

uint64_t *
patterns_wanted(struct hub *hub)
{
	struct patterns *p = hub->patterns;

	if (p->topic_bytes > PATTERN_TOPICS_BYTES_MAX)
		patterns_forget(hub);
	if (p->is_wider)
		memset(p->wanted, 0xff,
		    patterns_words(hub->seg->topics_max) * sizeof(*p->wanted));
	p->is_wider = false;
	return p->wanted;
}

struct pattern_topic *
patterns_topic_of(struct hub *hub, uint32_t slot, uint64_t seq)
{
	struct pattern_topic *pt = hub->patterns->by_slot[slot];

	return pt != NULL && pt->first_seq <= seq && seq <= pt->topic->seq
	           ? pt
	           : NULL;
}

struct pattern_sub *
patterns_match_of(
    const struct pattern_client *client, const struct sub_topic *topic)
{
	struct pattern_sub *sub;

	SLIST_FOREACH(sub, &client->subs, link)
		if (pattern_matches(sub->pattern->text, sub->pattern->len,
			topic->name, topic->name_len))
			return sub;
	return NULL;
}
