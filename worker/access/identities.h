/* SPDX-License-Identifier: MIT */
/*
 * identities.h - who this worker's clients are, each once.
 *
 *	credential --SHA-256--> identity <--number-- connections
 *
 * All connections that came with the same token share one identity, and hold its
 * number, which needs less room than a pointer.  An identity that no connection
 * holds is kept for a while, the least recently used goes first: so clients that
 * come back all at once cost no signature each.
 *
 * Number 0 is nobody in particular: a client without a credential.
 */

#ifndef WORKER_ACCESS_IDENTITIES_H
#define WORKER_ACCESS_IDENTITIES_H

#include "common/bug.h"
#include "common/grants.h"
#include "common/jwt.h"
#include "common/sha256.h"
#include "common/xmalloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#ifndef uthash_malloc
#define uthash_malloc(size) xmalloc(size)
#define uthash_fatal(why)   BUG(why)
#endif
#include <uthash.h>

#define IDENTITY_NOBODY 0u

/* Bits of a number. */
#define IDENTITY_BITS 23u
#define IDENTITY_MASK ((1u << IDENTITY_BITS) - 1)

/* How long before its end a client is told of it, seconds. */
#define IDENTITY_WARN_S 60u

/* Bytes of identities that nobody holds. */
#define IDENTITIES_UNUSED_MAX (2u * 1024 * 1024)

struct identity {
	UT_hash_handle hh;          /* by digest; not those of older rules */
	TAILQ_ENTRY(identity) link; /* while nobody holds it */
	uint32_t number;
	uint32_t holders; /* connections, and requests on their way */
	bool is_listed;   /* found by its digest */
	bool is_key;      /* by a key of a program, which has no end */
	bool is_guest;    /* without a credential yet, which it has to show */
	bool is_stranger; /* a name that a client has just said: no grants */
	uint8_t digest[SHA256_LEN];
	uint8_t key[SHA256_LEN]; /* a token's: the thumbprint of its key */
	unsigned alg; /* enum jwk_alg, by which that verified it; 0: no token */
	uint64_t expires_s;    /* exp, as it is told to the client */
	uint64_t until_s;      /* its clients are let go then; 0: now, since its
	                        * key is gone */
	struct grants own;     /* by its credential */
	struct grants general; /* by the rules, for its name */
	uint8_t sub_len;
	char sub[JWT_SUB_MAX];
	uint16_t info_len; /* at most JWT_INFO_MAX */
	char *info; /* owned: JSON, on one line; NULL: the token has none */
};

TAILQ_HEAD(identity_line, identity);

struct identities {
	struct identity *by_digest;  /* uthash */
	struct identity **by_number; /* owned, [max]; NULL: free, and 0 */
	uint32_t max;
	uint32_t free_from; /* no number below it is free */
	uint32_t count;
	uint64_t due_s;    /* when to look at connections again: see below */
	uint64_t looked_s; /* when that was done last */
	size_t unused_bytes;
	struct identity_line unused; /* the least recently used first */
};

void identities_init(struct identities *all);
void identities_fini(struct identities *all);

/* The identity of this digest, or NULL. */
struct identity *identities_find(
    const struct identities *all, const uint8_t digest[SHA256_LEN]);

/* Add one that is found by its digest, which is new.  The caller is its first
 * holder, and fills in the rest.  Returns NULL if all numbers are taken. */
struct identity *identities_add(
    struct identities *all, const uint8_t digest[SHA256_LEN], uint64_t until_s);

/*
 * Add the identity of another process under the number that it had there; nobody
 * holds it yet, and no credential finds it, because the rules may be others.  The
 * caller fills in the rest.
 * Returns: NULL if the number is taken, or none.
 */
struct identity *identities_adopt(
    struct identities *all, uint32_t number, uint64_t until_s);

/* Forget those that were adopted and that nobody holds. */
void identities_adopted(struct identities *all);

/* Whether there is an identity of that number. */
static inline bool
identities_has(const struct identities *all, uint32_t number)
{
	return number < all->max && all->by_number[number] != NULL;
}

/* The identity of a number that is held. */
static inline struct identity *
identities_of(const struct identities *all, uint32_t number)
{
	return all->by_number[number];
}

/* One holder more, or one less, of a number that is not IDENTITY_NOBODY.  While
 * nobody holds an identity its grants do not change. */
void identities_hold(struct identities *all, uint32_t number);
void identities_release(struct identities *all, uint32_t number);

/* Keep a copy of what the token says of its user.  info: checked JSON, of at most
 * JWT_INFO_MAX bytes; the copy is one line, whose strings decode to UTF-8.
 * Callers: with one that was just added. */
void identities_keep_info(
    struct identity *identity, const char *info, size_t len);

/* Take back one that was just added. */
void identities_drop(struct identities *all, struct identity *identity);

/*
 * When the time of somebody is over, or is so soon, whoever knows the connections
 * has to look at them; until then not, and once a second at most.
 */
static inline bool
identities_are_due(const struct identities *all, uint64_t now_s)
{
	return now_s >= all->due_s;
}

/* Its key is gone: let its connections go as soon as they are looked at, which
 * is due then. */
void identities_end(struct identities *all, struct identity *identity);

/* They were looked at: find out when that is due again. */
void identities_looked(struct identities *all, uint64_t now_s);

/* The rules have changed: no credential is known any more.  Identities that are
 * held stay. */
void identities_forget_all(struct identities *all);

#endif
