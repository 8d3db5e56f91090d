/* SPDX-License-Identifier: MIT */
/*
 * patterns.h - who subscribes to which patterns of topics, on this worker.
 *
 *	client -> pattern_client -> pattern_sub -> pattern    who wants what
 *	name of a topic -> trie -> pattern ...                (pattern_trie.h)
 *	slot of the directory -> pattern_topic -> pattern ... what was found
 *
 * A subscription to a topic keeps that topic's slot of the directory, and is
 * counted in it.  One to a pattern does neither: topics that only patterns follow
 * come and go as if nobody subscribed to them, and a pattern knows a topic by the
 * records that the ring has of it, each of which says its name.  While a worker
 * has patterns
 *
 *   - a bit in the segment says so (layout_header.following), and whoever publishes
 *     anything rings its doorbell;
 *   - its tail reads every record, but those of the slots that are known to match
 *     nothing here (wanted);
 *   - what a name matched is kept for its slot (pattern_topic).  A slot gets
 *     another name only with a new life, and a life's first record says that
 *     there is none before it (ring_record.prev).  So that record is always
 *     copied and looked up again; so is one without a number, which says the
 *     same.  After a lap it may have been missed, so all is
 *     forgotten.
 *
 * What was found is out of date, too, when a pattern comes that was not there or
 * one loses its last subscriber; that is a number (generation), and each topic is
 * looked up again when its next record comes.
 *
 * A client gets a message once, however many of its patterns match.  To whoever
 * subscribes to the topic itself patterns bring only what came before that
 * subscription began (sub.fresh).
 *
 * hub->patterns is NULL while this worker has no subscription to a pattern, and
 * that is all who has none looks at.  A connection has no field for them, but a
 * bit: its patterns are found by its address.
 */

#ifndef WORKER_DELIVERY_PATTERNS_H
#define WORKER_DELIVERY_PATTERNS_H

#include "broker/ring/ring.h"
#include "worker/delivery/hub.h"
#include "worker/delivery/pattern_trie.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* --max-patterns gives each pattern so many bytes of the trie and of itself, on
 * an average: a few long ones use up what is for many short ones. */
#define PATTERN_BYTES 512u

/* What was found is forgotten before a turn in which it takes more than this,
 * bytes.  A turn adds at most what its topics match. */
#define PATTERN_TOPICS_BYTES_MAX (32u * 1024 * 1024)

/* A pattern with subscribers on this worker. */
struct pattern {
	struct pattern_node *node; /* where it ends in the trie */
	struct pattern_sub **subs; /* owned array; order means nothing */
	uint32_t count, max;
	uint32_t forms[FORMS]; /* subscribers that need each form */
	uint8_t len;
	char text[]; /* not NUL-terminated */
};

/* One connection's subscription to one pattern. */
struct pattern_sub {
	SLIST_ENTRY(pattern_sub) link; /* in the client's list */
	struct pattern *pattern;
	struct pattern_client *client;
	uint64_t from;   /* position in the ring of the first record it gets */
	uint32_t index;  /* in pattern->subs */
	uint32_t number; /* of the client's, never used again for another */
	bool no_echo;    /* without the client's own messages */
};

SLIST_HEAD(pattern_sub_list, pattern_sub);

/* A client with patterns. */
struct pattern_client {
	UT_hash_handle hh; /* by client */
	struct client *client;
	struct pattern_sub_list subs; /* the newest first */
	uint32_t count;
	uint32_t numbered; /* subscriptions so far */
	uint64_t served;   /* the delivery that it has got, by its number */
};

/* What the patterns here make of a topic. */
struct pattern_topic {
	uint64_t generation; /* when it was looked up */
	uint64_t first_seq;  /* the first number that was seen under its name */
	struct pattern **patterns; /* owned */
	uint32_t count, max;
	/* for one turn of the tail: its records in the batch, as in struct
	 * sub_topic, and its place among the topics of the turn */
	uint32_t first, last, turn;
	bool is_left; /* its slot has another name: free it after the turn */
	size_t bytes; /* that it takes, about */
	/* Name and last number, as forms want them.  Nobody subscribes to this
	 * one; owned. */
	struct sub_topic *topic;
};

struct patterns {
	struct pattern_trie trie;
	struct pattern_client *clients; /* uthash */
	struct pattern_topic **by_slot; /* owned, [topics_max] */
	uint64_t *wanted; /* owned, a bit per slot: 0: nothing here matches */
	uint32_t count;   /* different patterns */
	uint64_t subs;    /* subscriptions to them */
	uint64_t generation;  /* grows when a pattern comes or goes */
	bool is_wider;        /* one has come: all slots may match */
	size_t pattern_bytes; /* of all struct pattern */
	size_t topic_bytes;   /* of all struct pattern_topic, about */
	uint64_t deliveries;  /* pattern_client.served counts in these */
};

/* Make and free the table; the latter when nobody is in it. */
struct patterns *patterns_new(const struct segment *seg);
void patterns_free(struct hub *hub);

/* Free what the patterns made of a topic. */
void pattern_topic_free(struct pattern_topic *pt);

/* The slots whose records may match, for ring_tail(), as `wanted' and as `reborn'.
 * Among them are those of all topics with subscribers here.  Callers: the tail, once at the beginning of a
 * turn, for which they are good. */
uint64_t *patterns_wanted(struct hub *hub);

/* A client's patterns, or NULL: it has none. */
struct pattern_client *patterns_of(
    struct hub *hub, const struct client *client);

/* A client's subscription to a pattern, or NULL. */
struct pattern_sub *patterns_find(
    struct hub *hub, const struct client *client, const char *text, size_t len);

/* Whether another pattern, of so many bytes, has room. */
bool patterns_has_room(struct hub *hub, const char *text, size_t len);

/* Add a subscription of a client that does not have it, to a valid pattern.
 * hub->patterns is there. */
struct pattern_sub *patterns_link(struct hub *hub, struct client *client,
    const char *text, uint8_t len, uint64_t from);

/* Take one away, and with the last one of a pattern that.  The table stays. */
void patterns_unlink(struct hub *hub, struct pattern_sub *sub);

/* Set the gauges. */
void patterns_count(struct hub *hub);

/*
 * What the patterns make of a record's topic.
 * Returns: NULL: nothing here matches it.
 */
struct pattern_topic *patterns_topic(
    struct hub *hub, const struct ring_record *rec);

/* Forget what was found, for all topics. */
void patterns_forget(struct hub *hub);

/* The topic that was in a slot of the directory when this number was tailed, if
 * that is still known; or NULL. */
struct pattern_topic *patterns_topic_of(
    struct hub *hub, uint32_t slot, uint64_t seq);

/* The first of a client's patterns that matches a topic; NULL: none does. */
struct pattern_sub *patterns_match_of(
    const struct pattern_client *client, const struct sub_topic *topic);

#endif
