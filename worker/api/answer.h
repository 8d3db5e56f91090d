/* SPDX-License-Identifier: MIT */
/* answer.h - the answers of the HTTP interface; see api.h. */

#ifndef WORKER_API_ANSWER_H
#define WORKER_API_ANSWER_H

struct intake_op;
struct worker;

/* Answer a request that came by HTTP, and read on. */
void api_answer(struct worker *w, const struct intake_op *op);

#endif
