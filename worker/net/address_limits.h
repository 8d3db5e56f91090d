/* SPDX-License-Identifier: MIT */
/*
 * address_limits.h - what each address has of this worker: connections at a time
 * (--max-conns-per-address), new ones per second (--conn-rate), and topics that
 * are kept for it (delivery/holding.h).
 *
 * An IPv6 client owns a whole /64 network, so the network counts as its
 * address.  Who calls this leaves out loopback, because a proxy there stands for
 * all its clients (peer.h).
 *
 * A rate is waited for: a connection that comes too early is served when its
 * turn has come, in the order in which they came, and only one that would wait
 * for more than ADDRESS_WAIT_MAX_MS is refused.  After a restart as many
 * connections as there were before are not new: many behind one address (a
 * network's gateway) come back at once then.
 *
 * An address is known while it has a connection, and for a while after its last
 * one: until then its rate must not be forgotten.  So the table holds no more of
 * them than have been accepted.
 */

#ifndef WORKER_NET_ADDRESS_LIMITS_H
#define WORKER_NET_ADDRESS_LIMITS_H

#include "common/ip.h"
#include "common/siphash.h"
#include "worker/net/wheel.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct address_share; /* one address */

/* The longest that a new connection is made to wait, milliseconds: less than
 * clients take for no answer. */
#define ADDRESS_WAIT_MAX_MS 5000u

/* It would be longer. */
#define ADDRESS_REFUSED UINT32_MAX

/* So long after a start connections may come back, ticks of the wheel. */
#define ADDRESS_RETURN_TICKS (60000u / WHEEL_TICK_MS)

/* Bad tokens of one address, per second. */
#define ADDRESS_BAD_TOKENS 20u

struct address_limits {
	struct address_share *by_address; /* uthash; NULL: none */
	struct siphash_key key; /* of its hash: clients choose addresses */
	TAILQ_HEAD(, address_share)
	leaving;                     /* without a connection, oldest first */
	uint32_t rate;               /* new ones per second, 0: any */
	_Atomic uint32_t *returning; /* borrowed; NULL: none */
};

/*
 * rate: new connections per second of one address, 0: any.  returning: how many
 * may come that are not new, which all workers count down together; borrowed, or
 * NULL.
 */
void address_limits_init(
    struct address_limits *shares, uint32_t rate, _Atomic uint32_t *returning);

/* Forget all; none may have a connection. */
void address_limits_fini(struct address_limits *shares);

/*
 * One more connection of this peer, at this tick of the wheel.  *wait_ms says
 * when it is within the rate: 0: it is, or ADDRESS_REFUSED.  wait_ms may be
 * NULL: it is none of the new ones.
 * Owns: the table; give it back by address_remove_conn().
 */
struct address_share *address_add_conn(struct address_limits *shares,
    const struct ip_address *peer, uint32_t now, uint32_t *wait_ms);

/* One connection less. */
void address_remove_conn(
    struct address_limits *shares, struct address_share *share, uint32_t now);

/* Forget the addresses whose last connection ended more than a second ago. */
void address_limits_tick(struct address_limits *shares, uint32_t now);

/* Whether it is the share of this address. */
bool address_is_of(
    const struct address_share *share, const struct ip_address *peer);

/* Connections of this address now. */
uint32_t address_count(const struct address_share *share);

/*
 * Looking into a token that is not known costs much computing, so an address that
 * shows bad ones has to wait: whether it may show one now; and it was a bad one.
 * NULL is an address that is not counted.
 */
bool address_may_try(struct address_share *share, uint32_t now);
void address_tried_badly(struct address_share *share, uint32_t now);

/* One topic more that is kept for this address, or one less.  It has a connection
 * meanwhile. */
void address_add_topic(struct address_share *share);
void address_remove_topic(struct address_share *share);

/* How many there are. */
uint32_t address_topics(const struct address_share *share);

/* Bytes of what counts of an address: an IPv4 address, or an IPv6 network. */
#define ADDRESS_KEY 8

/* Those of a share. */
const unsigned char *address_bytes(const struct address_share *share);

#endif
