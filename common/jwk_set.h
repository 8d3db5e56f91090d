/* SPDX-License-Identifier: MIT */
/*
 * jwk_set.h - key files: PEM (public keys), a JWK, or a JWKS (RFC 7517).
 *
 * The members alg, use and key_ops of a JWK only narrow what its kind allows.
 * Nothing is read from a file or a network here: x5c, x5u and the like mean
 * nothing.
 */

#ifndef COMMON_JWK_SET_H
#define COMMON_JWK_SET_H

#include "common/jwk.h"

#include <stdbool.h>
#include <stddef.h>

#define JWK_KEYS_MAX 64u           /* of a set */
#define JWK_TEXT_MAX (256u * 1024) /* bytes of a key file */
#define JWK_WHY_MAX  120           /* bytes of a reason */

struct jwk_set {
	size_t count;
	struct jwk *keys[JWK_KEYS_MAX]; /* owned */
};

/* What is wrong with a key file, for its operator. */
struct jwk_fault {
	unsigned line;         /* from 1 */
	char why[JWK_WHY_MAX]; /* without anything of a secret */
};

/* An empty set.  Owns: the caller, until jwk_set_fini(). */
void jwk_set_init(struct jwk_set *set);

/* Forget all keys; secrets are wiped. */
void jwk_set_fini(struct jwk_set *set);

/*
 * Add the keys of a file to a set.  A key of a set that is for something else
 * (use "enc", an unknown kty, curve or alg) is left out, as RFC 7517, section 5
 * asks.  A key that is broken, weak, not a point of its curve, private, or has
 * the kid of another key of the set makes the whole file refused.
 * Pure, except that OpenSSL may load its configuration at its first use.
 * Returns: true; or false with *fault filled in and the set as it was.
 */
bool jwk_set_add(
    struct jwk_set *set, const char *text, size_t len, struct jwk_fault *fault);

/* The key of this thumbprint that may be used with this algorithm, or NULL. */
const struct jwk *jwk_set_find(const struct jwk_set *set,
    const uint8_t thumbprint[SHA256_LEN], unsigned alg);

/* Whether the set has a key whose text must not be read by others. */
bool jwk_set_has_secret(const struct jwk_set *set);

#endif
