/* SPDX-License-Identifier: MIT */
/*
 * hub.h - this worker's end of the ring, and its clients as subscribers.
 *
 *	ring -> tail -> forms -> arena -> outbox	messages
 *	clients -> intake -> commit -> ring		requests
 *
 * struct hub is to topics what struct net is to connections: one in a process,
 * used by one thread.
 */

#ifndef WORKER_DELIVERY_HUB_H
#define WORKER_DELIVERY_HUB_H

#include "broker/ring/ring.h"
#include "worker/delivery/form.h"
#include "worker/delivery/subs.h"
#include "worker/net/conn.h"

#include <stdint.h>

struct access;
struct api;
struct intake;
struct latency;
struct protocols;
struct replays;
struct segment;
struct tail;
struct wakeup;

/* A connection and its subscriptions. */
struct client {
	struct conn conn;
	struct sub_list subs;
	uint32_t subs_count;
	uint8_t form;           /* enum form_id: how it gets messages */
	uint32_t identity : 23; /* who it is: access/identities.h */
	uint32_t is_warned : 1; /* that its time will be over */
};

struct hub {
	struct net *net; /* borrowed, like the next two */
	struct segment *seg;
	struct wakeup *wakeup;
	unsigned slot;                   /* in the table of workers */
	const struct form *const *forms; /* [FORMS] */
	struct ring ring;
	struct subs subs;
	struct access *access; /* borrowed: who may what */
	/* Only the module of that name looks into it. */
	struct tail *tail;
	struct replays *replays;
	struct latency *latency;
	struct intake *intake;
	struct protocols *protocols;
	struct api *api;
};

static inline struct client *
client_of(struct conn *c)
{
	return (struct client *)c;
}

static inline struct hub *
hub_of(const struct conn *c)
{
	return c->net->world;
}

/* Append a message, in this form, to the turn's arena as a frame. */
void hub_put_message(struct hub *hub, enum form_id form,
    const struct sub_topic *topic, const struct ring_record *rec);

/* Append a gap likewise, and count it.  If the form cannot report gaps, nothing
 * happens. */
void hub_put_gap(struct hub *hub, enum form_id form,
    const struct sub_topic *topic, uint64_t from, uint64_t to,
    enum gap_reason reason);

#endif
