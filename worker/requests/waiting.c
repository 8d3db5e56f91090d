/* SPDX-License-Identifier: MIT */
/* waiting.c - see waiting.h. */

#include "worker/requests/waiting.h"

#include "broker/ring/ring_cluster.h"
#include "broker/ring/topics.h"
#include "common/bug.h"
#include "common/clock.h"
#include "common/config.h"
#include "common/log.h"
#include "common/xmalloc.h"
#include "worker/delivery/place.h"
#include "worker/delivery/tail.h"
#include "worker/net/conns.h"
#include "worker/net/io.h"
#include "worker/requests/inquiry.h"
#include "worker/requests/log_mode.h"
#include "worker/requests/presence.h"
#include "worker/requests/waiting_conns.h"
#include "worker/requests/waiting_hosts.h"

#include <stdlib.h>
#include <string.h>

static struct layout_cluster *
waiting_words(const struct hub *hub)
{
	return &hub->seg->header->cluster;
}

uint64_t
waiting_place(const struct hub *hub)
{
	const struct layout_cluster *c = waiting_words(hub);

	return atomic_load(&c->joined) != 0 ? atomic_load(&c->pos) : 0;
}

/* Whether the log has come to the place behind which a subscription goes on. */
static bool
waiting_has_come_to(const struct hub *hub, const struct intake_request *want)
{
	return want->since_place <=
	       atomic_load_explicit(
		   &waiting_words(hub)->pos, memory_order_acquire);
}

static bool
waiting_is_publish(const struct intake_request *want)
{
	return want->kind == INTAKE_PUBLISH || want->kind == INTAKE_PLAIN;
}

/* Whether a request could go on now, for all that is before it. */
static bool
waiting_can_go_on(const struct hub *hub, const struct intake_request *want)
{
	uint32_t percent = hub->net->config->cluster_outbox;

	if (waiting_is_publish(want) ? !ring_outbox_full(&hub->ring, percent)
				     : waiting_has_come_to(hub, want))
		return true;
	return log_mode_is_down(hub); /* to be refused */
}

bool
waiting_puts_off(struct hub *hub, const struct intake_op *op)
{
	struct client *client = client_of(op->conn);

	if (op->want.kind == INTAKE_WAIT)
		return false;
	if (client->waits != WAITS_PUT_OFF &&
	    (client->waits == WAITS_NOT || waiting_is_publish(&op->want)) &&
	    waiting_can_go_on(hub, &op->want))
		return false;
	client->waits = WAITS_PUT_OFF;
	return true;
}

bool
waiting_begin(struct hub *hub, struct intake_op *op)
{
	struct client *client = client_of(op->conn);

	if (hub->is_local && client->waits == WAITS_NOT)
		return false;
	client->waits = WAITS_FOR_LOG;
	/* What comes back does so behind the head of now. */
	if (hub->awaited++ == 0 && hub->subs.topics == 0 &&
	    hub->patterns == NULL)
		tail_skip_to_head(hub);
	return true;
}

enum intake_result
waiting_begin_to_ask(struct intake_op *op)
{
	client_of(op->conn)->waits = WAITS_FOR_LOG;
	return INTAKE_WAITING;
}

/* Keep one. */
static void
waiting_add(struct hub *hub, const struct intake_op *op)
{
	bool put_off = op->result == INTAKE_PUT_OFF;
	size_t len = (size_t)op->want.id_len + op->want.topic_len +
	             (put_off ? op->want.body_len : 0);
	struct waiting_op *wop = xmalloc(sizeof(*wop) + len);

	wop->of = waiting_of(hub, op->conn);
	wop->op = *op;
	wop->out = put_off ? 0 : op->out;
	wop->op.msg = 0;
	wop->is_back = false;
	wop->inquiry.question = NULL;
	buf_init(&wop->told);
	wop->len = len;
	memcpy(wop->bytes, intake_id(hub->intake, op), len);
	STAILQ_INSERT_TAIL(&wop->of->ops, wop, link);
	if (!put_off && presence_may_ask_hosts(&wop->op.want)) {
		waiting_ask(hub, wop);
	} else if (!put_off) {
		wop->op.want.body_len = 0;
		STAILQ_INSERT_TAIL(&hub->waiting->order, wop, order);
	}
	waiting_sort(hub->waiting, wop->of);
}

void
waiting_take_from_intake(struct hub *hub)
{
	const struct intake *intake = hub->intake;

	for (uint32_t i = 0; i < intake->count; i++)
		if (intake->ops[i].result == INTAKE_WAITING ||
		    intake->ops[i].result == INTAKE_PUT_OFF)
			waiting_add(hub, &intake->ops[i]);
	/* Some were refused after all, when the ring was sealed. */
	for (uint32_t i = 0; i < intake->count; i++)
		if (!intake_stays(intake->ops[i].result) &&
		    waiting_find(hub, intake->ops[i].conn) == NULL)
			client_of(intake->ops[i].conn)->waits = WAITS_NOT;
}

enum intake_result
waiting_result(struct hub *hub, struct intake_op *op)
{
	if (op->result == INTAKE_DONE && op->want.wants_count)
		op->count = topics_subscribers(hub->seg, op->start.slot);
	return op->result;
}

