/* SPDX-License-Identifier: MIT */
/*
 * subs.h - which of this worker's connections subscribe to what.
 *
 * The worker's own view of the topics that its clients use: by name for
 * publishing, by directory slot for the tail, which hashes no string.  A topic
 * is here while it has a subscriber on this worker; as long as it has one, its
 * directory slot is not recycled.
 */

#ifndef WORKER_DELIVERY_SUBS_H
#define WORKER_DELIVERY_SUBS_H

#include "common/buf.h"
#include "common/bug.h"
#include "common/xmalloc.h"
#include "worker/delivery/form.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define uthash_malloc(size) xmalloc(size)
#define uthash_fatal(why)   BUG(why)
#include <uthash.h>

struct address_share;
struct client;
struct pace;
struct replay;
struct segment;

/* One connection's subscription to one topic. */
struct sub {
	SLIST_ENTRY(sub) link; /* in the client's list */
	struct client *client;
	struct sub_topic *topic;
	union {
		uint64_t seen; /* last number sent to, or missed by, it */
		struct replay *replay; /* while replaying */
		struct pace *pace;     /* while paced */
	};
	uint32_t index;     /* in topic->subs */
	uint16_t begun_by;  /* that turn's request, its index modulo 2^16 */
	bool no_echo : 1;   /* without the client's own messages */
	bool replaying : 1; /* nothing live is for it until replay.h is done */
	bool paced : 1;     /* nor ever: pace.h serves it */
	bool is_member : 1; /* it counts for a member: attend.h, as the next */
	bool is_uncounted : 1; /* it should, but there is no room */
	bool is_excess : 1;    /* its address has too many: it has to end */
	bool watches : 1;      /* watch.h */
	bool is_over : 1;      /* ending.h: it ends with this turn */
	bool
	    fresh : 1; /* what is at or below `seen', it did not replay or tell: the
	                 * client's patterns bring it */
};

SLIST_HEAD(sub_list, sub);

/* A topic with subscribers on this worker. */
struct sub_topic {
	UT_hash_handle hh;
	struct sub **subs; /* owned array; order means nothing */
	uint32_t count;
	uint32_t max;
	uint32_t slot; /* in the directory */
	uint64_t seq;  /* last number that this worker has tailed */
	uint64_t pos;  /* position of that record; 0: none, or not known */
	uint32_t forms[FORMS];        /* subscribers that need each form */
	uint32_t paced;               /* subscribers that pace.h serves */
	struct buf json;              /* the name as a JSON string */
	struct address_share *holder; /* holding.c's */

	/* for one turn of the tail: this topic's records in the batch */
	uint32_t first, last; /* index + 1, 0: none */

	bool is_mixed; /* some of these have no number: tail_mixed.h */

	uint8_t name_len;
	char name[];
};

/* Subscriptions that end with this turn: ending.h. */
struct endings {
	struct sub **subs; /* owned; NULL in it: it has ended already */
	uint32_t count, max;
};

struct subs {
	struct sub_topic *by_name;  /* uthash */
	struct sub_topic **by_slot; /* owned, [topics_max] */
	uint64_t *wanted;           /* owned, a bit per slot: by_slot != NULL */
	uint32_t topics;
	uint64_t count;      /* subscriptions */
	uint32_t free_slots; /* holding.c's, as the next */
	uint32_t free_good_for;
};

/* Make the tables for a directory of this size. */
void subs_init(struct subs *subs, uint32_t topics_max);
void subs_fini(struct subs *subs);

/* The topic of this name, whose hash is that of topics_hash(), if it has a
 * subscriber here, or NULL. */
struct sub_topic *subs_find(
    const struct subs *subs, const char *name, size_t len, uint32_t hash);

/* Of a client's subscriptions that to the topic, or NULL. */
struct sub *subs_find_of_client(
    const struct sub_list *list, const struct sub_topic *topic);

/* Where a topic stood when a subscription began: an exact pair. */
struct subs_start {
	uint32_t slot; /* of the directory */
	uint64_t seq;  /* last number */
	uint64_t pos;  /* of its record, 0: none */
	uint64_t base; /* the topic's numbers are above it */
};

/* Where a topic stands.  Under the ring's lock. */
void topic_snapshot(
    const struct segment *seg, uint32_t slot, struct subs_start *start);

#endif
