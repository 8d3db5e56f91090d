/* SPDX-License-Identifier: MIT */
/*
 * tls_certs.h - the certificates of a server, ready for handshakes.
 *
 *	PEM texts --> tls_certs_new() --> one SSL_CTX per name or set of names
 *
 * What is offered is the same for all of them: TLS 1.3, and TLS 1.2 with
 * ephemeral keys and AEAD ciphers; ALPN knows http/1.1 alone; nothing is
 * compressed; a client cannot renegotiate.  The client's SNI selects the first
 * certificate that has the name, else the first of all.  A pair that differs
 * from the one before it only by the kind of its key (RSA, ECDSA) stands beside
 * it, and each client gets the one that it can check.
 *
 * OpenSSL does all of it; here is only what it is told.  No file is opened, so a
 * confined worker can call this too.
 */

#ifndef COMMON_TLS_CERTS_H
#define COMMON_TLS_CERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define TLS_CERTS_MAX      16          /* pairs */
#define TLS_CERTS_TEXT_MAX (64 * 1024) /* bytes of a PEM text */
#define TLS_CERTS_WHY_MAX  160         /* bytes of a reason, NUL included */

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct tls_certs;

/* A certificate with its chain, and its key, as PEM.  Borrowed. */
struct tls_pair {
	const char *cert, *key;
	size_t cert_len, key_len; /* bytes, no NUL counted */
};

/* What was wrong with which. */
struct tls_certs_error {
	size_t pair; /* index */
	bool is_key; /* its key, not its certificate */
	char why[TLS_CERTS_WHY_MAX];
};

/* Called for each context before it is used, to set what is the caller's. */
typedef void tls_certs_setup_fn(struct ssl_ctx_st *ctx, void *arg);

/*
 * Make contexts of 1..TLS_CERTS_MAX pairs.  only_1_3: do not offer TLS 1.2.
 * setup may be NULL.
 * Returns: NULL with *error set if one cannot be used: not PEM, a key that is
 *          not its certificate's, too weak, or locked by a passphrase.
 * Owns:    the caller, tls_certs_free().  Connections keep what they use.
 */
struct tls_certs *tls_certs_new(const struct tls_pair *pairs, size_t count,
    bool only_1_3, tls_certs_setup_fn *setup, void *arg,
    struct tls_certs_error *error);

/* Whether all of them are valid at that time; if not, *error says which is
 * not. */
bool tls_certs_are_valid(
    const struct tls_certs *certs, time_t now, struct tls_certs_error *error);

/* The context for a connection to begin with.  Borrowed. */
struct ssl_ctx_st *tls_certs_first(const struct tls_certs *certs);

/* Free it; NULL is nothing. */
void tls_certs_free(struct tls_certs *certs);

#endif
