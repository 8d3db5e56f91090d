/* SPDX-License-Identifier: MIT */
/*
 * answering.c - see answering.h.
 *
 * The list of connections is in the order of their numbers, the newest first.
 * So a page goes on below the last number of the page before, and connections
 * that come or go in between change nothing of it.
 */

#include "worker/answering.h"

#include "broker/ring/topics.h"
#include "broker/shared/ask.h"
#include "broker/shared/questions.h"
#include "broker/shared/wakeup.h"
#include "broker/shared/worker_args.h"
#include "common/clock.h"
#include "worker/access/identities.h"
#include "worker/net/service.h"
#include "worker/requests/caller.h"
#include "worker/state.h"
#include "worker/ws/ws_conn.h"

/* In one turn: connections that are looked at, and those that are closed. */
#define ANSWERING_LOOKS 4096u
#define ANSWERING_KICKS 256u

/* Which connections are meant. */
struct answering_wish {
	const struct ask_question *question;
	const struct sub_topic *topic; /* NULL: nobody has it, or any */
};

void
answering_forget(struct worker *w)
{
	ask_end(w->hub.seg, w->hub.slot);
	questions_clear_worker(w->hub.seg, w->hub.slot);
}

void
answering_init(struct worker *w)
{
	/* What a predecessor asks, it wants to know as long as it has the slot
	 * (take_over_claim()). */
	if (w->args->predecessor == NULL)
		answering_forget(w);
	asked_init(&w->asked, w->hub.seg);
	buf_init(&w->answer);
}

void
answering_fini(struct worker *w)
{
	buf_fini(&w->answer);
}

/* Whether it is the connection of the user that is meant. */
static bool
answering_is(const struct ask_question *q, struct conn *c)
{
	const struct identity *identity = caller_identity(c);

	return identity != NULL && identity->sub_len == q->user_len &&
	       memcmp(identity->sub, q->user, q->user_len) == 0;
}

static bool
answering_fits(const struct answering_wish *wish, struct conn *c)
{
	const struct ask_question *q = wish->question;

	if (c->state != CONN_OPEN || (q->conn != 0 && q->conn != c->number))
		return false;
	if (q->has_user && !answering_is(q, c))
		return false;
	return !q->has_topic ||
	       (wish->topic != NULL && subs_find_of_client(&client_of(c)->subs,
					   wish->topic) != NULL);
}

static void
answering_kick(struct conn *c, const struct ask_question *q)
{
	char reason[ASK_REASON_MAX + 1];

	memcpy(reason, q->reason, q->reason_len);
	reason[q->reason_len] = '\0';
	if (c->upgraded)
		ws_close(c, q->code, reason);
	else
		conn_close_when_written(c);
}

/* Do what is asked to one connection.  Returns false if the page is full. */
static bool
answering_do(struct worker *w, struct conn *c, const struct ask_question *q,
    struct ask_head *head)
{
	size_t before = w->answer.len;

	if (q->kind == ASK_KICK) {
		if (head->count == ANSWERING_KICKS)
			return false;
		answering_kick(c, q);
		head->count++;
		return true;
	}
	buf_puts(&w->answer, head->count > 0 ? ",\n" : "");
	c->net->service->describe(&w->answer, c);
	if (w->answer.len > ASK_TEXT_MAX) {
		w->answer.len = before;
		return false;
	}
	head->count++;
	return true;
}

/* A page of those connections that fit. */
static void
answering_page(
    struct worker *w, const struct answering_wish *wish, struct ask_head *head)
{
	const struct ask_question *q = wish->question;
	unsigned looks = 0;
	struct conn *c, *next;

	for (c = LIST_FIRST(&w->net.conns.living); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		if (c->number >= q->below)
			continue;
		if (looks++ == ANSWERING_LOOKS ||
		    (answering_fits(wish, c) && !answering_do(w, c, q, head))) {
			head->below = c->number + 1;
			return;
		}
	}
}

void
answering_turn(struct worker *w)
{
	struct ask_question question;
	struct answering_wish wish = { .question = &question };
	struct ask_head head = { 0 };
	uint64_t now = clock_monotonic_ms(), id;
	struct hub *hub = &w->hub;
	unsigned asker;

	if (w->net.service->describe == NULL ||
	    !asked_next(
		&w->asked, hub->seg, hub->slot, now, &asker, &id, &question))
		return;
	if (question.has_topic)
		wish.topic = subs_find(&hub->subs, question.topic,
		    question.topic_len,
		    topics_hash(hub->seg, question.topic, question.topic_len));
	buf_reset(&w->answer);
	if (question.kind == ASK_CONNECTIONS || question.kind == ASK_KICK)
		answering_page(w, &wish, &head);
	asked_answer(&w->asked, hub->seg, hub->slot, asker, id, now, &head,
	    w->answer.at, (uint32_t)w->answer.len);
	if (asker < LAYOUT_WORKERS)
		wakeup_ring(hub->wakeup, asker);
	w->net.more = true; /* others may have asked, too */
}
