/* SPDX-License-Identifier: MIT */
/*
 * waiting_conns.h - connections whose requests wait, and in which list each is; of
 * waiting.c and waiting_hosts.c.
 */

#ifndef WORKER_REQUESTS_WAITING_CONNS_H
#define WORKER_REQUESTS_WAITING_CONNS_H

#include "worker/requests/inquiry.h"
#include "worker/requests/intake.h"

/* What a client waits for: struct client. */
enum { WAITS_NOT = 0, WAITS_FOR_LOG, WAITS_PUT_OFF };

#define WAITING_NO_NUMBER UINT64_MAX

/* A request, with its id and topic, and the body if it is put off. */
struct waiting_op {
	STAILQ_ENTRY(waiting_op) link;  /* of its connection */
	STAILQ_ENTRY(waiting_op) order; /* of those in the outbox */
	struct waiting_conn *of;
	struct intake_op op;
	/* Its number in the outbox; 0: put off; or WAITING_NO_NUMBER. */
	uint64_t out;
	bool is_back;           /* its outcome is known */
	struct inquiry inquiry; /* of one that asks the other hosts */
	struct buf told; /* its bytes, and what they have told; or none */
	size_t len;
	char bytes[];
};

STAILQ_HEAD(waiting_list, waiting_op);

struct waiting_conn {
	UT_hash_handle hh; /* by conn */
	TAILQ_ENTRY(waiting_conn) link;
	bool is_ready; /* in the list of those that can go on */
	bool is_stuck; /* in that of those whose first is put off */
	struct conn *conn;
	struct waiting_list ops;
};

TAILQ_HEAD(waiting_conns, waiting_conn);

struct waiting {
	struct waiting_conn *conns; /* uthash */
	struct waiting_list order;  /* by number, those not back */
	struct waiting_conns ready, stuck;
};

/* The connection, if it waits, or NULL. */
struct waiting_conn *waiting_find(const struct hub *hub, struct conn *c);

/* The connection, which waits from now on. */
struct waiting_conn *waiting_of(struct hub *hub, struct conn *c);

/* Put a connection into the list that its first request says. */
void waiting_sort(struct waiting *w, struct waiting_conn *of);

#endif
