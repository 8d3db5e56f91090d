/* SPDX-License-Identifier: MIT */
/*
 * jwt_sign.h - make tokens, for trying out and for tests.
 *
 * The server itself never signs: no private key ever belongs into it.
 */

#ifndef COMMON_JWT_SIGN_H
#define COMMON_JWT_SIGN_H

#include "common/jwk_set.h"

#include <stdbool.h>
#include <stddef.h>

#define JWT_ALG_NAME_MAX 15u /* bytes of the name of an algorithm */

/* A key that signs. */
struct jwt_signer {
	unsigned algs; /* enum jwk_alg: what it may be used with */
	char alg_name[JWT_ALG_NAME_MAX + 1]; /* the one that its JWK says, or
	                                      * the usual one of these */
	struct jwk_secret *secret; /* owned; exactly one of these two */
	EVP_PKEY *private;         /* owned */
	bool has_kid;
	size_t kid_len;
	char kid[JWK_KID_MAX];
};

/*
 * Read a signing key: PEM (PRIVATE KEY), or a JWK that is private or an HMAC
 * secret.  The text may be overwritten afterwards; what is kept of it OpenSSL
 * wipes.
 * Owns: the caller, jwt_signer_fini().
 * Returns: true; or false with *why a static sentence and nothing to free.
 */
bool jwt_signer_read(
    struct jwt_signer *signer, const char *text, size_t len, const char **why);
void jwt_signer_fini(struct jwt_signer *signer);

/* Bytes of a token of these. */
#define JWT_SIGNED_MAX(header_len, payload_len) \
	(2 * ((header_len) + (payload_len)) + 2 * JWK_RSA_MAX / 8)

/*
 * Sign a header and a payload as they are, by one of the signer's algorithms;
 * the header need not say the truth.  out has room for JWT_SIGNED_MAX bytes.
 * Returns: the length of the token; 0 if OpenSSL refused.
 */
size_t jwt_sign(const struct jwt_signer *signer, unsigned alg,
    const char *header, size_t header_len, const char *payload,
    size_t payload_len, char *out);

#endif
