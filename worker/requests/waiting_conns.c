/* SPDX-License-Identifier: MIT */
/* waiting_conns.c - see waiting_conns.h. */

#include "worker/requests/waiting_conns.h"

#include "common/xmalloc.h"
#include "worker/net/conns.h"
#include "worker/net/io.h"

#include <string.h>

struct waiting_conn *
waiting_find(const struct hub *hub, struct conn *c)
{
	struct waiting_conn *found;

	HASH_FIND_PTR(hub->waiting->conns, &c, found);
	return found;
}

struct waiting_conn *
waiting_of(struct hub *hub, struct conn *c)
{
	struct waiting_conn *of = waiting_find(hub, c);

	if (of != NULL)
		return of;
	of = xcalloc(1, sizeof(*of));
	of->conn = c;
	STAILQ_INIT(&of->ops);
	HASH_ADD_PTR(hub->waiting->conns, conn, of);
	conn_pause(c, PAUSE_INTAKE);
	conn_update_events(c);
	return of;
}

void
waiting_sort(struct waiting *w, struct waiting_conn *of)
{
	const struct waiting_op *first = STAILQ_FIRST(&of->ops);

	if (of->is_ready)
		TAILQ_REMOVE(&w->ready, of, link);
	if (of->is_stuck)
		TAILQ_REMOVE(&w->stuck, of, link);
	of->is_ready = first != NULL && first->is_back;
	of->is_stuck = first != NULL && !first->is_back && first->out == 0;
	if (of->is_ready)
		TAILQ_INSERT_TAIL(&w->ready, of, link);
	if (of->is_stuck)
		TAILQ_INSERT_TAIL(&w->stuck, of, link);
}
