/* SPDX-License-Identifier: MIT */
/* inquiry.c - see inquiry.h. */

#include "worker/requests/inquiry.h"

#include "broker/cluster/hosts.h"
#include "broker/ring/ring_cluster.h"
#include "broker/shared/questions.h"
#include "broker/shared/wakeup.h"
#include "common/bug.h"
#include "common/clock.h"
#include "common/xmalloc.h"
#include "worker/delivery/hub.h"
#include "worker/net/net.h"

#include <ev.h>
#include <stdlib.h>
#include <string.h>

/* What some requests want to know. */
struct inquiry_question {
	TAILQ_ENTRY(inquiry_question) link;
	TAILQ_HEAD(inquiry_list, inquiry) of;
	uint32_t slot; /* QUESTIONS_NONE: it has not gone out */
	uint64_t id;
	uint64_t until_ms;
	struct buf text;
};

TAILQ_HEAD(inquiry_questions, inquiry_question);

struct inquiries {
	struct inquiry_questions waiting, out;
	uint32_t waiting_count;
	ev_timer patience; /* makes sure that there is a turn */
	struct buf text;   /* an answer, while it is handed out */
};

static void
inquiry_patience_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop; /* the turn does the work */
	(void)timer;
	(void)revents;
}

void
inquiries_open(struct hub *hub)
{
	struct inquiries *all = xcalloc(1, sizeof(*all));

	TAILQ_INIT(&all->waiting);
	TAILQ_INIT(&all->out);
	ev_timer_init(&all->patience, inquiry_patience_cb, 0, 0);
	buf_init(&all->text);
	hub->inquiries = all;
}

/* It is answered, or given up. */
static void
inquiry_question_free(struct hub *hub, struct inquiry_question *q)
{
	struct inquiries *all = hub->inquiries;

	if (q->slot != QUESTIONS_NONE) {
		questions_leave(hub->seg, q->slot);
		TAILQ_REMOVE(&all->out, q, link);
	} else {
		TAILQ_REMOVE(&all->waiting, q, link);
		all->waiting_count--;
	}
	buf_fini(&q->text);
	free(q);
}

void
inquiries_close(struct hub *hub)
{
	struct inquiries *all = hub->inquiries;

	if (all == NULL)
		return;
	while (!TAILQ_EMPTY(&all->waiting))
		inquiry_question_free(hub, TAILQ_FIRST(&all->waiting));
	while (!TAILQ_EMPTY(&all->out))
		inquiry_question_free(hub, TAILQ_FIRST(&all->out));
	ev_timer_stop(hub->net->loop, &all->patience);
	buf_fini(&all->text);
	free(all);
	hub->inquiries = NULL;
}

/* The question of this text that has not gone out, or NULL. */
static struct inquiry_question *
inquiry_find(const struct inquiries *all, const struct buf *text)
{
	struct inquiry_question *q;

	TAILQ_FOREACH(q, &all->waiting, link)
		if (q->text.len == text->len &&
		    memcmp(q->text.at, text->at, text->len) == 0)
			return q;
	return NULL;
}

static struct inquiry_question *
inquiry_question_new(struct inquiries *all, const struct buf *text)
{
	struct inquiry_question *q = xcalloc(1, sizeof(*q));

	TAILQ_INIT(&q->of);
	q->slot = QUESTIONS_NONE;
	q->until_ms = clock_monotonic_ms() + INQUIRY_WAIT_MS;
	buf_init(&q->text);
	buf_add(&q->text, text->at, text->len);
	TAILQ_INSERT_TAIL(&all->waiting, q, link);
	/* Beyond these nobody is asked. */
	if (all->waiting_count++ >= INQUIRY_WAITING_MAX ||
	    text->len > QUESTIONS_LEN_MAX)
		q->until_ms = 0;
	return q;
}

void
inquiry_begin(
    struct hub *hub, struct inquiry *inquiry, const struct question *question)
{
	struct inquiries *all = hub->inquiries;
	struct inquiry_question *q;

	buf_reset(&all->text);
	question_write(&all->text, question);
	q = inquiry_find(all, &all->text);
	if (q == NULL)
		q = inquiry_question_new(all, &all->text);
	TAILQ_INSERT_TAIL(&q->of, inquiry, link);
	inquiry->question = q;
	hub->net->more = true;
}

