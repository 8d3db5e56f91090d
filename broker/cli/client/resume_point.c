/* SPDX-License-Identifier: MIT */
/* resume_point.c - see resume_point.h. */

#include "broker/cli/client/resume_point.h"

#include <string.h>

/* More than any ring holds: all of it. */
#define RESUME_POINT_ALL UINT32_MAX

struct resume_point_request
resume_point_ask(const struct resume_point *place, const char *epoch)
{
	if (!place->is_known)
		return (
		    struct resume_point_request){ .history = place->history };
	if (place->has_been && strcmp(place->epoch, epoch) != 0)
		return (
		    struct resume_point_request){ .history = RESUME_POINT_ALL };
	return (struct resume_point_request){ .is_since = true };
}

/* Stand behind seq in the ring of the last ack. */
static void
resume_point_move(struct resume_point *place, uint64_t seq)
{
	place->is_known = true;
	memcpy(place->epoch, place->ack_epoch, sizeof(place->epoch));
	place->seq = seq;
}

bool
resume_point_acked(struct resume_point *place, const struct server_message *ack)
{
	bool is_other;

	server_message_copy(
	    &ack->epoch, place->ack_epoch, sizeof(place->ack_epoch));
	place->ack_seq = ack->seq;
	place->is_live = true;
	is_other = place->is_known && place->has_been &&
	           strcmp(place->epoch, place->ack_epoch) != 0;
	/* Otherwise a gap follows, and moves us. */
	if (!place->is_known || is_other || ack->recovered)
		resume_point_move(place, ack->seq - ack->replayed);
	place->has_been = true;
	return is_other;
}

void
resume_point_cut(struct resume_point *place)
{
	place->is_live = false;
}

enum resume_point_verdict
resume_point_message(struct resume_point *place, uint64_t seq, bool is_retained,
    struct resume_point_gap *gap)
{
	uint64_t from = place->seq + 1;

	/* Before the ack nothing of this topic is ours. */
	if (place->is_live && is_retained && seq != from)
		return RESUME_POINT_NEXT;
	if (!place->is_live || seq < from)
		return RESUME_POINT_OLD;
	resume_point_move(place, seq);
	if (seq == from)
		return RESUME_POINT_NEXT;
	*gap = (struct resume_point_gap){ true, from, seq - 1 };
	return RESUME_POINT_HOLE;
}

/* The connection has come to another ring. */
static void
resume_point_renew(
    struct resume_point *place, const struct server_message *said)
{
	server_message_copy(
	    &said->epoch, place->ack_epoch, sizeof(place->ack_epoch));
	place->ack_seq = said->seq;
	resume_point_move(place, said->seq);
}

bool
resume_point_gapped(struct resume_point *place,
    const struct server_message *said, struct resume_point_gap *gap)
{
	uint64_t from = place->seq + 1;

	if (place->is_live && said->epoch.raw != NULL) {
		*gap = (struct resume_point_gap){ .has_numbers = false };
		resume_point_renew(place, said);
		return true;
	}
	if (!place->is_live || (said->has_numbers && said->to < from))
		return false;
	*gap = (struct resume_point_gap){ said->has_numbers, from, said->to };
	resume_point_move(place, said->has_numbers ? said->to : place->ack_seq);
	return true;
}
