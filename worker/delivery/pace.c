/* SPDX-License-Identifier: MIT */
/* pace.c - see pace.h. */

#include "worker/delivery/pace.h"

#include "common/bug.h"
#include "common/clock.h"
#include "common/xmalloc.h"
#include "worker/delivery/gap.h"
#include "worker/net/outbox.h"

#include <stdlib.h>
#include <string.h>

/* paces_turn() does the work; the timer only makes sure that there is a turn. */
static void
paces_tick_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop;
	(void)timer;
	(void)revents;
}

void
paces_init(struct paces *paces, uint64_t record_max)
{
	memset(paces, 0, sizeof(*paces));
	paces->size = record_max;
	TAILQ_INIT(&paces->ready);
	TAILQ_INIT(&paces->waiting);
	ev_timer_init(&paces->tick, paces_tick_cb, PACE_TICK_MS / 1000.,
	    PACE_TICK_MS / 1000.);
}

void
paces_fini(struct paces *paces)
{
	free(paces->bytes);
}

/* Put it where it is served now, or where it waits. */
static void
pace_list(struct paces *paces, struct pace *pace, bool is_ready)
{
	pace->is_ready = is_ready;
	TAILQ_INSERT_TAIL(
	    is_ready ? &paces->ready : &paces->waiting, pace, link);
}

/* Nothing waits for it any more. */
static void
pace_unlist(struct paces *paces, struct pace *pace)
{
	if (pace->newest == 0)
		return;
	TAILQ_REMOVE(
	    pace->is_ready ? &paces->ready : &paces->waiting, pace, link);
	pace->newest = 0;
}

void
pace_begin(struct hub *hub, struct sub *sub, uint64_t told, uint32_t every_ms,
    uint32_t wait_ms)
{
	struct pace *pace = xcalloc(1, sizeof(*pace));

	CHECK(!sub->replaying && !sub->paced);
	(void)hub;
	pace->sub = sub;
	pace->told = told;
	pace->every_ms = every_ms;
	pace->due_ms = clock_monotonic_ms() + wait_ms;
	sub->pace = pace;
	sub->paced = true;
	/* No form is needed for it in each batch. */
	sub->topic->forms[sub->client->form]--;
	sub->topic->paced++;
}

void
pace_end(struct hub *hub, struct sub *sub)
{
	struct pace *pace = sub->pace;

	CHECK(sub->paced);
	sub->topic->forms[sub->client->form]++;
	sub->topic->paced--;
	sub->paced = false;
	sub->seen = pace->told;
	pace_unlist(hub->paces, pace);
	free(pace);
}

void
pace_note(struct hub *hub, struct sub *sub, uint64_t seq, uint64_t pos)
{
	struct pace *pace = sub->pace;
	struct paces *paces = hub->paces;
	bool was_listed = pace->newest != 0;

	if (seq <= pace->told || seq <= pace->newest)
		return;
	pace->newest = seq;
	pace->pos = pos;
	if (was_listed)
		return;
	pace_list(paces, pace, pace->due_ms <= clock_monotonic_ms());
	if (!pace->is_ready && !ev_is_active(&paces->tick))
		ev_timer_again(hub->net->loop, &paces->tick);
}

/* The newest of these messages that the client has not published itself. */
static const struct ring_record *
pace_newest(
    const struct hub *hub, const struct sub *sub, struct tail_records records)
{
	const struct ring_record *newest = NULL;

	for (uint32_t at = sub->topic->first; at != 0;
	     at = records.next[at - 1]) {
		const struct ring_record *rec = &records.at[at - 1];

		if ((rec->flags & RECORD_UNNUMBERED) == 0 &&
		    !tail_run_is_own(hub, rec, sub->client))
			newest = rec;
	}
	return newest;
}

void
paces_note(
    struct hub *hub, const struct sub_topic *topic, struct tail_records records)
{
	for (uint32_t i = 0; i < topic->count; i++) {
		struct sub *sub = topic->subs[i];
		const struct ring_record *rec;

		if (!sub->paced)
			continue;
		if (!sub->no_echo) {
			pace_note(hub, sub, topic->seq, topic->pos);
			continue;
		}
		rec = pace_newest(hub, sub, records);
		if (rec != NULL)
			pace_note(hub, sub, rec->seq, rec->pos);
	}
}

