/* SPDX-License-Identifier: MIT */
/* jwk.c - see jwk.h. */

#include "common/jwk.h"

#include "common/base64url.h"
#include "common/xmalloc.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#define JWK_NUMBER_MAX (JWK_RSA_MAX / 8) /* bytes of one number */

/* A public exponent has at most this many bits: more only makes verifying
 * slow. */
#define JWK_RSA_E_BITS_MAX 64

/* Bytes of a member in base64url. */
struct jwk_bytes {
	size_t len;
	unsigned char at[JWK_NUMBER_MAX + 2];
};

/* Decode a member; false if it is missing, not base64url, or too long. */
static bool
jwk_bytes_of(
    const struct jose_object *jwk, const char *name, struct jwk_bytes *bytes)
{
	const struct json_token *value = jose_object_find(jwk, name);
	char text[BASE64URL_ENCODED_LEN(JWK_NUMBER_MAX)];
	size_t len;
	bool good;

	good = value != NULL && jose_string(value, text, sizeof(text), &len) &&
	       base64url_decode(text, len, bytes->at, &bytes->len);
	OPENSSL_cleanse(text, sizeof(text));
	return good;
}

enum jwk_kind
jwk_kind_of(const struct jose_object *jwk)
{
	const struct json_token *kty = jose_object_find(jwk, "kty");
	const struct json_token *crv = jose_object_find(jwk, "crv");

	if (kty == NULL)
		return JWK_OTHER;
	if (jose_string_is(kty, "oct"))
		return JWK_OCT;
	if (jose_string_is(kty, "RSA"))
		return JWK_RSA;
	if (crv == NULL)
		return JWK_OTHER;
	if (jose_string_is(kty, "EC") && jose_string_is(crv, "P-256"))
		return JWK_EC;
	if (jose_string_is(kty, "OKP") && jose_string_is(crv, "Ed25519"))
		return JWK_OKP;
	return JWK_OTHER;
}

/* A key of OpenSSL's from parameters; selection: EVP_PKEY_PUBLIC_KEY, or
 * EVP_PKEY_KEYPAIR for a private one.  Frees params.  NULL: refused. */
