/* SPDX-License-Identifier: MIT */
/* jwk_thumbprint.c - the one text that stands for a key, and its hash; see
 * jwk.h. */

#include "common/base64url.h"
#include "common/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define THUMBPRINT_NUMBER_MAX (JWK_RSA_MAX / 8) /* bytes of one number */
#define THUMBPRINT_TEXT_MAX   (2 * BASE64URL_ENCODED_LEN(JWK_SECRET_MAX))

/* A JSON text in the making: a secret, if the key is one. */
struct thumbprint_text {
	size_t len;
	char at[THUMBPRINT_TEXT_MAX];
};

static void
thumbprint_puts(struct thumbprint_text *text, const char *what)
{
	memcpy(text->at + text->len, what, strlen(what));
	text->len += strlen(what);
}

/* A member's name and its bytes. */
static void
thumbprint_put(struct thumbprint_text *text, const char *name,
    const unsigned char *bytes, size_t len)
{
	thumbprint_puts(text, name);
	thumbprint_puts(text, ":\"");
	text->len += base64url_encode(bytes, len, text->at + text->len);
	thumbprint_puts(text, "\"");
}

/* A member that is a number of the key's; len: how long it is written, 0: as long
 * as it is. */
static bool
thumbprint_put_number(struct thumbprint_text *text, const char *name,
    const EVP_PKEY *key, const char *param, size_t len)
{
	unsigned char bytes[THUMBPRINT_NUMBER_MAX];
	BIGNUM *number = NULL;
	bool good;

	good = EVP_PKEY_get_bn_param(key, param, &number) == 1;
	if (good && len == 0)
		len = (size_t)BN_num_bytes(number);
	good = good && len <= sizeof(bytes) &&
	       BN_bn2binpad(number, bytes, (int)len) == (int)len;
	if (good)
		thumbprint_put(text, name, bytes, len);
	BN_free(number);
	return good;
}

static bool
thumbprint_put_ed25519(struct thumbprint_text *text, const EVP_PKEY *key)
{
	unsigned char bytes[JWK_ED25519_LEN];
	size_t len = sizeof(bytes);

	if (EVP_PKEY_get_raw_public_key(key, bytes, &len) != 1)
		return false;
	thumbprint_puts(text, "\"crv\":\"Ed25519\",\"kty\":\"OKP\",");
	thumbprint_put(text, "\"x\"", bytes, len);
	return true;
}

/* The required members of a key that only verifies, in the order of their
 * names. */
static bool
thumbprint_put_public(struct thumbprint_text *text, const EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		if (!thumbprint_put_number(
			text, "\"e\"", key, OSSL_PKEY_PARAM_RSA_E, 0))
			return false;
		thumbprint_puts(text, ",\"kty\":\"RSA\",");
		return thumbprint_put_number(
		    text, "\"n\"", key, OSSL_PKEY_PARAM_RSA_N, 0);
	case EVP_PKEY_EC:
		thumbprint_puts(text, "\"crv\":\"P-256\",\"kty\":\"EC\",");
		if (!thumbprint_put_number(text, "\"x\"", key,
			OSSL_PKEY_PARAM_EC_PUB_X, JWK_P256_LEN))
			return false;
		thumbprint_puts(text, ",");
		return thumbprint_put_number(
		    text, "\"y\"", key, OSSL_PKEY_PARAM_EC_PUB_Y, JWK_P256_LEN);
	default:
		return thumbprint_put_ed25519(text, key);
	}
}

bool
jwk_thumbprint(const struct jwk *key, uint8_t thumbprint[SHA256_LEN])
{
	struct thumbprint_text text = { .len = 0 };
	bool good = true;

	thumbprint_puts(&text, "{");
	if (key->secret != NULL) {
		thumbprint_put(
		    &text, "\"k\"", key->secret->bytes, key->secret->len);
		thumbprint_puts(&text, ",\"kty\":\"oct\"");
	} else {
		good = thumbprint_put_public(&text, key->public.key);
	}
	thumbprint_puts(&text, "}");
	if (good)
		sha256(text.at, text.len, thumbprint);
	OPENSSL_cleanse(&text, sizeof(text));
	ERR_clear_error();
	return good;
}
