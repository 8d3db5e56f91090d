/* SPDX-License-Identifier: MIT */
/* access.c - see access.h. */

#include "worker/access/access.h"

#include "broker/shared/access_store.h"
#include "common/log.h"

#include <string.h>

/* Take over what the store has.  Returns false if that cannot be had now. */
static bool
access_read(struct access *access)
{
	struct access_rules *rules = NULL;
	struct access_texts texts;
	struct access_fault fault;
	uint32_t version;

	if (!access_store_get(access->store, &texts, &version))
		return false;
	if (texts.count > 0)
		rules = access_rules_new(&texts, &fault);
	access_texts_wipe(&texts);
	if (texts.count > 0 && rules == NULL)
		return false;
	access_rules_free(access->rules);
	access->rules = rules;
	access->version = version;
	return true;
}

bool
access_open(struct access *access, const struct access_store *store,
    struct stats *stats)
{
	memset(access, 0, sizeof(*access));
	access->store = store;
	access->stats = stats;
	identities_init(&access->identities);
	if (store == NULL || access_read(access))
		return true;
	log_errorx("who may what cannot be read from the supervisor's memory");
	return false;
}

void
access_close(struct access *access)
{
	access_rules_free(access->rules);
	identities_fini(&access->identities);
}

/* Give an identity what the rules grant to all who are known. */
static void
access_grant_general(const struct access *access, struct identity *identity)
{
	grants_fini(&identity->general);
	if (access->rules != NULL && !identity->is_guest &&
	    !identity->is_stranger)
		grants_add_for(&identity->general, &access->rules->general,
		    identity->sub, identity->sub_len);
}

/* Hold who came by a key to what the key grants now, or to its having gone. */
static void
access_renew_key(struct access *access, struct identity *identity)
{
	const struct api_key *key =
	    access->rules != NULL
		? api_keys_find(&access->rules->api_keys, identity->digest)
		: NULL;

	grants_fini(&identity->own);
	if (key != NULL)
		grants_add_for(&identity->own, &key->grants, "", 0);
	else if (!access_is_open(access))
		identities_end(&access->identities, identity);
}

/* A token need not outlast the key that it was verified with. */
static void
access_renew_token(struct access *access, struct identity *identity)
{
	const struct access_rules *rules = access->rules;

	if (!access_is_open(access) && rules->strict_rotation &&
	    jwk_set_find(&rules->keys, identity->key, identity->alg) == NULL)
		identities_end(&access->identities, identity);
}

void
access_apply_rules(struct access *access, struct identity *identity)
{
	access_grant_general(access, identity);
	if (identity->is_key)
		access_renew_key(access, identity);
	else if (!identity->is_guest && !identity->is_stranger)
		access_renew_token(access, identity);
}

bool
access_renew(struct access *access)
{
	struct identities *all = &access->identities;

	if (access->store == NULL ||
	    access_store_version(access->store) == access->version ||
	    !access_read(access))
		return false;
	identities_forget_all(all);
	for (uint32_t i = 0; i < all->max; i++)
		if (all->by_number[i] != NULL)
			access_apply_rules(access, all->by_number[i]);
	return true;
}

/* Count a token that is refused. */
static void
access_count_refused(struct access *access, enum jwt_status status)
{
	static const enum stats_id counters[JWT_STATUSES] = {
		[JWT_TOO_LONG] = STATS_TOKENS_MALFORMED,
		[JWT_MALFORMED] = STATS_TOKENS_MALFORMED,
		[JWT_BAD_HEADER] = STATS_TOKENS_MALFORMED,
		[JWT_UNKNOWN_KEY] = STATS_TOKENS_KEY,
		[JWT_BAD_SIGNATURE] = STATS_TOKENS_SIGNATURE,
		[JWT_EXPIRED] = STATS_TOKENS_EXPIRED,
		[JWT_NOT_YET] = STATS_TOKENS_EXPIRED,
		[JWT_WRONG_ISSUER] = STATS_TOKENS_CLAIMS,
		[JWT_WRONG_AUDIENCE] = STATS_TOKENS_CLAIMS,
		[JWT_BAD_CLAIM] = STATS_TOKENS_CLAIMS,
	};

	stats_add(access->stats, counters[status], 1);
}

