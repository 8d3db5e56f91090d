/* SPDX-License-Identifier: MIT */
/*
 * take_over.h - an upgrade, in the worker that goes on with the connections of
 * another process.
 *
 *	take_over_open	a socket for the predecessor to send them over
 *	take_over	ask, receive, rebuild; wait until the slot is ours; serve
 *
 * Until the predecessor is gone it may go on with its connections.  So nothing
 * is read from them or written to them, the segment is only read, and what is
 * counted meanwhile is counted apart.  All that can fail happens before the
 * supervisor is told that everything is here (succession.h).
 *
 * Where the predecessor has another segment (upgrade_page.h), the slot is this
 * worker's from the beginning, and in the new ring, which nobody serves before all
 * workers do, the subscriptions begin at once.
 */

#ifndef WORKER_TAKE_OVER_H
#define WORKER_TAKE_OVER_H

#include <stdbool.h>

struct worker;

/* Make the sockets.  Returns false if there are none to be had: logged. */
bool take_over_open(struct worker *w);

/*
 * The slot is ours: what was rebuilt is counted there, and goes on.
 * Callers: take_over(), and tests that have rebuilt it themselves.
 * Blocks:  for the ring's lock.
 */
void take_over_claim(struct worker *w);

/*
 * Go on in the predecessor's place.
 * Callers: worker_serve(), before the loop runs.
 * Blocks:  until the predecessor has sent all and left.
 * Returns: false if it did not come to that: logged.  The predecessor goes on,
 *          and this process ends.
 */
bool take_over(struct worker *w);

#endif
