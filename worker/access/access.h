/* SPDX-License-Identifier: MIT */
/*
 * access.h - who may what, in a worker.
 *
 *	credential --access_recall(), access_verify()--> number of an identity
 *	identity, kind, topic --access_allows()--> yes or no
 *
 * What an identity may is what its own credential grants, and --grant to all who
 * are known, and --anonymous to everybody.  Nothing is ever asked for a delivery:
 * who was let in to a topic gets its messages until that ends.
 */

#ifndef WORKER_ACCESS_ACCESS_H
#define WORKER_ACCESS_ACCESS_H

#include "broker/shared/stats.h"
#include "common/access_rules.h"
#include "worker/access/identities.h"

#include <stdbool.h>
#include <stdint.h>

struct access_store;

struct access {
	const struct access_store *store; /* borrowed; NULL: all may all */
	struct stats *stats;              /* borrowed */
	uint32_t version;                 /* of the store */
	struct access_rules *rules;       /* owned; NULL: all may all */
	struct identities identities;
};

/* Begin with the rules of the store, which outlives it.  Returns false, having
 * logged why, if they cannot be had. */
bool access_open(struct access *access, const struct access_store *store,
    struct stats *stats);

/* Forget all rules and identities. */
void access_close(struct access *access);

/*
 * Take over the rules of the store if they are others.  Who is known stays so,
 * with the grants of the credential that was accepted; what the rules grant
 * besides is as they say now.
 * Returns: whether anything was taken over.
 */
bool access_renew(struct access *access);

/* Whether everybody may do everything. */
static inline bool
access_is_open(const struct access *access)
{
	return access->rules == NULL || !access->rules->guard;
}

enum access_verdict {
	ACCESS_GOOD = 0,
	ACCESS_BAD,
	ACCESS_UNKNOWN, /* it has to be looked into */
};

/*
 * Find out whose credential this is, if it was shown before.  now_s: seconds since
 * 1970.
 * Returns: ACCESS_GOOD with the number of an identity, which the caller holds from
 *          now on; ACCESS_BAD with *why a static sentence for the client.
 */
enum access_verdict access_recall(struct access *access, const char *credential,
    size_t len, uint64_t now_s, uint32_t *number, const char **why);

/*
 * Find out whose credential this is, which access_recall() does not know.
 * Blocks:  up to 0.2 ms of computing.
 * Returns: as above, but not ACCESS_UNKNOWN.
 */
enum access_verdict access_verify(struct access *access, const char *credential,
    size_t len, uint64_t now_s, uint32_t *number, const char **why);

/*
 * An identity without a grant, of who has until --auth-timeout to show a
 * credential.
 * Returns: its number, which the caller holds; IDENTITY_NOBODY if there is no
 *          room for another.
 */
uint32_t access_guest(struct access *access, uint64_t now_s);

/* Hold one more time, and let go; IDENTITY_NOBODY is always there. */
void access_hold(struct access *access, uint32_t number);
void access_release(struct access *access, uint32_t number);

/* Whether somebody may do all of these (enum grant_kind) with a topic. */
bool access_allows(const struct access *access, uint32_t number, unsigned kinds,
    const char *topic, size_t topic_len);

/* Whether there is any topic with which somebody may do this. */
bool access_allows_some(
    const struct access *access, uint32_t number, unsigned kind);

#endif
