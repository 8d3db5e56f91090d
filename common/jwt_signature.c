/* SPDX-License-Identifier: MIT */
/* jwt_signature.c - does a signature fit; see jwt.h. */

#include "common/jwt.h"

#include "common/bug.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#define JWT_HMAC_LEN  32u /* of SHA-256 */
#define JWT_SALT_LEN  32  /* of PSS: RFC 7518, 3.5 */
#define JWT_ES256_LEN 64u /* two numbers of 32 bytes: RFC 7518, 3.4 */
#define JWT_EDDSA_LEN 64u

/* Bytes of such a signature in DER. */
#define JWT_ES256_DER_MAX 80u

static bool
jwt_hmac_fits(const struct jwk_secret *secret, const char *text, size_t len,
    const unsigned char *signature, size_t signature_len)
{
	unsigned char mac[JWT_HMAC_LEN];

	return signature_len == JWT_HMAC_LEN &&
	       HMAC(EVP_sha256(), secret->bytes, (int)secret->len,
		   (const unsigned char *)text, len, mac, NULL) != NULL &&
	       CRYPTO_memcmp(mac, signature, JWT_HMAC_LEN) == 0;
}

/* Have RSA padded as the algorithm says. */
static bool
jwt_set_padding(EVP_PKEY_CTX *ctx, unsigned alg)
{
	if (alg == JWK_RS256)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) ==
		       1;
	if (alg != JWK_PS256)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, JWT_SALT_LEN) == 1;
}

static bool
jwt_public_fits(const struct jwk_public *public, unsigned alg, const char *text,
    size_t len, const unsigned char *signature, size_t signature_len)
{
	const EVP_MD *hash = alg == JWK_EDDSA ? NULL : EVP_sha256();
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;
	bool fits;

	fits = md != NULL &&
	       EVP_DigestVerifyInit(md, &ctx, hash, NULL, public->key) == 1 &&
	       jwt_set_padding(ctx, alg) &&
	       EVP_DigestVerify(md, signature, signature_len,
		   (const unsigned char *)text, len) == 1;
	EVP_MD_CTX_free(md);
	ERR_clear_error();
	return fits;
}

/* Two numbers side by side, as OpenSSL has them: in DER.  Returns its length, or
 * 0. */
static size_t
jwt_es256_der(const unsigned char raw[JWT_ES256_LEN],
    unsigned char der[JWT_ES256_DER_MAX])
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, JWT_ES256_LEN / 2, NULL);
	BIGNUM *s = BN_bin2bn(raw + JWT_ES256_LEN / 2, JWT_ES256_LEN / 2, NULL);
	unsigned char *end = der;
	int len = -1;

	CHECK(signature != NULL && r != NULL && s != NULL);
	CHECK(ECDSA_SIG_set0(signature, r, s) == 1);
	if (i2d_ECDSA_SIG(signature, NULL) <= (int)JWT_ES256_DER_MAX)
		len = i2d_ECDSA_SIG(signature, &end);
	ECDSA_SIG_free(signature);
	return len > 0 ? (size_t)len : 0;
}

bool
jwt_signature_fits(const struct jwk *key, unsigned alg, const char *text,
    size_t len, const unsigned char *signature, size_t signature_len)
{
	unsigned char der[JWT_ES256_DER_MAX];

	if ((key->algs & alg) == 0)
		return false;
	switch (alg) {
	case JWK_HS256:
		return key->secret != NULL &&
		       jwt_hmac_fits(
			   key->secret, text, len, signature, signature_len);
	case JWK_RS256:
	case JWK_PS256:
		return key->public.key != NULL &&
		       signature_len ==
		           (size_t)EVP_PKEY_get_size(key->public.key) &&
		       jwt_public_fits(&key->public, alg, text, len, signature,
			   signature_len);
	case JWK_ES256:
		return key->public.key != NULL &&
		       signature_len == JWT_ES256_LEN &&
		       jwt_public_fits(&key->public, alg, text, len, der,
			   jwt_es256_der(signature, der));
	case JWK_EDDSA:
		return key->public.key != NULL &&
		       signature_len == JWT_EDDSA_LEN &&
		       jwt_public_fits(&key->public, alg, text, len, signature,
			   signature_len);
	default:
		return false;
	}
}
