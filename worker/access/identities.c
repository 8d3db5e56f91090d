/* SPDX-License-Identifier: MIT */
/* identities.c - see identities.h. */

#include "worker/access/identities.h"

#include "common/json.h"

#include <stdlib.h>
#include <string.h>

void
identities_init(struct identities *all)
{
	memset(all, 0, sizeof(*all));
	all->free_from = IDENTITY_NOBODY + 1;
	all->due_s = UINT64_MAX;
	TAILQ_INIT(&all->unused);
}

static size_t
identity_bytes(const struct identity *identity)
{
	return sizeof(*identity) + identity->own.len + identity->general.len +
	       identity->info_len;
}

static void
identity_free(struct identities *all, struct identity *identity)
{
	if (identity->is_listed)
		HASH_DELETE(hh, all->by_digest, identity);
	all->by_number[identity->number] = NULL;
	if (identity->number < all->free_from)
		all->free_from = identity->number;
	all->count--;
	grants_fini(&identity->own);
	grants_fini(&identity->general);
	free(identity->info);
	free(identity);
}

void
identities_fini(struct identities *all)
{
	for (uint32_t i = 0; i < all->max; i++)
		if (all->by_number[i] != NULL)
			identity_free(all, all->by_number[i]);
	free(all->by_number);
}

struct identity *
identities_find(const struct identities *all, const uint8_t digest[SHA256_LEN])
{
	struct identity *identity;

	HASH_FIND(hh, all->by_digest, digest, SHA256_LEN, identity);
	return identity;
}

/* Have room for that number, and perhaps more. */
static void
identities_reach(struct identities *all, uint32_t number)
{
	uint32_t max = all->max;

	if (number < max)
		return;
	all->max = number * 2 + 64;
	all->by_number =
	    xreallocarray(all->by_number, all->max, sizeof(struct identity *));
	memset(all->by_number + max, 0,
	    (all->max - max) * sizeof(struct identity *));
}

/* A free number, or IDENTITY_NOBODY. */
static uint32_t
identities_number(struct identities *all)
{
	uint32_t number = all->free_from;

	while (number < all->max && all->by_number[number] != NULL)
		number++;
	if (number > IDENTITY_MASK)
		return IDENTITY_NOBODY;
	all->free_from = number + 1;
	identities_reach(all, number);
	return number;
}

/* When the connections of an identity have to be looked at, if not before. */
static void
identities_expect(struct identities *all, const struct identity *identity)
{
	uint64_t at = identity->until_s > IDENTITY_WARN_S
	                  ? identity->until_s - IDENTITY_WARN_S
	                  : 0;

	if (at < all->looked_s + 1)
		at = all->looked_s + 1;
	if (at < all->due_s)
		all->due_s = at;
}

/* One of that number, which nobody has. */
static struct identity *
identities_put(struct identities *all, uint32_t number, uint64_t until_s)
{
	struct identity *identity = xcalloc(1, sizeof(*identity));

	identity->number = number;
	all->by_number[number] = identity;
	all->count++;
	identity->until_s = until_s;
	identities_expect(all, identity);
	return identity;
}

struct identity *
identities_add(
    struct identities *all, const uint8_t digest[SHA256_LEN], uint64_t until_s)
{
	uint32_t number = identities_number(all);
	struct identity *identity;

	if (number == IDENTITY_NOBODY)
		return NULL;
	identity = identities_put(all, number, until_s);
	memcpy(identity->digest, digest, SHA256_LEN);
	identity->is_listed = true;
	HASH_ADD(hh, all->by_digest, digest, SHA256_LEN, identity);
	identity->holders = 1;
	return identity;
}

/* Until the first holder comes it is not among those that are unused: they can be
 * found by their digest. */
struct identity *
identities_adopt(struct identities *all, uint32_t number, uint64_t until_s)
{
	if (number == IDENTITY_NOBODY || number > IDENTITY_MASK ||
	    identities_has(all, number))
		return NULL;
	identities_reach(all, number);
	return identities_put(all, number, until_s);
}

void
identities_adopted(struct identities *all)
{
	for (uint32_t i = 0; i < all->max; i++) {
		struct identity *identity = all->by_number[i];

		if (identity != NULL && identity->holders == 0 &&
		    !identity->is_listed)
			identity_free(all, identity);
	}
}

/* Take it out of those that nobody holds. */
static void
identities_use(struct identities *all, struct identity *identity)
{
	TAILQ_REMOVE(&all->unused, identity, link);
	all->unused_bytes -= identity_bytes(identity);
}

void
identities_hold(struct identities *all, uint32_t number)
{
	struct identity *identity = all->by_number[number];

	identities_expect(all, identity);
	if (identity->holders++ == 0 && identity->is_listed)
		identities_use(all, identity);
}

void
identities_release(struct identities *all, uint32_t number)
{
	struct identity *identity = all->by_number[number];

	CHECK(identity->holders > 0);
	if (--identity->holders > 0)
		return;
	if (!identity->is_listed) {
		identity_free(all, identity);
		return;
	}
	TAILQ_INSERT_TAIL(&all->unused, identity, link);
	all->unused_bytes += identity_bytes(identity);
	while (all->unused_bytes > IDENTITIES_UNUSED_MAX) {
		identity = TAILQ_FIRST(&all->unused);
		identities_use(all, identity);
		identity_free(all, identity);
	}
}

void
identities_forget_all(struct identities *all)
{
	struct identity *identity, *next;

	HASH_ITER(hh, all->by_digest, identity, next) {
		HASH_DELETE(hh, all->by_digest, identity);
		identity->is_listed = false;
		if (identity->holders > 0)
			continue;
		identities_use(all, identity);
		identity_free(all, identity);
	}
}

void
identities_keep_info(struct identity *identity, const char *info, size_t len)
{
	char *copy = xmalloc(len);

	CHECK(identity->info == NULL && len <= JWT_INFO_MAX);
	json_normalise(info, len, copy);
	identity->info_len = (uint16_t)json_compact(copy, len, copy);
	identity->info = copy;
}

void
identities_drop(struct identities *all, struct identity *identity)
{
	CHECK(identity->holders == 1);
	identity_free(all, identity);
}

void
identities_looked(struct identities *all, uint64_t now_s)
{
	all->due_s = UINT64_MAX;
	all->looked_s = now_s;
	for (uint32_t i = 0; i < all->max; i++) {
		const struct identity *identity = all->by_number[i];

		if (identity == NULL || identity->until_s <= now_s)
			continue;
		if (identity->until_s - now_s > IDENTITY_WARN_S)
			identities_expect(all, identity);
		else if (identity->until_s < all->due_s)
			all->due_s = identity->until_s;
	}
}

void
identities_end(struct identities *all, struct identity *identity)
{
	identity->until_s = 0;
	all->due_s = 0;
}
