/* SPDX-License-Identifier: MIT */
/* subscribe.h - begin and end a subscription; subs.h has the table of them. */

#ifndef WORKER_DELIVERY_SUBSCRIBE_H
#define WORKER_DELIVERY_SUBSCRIBE_H

#include "worker/delivery/hub.h"

#include <stdint.h>

enum subs_status {
	SUBS_OK = 0,
	SUBS_ALREADY,          /* it had subscribed before; nothing changed */
	SUBS_TOO_MANY,         /* --max-topics-per-conn */
	SUBS_TOO_MANY_MEMBERS, /* its address has, for how few are free */
	SUBS_HOLDS_TOO_MANY,   /* its address does, for how few are free */
	SUBS_DIRECTORY_FULL, /* every slot of the directory has a subscriber */
};

/*
 * Subscribe the client, live from the topic's present last number on.  start is
 * filled in on SUBS_OK and SUBS_ALREADY.
 * Under the ring's lock; the caller has published what it had gathered.
 */
enum subs_status subscribe_begin(struct hub *hub, struct client *client,
    const char *name, uint8_t len, uint32_t hash, struct subs_start *start);

/*
 * The same for one that another process had until now, in another ring: it begins
 * anew in this one.  There is no limit, because it is not new.
 * Returns: NULL if the directory is full, or the client has it already.
 */
struct sub *subscribe_anew(
    struct hub *hub, struct client *client, const char *name, uint8_t len);

/* End one subscription of a client. */
void subscribe_end(struct hub *hub, struct sub *sub);

/* End those that do not outlive a gap they were told of in this turn (ending.h).
 * Callers: the turn, when all is written. */
void subscribe_end_noted(struct hub *hub);

/* End all subscriptions of a connection, which closes. */
void subscribe_end_all(struct conn *c);

#endif
