/* SPDX-License-Identifier: MIT */
/*
 * address_limits.h - what each address may take of this worker: connections at a time
 * (--max-conns-per-address), and new ones per second (--conn-rate).
 *
 * An IPv6 client owns a whole /64 network, so that is what counts as its
 * address.  Loopback is exempt: there sits the proxy with everybody behind it.
 *
 * An address is known while it has a connection, and for a second after its
 * last one: until then its rate must not be forgotten.  So the table holds no
 * more of them than have been accepted.
 */

#ifndef WORKER_NET_ADDRESS_LIMITS_H
#define WORKER_NET_ADDRESS_LIMITS_H

#include "common/siphash.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

struct share; /* one address */

struct shares {
	struct share *by_address;    /* uthash; NULL: none */
	struct siphash_key key;      /* of its hash: clients choose addresses */
	TAILQ_HEAD(, share) leaving; /* without a connection, oldest first */
	uint32_t rate;               /* new ones per second, 0: any */
};

/* rate: new connections per second of one address, 0: any. */
void shares_init(struct shares *shares, uint32_t rate);

/* Forget all; none may have a connection. */
void shares_fini(struct shares *shares);

/* Whether this peer's connections are not counted. */
bool share_is_exempt(const struct sockaddr_storage *peer);

/*
 * One more connection of this peer, at this tick of the wheel.  *within says
 * whether that is within the rate.
 * Owns: the table; give it back by share_give().
 */
struct share *share_take(struct shares *shares,
    const struct sockaddr_storage *peer, uint32_t now, bool *within);

/* One connection less. */
void share_give(struct shares *shares, struct share *share, uint32_t now);

/* Forget the addresses whose last connection ended more than a second ago. */
void shares_tick(struct shares *shares, uint32_t now);

/* Connections of this address now. */
uint32_t share_count(const struct share *share);

#endif
