/* SPDX-License-Identifier: MIT */
/*
 * member_share.h - how much of the table of members each address has.
 *
 * A client says its name itself (?user=), or has a token for any number of
 * topics: so one address could fill the table, and then nobody else would be
 * known anywhere.  Each member is therefore held by the address of whoever came
 * first with that name, until the member leaves: with --leave-delay, and over
 * the death of any worker.  What an address may hold shrinks with the square of
 * what is free, as with topics (worker/delivery/holding.h).  It gets no member
 * more when
 *
 *	held / places  >  (MEMBER_SHARE_PARTS * free / places)^2
 *
 * so one address takes 78 % of the table, and who holds none always gets one if
 * there is any.
 *
 * A place is a piece of text or what a member takes of them on average, if that
 * is more: whoever has long texts is not cheaper.
 *
 * Addresses are not kept: a hash of each leads to a cell in either of two rows,
 * and what the address holds is at most what the smaller of the two says (a
 * count-min sketch).  Who shares both cells with somebody who holds much has to
 * wait when the table is nearly full; one in millions does.
 *
 * Under the ring's lock, all of it.
 */

#ifndef BROKER_RING_MEMBER_SHARE_H
#define BROKER_RING_MEMBER_SHARE_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* While one part of so many is free, an address may hold any number. */
#define MEMBER_SHARE_PARTS 4u

/* Whose a member is.  Nobody's counts for no address. */
#define MEMBER_HOLDER_NONE 0u

/* The holder that stands for an address, of so many bytes. */
uint32_t member_holder(
    const struct segment *seg, const void *address, size_t len);

/* Whether a holder may have another member. */
bool member_may_hold(const struct segment *seg, uint32_t holder);

/* A member has come, or has gone: it has its holder and its text. */
void member_share_add(
    const struct segment *seg, const struct layout_member *member);
void member_share_remove(
    const struct segment *seg, const struct layout_member *member);

/* No member is there: begin anew.  Callers: the repair. */
void member_shares_clear(const struct segment *seg);

#endif
