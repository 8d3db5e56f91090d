/* SPDX-License-Identifier: MIT */
/* member_share.c - see member_share.h. */

#include "broker/ring/member_share.h"

#include "broker/ring/member_lists.h"
#include "common/bug.h"
#include "common/siphash.h"

#include <string.h>

/* A holder is nobody's but with this bit. */
#define MEMBER_HOLDER_SOME (UINT32_C(1) << 31)

uint32_t
member_holder(const struct segment *seg, const void *address, size_t len)
{
	return (uint32_t)siphash(&seg->header->hash_key, address, len) |
	       MEMBER_HOLDER_SOME;
}

/* The cell of a holder in a row. */
static uint32_t *
member_share_cell(const struct segment *seg, uint32_t holder, unsigned row)
{
	uint32_t cell =
	    (holder >> (row * LAYOUT_HOLDER_BITS)) & (LAYOUT_HOLDERS - 1);

	return &seg->member_holders[row * LAYOUT_HOLDERS + cell];
}

/* Places that a member takes. */
static uint32_t
member_share_places(const struct layout_member *member)
{
	uint32_t pieces =
	    member_pieces((size_t)member->user_len + member->info_len);

	return pieces > LAYOUT_PIECES_PER ? pieces : LAYOUT_PIECES_PER;
}

/* Places that are free. */
static uint32_t
member_share_free(const struct segment *seg)
{
	const struct layout_members *all = &seg->header->members;
	uint32_t free =
	    (seg->members_max - atomic_load(&all->present)) * LAYOUT_PIECES_PER;

	return free < all->pieces_left ? free : all->pieces_left;
}

bool
member_may_hold(const struct segment *seg, uint32_t holder)
{
	uint64_t most = (uint64_t)MEMBER_SHARE_PARTS * member_share_free(seg);
	uint64_t held = UINT32_MAX;

	if (holder == MEMBER_HOLDER_NONE)
		return true;
	for (unsigned row = 0; row < LAYOUT_HOLDER_ROWS; row++)
		if (*member_share_cell(seg, holder, row) < held)
			held = *member_share_cell(seg, holder, row);
	return held * seg->pieces_max <= most * most;
}

void
member_share_add(const struct segment *seg, const struct layout_member *member)
{
	if (member->holder == MEMBER_HOLDER_NONE)
		return;
	for (unsigned row = 0; row < LAYOUT_HOLDER_ROWS; row++)
		*member_share_cell(seg, member->holder, row) +=
		    member_share_places(member);
}

void
member_share_remove(
    const struct segment *seg, const struct layout_member *member)
{
	uint32_t places = member_share_places(member), *cell;

	if (member->holder == MEMBER_HOLDER_NONE)
		return;
	for (unsigned row = 0; row < LAYOUT_HOLDER_ROWS; row++) {
		cell = member_share_cell(seg, member->holder, row);
		CHECK(*cell >= places);
		*cell -= places;
	}
}

void
member_shares_clear(const struct segment *seg)
{
	memset(seg->member_holders, 0,
	    LAYOUT_HOLDER_ROWS * LAYOUT_HOLDERS * sizeof(*seg->member_holders));
}
