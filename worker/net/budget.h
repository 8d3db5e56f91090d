/* SPDX-License-Identifier: MIT */
/*
 * budget.h - what a worker holds for its clients, and who goes when it is full.
 *
 * Two things grow as clients like: output that they do not take, and what they
 * have begun to send (half a head, a body, a message in parts).  Together they
 * have --max-worker-memory, three quarters and one, so that neither those who do
 * not read nor those who do not finish can shut the others out.
 *
 * A message that finds its part full is dropped (outbox.c); nothing else can
 * be.  So once a part is full, a connection that holds more of it than its
 * share, the part divided by the connections there are, is ended when it adds
 * to that.  Who holds less never notices; all together hold less than twice the
 * part.
 *
 * What does not grow is not counted: a connection itself, a parser while a frame
 * is incomplete, a subscription; and what lives for one turn only.
 */

#ifndef WORKER_NET_BUDGET_H
#define WORKER_NET_BUDGET_H

#include "common/config.h"

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct worker;

/* The parts, bytes.  One message may always be on its way in. */
static inline uint64_t
budget_output_max(const struct config *config)
{
	return config->max_worker_memory - config->max_worker_memory / 4;
}

static inline uint64_t
budget_input_max(const struct config *config)
{
	uint64_t quarter = config->max_worker_memory / 4;
	uint64_t message =
	    (uint64_t)config->max_message + CONFIG_ENVELOPE_SLACK;

	return quarter > message ? quarter : message;
}

/* Input that is held for all connections, bytes. */
uint64_t budget_input(const struct worker *w);

/* The connection has sent a part of something: end it if that is too much, by
 * 503 or 1013. */
void budget_enforce_input(struct conn *c);

/* The connection has not taken all that it was sent: cut it if that is too
 * much. */
void budget_enforce_output(struct conn *c);

#endif
