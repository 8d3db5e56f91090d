/* SPDX-License-Identifier: MIT */
/*
 * member_lists.h - the lists that members are in, for member_table.c and the
 * repair.  Contents and meaning: member_table.h.
 */

#ifndef BROKER_RING_MEMBER_LISTS_H
#define BROKER_RING_MEMBER_LISTS_H

#include "broker/shared/segment.h"

struct member_user;

/* Where the members of a hash begin: index + 1. */
static inline uint32_t *
member_bucket(const struct segment *seg, uint32_t hash)
{
	return &seg->member_buckets[hash & (seg->member_bucket_count - 1)];
}

/* Put a member behind all of its topic, and into its bucket; or take it out. */
void member_list_add(struct segment *seg, uint32_t index);
void member_list_remove(struct segment *seg, uint32_t index);

/* Put a member among those who leave, by its leave_ms; or take it out. */
void member_leaves_add(struct segment *seg, uint32_t index);
void member_leaves_remove(struct segment *seg, uint32_t index);

/* The hash of a user in a topic. */
uint32_t member_hash(
    const struct segment *seg, uint32_t topic, const struct member_user *user);

/* How many pieces a text of this length takes. */
static inline uint32_t
member_pieces(size_t len)
{
	return (uint32_t)((len + LAYOUT_PIECE - 1) / LAYOUT_PIECE);
}

#endif
