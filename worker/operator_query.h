/* SPDX-License-Identifier: MIT */
/* operator_query.h - which connections an operator's request is about. */

#ifndef WORKER_OPERATOR_QUERY_H
#define WORKER_OPERATOR_QUERY_H

#include "broker/shared/ask.h"
#include "common/http.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Read ?topic=, ?user=, ?conn= (an id, WORKER.NUMBER), ?code= and ?reason= into
 * a question whose kind the caller sets, and the workers that it is for, a bit
 * each.  Other keys are left alone.
 * Returns: false with *why set to a static sentence.
 */
bool operator_query(struct http_text query, struct ask_question *question,
    uint64_t *targets, const char **why);

#endif
