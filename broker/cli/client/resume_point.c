/* SPDX-License-Identifier: MIT */
/* resume_point.c - see resume_point.h. */

#include "broker/cli/client/resume_point.h"

#include <string.h>

/* More than any ring holds: all of it. */
#define RESUME_POINT_ALL UINT32_MAX

/* The ring of this epoch that we were in before; NULL: none. */
static struct resume_point_ring *
resume_point_find(struct resume_point *place, const char *epoch)
{
	for (size_t i = 0; i < RESUME_POINT_RINGS; i++)
		if (place->rings[i].epoch[0] != '\0' &&
		    strcmp(place->rings[i].epoch, epoch) == 0)
			return &place->rings[i];
	return NULL;
}

/* Remember the ring that we leave. */
static void
resume_point_remember(struct resume_point *place)
{
	struct resume_point_ring *ring = resume_point_find(place, place->epoch);

	if (ring == NULL)
		ring = &place->rings[place->rings_next++ % RESUME_POINT_RINGS];
	memcpy(ring->epoch, place->epoch, sizeof(ring->epoch));
	ring->seq = place->seq;
}

/* In another ring than the place's. */
static enum resume_point_way
resume_point_way_to(struct resume_point *place, const char *epoch)
{
	if (place->pos[0] != '\0' && strcmp(place->foreign, epoch) != 0)
		return RESUME_POINT_BY_POS;
	if (!place->has_been) /* the server says what it cannot do */
		return RESUME_POINT_BY_NUMBER;
	if (resume_point_find(place, epoch) != NULL)
		return RESUME_POINT_BY_RING;
	/* It began in a cluster with messages of the past, none of which came. */
	if (!place->is_since && !place->is_moved && place->ack_pos[0] != '\0')
		return RESUME_POINT_AFRESH;
	return RESUME_POINT_BY_HISTORY;
}

struct resume_point_request
resume_point_ask(struct resume_point *place, const char *epoch)
{
	struct resume_point_request ask = {
		.is_since = true,
		.epoch = place->epoch,
		.seq = place->seq,
		.pos = place->pos,
	};

	if (!place->has_been)
		place->is_since = place->is_known;
	place->way = !place->is_known ? RESUME_POINT_AFRESH
	             : strcmp(place->epoch, epoch) == 0
	                 ? RESUME_POINT_BY_NUMBER
	                 : resume_point_way_to(place, epoch);
	switch (place->way) {
	case RESUME_POINT_BY_NUMBER:
		ask.pos = "";
		break;
	case RESUME_POINT_BY_POS:
		break;
	case RESUME_POINT_BY_RING:
		ask.epoch = epoch;
		ask.seq = resume_point_find(place, epoch)->seq;
		ask.pos = "";
		break;
	case RESUME_POINT_BY_HISTORY:
		ask.is_since = false;
		ask.history = RESUME_POINT_ALL;
		break;
	case RESUME_POINT_AFRESH:
		ask.is_since = false;
		ask.history = place->history;
		break;
	}
	return ask;
}

/* Stand behind seq in the ring of the last ack.  Who has all that there was then
 * has come to where the log ended then. */
static void
resume_point_move(struct resume_point *place, uint64_t seq)
{
	if (place->is_known && strcmp(place->epoch, place->ack_epoch) != 0) {
		resume_point_remember(place);
		if (place->way != RESUME_POINT_BY_POS)
			place->pos[0] = '\0';
		place->foreign[0] = '\0';
	}
	place->is_known = true;
	memcpy(place->epoch, place->ack_epoch, sizeof(place->epoch));
	place->seq = seq;
	if (seq == place->ack_seq && place->ack_pos[0] != '\0')
		memcpy(place->pos, place->ack_pos, sizeof(place->pos));
}

/* Enter the ring of the last ack, or the one that we were in, which has all that
 * was asked for. */
static void
resume_point_enter(struct resume_point *place)
{
	const struct resume_point_ring *ring =
	    place->way == RESUME_POINT_BY_RING
		? resume_point_find(place, place->ack_epoch)
		: NULL;

	resume_point_move(place, ring != NULL ? ring->seq : place->ack_from);
}

static void
resume_point_note_ack(
    struct resume_point *place, const struct server_message *ack)
{
	server_message_copy(
	    &ack->epoch, place->ack_epoch, sizeof(place->ack_epoch));
	server_message_copy(&ack->pos, place->ack_pos, sizeof(place->ack_pos));
	place->ack_seq = ack->seq;
	place->ack_from = ack->seq - ack->replayed;
	place->is_live = true;
}

