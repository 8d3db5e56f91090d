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
struct attend;
struct inquiries;
struct intake;
struct latency;
struct paces;
struct packer;
struct patterns;
struct policies_table;
struct protocols;
struct replays;
struct segment;
struct tail;
struct waiting;
struct wakeup;
struct watches;

/* A connection and its subscriptions. */
struct client {
	struct conn conn;
	struct sub_list subs;
	uint32_t subs_count : 31;
	uint32_t has_patterns : 1; /* delivery/patterns.h */
	uint8_t form;              /* enum form_id: how it gets messages */
	uint32_t identity : 23;    /* who it is: access/identities.h */
	uint32_t is_warned : 1;    /* that its time will be over */
	uint32_t waits : 2; /* requests/waiting.c's: in a cluster, for what */
	uint32_t is_refused : 1; /* protocol/centrifuge.c's: nothing it says
	                          * counts any more */
};

struct hub {
	struct net *net; /* borrowed, like the next two */
	struct segment *seg;
	struct wakeup *wakeup;
	unsigned slot;                   /* in the table of workers */
	const struct form *const *forms; /* [FORMS] */
	struct ring ring;
	struct subs subs;
	struct endings endings;          /* ending.h */
	struct access *access;           /* borrowed: who may what */
	struct policies_table *policies; /* policies.h; NULL: no sections */
	/* Only the module of that name looks into it. */
	struct tail *tail;
	struct attend *attend;
	struct watches *watches;
	struct patterns *patterns; /* owned; NULL: no client has any */
	struct replays *replays;
	struct paces *paces;
	struct latency *latency;
	struct intake *intake;
	struct protocols *protocols;
	struct api *api;
	struct packer *packer; /* owned; NULL: nothing was compressed yet */
	/* In a cluster; otherwise NULL and 0. */
	struct waiting *waiting;
	struct inquiries *inquiries; /* owned */
	uint32_t awaited; /* records of our clients that will come back */
	uint64_t lost;    /* lost.c's: losses up to this place are told */
	bool is_local;    /* log_mode.c's, as the next: in this turn */
	uint64_t wake;    /* workers, for what this turn has shown them */
	void (*came_back)(struct hub *hub, const struct ring_record *rec);
	void (*lapped)(struct hub *hub); /* they may have come back unseen */
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

/* Whether a client here follows or awaits anything, so that the ring is to be
 * read. */
static inline bool
hub_follows(const struct hub *hub)
{
	return hub->subs.topics > 0 || hub->patterns != NULL ||
	       hub->awaited > 0;
}

/* Append a message, numbered or not, to the turn's arena as a frame of this
 * form; compressed, if that is the form. */
void hub_put_record(struct hub *hub, enum form_id form,
    const struct sub_topic *topic, const struct ring_record *rec);

/* Append a gap likewise, and count it.  If the form cannot report gaps, nothing
 * happens. */
void hub_put_gap(struct hub *hub, enum form_id form,
    const struct sub_topic *topic, uint64_t from, uint64_t to,
    enum gap_reason reason);

#endif
