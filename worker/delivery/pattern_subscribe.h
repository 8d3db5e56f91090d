/* SPDX-License-Identifier: MIT */
/* pattern_subscribe.h - begin and end a subscription to a pattern of topics;
 * patterns.h has the table of them. */

#ifndef WORKER_DELIVERY_PATTERN_SUBSCRIBE_H
#define WORKER_DELIVERY_PATTERN_SUBSCRIBE_H

#include "worker/delivery/hub.h"

#include <stdbool.h>
#include <stdint.h>

struct pattern_sub;

enum pattern_status {
	PATTERN_OK = 0,
	PATTERN_ALREADY,  /* it had subscribed before; no_echo is the new one */
	PATTERN_TOO_MANY, /* --max-patterns-per-conn */
	PATTERN_NO_ROOM,  /* --max-patterns */
};

/*
 * Subscribe the client to a valid pattern, from the ring's head on.
 * Under the ring's lock; the caller has published what it had gathered.
 */
enum pattern_status pattern_subscribe(struct hub *hub, struct client *client,
    const char *text, uint8_t len, bool no_echo);

/*
 * The same for one that another process had until now, from that position on.
 * There is no limit, because it is not new, and nobody is told yet.
 * Returns false if the client has it already.
 */
bool pattern_adopt(struct hub *hub, struct client *client, const char *text,
    uint8_t len, bool no_echo, uint64_t from);

/* The slot is ours: publishers are told what this worker follows.  Under the
 * ring's lock. */
void pattern_adopt_slot(struct hub *hub);

/* End one subscription of a client.  What waits for it in its queue is not
 * dropped any more, because nobody would be told. */
void pattern_unsubscribe(struct hub *hub, struct pattern_sub *sub);

/* End all that a client has, which closes. */
void pattern_unsubscribe_all(struct hub *hub, struct client *client);

#endif
