/* SPDX-License-Identifier: MIT */
/* waiting_hosts.c - see waiting_hosts.h. */

#include "worker/requests/waiting_hosts.h"

#include "common/container.h"
#include "worker/requests/presence.h"

#include <stdlib.h>

/* The other hosts have told, or are silent: what that was is the body from now
 * on. */
static void
waiting_told(
    struct hub *hub, struct inquiry *inquiry, const struct part *others)
{
	struct waiting_op *wop =
	    container_of(inquiry, struct waiting_op, inquiry);

	buf_add(&wop->told, wop->bytes, wop->len);
	part_write(&wop->told, others);
	wop->op.want.body_len = (uint32_t)(wop->told.len - wop->len);
	wop->op.is_back = wop->is_back = true;
	waiting_sort(hub->waiting, wop->of);
}

void
waiting_ask(struct hub *hub, struct waiting_op *wop)
{
	struct question question;

	wop->out = WAITING_NO_NUMBER;
	wop->inquiry.told = waiting_told;
	presence_question(
	    &wop->op, wop->bytes + wop->op.want.id_len, &question);
	inquiry_begin(hub, &wop->inquiry, &question);
}

uint64_t
waiting_walk_len(const struct hub *hub, const struct waiting_conn *of)
{
	const struct waiting_op *first = STAILQ_FIRST(&of->ops);

	return first->told.len > 0 ? presence_walk_len(hub, &first->op.want)
	                           : 0;
}

void
waiting_free(struct hub *hub, struct waiting_op *op)
{
	inquiry_forget(hub, &op->inquiry);
	buf_fini(&op->told);
	free(op);
}
