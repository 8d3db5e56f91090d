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
struct buf;

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
 * besides is as they say now.  Whoever came by a key of a program is held to that
 * key, and with --jwt-strict-rotation whoever has a token to the token's.
 * Returns: whether anything was taken over.
 */
bool access_renew(struct access *access);

/* Give an identity what the rules grant to all who are known; and one that came
 * by a key what the key grants, or an end, if it has gone.  Where tokens do not
 * outlast their keys, one whose key has gone gets its end, too. */
void access_apply_rules(struct access *access, struct identity *identity);

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

/*
 * The identity of a client that only says its name, without a credential; the
 * name is known, and nothing is granted for it.
 * Returns: as access_guest().
 */
uint32_t access_stranger(struct access *access, const char *name, size_t len);

/* Whether clients without a credential may anything at all. */
bool access_takes_strangers(const struct access *access);

/* Hold one more time, and let go; IDENTITY_NOBODY is always there. */
void access_hold(struct access *access, uint32_t number);
void access_release(struct access *access, uint32_t number);

/* What others may be told of somebody. */
struct access_user {
	const char *sub;  /* the name in the token, or of a program's key */
	size_t sub_len;   /* 0: the token has none */
	const char *info; /* JSON, on one line; NULL: the token has none */
	size_t info_len;
	bool is_stranger; /* the name is only what the client says */
};

/*
 * Who that is.  What user points to is borrowed, for as long as the number is
 * held; a renewed token is another number.
 * Returns: false, with all of it empty, for a client that has shown no
 *          credential.
 */
bool access_user(
    const struct access *access, uint32_t number, struct access_user *user);

/* Whether somebody may do all of these (enum grant_kind) with a topic. */
bool access_allows(const struct access *access, uint32_t number, unsigned kinds,
    const char *topic, size_t topic_len);

/* The same with all topics that a pattern stands for (grants_left_of_pattern()).
 */
bool access_allows_pattern(const struct access *access, uint32_t number,
    unsigned kinds, const char *pattern, size_t len);

/*
 * Append the patterns of the topics with which somebody may do this, as
 * grants_put_patterns() does.
 * Returns: false, with nothing appended: everybody may, with all.
 */
bool access_put_patterns(const struct access *access, uint32_t number,
    unsigned kind, struct buf *out);

/* Whether there is any topic with which somebody may do this. */
bool access_allows_some(
    const struct access *access, uint32_t number, unsigned kind);

#endif
