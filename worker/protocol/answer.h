/* SPDX-License-Identifier: MIT */
/*
 * answer.h - tell a client how its request went, in the words of its protocol.
 *
 * The plain contract has no answers: what cannot be done closes the
 * connection.  v1 answers each request that has an id (v1_answer.h), HTTP each
 * request (answer.h).
 */

#ifndef WORKER_PROTOCOL_ANSWER_H
#define WORKER_PROTOCOL_ANSWER_H

struct intake_op;
struct worker;

/* Answer a request that has been done.  Not under the lock. */
void answer_request(struct worker *w, const struct intake_op *op);

#endif
