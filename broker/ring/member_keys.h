/* SPDX-License-Identifier: MIT */
/*
 * member_keys.h - the members of a topic in an order that is the same on all hosts
 * of a cluster: by key (member_key()), so that their lists can be put together
 * page by page.  Different users may have one key; a page has all of them, or
 * none.
 */

#ifndef BROKER_RING_MEMBER_KEYS_H
#define BROKER_RING_MEMBER_KEYS_H

#include "broker/ring/members.h"

/* Members in a page: MEMBERS_PAGE_MAX, unless more have one key. */
#define MEMBER_KEYS_MAX (MEMBERS_PAGE_MAX + 1u)

struct member_keys {
	/* key << 32 | index, in order */
	uint64_t at[MEMBER_KEYS_MAX];
	uint32_t count;
	bool has_more;  /* behind these */
	uint32_t total; /* members of the topic, all of them */
};

static inline uint32_t
member_keys_index(uint64_t word)
{
	return (uint32_t)word;
}

/*
 * Find the first members whose key is greater than `after' (0: all), `limit' of
 * them at most, or those that have one key.  Looks at each member of the topic.
 * Under the ring's lock.
 */
void member_keys_page(const struct segment *seg, uint32_t topic, uint64_t after,
    uint32_t limit, struct member_keys *page);

#endif
