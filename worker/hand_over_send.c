/* SPDX-License-Identifier: MIT */
/* hand_over_send.c - see hand_over_send.h. */

#include "worker/hand_over_send.h"

#include "broker/shared/stop_point.h"
#include "worker/handover/conn_record.h"
#include "worker/handover/conn_save.h"
#include "worker/handover/hub_record.h"
#include "worker/handover/identity_record.h"
#include "worker/handover/parcel.h"
#include "worker/moving.h"
#include "worker/state.h"

#include <string.h>

static bool
hand_over_send_hello(struct worker *w, int successor, struct buf *body)
{
	struct hub_hello hello = {
		.version = CONN_RECORD_VERSION,
		.cursor = w->tail.cursor.pos,
		.numbered = w->net.conns.numbered,
	};

	memcpy(hello.epoch, w->hub.seg->header->epoch, LAYOUT_EPOCH);
	buf_reset(body);
	hub_hello_put(body, &hello);
	return parcel_send(successor, HUB_PARCEL_HELLO, body, NULL, 0) ==
	       PARCEL_OK;
}

/* Send what is there of a row, if it is enough for a parcel. */
static bool
hand_over_send_some(int successor, enum hub_parcel kind, struct buf *body)
{
	bool ok;

	if (body->len < HUB_PARCEL_BYTES)
		return true;
	ok = parcel_send(successor, kind, body, NULL, 0) == PARCEL_OK;
	buf_reset(body);
	return ok;
}

static bool
hand_over_send_topics(struct worker *w, int successor, struct buf *body)
{
	struct sub_topic *topic, *next;

	buf_reset(body);
	HASH_ITER(hh, w->hub.subs.by_name, topic, next) {
		const struct adopt_topic sent = {
			.name = topic->name,
			.name_len = topic->name_len,
			.slot = topic->slot,
			.seq = topic->seq,
			.pos = topic->pos,
		};

		if (!hub_topic_put(body, &sent) ||
		    !hand_over_send_some(successor, HUB_PARCEL_TOPICS, body))
			return false;
	}
	return parcel_send(successor, HUB_PARCEL_TOPICS, body, NULL, 0) ==
	       PARCEL_OK;
}

/* Those that somebody is: identities in use. */
static bool
hand_over_send_identities(struct worker *w, int successor, struct buf *body)
{
	const struct identities *all = &w->access.identities;
	struct buf record;
	bool ok = true;

	buf_init(&record);
	buf_reset(body);
	for (uint32_t i = 0; ok && i < all->max; i++) {
		if (!identities_has(all, i) ||
		    identities_of(all, i)->holders == 0)
			continue;
		buf_reset(&record);
		ok =
		    identity_record_put(&record, identities_of(all, i)) &&
		    hub_identity_put(body, &record) &&
		    hand_over_send_some(successor, HUB_PARCEL_IDENTITIES, body);
	}
	buf_fini(&record);
	/* A program that knows no identities takes those who are nobody. */
	return ok &&
	       (body->len == 0 || parcel_send(successor, HUB_PARCEL_IDENTITIES,
				      body, NULL, 0) == PARCEL_OK);
}

/* A parcel of connections, while it is filled. */
struct hand_over_batch {
	struct buf body, record;
	int fds[PARCEL_FDS_MAX];
	uint32_t count;
	int successor;
};

static bool
hand_over_send_batch(struct worker *w, struct hand_over_batch *batch)
{
	if (batch->count == 0)
		return true;
	if (parcel_send(batch->successor, HUB_PARCEL_CONNS, &batch->body,
		batch->fds, batch->count) != PARCEL_OK)
		return false;
	buf_reset(&batch->body);
	batch->count = 0;
	stop_point_here(w->hub.seg->header, STOP_HALF_SENT);
	return true;
}

/* Add one; those that cannot go over end with this process. */
static bool
hand_over_add_conn(
    struct worker *w, struct hand_over_batch *batch, struct conn *c)
{
	buf_reset(&batch->record);
	if (!conn_is_at_rest(c) || !conn_save(&batch->record, c))
		return true;
	if (!hub_conn_put(&batch->body, &batch->record))
		return false;
	batch->fds[batch->count++] = c->io.fd;
	return (batch->count < PARCEL_FDS_MAX &&
		   batch->body.len < HUB_PARCEL_BYTES) ||
	       hand_over_send_batch(w, batch);
}

static bool
hand_over_send_conns(struct worker *w, int successor)
{
	struct hand_over_batch batch = { .successor = successor };
	bool ok = true;
	struct conn *c;

	buf_init(&batch.body);
	buf_init(&batch.record);
	for (c = LIST_FIRST(&w->net.conns.living); ok && c != NULL;
	     c = LIST_NEXT(c, link))
		ok = hand_over_add_conn(w, &batch, c);
	ok = ok && hand_over_send_batch(w, &batch);
	buf_fini(&batch.body);
	buf_fini(&batch.record);
	return ok;
}

bool
hand_over_send(struct worker *w, int successor)
{
	struct buf body;
	bool ok;

	buf_init(&body);
	ok = hand_over_send_hello(w, successor, &body) &&
	     /* In another ring they are other ones. */
	     (moving_is(w) || hand_over_send_topics(w, successor, &body)) &&
	     hand_over_send_identities(w, successor, &body) &&
	     hand_over_send_conns(w, successor);
	buf_reset(&body);
	ok = ok && parcel_send(successor, HUB_PARCEL_END, &body, NULL, 0) ==
	               PARCEL_OK;
	buf_fini(&body);
	if (ok)
		stop_point_here(w->hub.seg->header, STOP_ALL_SENT);
	return ok;
}
