/* SPDX-License-Identifier: MIT */
/*
 * tls_store.h - certificates and ticket keys, from the supervisor to the
 * workers.
 *
 * One piece of memory without a name, made before the first fork and shared by
 * the supervisor and all its workers, those that start later included.  The
 * supervisor alone writes it; workers may not open the files that it read.
 *
 *	field          written by    an unlocked read is safe because
 *	version        supervisor    atomic; odd while the rest is being written
 *	the rest       supervisor    copied, then version is looked at again
 *
 * Certificates and ticket keys have a version of their own, because the keys
 * change by themselves every hour.
 */

#ifndef BROKER_SHARED_TLS_STORE_H
#define BROKER_SHARED_TLS_STORE_H

#include "common/tls_certs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tickets are made with the newest key, and taken with any of these. */
#define TLS_STORE_KEYS 3

/* How long a key is the newest, seconds; so a ticket is good for two to three
 * times as long. */
#define TLS_STORE_KEY_S 3600

struct tls_store;

/* A key of session tickets (RFC 5077, section 4). */
struct tls_ticket_key {
	uint8_t name[16];
	uint8_t cipher[32]; /* AES-256 */
	uint8_t mac[32];    /* HMAC-SHA-256 */
};

/* An empty one; or that of a descriptor (shared_memory.h), if fd is not -1.
 * Returns NULL, with errno, if there is no memory. */
struct tls_store *tls_store_open(int fd);
void tls_store_close(struct tls_store *store);

/* Publish these pairs, 1..TLS_CERTS_MAX with texts of at most
 * TLS_CERTS_TEXT_MAX bytes.  Callers: the supervisor. */
void tls_store_put(
    struct tls_store *store, const struct tls_pair *pairs, size_t count);

/* Make another key the newest, and forget the oldest.  Callers: the
 * supervisor. */
void tls_store_rotate(struct tls_store *store);

/* The version of the certificates: another number, other certificates. */
uint32_t tls_store_version(const struct tls_store *store);

/*
 * Copy the pairs.
 * Owns:    the caller; *texts holds what pairs point to, tls_store_wipe().
 * Returns: how many; 0 if the supervisor is just writing them, or died at it.
 */
size_t tls_store_get(const struct tls_store *store,
    struct tls_pair pairs[TLS_CERTS_MAX], char **texts, uint32_t *version);

/* Overwrite the keys of tls_store_get(), and free the texts. */
void tls_store_wipe(char **texts, const struct tls_pair *pairs, size_t count);

/* Copy the ticket keys, the newest first.  Returns how many; 0 as above. */
size_t tls_store_keys(
    const struct tls_store *store, struct tls_ticket_key keys[TLS_STORE_KEYS]);

#endif
