/* SPDX-License-Identifier: MIT */
/* answer.h - how a request to the API went; for intake_request.answer. */

#ifndef WORKER_API_ANSWER_H
#define WORKER_API_ANSWER_H

struct hub;
struct intake_op;

/* How the topic stands; to a publish: which number the message got. */
void api_answer_topic(struct hub *hub, const struct intake_op *op);

/* A topic's past messages. */
void api_answer_history(struct hub *hub, const struct intake_op *op);

/* What could not be done (op->result is not INTAKE_DONE). */
void api_answer_failure(struct hub *hub, const struct intake_op *op);

#endif
