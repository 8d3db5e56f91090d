/* SPDX-License-Identifier: MIT */
/* v1_answer.h - what the server says in pubsubd.v1 besides messages and gaps;
 * v1_request.h reads what the clients say. */

#ifndef WORKER_PROTOCOL_V1_ANSWER_H
#define WORKER_PROTOCOL_V1_ANSWER_H

#include <stdint.h>

struct conn;
struct intake_op;
struct worker;

/* Queue the answer to a request, and begin what it asked for beyond that: a
 * replay.  Without an id only what went wrong is answered. */
void v1_answer(struct worker *w, const struct intake_op *op);

/* A client has connected: queue the `welcome'. */
void v1_welcome(struct conn *c);

/* The server is going away: tell when, and when to come back. */
void v1_drain(struct conn *c, uint64_t in_ms, uint64_t spread_ms);

#endif
