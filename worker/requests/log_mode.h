/* SPDX-License-Identifier: MIT */
/*
 * log_mode.h - in a cluster: whether publishes wait for its log, are refused, or are
 * messages here at once.
 *
 *	                     the log was heard         not for --cluster-wait
 *	default              they wait                 they are refused
 *	--cluster-down local they wait                 at once
 *	--cluster-order local              at once, always
 *
 * The mode is chosen for each turn.  Before the first publish that is a message at
 * once, all that waits in the outbox becomes one, so that the messages of this host
 * are in one order (broker/shared/layout_cluster.h).
 */

#ifndef WORKER_REQUESTS_LOG_MODE_H
#define WORKER_REQUESTS_LOG_MODE_H

#include <stdbool.h>
#include <stdint.h>

struct hub;

/* Whether nothing was heard of the log for too long. */
bool log_mode_is_down(const struct hub *hub);

/* Whether publishes are refused. */
bool log_mode_refuses(const struct hub *hub);

/*
 * Choose: hub->is_local says whether this turn's publishes are messages at once; make
 * messages of those that wait in the outbox, if they are.  Under the lock, before the
 * turn's requests.
 */
void log_mode_begin_turn(struct hub *hub);

/* Whether clients wait although their publishes can be messages now.  Without the
 * lock. */
bool log_mode_must_show(const struct hub *hub);

/* Which workers are to be woken for what the turn has made messages; once. */
uint64_t log_mode_take_wake(struct hub *hub);

#endif