/* The outcome of the first in the outbox is known. */
static struct waiting_op *
waiting_take_first(struct hub *hub, enum intake_result result)
{
	struct waiting_op *first = STAILQ_FIRST(&hub->waiting->order);

	STAILQ_REMOVE_HEAD(&hub->waiting->order, order);
	hub->awaited--;
	first->op.result = result;
	first->op.is_back = first->is_back = true;
	waiting_sort(hub->waiting, first->of);
	return first;
}

/* All up to this number are messages, but this host had no place for those that
 * still wait. */
static void
waiting_drop_to(struct hub *hub, uint64_t out)
{
	const struct waiting_op *first;

	while ((first = STAILQ_FIRST(&hub->waiting->order)) != NULL &&
	       first->out <= out)
		waiting_take_first(hub, INTAKE_DIRECTORY_FULL);
}

/* A publish of this worker's is a message now: it has come back, or local mode has
 * begun.  For hub.came_back. */
static void
waiting_came_back(struct hub *hub, const struct ring_record *rec)
{
	struct waiting_op *first;

	waiting_drop_to(hub, rec->mark->out - 1);
	first = STAILQ_FIRST(&hub->waiting->order);
	if (first == NULL || first->out != rec->mark->out)
		return; /* a predecessor's */
	waiting_take_first(hub, INTAKE_DONE);
	first->op.start.slot = rec->topic;
	first->op.start.seq = rec->seq;
	first->op.place = place_of(rec);
}

/* The ring has lapped this worker: what became a message meanwhile is published, but
 * nobody knows its numbers.  Its clients have to find out. */
static void
waiting_lapped(struct hub *hub)
{
	uint64_t shown = atomic_load_explicit(
	    &waiting_words(hub)->shown, memory_order_acquire);
	struct waiting_op *first;

	while ((first = STAILQ_FIRST(&hub->waiting->order)) != NULL &&
	       first->out <= shown) {
		waiting_take_first(hub, INTAKE_DONE);
		if (first->of->conn->state == CONN_OPEN)
			conn_abort(first->of->conn);
	}
}

/* What should be a message, and the tail has read all, without meeting it. */
static void
waiting_look_for_dropped(struct hub *hub)
{
	uint64_t shown = atomic_load_explicit(
	    &waiting_words(hub)->shown, memory_order_acquire);

	if (hub->awaited > 0 && tail_reached(hub, ring_head(hub->seg)))
		waiting_drop_to(hub, shown);
}

/* Put back those of a connection that can go on. */
static void
waiting_put_back(struct hub *hub, struct waiting_conn *of)
{
	struct waiting *w = hub->waiting;
	struct waiting_op *op;

	while ((op = STAILQ_FIRST(&of->ops)) != NULL &&
	       (op->is_back || op->out == 0)) {
		STAILQ_REMOVE_HEAD(&of->ops, link);
		if (op->told.len > 0)
			intake_put_back(
			    hub, &op->op, op->told.at, op->told.len);
		else
			intake_put_back(hub, &op->op, op->bytes, op->len);
		waiting_free(hub, op);
	}
	waiting_sort(w, of);
	if (op != NULL)
		return;
	client_of(of->conn)->waits = WAITS_NOT;
	HASH_DEL(w->conns, of);
	free(of);
}

void
waiting_turn(struct hub *hub)
{
	struct waiting *w = hub->waiting;
	struct waiting_conn *of, *next;
	uint64_t walked = 0;

	if (w == NULL)
		return;
	waiting_look_for_dropped(hub);
	while ((of = TAILQ_FIRST(&w->ready)) != NULL &&
	       walked <= INTAKE_WALK_MAX) {
		walked += waiting_walk_len(hub, of);
		waiting_put_back(hub, of);
	}
	for (of = TAILQ_FIRST(&w->stuck); of != NULL; of = next) {
		next = TAILQ_NEXT(of, link);
		if (waiting_can_go_on(hub, &STAILQ_FIRST(&of->ops)->op.want))
			waiting_put_back(hub, of);
	}
}

bool
waiting_is_ready(const struct hub *hub)
{
	return hub->waiting != NULL && !TAILQ_EMPTY(&hub->waiting->ready);
}

bool
waiting_is_empty(const struct hub *hub)
{
	return hub->waiting == NULL || hub->waiting->conns == NULL;
}

void
waiting_open(struct hub *hub)
{
	struct waiting *w = xcalloc(1, sizeof(*w));

	inquiries_open(hub);
	STAILQ_INIT(&w->order);
	TAILQ_INIT(&w->ready);
	TAILQ_INIT(&w->stuck);
	hub->waiting = w;
	place_use(hub->seg);
	hub->came_back = waiting_came_back;
	hub->lapped = waiting_lapped;
}

void
waiting_close(struct hub *hub)
{
	struct waiting_conn *of, *next;
	struct waiting_op *op;

	if (hub->waiting == NULL)
		return;
	HASH_ITER(hh, hub->waiting->conns, of, next) {
		while ((op = STAILQ_FIRST(&of->ops)) != NULL) {
			STAILQ_REMOVE_HEAD(&of->ops, link);
			waiting_free(hub, op);
		}
		HASH_DEL(hub->waiting->conns, of);
		free(of);
	}
	free(hub->waiting);
	hub->waiting = NULL;
	inquiries_close(hub);
}
