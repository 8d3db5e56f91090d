/* SPDX-License-Identifier: MIT */
/*
 * budget.h - what a worker holds for its clients, and who goes when it is full.
 *
 * Two things grow as clients like: output that they do not take, and what they
 * have begun to send (half a head, a body, a message in parts).  Together they
 * have --max-worker-memory, three quarters and one, so that neither clients that
 * do not read nor clients that do not finish can shut the others out.
 *
 * A message that finds its part full is dropped (overflow.c); nothing else can
 * be.  So once a part is full, a connection that holds more of it than its
 * share, the part divided by the connections there are, is ended when it adds
 * to that.  A connection that holds less never notices; all together hold less
 * than twice the part.
 *
 * What does not grow is not counted: a connection itself, a parser while a frame
 * is incomplete, a subscription; and what lives for one turn only.
 */

#ifndef WORKER_NET_BUDGET_H
#define WORKER_NET_BUDGET_H

#include "broker/shared/stats.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;

enum budget_part { BUDGET_INPUT, BUDGET_OUTPUT, BUDGET_PARTS };

struct budget {
	const struct config *config; /* borrowed */
	uint64_t held[BUDGET_PARTS]; /* bytes, of all connections */
	struct stats stats;          /* the gauges that show it */
};

/* The most of a part that can be held, bytes. */
uint64_t budget_max(const struct config *config, enum budget_part part);

/* config is borrowed; stats, this worker's, are copied. */
void budget_init(struct budget *budget, const struct config *config,
    const struct stats *stats);

/* Something that held `before' bytes of a part holds `after' bytes now. */
void budget_change(struct budget *budget, enum budget_part part,
    uint64_t before, uint64_t after);

/* Whether so many bytes more of a part can be held. */
bool budget_has_room(
    const struct budget *budget, enum budget_part part, size_t len);

/* Whether a part is full, and `own' bytes of it are more than the share of one
 * of `count' connections. */
bool budget_is_over(const struct budget *budget, enum budget_part part,
    uint64_t own, uint32_t count);

#endif