bool
resume_point_acked(struct resume_point *place, const struct server_message *ack)
{
	bool is_other = place->is_known && place->has_been &&
	                place->way != RESUME_POINT_BY_POS;
	bool is_told = place->is_told || place->way == RESUME_POINT_AFRESH;

	resume_point_note_ack(place, ack);
	is_other &= strcmp(place->epoch, place->ack_epoch) != 0;
	/* Otherwise a gap follows, and moves us. */
	if (!place->is_known || is_other || ack->recovered)
		resume_point_enter(place);
	place->has_been = true;
	place->is_told = false;
	return is_other && !is_told;
}

void
resume_point_cut(struct resume_point *place)
{
	place->is_live = false;
}

enum resume_point_verdict
resume_point_message(struct resume_point *place,
    const struct server_message *said, struct resume_point_gap *gap)
{
	uint64_t from = place->seq + 1;

	/* Before the ack nothing of this topic is ours. */
	if (place->is_live && said->is_retained && said->seq != from)
		return RESUME_POINT_NEXT;
	if (!place->is_live || said->seq < from)
		return RESUME_POINT_OLD;
	/* One without a place leaves us behind the last that had one. */
	if (said->pos.raw != NULL)
		server_message_copy(&said->pos, place->pos, sizeof(place->pos));
	resume_point_move(place, said->seq);
	place->is_moved = true;
	if (said->seq == from)
		return RESUME_POINT_NEXT;
	*gap = (struct resume_point_gap){ true, from, said->seq - 1 };
	return RESUME_POINT_HOLE;
}

/* The connection has come to another ring; where we are in the log is as it was. */
static void
resume_point_renew(
    struct resume_point *place, const struct server_message *said)
{
	server_message_copy(
	    &said->epoch, place->ack_epoch, sizeof(place->ack_epoch));
	place->ack_pos[0] = '\0';
	place->ack_seq = place->ack_from = said->seq;
	place->way = RESUME_POINT_BY_POS;
	resume_point_move(place, said->seq);
}

/* Whether a gap says that this ring cannot go on from our pos, not even behind
 * some that are missing. */
static bool
resume_point_is_foreign(
    const struct resume_point *place, const struct server_message *said)
{
	return place->way == RESUME_POINT_BY_POS && !said->has_numbers &&
	       strcmp(place->epoch, place->ack_epoch) != 0 &&
	       (server_message_is(&said->reason, "cluster", 7) ||
		   server_message_is(&said->reason, "epoch", 5));
}

/* Whether a gap tells of messages of another host that will never come: we stay
 * where we are. */
static bool
resume_point_is_lost(
    const struct resume_point *place, const struct server_message *said)
{
	return said->epoch.raw != NULL &&
	       server_message_is(&said->reason, "cluster", 7) &&
	       server_message_is(
		   &said->epoch, place->epoch, strlen(place->epoch));
}

enum resume_point_news
resume_point_gapped(struct resume_point *place,
    const struct server_message *said, struct resume_point_gap *gap)
{
	uint64_t from;

	/* Conflated: so it has gone on, in this ring. */
	if (place->is_live && place->way == RESUME_POINT_BY_POS &&
	    said->has_numbers && strcmp(place->epoch, place->ack_epoch) != 0)
		resume_point_enter(place);
	from = place->seq + 1;
	if (!place->is_live || (said->has_numbers && said->to < from))
		return RESUME_POINT_KNOWN;
	*gap = (struct resume_point_gap){ said->has_numbers, from, said->to };
	if (resume_point_is_lost(place, said))
		return RESUME_POINT_NEWS;
	if (said->epoch.raw != NULL) {
		*gap = (struct resume_point_gap){ .has_numbers = false };
		resume_point_renew(place, said);
		return RESUME_POINT_NEWS;
	}
	if (resume_point_is_foreign(place, said)) {
		memcpy(
		    place->foreign, place->ack_epoch, sizeof(place->foreign));
		place->is_live = false;
		place->is_told = true;
		return RESUME_POINT_ANEW;
	}
	resume_point_move(
	    place, said->has_numbers ? said->to : place->ack_from);
	place->is_moved = true;
	return RESUME_POINT_NEWS;
}