static EVP_PKEY *
jwk_from_params(const char *type, int selection, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, selection, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

/* A number in a JWK has no leading zero bytes (RFC 7518, section 2). */
static BIGNUM *
jwk_number(const struct jose_object *jwk, const char *name)
{
	struct jwk_bytes bytes;

	if (!jwk_bytes_of(jwk, name, &bytes) || bytes.len == 0 ||
	    bytes.at[0] == 0)
		return NULL;
	return BN_bin2bn(bytes.at, (int)bytes.len, NULL);
}

/* Bytes as a private number, and overwrite them.  OpenSSL wipes such a number
 * wherever it puts it. */
static BIGNUM *
jwk_private_number(struct jwk_bytes *bytes)
{
	BIGNUM *secure = BN_secure_new(), *d = NULL;

	if (secure != NULL)
		d = BN_bin2bn(bytes->at, (int)bytes->len, secure);
	if (d == NULL)
		BN_clear_free(secure);
	OPENSSL_cleanse(bytes, sizeof(*bytes));
	return d;
}

static EVP_PKEY *
jwk_rsa_make(const struct jose_object *jwk, int selection)
{
	BIGNUM *n = jwk_number(jwk, "n"), *e = jwk_number(jwk, "e");
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	struct jwk_bytes private;
	BIGNUM *d = NULL;

	if (selection == EVP_PKEY_KEYPAIR && jwk_bytes_of(jwk, "d", &private))
		d = jwk_private_number(&private);
	if (n != NULL && e != NULL && build != NULL &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
	    (selection == EVP_PKEY_PUBLIC_KEY ||
		(d != NULL && OSSL_PARAM_BLD_push_BN(
				  build, OSSL_PKEY_PARAM_RSA_D, d) == 1)))
		params = OSSL_PARAM_BLD_to_param(build);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	BN_clear_free(d);
	return jwk_from_params("RSA", selection, params);
}

static EVP_PKEY *
jwk_ec_make(const struct jose_object *jwk, int selection)
{
	unsigned char point[1 + 2 * JWK_P256_LEN] = { 4 }; /* uncompressed */
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	struct jwk_bytes x, y, private;
	BIGNUM *d = NULL;

	if (selection == EVP_PKEY_KEYPAIR && jwk_bytes_of(jwk, "d", &private) &&
	    private.len == JWK_P256_LEN)
		d = jwk_private_number(&private);
	if (jwk_bytes_of(jwk, "x", &x) && jwk_bytes_of(jwk, "y", &y) &&
	    x.len == JWK_P256_LEN && y.len == JWK_P256_LEN) {
		memcpy(point + 1, x.at, JWK_P256_LEN);
		memcpy(point + 1 + JWK_P256_LEN, y.at, JWK_P256_LEN);
		if (OSSL_PARAM_BLD_push_utf8_string(build,
			OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
		    OSSL_PARAM_BLD_push_octet_string(build,
			OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1 &&
		    (selection == EVP_PKEY_PUBLIC_KEY ||
			(d != NULL && OSSL_PARAM_BLD_push_BN(build,
					  OSSL_PKEY_PARAM_PRIV_KEY, d) == 1)))
			params = OSSL_PARAM_BLD_to_param(build);
	}
	OSSL_PARAM_BLD_free(build);
	BN_clear_free(d);
	return jwk_from_params("EC", selection, params);
}

static EVP_PKEY *
jwk_okp_make(const struct jose_object *jwk, int selection)
{
	bool is_private = selection == EVP_PKEY_KEYPAIR;
	struct jwk_bytes bytes;
	EVP_PKEY *key;

	if (!jwk_bytes_of(jwk, is_private ? "d" : "x", &bytes))
		return NULL;
	key = is_private ? EVP_PKEY_new_raw_private_key(
			       EVP_PKEY_ED25519, NULL, bytes.at, bytes.len)
	                 : EVP_PKEY_new_raw_public_key(
			       EVP_PKEY_ED25519, NULL, bytes.at, bytes.len);
	OPENSSL_cleanse(&bytes, sizeof(bytes));
	return key;
}

/* Make a key of either sort, and judge it. */
static EVP_PKEY *
jwk_make(const struct jose_object *jwk, enum jwk_kind kind, int selection,
    const char **why)
{
	EVP_PKEY *key = NULL;

	*why = "the numbers of the key are broken";
	if (kind == JWK_RSA)
		key = jwk_rsa_make(jwk, selection);
	else if (kind == JWK_EC)
		key = jwk_ec_make(jwk, selection);
	else if (kind == JWK_OKP)
		key = jwk_okp_make(jwk, selection);
	if (key != NULL && jwk_judge(key, why) != kind) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	ERR_clear_error();
	return key;
}

EVP_PKEY *
jwk_public_make(
    const struct jose_object *jwk, enum jwk_kind kind, const char **why)
{
	if (jose_object_find(jwk, "d") != NULL) {
		*why = "a private key: the server needs the public one only";
		return NULL;
	}
	return jwk_make(jwk, kind, EVP_PKEY_PUBLIC_KEY, why);
}

EVP_PKEY *
jwk_private_make(
    const struct jose_object *jwk, enum jwk_kind kind, const char **why)
{
	if (jose_object_find(jwk, "d") == NULL) {
		*why = "a public key: signing needs the private one";
		return NULL;
	}
	return jwk_make(jwk, kind, EVP_PKEY_KEYPAIR, why);
}

struct jwk_secret *
jwk_secret_make(const struct jose_object *jwk, const char **why)
{
	struct jwk_secret *secret = NULL;
	struct jwk_bytes k;

	if (!jwk_bytes_of(jwk, "k", &k) || k.len > JWK_SECRET_MAX) {
		*why = "k is not base64url of at most 1024 bytes";
	} else if (k.len < JWK_SECRET_MIN) {
		*why = "the secret is shorter than 32 bytes";
	} else {
		secret = xcalloc(1, sizeof(*secret));
		memcpy(secret->bytes, k.at, k.len);
		secret->len = k.len;
	}
	OPENSSL_cleanse(&k, sizeof(k));
	return secret;
}

void
jwk_secret_free(struct jwk_secret *secret)
{
	if (secret != NULL)
		OPENSSL_clear_free(secret, sizeof(*secret));
}

/* Whether the point is one of the curve. */
static bool
jwk_is_sound(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool sound = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return sound;
}

static enum jwk_kind
jwk_judge_rsa(EVP_PKEY *key, const char **why)
{
	BIGNUM *n = NULL, *e = NULL;
	int bits = EVP_PKEY_get_bits(key);
	bool odd;

	*why = "an RSA key has 2048 to 8192 bits";
	if (bits < JWK_RSA_MIN || bits > JWK_RSA_MAX)
		return JWK_OTHER;
	odd = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	      EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
	      BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) &&
	      BN_num_bits(e) <= JWK_RSA_E_BITS_MAX;
	BN_free(n);
	BN_free(e);
	*why = "modulus or exponent of the RSA key are none";
	return odd ? JWK_RSA : JWK_OTHER;
}

/* The encodings of the points of small order, for one of which a signature of
 * any message can be made (with the sign bit left out, which means nothing in
 * them). */
static bool
jwk_is_small_order(EVP_PKEY *key)
{
	static const unsigned char points[][JWK_ED25519_LEN] = {
		{ 0 },
		{ 1 },
		{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3,
		    0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05,
		    0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
		    0xfc, 0x05 },
		{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c,
		    0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa,
		    0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
		    0x03, 0x7a },
		{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0x7f },
	};
	unsigned char bytes[JWK_ED25519_LEN];
	size_t len = sizeof(bytes);

	if (EVP_PKEY_get_raw_public_key(key, bytes, &len) != 1)
		return true;
	bytes[JWK_ED25519_LEN - 1] &= 0x7f;
	/* What is above the prime, 2^255 - 19, is no canonical encoding. */
	if (bytes[0] >= 0xed && bytes[JWK_ED25519_LEN - 1] == 0x7f) {
		bool all = true;

		for (size_t i = 1; i < JWK_ED25519_LEN - 1; i++)
			all = all && bytes[i] == 0xff;
		if (all)
			return true;
	}
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		if (memcmp(bytes, points[i], sizeof(bytes)) == 0)
			return true;
	return false;
}

enum jwk_kind
jwk_judge(EVP_PKEY *key, const char **why)
{
	char group[32] = "";
	size_t len;

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		return jwk_judge_rsa(key, why);
	case EVP_PKEY_EC:
		*why = "of the elliptic curves, P-256 is taken";
		if (EVP_PKEY_get_group_name(key, group, sizeof(group), &len) !=
			1 ||
		    strcmp(group, "prime256v1") != 0)
			return JWK_OTHER;
		*why = "the key is not a point of its curve";
		return jwk_is_sound(key) ? JWK_EC : JWK_OTHER;
	case EVP_PKEY_ED25519:
		*why = "the key is a point of small order";
		return jwk_is_small_order(key) ? JWK_OTHER : JWK_OKP;
	default:
		*why = "a kind of key that is not taken here";
		return JWK_OTHER;
	}
}

void
jwk_free(struct jwk *key)
{
	jwk_secret_free(key->secret);
	EVP_PKEY_free(key->public.key);
	free(key);
}
