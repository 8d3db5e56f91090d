/* SPDX-License-Identifier: MIT */
/* jwk_alg.c - algorithms and their names; see jwk.h. */

#include "common/jwk.h"

#include <string.h>

static const struct {
	const char *name;
	enum jwk_alg alg;
} jwk_algs[] = {
	{ "HS256", JWK_HS256 },
	{ "RS256", JWK_RS256 },
	{ "PS256", JWK_PS256 },
	{ "ES256", JWK_ES256 },
	{ "EdDSA", JWK_EDDSA },
	{ "Ed25519", JWK_EDDSA },
};

#define JWK_ALGS (sizeof(jwk_algs) / sizeof(jwk_algs[0]))

unsigned
jwk_algs_of(enum jwk_kind kind)
{
	switch (kind) {
	case JWK_OCT:
		return JWK_HS256;
	case JWK_RSA:
		return JWK_RS256 | JWK_PS256;
	case JWK_EC:
		return JWK_ES256;
	case JWK_OKP:
		return JWK_EDDSA;
	case JWK_OTHER:
		break;
	}
	return 0;
}

unsigned
jwk_alg_named(const char *name, size_t len)
{
	for (size_t i = 0; i < JWK_ALGS; i++)
		if (strlen(jwk_algs[i].name) == len &&
		    memcmp(jwk_algs[i].name, name, len) == 0)
			return jwk_algs[i].alg;
	return 0;
}

const char *
jwk_alg_name(unsigned algs)
{
	for (size_t i = 0; i < JWK_ALGS; i++)
		if ((jwk_algs[i].alg & algs) != 0)
			return jwk_algs[i].name;
	return NULL;
}
