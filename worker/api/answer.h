/* SPDX-License-Identifier: MIT */
/* answer.h - answers to requests to the API; for intake_request.answer. */

#ifndef WORKER_API_ANSWER_H
#define WORKER_API_ANSWER_H

#include <stdbool.h>

struct hub;
struct intake_op;

/* Whether who asks may know how many subscribers the topic has. */
bool api_tells_count(struct hub *hub, const struct intake_op *op);

/* The topic's last number, and its subscribers, if they may be told; to a
 * publish, the message's number. */
void api_answer_topic(struct hub *hub, const struct intake_op *op);

/* A topic's past messages. */
void api_answer_history(struct hub *hub, const struct intake_op *op);

/* Who is in a topic. */
void api_answer_presence(struct hub *hub, const struct intake_op *op);

/* Why the request failed (op->result is not INTAKE_DONE). */
void api_answer_failure(struct hub *hub, const struct intake_op *op);

/* Answer with the topic's last value.  For intake_request.answer. */
void api_answer_last(struct hub *hub, const struct intake_op *op);

#endif