void
inquiry_forget(struct hub *hub, struct inquiry *inquiry)
{
	struct inquiry_question *q = inquiry->question;

	if (q == NULL)
		return;
	TAILQ_REMOVE(&q->of, inquiry, link);
	inquiry->question = NULL;
	if (TAILQ_EMPTY(&q->of))
		inquiry_question_free(hub, q);
}

/* Nobody has told anything. */
static void
inquiry_silent(struct hub *hub, struct part *others)
{
	uint64_t origins[LAYOUT_ORIGINS];

	others->hosts = others->silent =
	    hosts_others(&hub->seg->header->cluster, origins);
}

/* Hand out what was told, if it is there, or its time is over.  Returns whether
 * it was. */
static bool
inquiry_end(struct hub *hub, struct inquiry_question *q, uint64_t now)
{
	struct inquiries *all = hub->inquiries;
	struct inquiry *inquiry;
	struct part others;
	bool is_told;

	buf_reset(&all->text);
	is_told = q->slot != QUESTIONS_NONE &&
	          questions_take(hub->seg, q->slot, q->id, &all->text);
	if (!is_told && now < q->until_ms)
		return false;
	part_init(&others);
	if (!is_told || !part_read(all->text.at, all->text.len, &others))
		inquiry_silent(hub, &others);
	while ((inquiry = TAILQ_FIRST(&q->of)) != NULL) {
		TAILQ_REMOVE(&q->of, inquiry, link);
		inquiry->question = NULL;
		inquiry->told(hub, inquiry, &others);
	}
	part_fini(&others);
	inquiry_question_free(hub, q);
	return true;
}

/* Put those that wait into free slots. */
static void
inquiries_put(struct hub *hub)
{
	struct inquiries *all = hub->inquiries;
	struct inquiry_question *q;
	bool is_any = false;

	while ((q = TAILQ_FIRST(&all->waiting)) != NULL) {
		q->slot = questions_put(
		    hub->seg, hub->slot, q->text.at, q->text.len, &q->id);
		if (q->slot == QUESTIONS_NONE)
			break;
		TAILQ_REMOVE(&all->waiting, q, link);
		all->waiting_count--;
		TAILQ_INSERT_TAIL(&all->out, q, link);
		is_any = true;
	}
	if (is_any)
		wakeup_ring(hub->wakeup, ring_bridge_slot(hub->seg));
}

/* When the first of a list has waited long enough, or `until' if that is
 * sooner. */
static uint64_t
inquiries_until(const struct inquiry_questions *list, uint64_t until)
{
	const struct inquiry_question *q;

	TAILQ_FOREACH(q, list, link)
		if (q->until_ms < until)
			until = q->until_ms;
	return until;
}

/* Have a turn when the next one has waited long enough, or looks for a slot
 * again. */
static void
inquiries_set_timer(struct hub *hub, uint64_t now)
{
	struct inquiries *all = hub->inquiries;
	uint64_t until = inquiries_until(&all->out, UINT64_MAX);

	ev_timer_stop(hub->net->loop, &all->patience);
	if (!TAILQ_EMPTY(&all->waiting))
		until = inquiries_until(&all->waiting,
		    until < now + INQUIRY_RETRY_MS ? until
						   : now + INQUIRY_RETRY_MS);
	if (until == UINT64_MAX)
		return;
	ev_timer_set(&all->patience,
	    until > now ? (double)(until - now) / 1000 : 0.001, 0);
	ev_timer_start(hub->net->loop, &all->patience);
}

void
inquiries_turn(struct hub *hub)
{
	struct inquiries *all = hub->inquiries;
	struct inquiry_question *q, *next;
	uint64_t now;

	if (all == NULL || (TAILQ_EMPTY(&all->out) && all->waiting_count == 0))
		return;
	now = clock_monotonic_ms();
	for (q = TAILQ_FIRST(&all->out); q != NULL; q = next) {
		next = TAILQ_NEXT(q, link);
		inquiry_end(hub, q, now);
	}
	for (q = TAILQ_FIRST(&all->waiting); q != NULL; q = next) {
		next = TAILQ_NEXT(q, link);
		inquiry_end(hub, q, now);
	}
	inquiries_put(hub);
	inquiries_set_timer(hub, now);
}
