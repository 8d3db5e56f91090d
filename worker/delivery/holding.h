/* SPDX-License-Identifier: MIT */
/*
 * holding.h - for which address a topic is kept in the directory.
 *
 * A slot of the directory cannot be recycled while its topic has a subscriber,
 * and --max-topics-per-conn limits a connection only: 256 connections with 128
 * topics each filled a directory of 32,768, and then nobody could subscribe or
 * publish to any other topic.  So each topic that has a subscriber on this
 * worker is held by the address of one of them, the first or, when that has
 * left, another.  What an address may hold shrinks with the square of what is
 * free.  It gets no topic that takes a free slot when
 *
 *	held here * workers / slots  >  (HOLDING_PARTS * free / slots)^2
 *
 *	free   1/4    1/8   1/16   1/32	  of all slots
 *	held   all    1/4   1/16   1/64	  is what an address may hold then
 *
 * So one address takes 78 % of the directory of a single worker, and at most
 * 94 % where it fills one of many workers after another.  After fifty addresses
 * that each took what they could, 39 of 32,768 slots are left for those that
 * hold none.  Topics that are in use already are open to everybody.  Loopback
 * holds nothing, as it has no share in address_limits.h.
 *
 * Under the ring's lock, all but holding_pass().
 */

#ifndef WORKER_DELIVERY_HOLDING_H
#define WORKER_DELIVERY_HOLDING_H

#include "worker/delivery/hub.h"

#include <stdbool.h>
#include <stdint.h>

/* While one part of so many is free, an address may hold any number. */
#define HOLDING_PARTS 4u

/* Whether the client may have a topic that nobody on this worker has.  slot: of
 * the directory, or TOPICS_NONE. */
bool holding_allows(
    struct hub *hub, const struct client *client, uint32_t slot);

/* The topic is new on this worker, and this client its first subscriber. */
void holding_begin(struct sub_topic *topic, const struct client *client);

/* The client has left: if it was its address that held the topic, another's
 * does so from now on, or, when nobody is left, none. */
void holding_pass(struct sub_topic *topic, const struct client *client);

#endif
