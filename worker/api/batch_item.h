/* SPDX-License-Identifier: MIT */
/* batch_item.h - one message of many (batch.h): how it went. */

#ifndef WORKER_API_BATCH_ITEM_H
#define WORKER_API_BATCH_ITEM_H

#include "common/buf.h"
#include "worker/requests/failure.h"

#include <stdbool.h>
#include <stdint.h>

struct hub;
struct intake_op;

/* How one message went, or will go: until the intake has answered, count is
 * not known. */
struct batch_item {
	struct failure failure; /* its code is NULL if there was none */
	bool is_ephemeral;      /* so it has no number */
	uint64_t seq;
	uint64_t subscribers;
	bool tells_count; /* who asks may know how many there are */
	bool duplicate;
};

/* It has failed; code and reason are static. */
void batch_item_fail(
    struct batch_item *item, const char *code, const char *reason);

/* Note how it went: as api_answer_failure() says it of one alone. */
void batch_item_note(
    struct hub *hub, struct batch_item *item, const struct intake_op *op);

/* Append how it went, as JSON. */
void batch_item_put(struct buf *text, const struct batch_item *item);

#endif