/* Fill in a new identity.  Returns false with *why if its grants are none. */
static bool
access_fill(const struct access *access, struct identity *identity,
    const struct jwt_claims *claims, const char **why)
{
	identity->expires_s = claims->exp;
	identity->alg = claims->alg;
	memcpy(identity->key, claims->key->thumbprint, SHA256_LEN);
	identity->sub_len = (uint8_t)claims->sub_len;
	memcpy(identity->sub, claims->sub, claims->sub_len);
	if (claims->info != NULL)
		identities_keep_info(identity, claims->info, claims->info_len);
	access_grant_general(access, identity);
	return claims->grants == NULL ||
	       grants_add_object(
		   &identity->own, claims->grants, claims->grants_len, why);
}

/* Look into a token that is not known. */
static enum jwt_status
access_take_token(struct access *access, const char *token, size_t len,
    const uint8_t digest[SHA256_LEN], uint64_t now_s, uint32_t *number,
    const char **why)
{
	struct jwt_claims claims;
	struct identity *identity;
	enum jwt_status status = jwt_verify(&access->rules->keys,
	    &access->rules->policy, token, len, now_s, &claims);

	*why = jwt_reason(status);
	if (status != JWT_OK)
		return status;
	identity = identities_add(&access->identities, digest,
	    claims.exp + access->rules->policy.leeway_s);
	*why = "there are too many tokens at once";
	if (identity == NULL)
		return JWT_TOO_LONG;
	if (access_fill(access, identity, &claims, why)) {
		*number = identity->number;
		return JWT_OK;
	}
	/* It is known by no connection, and not to be found either. */
	identities_drop(&access->identities, identity);
	return JWT_BAD_CLAIM;
}

/* Find a key of a program, which has no dot in it as a token has. */
static enum jwt_status
access_take_key(struct access *access, const uint8_t digest[SHA256_LEN],
    uint32_t *number, const char **why)
{
	const struct api_key *key =
	    api_keys_find(&access->rules->api_keys, digest);
	struct identity *identity;

	*why = "it is neither a token nor a key of this server";
	if (key == NULL)
		return JWT_MALFORMED;
	identity = identities_add(&access->identities, digest, UINT64_MAX);
	*why = "there are too many tokens at once";
	if (identity == NULL)
		return JWT_TOO_LONG;
	identity->is_key = true;
	identity->expires_s = UINT64_MAX;
	identity->sub_len = key->name_len;
	memcpy(identity->sub, key->name, key->name_len);
	grants_add_for(&identity->own, &key->grants, "", 0);
	access_grant_general(access, identity);
	*number = identity->number;
	return JWT_OK;
}

/* Count what came of a credential. */
static enum access_verdict
access_count(struct access *access, enum jwt_status status)
{
	if (status == JWT_OK) {
		stats_add(access->stats, STATS_TOKENS_ACCEPTED, 1);
		return ACCESS_GOOD;
	}
	access_count_refused(access, status);
	return ACCESS_BAD;
}

enum access_verdict
access_recall(struct access *access, const char *credential, size_t len,
    uint64_t now_s, uint32_t *number, const char **why)
{
	struct identity *identity;
	uint8_t digest[SHA256_LEN];

	sha256(credential, len, digest);
	identity = identities_find(&access->identities, digest);
	if (identity == NULL)
		return ACCESS_UNKNOWN;
	if (now_s >= identity->until_s) {
		*why = jwt_reason(JWT_EXPIRED);
		return access_count(access, JWT_EXPIRED);
	}
	*number = identity->number;
	identities_hold(&access->identities, *number);
	return access_count(access, JWT_OK);
}

enum access_verdict
access_verify(struct access *access, const char *credential, size_t len,
    uint64_t now_s, uint32_t *number, const char **why)
{
	uint8_t digest[SHA256_LEN];
	enum jwt_status status;

	stats_add(access->stats, STATS_TOKENS_VERIFIED, 1);
	sha256(credential, len, digest);
	if (memchr(credential, '.', len) == NULL)
		status = access_take_key(access, digest, number, why);
	else
		status = access_take_token(
		    access, credential, len, digest, now_s, number, why);
	return access_count(access, status);
}

