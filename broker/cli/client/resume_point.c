/* SPDX-License-Identifier: MIT */
/* resume_point.c - see place.h. */

#include "broker/cli/client/resume_point.h"

#include <string.h>

/* More than any ring holds: all of it. */
#define PLACE_ALL UINT32_MAX

struct place_request
place_ask(const struct place *place, const char *epoch)
{
	if (!place->is_known)
		return (struct place_request){ .history = place->history };
	if (place->has_been && strcmp(place->epoch, epoch) != 0)
		return (struct place_request){ .history = PLACE_ALL };
	return (struct place_request){ .is_since = true };
}

/* Stand behind seq in the ring of the last ack. */
static void
place_move(struct place *place, uint64_t seq)
{
	place->is_known = true;
	memcpy(place->epoch, place->ack_epoch, sizeof(place->epoch));
	place->seq = seq;
}

bool
place_acked(struct place *place, const struct said *ack)
{
	bool is_other;

	said_copy(&ack->epoch, place->ack_epoch, sizeof(place->ack_epoch));
	place->ack_seq = ack->seq;
	place->is_live = true;
	is_other = place->is_known && place->has_been &&
	           strcmp(place->epoch, place->ack_epoch) != 0;
	/* Otherwise a gap follows, and moves us. */
	if (!place->is_known || is_other || ack->recovered)
		place_move(place, ack->seq - ack->replayed);
	place->has_been = true;
	return is_other;
}

void
place_cut(struct place *place)
{
	place->is_live = false;
}

enum place_verdict
place_message(struct place *place, uint64_t seq, struct place_gap *gap)
{
	uint64_t from = place->seq + 1;

	/* Before the ack nothing of this topic is ours. */
	if (!place->is_live || seq < from)
		return PLACE_OLD;
	place_move(place, seq);
	if (seq == from)
		return PLACE_NEXT;
	*gap = (struct place_gap){ true, from, seq - 1 };
	return PLACE_HOLE;
}

bool
place_gapped(
    struct place *place, const struct said *said, struct place_gap *gap)
{
	uint64_t from = place->seq + 1;

	if (!place->is_live || (said->has_numbers && said->to < from))
		return false;
	*gap = (struct place_gap){ said->has_numbers, from, said->to };
	place_move(place, said->has_numbers ? said->to : place->ack_seq);
	return true;
}
