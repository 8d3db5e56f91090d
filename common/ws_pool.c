/* SPDX-License-Identifier: MIT */
/*
 * ws_pool.c - lend parsers out; see ws.h.
 *
 * A parser that comes back clean serves another owner as it is (ws_parser.h);
 * any other is freed.
 */

#include "common/bug.h"
#include "common/ws_parser.h"
#include "common/xmalloc.h"

#include <stdlib.h>

struct ws_pool *
ws_pool_new(enum ws_role role, uint64_t max_message, unsigned spare,
    const struct ws_events *events)
{
	struct ws_pool *pool = xcalloc(1, sizeof(*pool));

	pool->role = role;
	pool->max_message = max_message;
	pool->spare_max = spare;
	pool->events = *events;
	return pool;
}

void
ws_pool_free(struct ws_pool **poolp)
{
	struct ws_pool *pool = *poolp;
	struct ws *ws;

	*poolp = NULL;
	CHECK(pool->lent == 0);
	while ((ws = pool->spare) != NULL) {
		pool->spare = ws->next;
		ws_free(&ws);
	}
	inflater_free(&pool->inflater);
	free(pool);
}

size_t
ws_pool_lent(const struct ws_pool *pool)
{
	return pool->lent;
}

uint64_t
ws_pool_bytes(const struct ws_pool *pool)
{
	return pool->bytes;
}

struct ws *
ws_borrow(struct ws_pool *pool, void *owner)
{
	struct ws *ws = pool->spare;

	if (ws != NULL) {
		pool->spare = ws->next;
		pool->spare_count--;
	} else if ((ws = ws_new(pool)) == NULL) {
		return NULL;
	}
	ws->owner = owner;
	pool->lent++;
	return ws;
}

void
ws_return(struct ws_pool *pool, struct ws **wsp)
{
	struct ws *ws = *wsp;

	CHECK(ws->pool == pool && pool->lent > 0);
	pool->lent--;
	if (!ws_is_clean(ws) || pool->spare_count >= pool->spare_max) {
		ws_free(wsp);
		return;
	}
	*wsp = NULL;
	ws->owner = NULL;
	ws->may_deflate = false;
	ws->next = pool->spare;
	pool->spare = ws;
	pool->spare_count++;
}
