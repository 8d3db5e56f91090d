/* SPDX-License-Identifier: MIT */
/* operator_ask.c - see operator_ask.h. */

#include "worker/operator_ask.h"

#include "broker/shared/ask.h"
#include "broker/shared/wakeup.h"
#include "broker/status/overview.h"
#include "common/bug.h"
#include "common/clock.h"
#include "common/http.h"
#include "common/xmalloc.h"
#include "worker/api/reply.h"
#include "worker/operator_query.h"
#include "worker/state.h"

#include <inttypes.h>
#include <stdlib.h>

/* One request; the job of its connection. */
struct operator_ask {
	TAILQ_ENTRY(operator_ask) link;
	struct conn *conn;
	struct ask_question question;
	uint64_t targets; /* a bit per worker */
	struct buf list;  /* of connections, as JSON */
	uint64_t count;
	bool more;
};

/* Makes sure that there is another turn. */
static void
operator_patience_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop;
	(void)timer;
	(void)revents;
}

void
operator_asks_init(struct operator_asks *asks)
{
	TAILQ_INIT(&asks->line);
	ev_timer_init(&asks->patience, operator_patience_cb, 0,
	    OPERATOR_PATIENCE_MS / 1000.0);
}

void
operator_asks_fini(struct worker *w)
{
	CHECK(TAILQ_EMPTY(&w->operator_asks.line));
	ev_timer_stop(w->net.loop, &w->operator_asks.patience);
}

/* Take back what is out for the first in the line. */
static void
operator_stop(struct worker *w)
{
	struct operator_asks *asks = &w->operator_asks;

	if (asks->id != 0)
		ask_end(w->hub.seg, w->hub.slot);
	ev_timer_stop(w->net.loop, &asks->patience);
	asks->id = asks->left = asks->hung = 0;
	memset(asks->below, 0, sizeof(asks->below));
}

static void
operator_ask_free(struct conn *c, void *job)
{
	struct worker *w = worker_of(c);
	struct operator_ask *ask = job;

	if (ask == TAILQ_FIRST(&w->operator_asks.line))
		operator_stop(w);
	TAILQ_REMOVE(&w->operator_asks.line, ask, link);
	buf_fini(&ask->list);
	free(ask);
}

static void
operator_ask_begin(
    struct conn *c, const struct http_request *req, enum ask_kind kind)
{
	struct api_request *r = api_request_new(c, req);
	struct worker *w = worker_of(c);
	struct operator_ask *ask = xcalloc(1, sizeof(*ask));
	const char *why;
	bool ok =
	    operator_query(req->query, &ask->question, &ask->targets, &why);

	/* Nobody means to close all of them by leaving something out. */
	if (ok && kind == ASK_KICK && ask->question.conn == 0 &&
	    !ask->question.has_topic && !ask->question.has_user) {
		why = "topic, user or conn is missing";
		ok = false;
	}
	if (!ok) {
		free(ask);
		api_refuse(c, 400, "bad_request", why);
		return;
	}
	ask->question.kind = kind;
	ask->conn = c;
	buf_init(&ask->list);
	r->is_read = true;
	r->job = ask;
	r->free_job = operator_ask_free;
	TAILQ_INSERT_TAIL(&w->operator_asks.line, ask, link);
	w->net.more = true;
}

void
operator_ask_conns(struct conn *c, const struct http_request *req)
{
	operator_ask_begin(c, req, ASK_CONNECTIONS);
}

void
operator_ask_kick(struct conn *c, const struct http_request *req)
{
	operator_ask_begin(c, req, ASK_KICK);
}

