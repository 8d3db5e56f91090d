/* SPDX-License-Identifier: MIT */
/* tls_certs.c - see tls_certs.h. */

#include "common/tls_certs.h"

#include "common/bug.h"
#include "common/xmalloc.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Forward secrecy and an AEAD: what RFC 9325 (section 4.2) recommends. */
#define CERTS_CIPHERS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"

static char certs_groups[] = "X25519:P-256:P-384";

/* Sessions of another server are not ours. */
static const unsigned char certs_session_id[] = "pubsubd";

/* The protocols that ALPN (RFC 7301) may choose, as it writes them. */
static const unsigned char certs_alpn[] = "\x08http/1.1";

struct tls_certs {
	SSL_CTX *ctx[TLS_CERTS_MAX]; /* owned; those of one name are one */
	X509 *cert[TLS_CERTS_MAX];   /* owned; of each pair */
	size_t ctx_of[TLS_CERTS_MAX];
	size_t pairs, contexts;
};

/* Note what is wrong, in OpenSSL's words if `why' is NULL.  Returns false. */
static bool
certs_fail(struct tls_certs_error *error, bool is_key, const char *why)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	error->is_key = is_key;
	snprintf(error->why, sizeof(error->why), "%s",
	    why != NULL      ? why
	    : reason != NULL ? reason
			     : "cannot be used");
	ERR_clear_error();
	return false;
}

