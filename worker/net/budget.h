/* SPDX-License-Identifier: MIT */
/*
 * budget.h - how much a worker holds for its clients, and which connections are
 * ended when that is full.
 *
 * Clients can make two things grow: output that they do not take, and input
 * that they do not finish (half a head, a body, a message in parts).  The first
 * part has three quarters of --max-worker-memory and the second one quarter, so
 * that neither clients that do not read nor clients that do not finish can shut
 * the others out.
 *
 * The share of a connection is the part divided by the connections there are.
 * Once a part is full, who holds less than a share goes on as before; a message
 * for a connection that would hold more is dropped (overflow.c); and a
 * connection that holds more already is ended, at the next thing that it gets,
 * once others have needed so much of their shares that the part is exceeded.  So
 * those who fill the memory go, and nobody who keeps up loses a message by them.
 * All together hold less than twice the part.
 *
 * Memory that does not grow is not counted: a connection itself, a parser while
 * a frame is incomplete, a subscription.  Nor is memory that lives for one
 * turn.
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

/* Whether one of `count' connections, which holds `own' bytes of a part, can hold
 * so many bytes more. */
bool budget_has_room(const struct budget *budget, enum budget_part part,
    uint64_t own, size_t len, uint32_t count);

/* Whether a part is full, and `own' bytes of it are more than the share of one
 * of `count' connections. */
bool budget_is_over(const struct budget *budget, enum budget_part part,
    uint64_t own, uint32_t count);

#endif
