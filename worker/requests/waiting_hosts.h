/* SPDX-License-Identifier: MIT */
/* waiting_hosts.h - requests that wait for what the other hosts of the cluster tell
 * (inquiry.h).  Callers: waiting.c. */

#ifndef WORKER_REQUESTS_WAITING_HOSTS_H
#define WORKER_REQUESTS_WAITING_HOSTS_H

#include "worker/requests/waiting_conns.h"

/* Ask them. */
void waiting_ask(struct hub *hub, struct waiting_op *wop);

/* What the first of a connection costs when it is done, in records of the past:
 * when it has read enough, a turn leaves the others for the next. */
uint64_t waiting_walk_len(const struct hub *hub, const struct waiting_conn *of);

/* The request has left, or its worker ends: nobody is asked for it any more. */
void waiting_free(struct hub *hub, struct waiting_op *op);

#endif
