/* SPDX-License-Identifier: MIT */
/*
 * hosts.h - to which of several servers a client goes, and when.
 *
 *	a --- lost ---> b --- lost ---> c --- lost ---> a ...
 *
 * The one that was named first is the first.  Each process has an order of its
 * own of the others, so those that lose a host together do not all come to the
 * same one.  A host that was lost is left alone for a while (retry.h, of each
 * host by itself) and passed over until then; where that holds for all, the one
 * whose time comes first is next.  One that has not failed lately is tried soon,
 * but at random, for others come as well; and at once by who has just found
 * another one not to be there.
 *
 * public/pubsub-hosts.js does the same.  No clock and no randomness of its own.
 */

#ifndef BROKER_CLI_CLIENT_HOSTS_H
#define BROKER_CLI_CLIENT_HOSTS_H

#include "broker/cli/cli.h"
#include "broker/cli/client/outcome.h"
#include "broker/cli/client/retry.h"
#include "common/url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host {
	struct url url;
	struct retry retry;
	uint64_t again_ms; /* left alone until then, monotonic clock */
	bool was_tried;
};

/* Zeros: none yet. */
struct hosts {
	struct host
	    *all;   /* owned: hosts_fini(); in the order of this process */
	size_t len; /* one at least, when they are used */
	size_t here, next;
};

/* Another one, behind all: where it is there already it stays there once. */
void hosts_add(struct hosts *hosts, const struct url *url);
void hosts_fini(struct hosts *hosts);

/* Put all but the first into another order, by a number below UINT32_MAX for
 * each. */
void hosts_shuffle(struct hosts *hosts, const uint32_t *random);

/* Where the client is, or was last. */
static inline struct host *
hosts_here(const struct hosts *hosts)
{
	return &hosts->all[hosts->here];
}

/* Where it goes from there. */
static inline const struct host *
hosts_next(const struct hosts *hosts)
{
	return &hosts->all[hosts->next];
}

/* A try begins, at the next one. */
void hosts_go(struct hosts *hosts);

/* Whether one has never been tried. */
bool hosts_have_untried(const struct hosts *hosts);

/*
 * The connection, or the try, has ended so, and another may end better.
 * was_open: the server had welcomed us.
 * Returns: milliseconds until hosts_go().
 */
uint64_t hosts_lost(struct hosts *hosts, const struct outcome *end,
    bool was_open, uint64_t now_ms, uint32_t random);

#endif