/* Those that come in one second are one identity, so its digest is that second;
 * no credential has such a one. */
uint32_t
access_guest(struct access *access, uint64_t now_s)
{
	/* A part of this second is over already: nobody gets less time. */
	uint64_t until_s = now_s + access->rules->auth_timeout_s + 1;
	uint8_t digest[SHA256_LEN] = { 0 };
	struct identity *identity;

	memcpy(digest, &until_s, sizeof(until_s));
	identity = identities_find(&access->identities, digest);
	if (identity != NULL) {
		identities_hold(&access->identities, identity->number);
		return identity->number;
	}
	identity = identities_add(&access->identities, digest, until_s);
	if (identity == NULL)
		return IDENTITY_NOBODY;
	identity->is_guest = true;
	return identity->number;
}

/* No credential has this digest: that would be one whose digest is the complement
 * of another's. */
uint32_t
access_stranger(struct access *access, const char *name, size_t len)
{
	uint8_t digest[SHA256_LEN];
	struct identity *identity;

	sha256(name, len, digest);
	for (size_t i = 0; i < SHA256_LEN; i++)
		digest[i] = (uint8_t)~digest[i];
	identity = identities_find(&access->identities, digest);
	if (identity != NULL) {
		identities_hold(&access->identities, identity->number);
		return identity->number;
	}
	identity = identities_add(&access->identities, digest, UINT64_MAX);
	if (identity == NULL)
		return IDENTITY_NOBODY;
	identity->is_stranger = true;
	identity->sub_len = (uint8_t)len;
	memcpy(identity->sub, name, len);
	return identity->number;
}

bool
access_takes_strangers(const struct access *access)
{
	return access_is_open(access) || access->rules->anonymous.kinds != 0;
}

void
access_hold(struct access *access, uint32_t number)
{
	if (number != IDENTITY_NOBODY)
		identities_hold(&access->identities, number);
}

void
access_release(struct access *access, uint32_t number)
{
	if (number != IDENTITY_NOBODY)
		identities_release(&access->identities, number);
}

bool
access_user(
    const struct access *access, uint32_t number, struct access_user *user)
{
	const struct identity *identity;

	memset(user, 0, sizeof(*user));
	if (number == IDENTITY_NOBODY)
		return false;
	identity = identities_of(&access->identities, number);
	if (identity->is_guest)
		return false;
	user->sub = identity->sub;
	user->sub_len = identity->sub_len;
	user->info = identity->info;
	user->info_len = identity->info_len;
	user->is_stranger = identity->is_stranger;
	return true;
}

/* Whether these kinds are allowed, by how grants are asked. */
static bool
access_allows_by(const struct access *access, uint32_t number, unsigned kinds,
    const char *text, size_t len,
    unsigned (*left)(const struct grants *grants, unsigned kinds,
	const char *text, size_t len))
{
	const struct identity *identity;

	if (access_is_open(access))
		return true;
	kinds = left(&access->rules->anonymous, kinds, text, len);
	if (kinds == 0 || number == IDENTITY_NOBODY)
		return kinds == 0;
	identity = identities_of(&access->identities, number);
	kinds = left(&identity->own, kinds, text, len);
	kinds = left(&identity->general, kinds, text, len);
	return kinds == 0;
}

bool
access_allows(const struct access *access, uint32_t number, unsigned kinds,
    const char *topic, size_t topic_len)
{
	return access_allows_by(
	    access, number, kinds, topic, topic_len, grants_left);
}

bool
access_allows_pattern(const struct access *access, uint32_t number,
    unsigned kinds, const char *pattern, size_t len)
{
	return access_allows_by(
	    access, number, kinds, pattern, len, grants_left_of_pattern);
}

bool
access_allows_some(const struct access *access, uint32_t number, unsigned kind)
{
	const struct identity *identity;

	if (access_is_open(access) ||
	    (access->rules->anonymous.kinds & kind) != 0)
		return true;
	if (number == IDENTITY_NOBODY)
		return false;
	identity = identities_of(&access->identities, number);
	return ((identity->own.kinds | identity->general.kinds) & kind) != 0;
}
