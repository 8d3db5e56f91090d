/* SPDX-License-Identifier: MIT */
/* tls_ticket.c - see tls_ticket.h. */

#include "worker/net/tls_ticket.h"

#include "broker/shared/tls_store.h"
#include "common/bug.h"
#include "common/xmalloc.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#define TICKET_IV_LEN 16

struct tls_tickets {
	const struct tls_store *store;
	EVP_CIPHER *cipher; /* fetched once: that takes longer than using it */
};

struct tls_tickets *
tls_ticket_open(const struct tls_store *store)
{
	struct tls_tickets *tickets = xcalloc(1, sizeof(*tickets));

	tickets->store = store;
	tickets->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	CHECK(tickets->cipher != NULL);
	return tickets;
}

void
tls_ticket_close(struct tls_tickets *tickets)
{
	EVP_CIPHER_free(tickets->cipher);
	free(tickets);
}

static bool
ticket_set_mac(EVP_MAC_CTX *mac, struct tls_ticket_key *key)
{
	static char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_octet_string(
		    OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
		OSSL_PARAM_utf8_string(
		    OSSL_MAC_PARAM_DIGEST, digest, sizeof(digest) - 1),
		OSSL_PARAM_END,
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* Make a ticket with this key.  Returns as the callback does. */
static int
ticket_make(const struct tls_tickets *tickets, struct tls_ticket_key *key,
    unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac)
{
	if (RAND_bytes(iv, TICKET_IV_LEN) != 1)
		return -1;
	memcpy(name, key->name, sizeof(key->name));
	return EVP_EncryptInit_ex2(
		   cipher, tickets->cipher, key->cipher, iv, NULL) == 1 &&
	               ticket_set_mac(mac, key)
	           ? 1
	           : -1;
}

/* Take a ticket with the key of its name; one of an older key is replaced. */
static int
ticket_take(const struct tls_tickets *tickets, struct tls_ticket_key *keys,
    size_t count, const unsigned char name[16], unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	for (size_t i = 0; i < count; i++) {
		if (memcmp(name, keys[i].name, sizeof(keys[i].name)) != 0)
			continue;
		if (EVP_DecryptInit_ex2(cipher, tickets->cipher, keys[i].cipher,
			iv, NULL) != 1 ||
		    !ticket_set_mac(mac, &keys[i]))
			return -1;
		return i == 0 ? 1 : 2;
	}
	return 0;
}

/* What OpenSSL asks: SSL_CTX_set_tlsext_ticket_key_evp_cb(3). */
static int
ticket_cb(SSL *ssl, unsigned char name[16], unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int makes)
{
	const struct tls_tickets *tickets =
	    SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct tls_ticket_key keys[TLS_STORE_KEYS];
	size_t count = tls_store_keys(tickets->store, keys);
	int result = 0;

	if (makes == 0)
		result =
		    ticket_take(tickets, keys, count, name, iv, cipher, mac);
	else if (count > 0)
		result = ticket_make(tickets, &keys[0], name, iv, cipher, mac);
	explicit_bzero(keys, sizeof(keys));
	return result;
}

void
tls_ticket_setup(struct ssl_ctx_st *ctx, void *arg)
{
	SSL_CTX_set_app_data(ctx, arg);
	CHECK(SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_cb) == 1);
	SSL_CTX_set_timeout(ctx, (TLS_STORE_KEYS - 1) * TLS_STORE_KEY_S);
}
