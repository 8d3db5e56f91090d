/* SPDX-License-Identifier: MIT */
/* answer.h - answers to requests to the API; for intake_request.answer. */

#ifndef WORKER_API_ANSWER_H
#define WORKER_API_ANSWER_H

struct hub;
struct intake_op;

/* The topic's last number and subscribers; to a publish, the message's
 * number. */
void api_answer_topic(struct hub *hub, const struct intake_op *op);

/* A topic's past messages. */
void api_answer_history(struct hub *hub, const struct intake_op *op);

/* Why the request failed (op->result is not INTAKE_DONE). */
void api_answer_failure(struct hub *hub, const struct intake_op *op);

#endif
