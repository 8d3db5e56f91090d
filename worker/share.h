/* SPDX-License-Identifier: MIT */
/*
 * share.h - how many of this worker's connections each address has.
 *
 * An IPv6 client owns a whole /64 network, so that is what counts as its
 * address.  Loopback is exempt: there sits the proxy with everybody behind it.
 */

#ifndef WORKER_SHARE_H
#define WORKER_SHARE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct share; /* one address with connections */

/* Whether this peer's connections are not counted. */
bool share_is_exempt(const struct sockaddr_storage *peer);

/*
 * One more connection of this peer.  *shares is the table, NULL when empty.
 * Owns: the table; give it back by share_give().
 */
struct share *share_take(
    struct share **shares, const struct sockaddr_storage *peer);

/* One connection less; an address without any is forgotten. */
void share_give(struct share **shares, struct share *share);

/* Connections of this address now. */
uint32_t share_count(const struct share *share);

#endif