static int
certs_alpn_cb(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned in_len, void *arg)
{
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_len, certs_alpn,
		sizeof(certs_alpn) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* The client names the host that it wants: RFC 6066, section 3. */
static int
certs_name_cb(SSL *ssl, int *alert, void *arg)
{
	const struct tls_certs *certs = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	if (name == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	for (size_t i = 0; i < certs->pairs; i++)
		if (X509_check_host(
			certs->cert[i], name, strlen(name), 0, NULL) == 1) {
			SSL_set_SSL_CTX(ssl, certs->ctx[certs->ctx_of[i]]);
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_NOACK;
}

/* A context without a certificate. */
static SSL_CTX *
certs_context(struct tls_certs *certs, bool only_1_3)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	CHECK(ctx != NULL);
	SSL_CTX_set_min_proto_version(
	    ctx, only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
	CHECK(SSL_CTX_set_cipher_list(ctx, CERTS_CIPHERS_1_2) == 1 &&
	      SSL_CTX_set1_groups_list(ctx, certs_groups) == 1);
	/* A peer that ends the connection without a close_notify has ended it:
	 * what it sent has lengths of its own, so nothing is cut in silence. */
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
		     SSL_OP_CIPHER_SERVER_PREFERENCE |
		     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets */
	SSL_CTX_set_session_id_context(
	    ctx, certs_session_id, sizeof(certs_session_id) - 1);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_alpn_select_cb(ctx, certs_alpn_cb, NULL);
	SSL_CTX_set_tlsext_servername_callback(ctx, certs_name_cb);
	SSL_CTX_set_tlsext_servername_arg(ctx, certs);
	return ctx;
}

/* Nobody is there to type a passphrase. */
static int
certs_no_passphrase_cb(char *buf, int size, int writing, void *arg)
{
	bool *was_asked = arg;

	(void)buf;
	(void)size;
	(void)writing;
	*was_asked = true;
	return -1;
}

/* Read a text of at most TLS_CERTS_TEXT_MAX bytes. */
static BIO *
certs_bio(const char *text, size_t len)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);

	CHECK(bio != NULL);
	return bio;
}

static EVP_PKEY *
certs_read_key(const struct tls_pair *pair, struct tls_certs_error *error)
{
	BIO *bio = certs_bio(pair->key, pair->key_len);
	bool was_asked = false;
	EVP_PKEY *key;

	key = PEM_read_bio_PrivateKey(
	    bio, NULL, certs_no_passphrase_cb, &was_asked);
	BIO_free(bio);
	if (key == NULL)
		certs_fail(error, true,
		    was_asked ? "is locked by a passphrase, which nobody is "
				"there to type"
			      : "holds no private key in PEM");
	return key;
}

/* Take the rest of the text as the chain of the certificate set last. */
static bool
certs_read_chain(SSL_CTX *ctx, BIO *bio, struct tls_certs_error *error)
{
	X509 *issuer;
	bool ok = true;

	SSL_CTX_clear_chain_certs(ctx);
	while (
	    ok && (issuer = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		ok = SSL_CTX_add1_chain_cert(ctx, issuer) == 1;
		X509_free(issuer);
	}
	if (!ok || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return certs_fail(error, false, NULL);
	ERR_clear_error(); /* the end of the text */
	return true;
}

/* Whether both are for the same names, by keys of different kinds. */
static bool
certs_go_together(const X509 *a, const X509 *b)
{
	int at_a = X509_get_ext_by_NID(a, NID_subject_alt_name, -1);
	int at_b = X509_get_ext_by_NID(b, NID_subject_alt_name, -1);

	return at_a >= 0 && at_b >= 0 &&
	       ASN1_OCTET_STRING_cmp(
		   X509_EXTENSION_get_data(X509_get_ext(a, at_a)),
		   X509_EXTENSION_get_data(X509_get_ext(b, at_b))) == 0 &&
	       EVP_PKEY_get_base_id(X509_get0_pubkey(a)) !=
	           EVP_PKEY_get_base_id(X509_get0_pubkey(b));
}

/* The context for the certificate of this pair: that of the pair before, or a new
 * one. */
static SSL_CTX *
certs_context_for(struct tls_certs *certs, size_t pair, bool only_1_3)
{
	if (pair == 0 ||
	    !certs_go_together(certs->cert[pair - 1], certs->cert[pair]))
		certs->ctx[certs->contexts++] = certs_context(certs, only_1_3);
	certs->ctx_of[pair] = certs->contexts - 1;
	return certs->ctx[certs->ctx_of[pair]];
}

/* Put the certificate and its key to use.  The chain is still in bio. */
static bool
certs_use(SSL_CTX *ctx, X509 *cert, EVP_PKEY *key, BIO *bio,
    struct tls_certs_error *error)
{
	if (X509_check_private_key(cert, key) != 1)
		return certs_fail(
		    error, true, "is not the key of the certificate");
	if (SSL_CTX_use_certificate(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, key) != 1)
		return certs_fail(error, false, NULL);
	return certs_read_chain(ctx, bio, error);
}

static bool
certs_add(struct tls_certs *certs, const struct tls_pair *pair, bool only_1_3,
    struct tls_certs_error *error)
{
	BIO *bio = certs_bio(pair->cert, pair->cert_len);
	X509 *cert = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
	EVP_PKEY *key = NULL;
	bool ok = false;

	error->pair = certs->pairs;
	if (cert == NULL) {
		certs_fail(error, false, "holds no certificate in PEM");
	} else {
		certs->cert[certs->pairs++] = cert;
		key = certs_read_key(pair, error);
	}
	if (key != NULL)
		ok = certs_use(
		    certs_context_for(certs, certs->pairs - 1, only_1_3), cert,
		    key, bio, error);
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	return ok;
}

struct tls_certs *
tls_certs_new(const struct tls_pair *pairs, size_t count, bool only_1_3,
    tls_certs_setup_fn *setup, void *arg, struct tls_certs_error *error)
{
	struct tls_certs *certs = xcalloc(1, sizeof(*certs));

	CHECK(count > 0 && count <= TLS_CERTS_MAX);
	for (size_t i = 0; i < count; i++)
		if (!certs_add(certs, &pairs[i], only_1_3, error)) {
			tls_certs_free(certs);
			return NULL;
		}
	for (size_t i = 0; setup != NULL && i < certs->contexts; i++)
		setup(certs->ctx[i], arg);
	return certs;
}

/* A time of a certificate, for people. */
static void
certs_date(const ASN1_TIME *time, char out[32])
{
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	ASN1_TIME_to_tm(time, &tm);
	strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

bool
tls_certs_are_valid(
    const struct tls_certs *certs, time_t now, struct tls_certs_error *error)
{
	char date[32];

	for (size_t i = 0; i < certs->pairs; i++) {
		const ASN1_TIME *end = X509_get0_notAfter(certs->cert[i]);
		const ASN1_TIME *begin = X509_get0_notBefore(certs->cert[i]);
		bool is_over = X509_cmp_time(end, &now) <= 0;

		if (!is_over && X509_cmp_time(begin, &now) <= 0)
			continue;
		error->pair = i;
		error->is_key = false;
		certs_date(is_over ? end : begin, date);
		snprintf(error->why, sizeof(error->why), "%s %s",
		    is_over ? "expired on" : "is not valid before", date);
		return false;
	}
	return true;
}

struct ssl_ctx_st *
tls_certs_first(const struct tls_certs *certs)
{
	return certs->ctx[0];
}

void
tls_certs_free(struct tls_certs *certs)
{
	if (certs == NULL)
		return;
	for (size_t i = 0; i < certs->contexts; i++)
		SSL_CTX_free(certs->ctx[i]);
	for (size_t i = 0; i < certs->pairs; i++)
		X509_free(certs->cert[i]);
	free(certs);
}