/* Put the question to those of these workers that are up. */
static void
operator_put(struct worker *w, struct operator_ask *ask, uint64_t targets)
{
	struct operator_asks *asks = &w->operator_asks;
	struct hub *hub = &w->hub;

	asks->left = 0;
	for (unsigned slot = 0; slot < segment_workers(hub->seg); slot++) {
		struct overview_worker worker = overview_worker(hub->seg, slot);

		asks->pids[slot] = worker.pid;
		if (worker.is_up && (targets >> slot & 1) != 0)
			asks->left |= UINT64_C(1) << slot;
	}
	asks->id = ask_put(hub->seg, hub->slot, &ask->question, asks->left);
	asks->until_ms = clock_monotonic_ms() + OPERATOR_PATIENCE_MS;
	for (unsigned slot = 0; slot < LAYOUT_WORKERS; slot++)
		if ((asks->left >> slot & 1) != 0)
			wakeup_ring(hub->wakeup, slot);
	ev_timer_again(w->net.loop, &asks->patience);
}

static void
operator_take(struct worker *w, struct operator_ask *ask, unsigned slot)
{
	struct operator_asks *asks = &w->operator_asks;
	struct overview_worker worker = overview_worker(w->hub.seg, slot);
	uint64_t bit = UINT64_C(1) << slot;
	char text[ASK_TEXT_MAX];
	struct ask_head head;

	if (ask_take(w->hub.seg, w->hub.slot, slot, asks->id, &head, text)) {
		asks->left &= ~bit;
		asks->below[slot] = head.below;
		if (head.text_len > 0) {
			buf_puts(&ask->list, ask->list.len > 0 ? ",\n" : "\n");
			buf_add(&ask->list, text, head.text_len);
		}
		ask->count += head.count;
	} else if (worker.pid != asks->pids[slot] || !worker.is_up) {
		asks->left &= ~bit;
	}
}

/* Ask the next worker for its next page.  Returns false if all have told all, or
 * enough. */
static bool
operator_go_on(struct worker *w, struct operator_ask *ask)
{
	struct operator_asks *asks = &w->operator_asks;

	for (unsigned slot = 0; slot < LAYOUT_WORKERS; slot++) {
		if (asks->below[slot] == 0)
			continue;
		if (ask->question.kind == ASK_CONNECTIONS &&
		    ask->count >= OPERATOR_CONNS_MAX) {
			ask->more = true;
			return false;
		}
		ask->question.below = asks->below[slot];
		asks->below[slot] = 0;
		operator_put(w, ask, UINT64_C(1) << slot);
		return true;
	}
	return false;
}

static void
operator_reply(struct worker *w, struct operator_ask *ask)
{
	uint64_t hung = w->operator_asks.hung;
	struct conn *c = ask->conn;
	struct buf *text = api_text(c);
	const char *comma = "";

	if (ask->question.kind == ASK_KICK) {
		buf_printf(text, "{\"closed\":%" PRIu64, ask->count);
	} else {
		buf_puts(text, "{\"connections\":[");
		buf_add(text, ask->list.at, ask->list.len);
		buf_printf(text, "],\"more\":%s", ask->more ? "true" : "false");
	}
	buf_puts(text, ",\"hung\":[");
	for (unsigned slot = 0; slot < LAYOUT_WORKERS; slot++) {
		if ((hung >> slot & 1) == 0)
			continue;
		buf_printf(text, "%s%u", comma, slot);
		comma = ",";
	}
	buf_puts(text, "]}");
	api_reply(c, 200); /* frees it */
	w->net.more = true;
}

void
operator_asks_turn(struct worker *w)
{
	struct operator_asks *asks = &w->operator_asks;
	struct operator_ask *ask = TAILQ_FIRST(&asks->line);

	if (ask == NULL)
		return;
	if (asks->id == 0) {
		ask->question.below = UINT64_MAX;
		operator_put(w, ask, ask->targets);
		return;
	}
	for (unsigned slot = 0; slot < LAYOUT_WORKERS; slot++)
		if ((asks->left >> slot & 1) != 0)
			operator_take(w, ask, slot);
	if (asks->left != 0 && clock_monotonic_ms() < asks->until_ms)
		return;
	asks->hung |= asks->left;
	if (!operator_go_on(w, ask))
		operator_reply(w, ask);
}
