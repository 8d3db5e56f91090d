/* SPDX-License-Identifier: MIT */
/* v1_answer.h - the answers of subprotocol pubsubd.v1; see v1.h. */

#ifndef WORKER_V1_ANSWER_H
#define WORKER_V1_ANSWER_H

struct intake_op;
struct worker;

/* Queue the answer to a request, and begin what it asked for beyond that: a
 * replay.  Without an id only what went wrong is answered. */
void v1_answer(struct worker *w, const struct intake_op *op);

#endif