uint64_t
pace_lapped(struct hub *hub, struct sub *sub, uint64_t seq)
{
	struct pace *pace = sub->pace;
	uint64_t from = pace->told + 1;

	pace_unlist(hub->paces, pace);
	if (pace->told >= seq)
		return 0;
	pace->told = seq;
	gap_tell(sub, from, seq, GAP_LAPPED);
	return seq - from + 1;
}

uint32_t
pace_wait_ms(const struct pace *pace)
{
	uint64_t now_ms = clock_monotonic_ms();

	return pace->due_ms > now_ms ? (uint32_t)(pace->due_ms - now_ms) : 0;
}

/* Read the message that waits.  Returns false if it is gone, or too old. */
static bool
pace_read(struct hub *hub, const struct pace *pace, struct ring_record *rec)
{
	struct paces *room = hub->paces;

	if (room->bytes == NULL)
		room->bytes = xmalloc(room->size);
	return ring_fetch(hub->seg, pace->pos, room->bytes, room->size, rec) ==
	           RING_OK &&
	       rec->seq == pace->newest &&
	       rec->topic == pace->sub->topic->slot &&
	       !ring_expired(rec->expires_ms);
}

/* The frame of the message that waits: encoded in this turn already, or now.
 * Returns false if the message is gone. */
static bool
pace_encode(struct hub *hub, const struct pace *pace, uint32_t *frame)
{
	const struct sub_topic *topic = pace->sub->topic;
	uint32_t form = pace->sub->client->form;
	struct pace_frame *known =
	    &hub->paces->frames[(topic->slot * FORMS + form) % PACE_FRAMES];
	struct ring_record rec;

	if (known->turn != hub->paces->turn || known->slot != topic->slot ||
	    known->form != form || known->seq != pace->newest) {
		if (!pace_read(hub, pace, &rec))
			return false;
		*known = (struct pace_frame){ .turn = hub->paces->turn,
			.seq = pace->newest,
			.slot = topic->slot,
			.form = form,
			.frame = hub->net->arena.count };
		hub_put_record(hub, (enum form_id)form, topic, &rec);
	}
	*frame = known->frame;
	return true;
}

/* Send it the message that waits, behind a gap. */
static void
pace_send(struct hub *hub, struct pace *pace, uint64_t now_ms)
{
	uint64_t from = pace->told + 1, newest = pace->newest;
	struct sub *sub = pace->sub;
	uint32_t frame;

	if (newest > from) {
		stats_add(&hub->net->stats, STATS_CONFLATED, newest - from);
		gap_tell(sub, from, newest - 1, GAP_CONFLATED);
	}
	if (pace_encode(hub, pace, &frame))
		outbox_frames(&hub->net->outbox, &sub->client->conn, frame, 1);
	else
		gap_tell(sub, newest, newest, GAP_EXPIRED);
	pace_unlist(hub->paces, pace);
	pace->told = newest;
	pace->due_ms = now_ms + pace->every_ms;
}

/* Whether the ring might lose the message soon. */
static bool
pace_is_endangered(const struct hub *hub, const struct pace *pace)
{
	return ring_head(hub->seg) - pace->pos > hub->ring.capacity / 2;
}

/* Those whose time has come are ready. */
static void
paces_look(struct hub *hub, uint64_t now_ms)
{
	struct paces *paces = hub->paces;
	struct pace *pace, *next;

	for (pace = TAILQ_FIRST(&paces->waiting); pace != NULL; pace = next) {
		next = TAILQ_NEXT(pace, link);
		if (pace->due_ms > now_ms && !pace_is_endangered(hub, pace))
			continue;
		TAILQ_REMOVE(&paces->waiting, pace, link);
		pace_list(paces, pace, true);
	}
	paces->look_ms = now_ms + PACE_TICK_MS;
	if (TAILQ_EMPTY(&paces->waiting))
		ev_timer_stop(hub->net->loop, &paces->tick);
}

void
paces_turn(struct hub *hub)
{
	struct paces *paces = hub->paces;
	uint64_t now_ms;

	if (TAILQ_EMPTY(&paces->ready) && TAILQ_EMPTY(&paces->waiting))
		return;
	now_ms = clock_monotonic_ms();
	paces->turn++;
	if (now_ms >= paces->look_ms)
		paces_look(hub, now_ms);
	while (!TAILQ_EMPTY(&paces->ready))
		pace_send(hub, TAILQ_FIRST(&paces->ready), now_ms);
}
