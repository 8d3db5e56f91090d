/* SPDX-License-Identifier: MIT */
/* v1_answer.h - how a request of pubsubd.v1 went; v1_request.h reads them. */

#ifndef WORKER_PROTOCOL_V1_ANSWER_H
#define WORKER_PROTOCOL_V1_ANSWER_H

struct hub;
struct intake_op;

/* Queue the answer to a request, and begin what it asked for beyond that: a
 * replay.  Without an id only what went wrong is answered.  For
 * intake_request.answer. */
void v1_answer(struct hub *hub, const struct intake_op *op);

#endif
