/* SPDX-License-Identifier: MIT */
/*
 * operator_ask.h - what the operator asks by HTTP that all workers have to
 * answer: GET /conns, POST /kick.
 *
 *	GET /conns?topic=&conn=		{"connections":[...],"more":false,"hung":[]}
 *	POST /kick?topic=&conn=&code=&reason=	{"closed":3,"hung":[]}
 *
 * The worker that has the request asks all workers, itself too, by its slot
 * (ask.h), one request after another; the loop goes on meanwhile.  A worker that
 * has not answered within OPERATOR_PATIENCE_MS is among the hung.
 */

#ifndef WORKER_OPERATOR_ASK_H
#define WORKER_OPERATOR_ASK_H

struct conn;
struct http_request;
struct operator_asks;
struct worker;

#define OPERATOR_PATIENCE_MS 900u

/* Connections in one answer, more or less; there may be more then. */
#define OPERATOR_CONNS_MAX 10000u

void operator_asks_init(struct operator_asks *asks);
void operator_asks_fini(struct worker *w);

/* Begin to answer; the connection is the operator's.  A question that is none
 * is refused at once. */
void operator_ask_conns(struct conn *c, const struct http_request *req);
void operator_ask_kick(struct conn *c, const struct http_request *req);

/* Go on with what is asked.  Callers: the turn's end, after answering_turn(). */
void operator_asks_turn(struct worker *w);

#endif
