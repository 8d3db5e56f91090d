/* SPDX-License-Identifier: MIT */
/* address_limits.c - see address_limits.h. */

#include "worker/net/address_limits.h"

#include "common/bug.h"
#include "common/xmalloc.h"
#include "worker/net/bucket.h"
#include "worker/net/wheel.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define uthash_malloc(size) xmalloc(size)
#define uthash_fatal(why)   BUG(why)
#include <uthash.h>

/* How long an address is known behind its last connection: its bucket is full
 * again by then, whatever it owed. */
#define ADDRESS_KEPT_TICKS ((1000 + ADDRESS_WAIT_MAX_MS) / WHEEL_TICK_MS)

struct address_share {
	UT_hash_handle hh;
	TAILQ_ENTRY(address_share) link; /* while it has no connection */
	uint32_t left_at;                /* tick when its last one went */
	uint32_t count;
	uint32_t topics;
	struct rate_bucket accepted;
	struct rate_bucket bad_tokens;
	unsigned char key[ADDRESS_KEY];
};

void
address_limits_init(
    struct address_limits *shares, uint32_t rate, _Atomic uint32_t *returning)
{
	*shares =
	    (struct address_limits){ .rate = rate, .returning = returning };
	TAILQ_INIT(&shares->leaving);
	siphash_key_make(&shares->key);
}

static void
address_free(struct address_limits *shares, struct address_share *share)
{
	TAILQ_REMOVE(&shares->leaving, share, link);
	HASH_DELETE(hh, shares->by_address, share);
	free(share);
}

void
address_limits_fini(struct address_limits *shares)
{
	struct address_share *share;

	while ((share = TAILQ_FIRST(&shares->leaving)) != NULL)
		address_free(shares, share);
	CHECK(shares->by_address == NULL);
}

/* What counts of an address. */
static void
address_key(const struct ip_address *peer, unsigned char key[ADDRESS_KEY])
{
	memset(key, 0, ADDRESS_KEY);
	/* No IPv6 network starts with four zero bytes and is routed. */
	if (ip_is_v4(peer))
		memcpy(key + 4, peer->at + 12, 4);
	else
		memcpy(key, peer->at, ADDRESS_KEY);
}

/* The peer's entry, found or made. */
static struct address_share *
address_find(
    struct address_limits *shares, const struct ip_address *peer, uint32_t now)
{
	unsigned char key[ADDRESS_KEY];
	struct address_share *share;
	unsigned hash;

	address_key(peer, key);
	hash = (unsigned)siphash(&shares->key, key, ADDRESS_KEY);
	HASH_FIND_BYHASHVALUE(
	    hh, shares->by_address, key, ADDRESS_KEY, hash, share);
	if (share != NULL)
		return share;
	share = xcalloc(1, sizeof(*share));
	memcpy(share->key, key, ADDRESS_KEY);
	rate_bucket_init(&share->accepted, shares->rate, now);
	rate_bucket_init(&share->bad_tokens, ADDRESS_BAD_TOKENS, now);
	HASH_ADD_BYHASHVALUE(
	    hh, shares->by_address, key, ADDRESS_KEY, hash, share);
	TAILQ_INSERT_TAIL(&shares->leaving, share, link);
	return share;
}

/* Whether a connection may count as one that was there before a restart. */
static bool
address_is_returning(struct address_limits *shares, uint32_t now)
{
	uint32_t left;

	if (shares->returning == NULL || now > ADDRESS_RETURN_TICKS)
		return false;
	left = atomic_load_explicit(shares->returning, memory_order_relaxed);
	while (left > 0)
		if (atomic_compare_exchange_weak_explicit(shares->returning,
			&left, left - 1, memory_order_relaxed,
			memory_order_relaxed))
			return true;
	return false;
}

/* How long it takes until one more is within the rate; take that one.  Who is
 * refused is not kept out the longer for it. */
static uint32_t
address_take(
    struct address_limits *shares, struct address_share *share, uint32_t now)
{
	uint64_t wait_ms = 0;

	if (!rate_bucket_has(&share->accepted, shares->rate, now)) {
		if (address_is_returning(shares, now))
			return 0;
		wait_ms = (uint64_t)(1 - (int64_t)share->accepted.left) * 1000 /
		          shares->rate;
	}
	if (wait_ms > ADDRESS_WAIT_MAX_MS)
		return ADDRESS_REFUSED;
	rate_bucket_take(&share->accepted, shares->rate, now, 1);
	return (uint32_t)wait_ms;
}

struct address_share *
address_add_conn(struct address_limits *shares, const struct ip_address *peer,
    uint32_t now, uint32_t *wait_ms)
{
	struct address_share *share = address_find(shares, peer, now);

	if (share->count++ == 0)
		TAILQ_REMOVE(&shares->leaving, share, link);
	if (wait_ms != NULL)
		*wait_ms = address_take(shares, share, now);
	return share;
}

bool
address_is_of(const struct address_share *share, const struct ip_address *peer)
{
	unsigned char key[ADDRESS_KEY];

	address_key(peer, key);
	return memcmp(share->key, key, ADDRESS_KEY) == 0;
}

void
address_remove_conn(
    struct address_limits *shares, struct address_share *share, uint32_t now)
{
	CHECK(share->count > 0);
	if (--share->count > 0)
		return;
	CHECK(share->topics == 0);
	share->left_at = now;
	TAILQ_INSERT_TAIL(&shares->leaving, share, link);
}

void
address_limits_tick(struct address_limits *shares, uint32_t now)
{
	struct address_share *share;

	while ((share = TAILQ_FIRST(&shares->leaving)) != NULL &&
	       now - share->left_at > ADDRESS_KEPT_TICKS)
		address_free(shares, share);
}

uint32_t
address_count(const struct address_share *share)
{
	return share->count;
}

bool
address_may_try(struct address_share *share, uint32_t now)
{
	return share == NULL ||
	       rate_bucket_has(&share->bad_tokens, ADDRESS_BAD_TOKENS, now);
}

void
address_tried_badly(struct address_share *share, uint32_t now)
{
	if (share != NULL)
		rate_bucket_take(
		    &share->bad_tokens, ADDRESS_BAD_TOKENS, now, 1);
}

void
address_add_topic(struct address_share *share)
{
	share->topics++;
}

void
address_remove_topic(struct address_share *share)
{
	CHECK(share->topics > 0);
	share->topics--;
}

uint32_t
address_topics(const struct address_share *share)
{
	return share->topics;
}

const unsigned char *
address_bytes(const struct address_share *share)
{
	return share->key;
}
