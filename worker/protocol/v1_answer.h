/* SPDX-License-Identifier: MIT */
/* v1_answer.h - answers to requests of pubsubd.v1; v1_request.h reads them. */

#ifndef WORKER_PROTOCOL_V1_ANSWER_H
#define WORKER_PROTOCOL_V1_ANSWER_H

struct hub;
struct intake_op;

/* Queue the answer to a request, and begin the replay that it asked for.  A
 * request without an id is answered only if it failed or asked a question.  For
 * intake_request.answer. */
void v1_answer(struct hub *hub, const struct intake_op *op);

#endif
