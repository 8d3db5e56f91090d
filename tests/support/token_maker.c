/* SPDX-License-Identifier: MIT */
/* token_maker.c - see token_maker.h. */

#include "tests/support/token_maker.h"

#include "common/bug.h"
#include "common/jwt_sign.h"
#include "tests/support/token_keys.h"

#include <string.h>

/* The signing key of an algorithm. */
static const char *
token_key(unsigned alg)
{
	switch (alg) {
	case JWK_HS256:
		return KEY_HMAC;
	case JWK_RS256:
	case JWK_PS256:
		return KEY_RSA_PRIVATE;
	case JWK_ES256:
		return KEY_EC_PRIVATE;
	default:
		return KEY_ED_PRIVATE;
	}
}

size_t
token_sign(const char *alg, const char *header, const char *payload, char *out)
{
	unsigned bit = jwk_alg_named(alg, strlen(alg));
	const char *key = token_key(bit), *why;
	struct jwt_signer signer;
	size_t len;

	CHECK(bit != 0);
	CHECK(JWT_SIGNED_MAX(strlen(header), strlen(payload)) < TOKEN_ROOM);
	CHECK(jwt_signer_read(&signer, key, strlen(key), &why));
	len = jwt_sign(&signer, bit, header, strlen(header), payload,
	    strlen(payload), out);
	CHECK(len > 0);
	out[len] = '\0';
	jwt_signer_fini(&signer);
	return len;
}
