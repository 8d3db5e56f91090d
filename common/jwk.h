/* SPDX-License-Identifier: MIT */
/*
 * jwk.h - a key that tokens are verified with (RFC 7517, 7518, 8037).
 *
 * The kind of a key fixes which algorithms it can be used with, so a token can
 * never choose: an RSA key is never taken for an HMAC secret, whatever the
 * token's header says.
 *
 *	oct, 32 bytes or more		HS256
 *	RSA, 2048 to 8192 bits		RS256, PS256
 *	EC, P-256			ES256
 *	OKP, Ed25519			EdDSA (RFC 8037), Ed25519 (RFC 9864)
 *
 * OpenSSL has the cryptography; this module makes its keys of the numbers in a
 * key file, and refuses those that are weak.
 */

#ifndef COMMON_JWK_H
#define COMMON_JWK_H

#include "common/jose_object.h"
#include "common/sha256.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JWK_KID_MAX    256u  /* bytes of a key's name, decoded */
#define JWK_SECRET_MAX 1024u /* bytes of an HMAC secret */
#define JWK_SECRET_MIN 32u   /* RFC 7518, 3.2: as long as the hash */
#define JWK_RSA_MIN    2048  /* bits of the modulus; RFC 7518, 3.3 */
#define JWK_RSA_MAX    8192

#define JWK_P256_LEN    32u /* bytes of a coordinate */
#define JWK_ED25519_LEN 32u /* bytes of a public key */

/* Algorithms, as bits. */
enum jwk_alg {
	JWK_HS256 = 1 << 0,
	JWK_RS256 = 1 << 1,
	JWK_PS256 = 1 << 2,
	JWK_ES256 = 1 << 3,
	JWK_EDDSA = 1 << 4, /* by either of its names */
};

/* A secret that signs and verifies.  Its own type, so that no code can mistake
 * the bytes of a public key for it. */
struct jwk_secret {
	size_t len; /* 0: there is none */
	unsigned char bytes[JWK_SECRET_MAX];
};

/* A key that only verifies. */
struct jwk_public {
	EVP_PKEY *key; /* owned; NULL: there is none */
};

struct jwk {
	unsigned algs; /* enum jwk_alg, or-ed: what it may be used with */
	struct jwk_secret *secret; /* owned; exactly one of these two */
	struct jwk_public public;
	bool has_kid;
	size_t kid_len;
	char kid[JWK_KID_MAX];          /* not NUL-terminated */
	uint8_t thumbprint[SHA256_LEN]; /* of keys of a set */
};

/* The kinds of keys that are known. */
enum jwk_kind { JWK_OTHER = 0, JWK_OCT, JWK_RSA, JWK_EC, JWK_OKP };

/* The kind and curve of a JWK; JWK_OTHER if it is none that is known here. */
enum jwk_kind jwk_kind_of(const struct jose_object *jwk);

/* All algorithms of a kind. */
unsigned jwk_algs_of(enum jwk_kind kind);

/*
 * Make a verifying key of a JWK of one of the kinds but JWK_OCT.
 * Owns: the caller, EVP_PKEY_free().
 * Returns: NULL with *why a static sentence.
 */
EVP_PKEY *jwk_public_make(
    const struct jose_object *jwk, enum jwk_kind kind, const char **why);

/*
 * Make a signing key of the same kinds: the JWK has the private member "d".
 * Owns: the caller, EVP_PKEY_free().
 * Returns: NULL with *why.
 */
EVP_PKEY *jwk_private_make(
    const struct jose_object *jwk, enum jwk_kind kind, const char **why);

/* Read the secret of a JWK_OCT.  Owns: the caller, jwk_secret_free().
 * Returns: NULL with *why. */
struct jwk_secret *jwk_secret_make(
    const struct jose_object *jwk, const char **why);

/* Wipe and free; NULL is none. */
void jwk_secret_free(struct jwk_secret *secret);

/* Whether OpenSSL's key, which came from elsewhere, is one that is taken, and
 * of which kind.  Returns JWK_OTHER with *why. */
enum jwk_kind jwk_judge(EVP_PKEY *key, const char **why);

/*
 * The thumbprint of a key by SHA-256 (RFC 7638, 3): the same for one key however
 * it is written, named, and narrowed.  Pure.
 * Returns: false if OpenSSL does not tell the numbers of the key.
 */
bool jwk_thumbprint(const struct jwk *key, uint8_t thumbprint[SHA256_LEN]);

/* Wipe and free a key with all that it owns. */
void jwk_free(struct jwk *key);

/* The algorithm of this name (RFC 7518, 8037, 9864; upper and lower case
 * differ), or 0. */
unsigned jwk_alg_named(const char *name, size_t len);

/* The name of the first of these algorithms, static; NULL: there is none. */
const char *jwk_alg_name(unsigned algs);

#endif
