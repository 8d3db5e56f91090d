/* SPDX-License-Identifier: MIT */
/* tls_store.c - see tls_store.h. */

#include "broker/shared/tls_store.h"

#include "broker/shared/shared_memory.h"
#include "broker/shared/version.h"
#include "common/bug.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

struct tls_store_pair {
	uint32_t cert_len, key_len;
	char cert[TLS_CERTS_TEXT_MAX];
	char key[TLS_CERTS_TEXT_MAX];
};

struct tls_store {
	_Atomic uint32_t version;
	uint32_t pairs_count;
	_Atomic uint32_t keys_version;
	uint32_t keys_count;
	struct tls_ticket_key keys[TLS_STORE_KEYS]; /* the newest first */
	/* The memory that is not written is not there. */
	struct tls_store_pair pairs[TLS_CERTS_MAX];
};

struct tls_store *
tls_store_open(int fd)
{
	return shared_memory_map(fd, sizeof(struct tls_store));
}

void
tls_store_close(struct tls_store *store)
{
	if (store != NULL)
		munmap(store, sizeof(*store));
}

void
tls_store_put(
    struct tls_store *store, const struct tls_pair *pairs, size_t count)
{
	CHECK(count > 0 && count <= TLS_CERTS_MAX);
	version_begin(&store->version);
	for (size_t i = 0; i < count; i++) {
		struct tls_store_pair *to = &store->pairs[i];

		CHECK(pairs[i].cert_len <= sizeof(to->cert) &&
		      pairs[i].key_len <= sizeof(to->key));
		to->cert_len = (uint32_t)pairs[i].cert_len;
		to->key_len = (uint32_t)pairs[i].key_len;
		memcpy(to->cert, pairs[i].cert, pairs[i].cert_len);
		memcpy(to->key, pairs[i].key, pairs[i].key_len);
	}
	store->pairs_count = (uint32_t)count;
	version_end(&store->version);
}

void
tls_store_rotate(struct tls_store *store)
{
	struct tls_ticket_key key;

	/* getrandom(2) fills up to 256 bytes without fail. */
	CHECK(getrandom(&key, sizeof(key), 0) == (ssize_t)sizeof(key));
	version_begin(&store->keys_version);
	memmove(&store->keys[1], &store->keys[0],
	    sizeof(store->keys) - sizeof(store->keys[0]));
	store->keys[0] = key;
	if (store->keys_count < TLS_STORE_KEYS)
		store->keys_count++;
	version_end(&store->keys_version);
	explicit_bzero(&key, sizeof(key));
}

uint32_t
tls_store_version(const struct tls_store *store)
{
	return version_look(&store->version);
}

/* Copy a text, if its length can be. */
static void
store_copy(char *to, size_t *to_len, const char *from, uint32_t len)
{
	*to_len = len <= TLS_CERTS_TEXT_MAX ? len : 0;
	memcpy(to, from, *to_len);
}

size_t
tls_store_get(const struct tls_store *store,
    struct tls_pair pairs[TLS_CERTS_MAX], char **texts, uint32_t *version)
{
	size_t count;
	char *at;

	*version = tls_store_version(store);
	count = store->pairs_count;
	at = *texts = xcalloc(2 * TLS_CERTS_MAX, TLS_CERTS_TEXT_MAX);
	if (count > TLS_CERTS_MAX)
		count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct tls_store_pair *from = &store->pairs[i];

		pairs[i].cert = at;
		store_copy(at, &pairs[i].cert_len, from->cert, from->cert_len);
		at += pairs[i].cert_len;
		pairs[i].key = at;
		store_copy(at, &pairs[i].key_len, from->key, from->key_len);
		at += pairs[i].key_len;
	}
	return version_is_still(&store->version, *version) ? count : 0;
}

void
tls_store_wipe(char **texts, const struct tls_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		explicit_bzero(
		    *texts + (pairs[i].key - *texts), pairs[i].key_len);
	free(*texts);
	*texts = NULL;
}

size_t
tls_store_keys(
    const struct tls_store *store, struct tls_ticket_key keys[TLS_STORE_KEYS])
{
	uint32_t version = version_look(&store->keys_version);
	size_t count = store->keys_count;

	memcpy(keys, store->keys, sizeof(store->keys));
	if (count > TLS_STORE_KEYS ||
	    !version_is_still(&store->keys_version, version))
		return 0;
	return count;
}
