/* SPDX-License-Identifier: MIT */
/* jwt_sign.c - see jwt_sign.h. */

#include "common/jwt_sign.h"

#include "common/base64url.h"
#include "common/jwk_use.h"
#include "common/xmalloc.h"

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JWT_SIGNATURE_MAX (JWK_RSA_MAX / 8)
#define JWT_HALF          32 /* bytes of each number of ES256 */

/* Note what a key of this kind can be used with. */
static bool
jwt_signer_is(struct jwt_signer *signer, enum jwk_kind kind)
{
	signer->algs = jwk_algs_of(kind);
	return kind != JWK_OTHER;
}

static bool
jwt_signer_read_pem(
    struct jwt_signer *signer, const char *text, size_t len, const char **why)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	enum jwk_kind kind = JWK_OTHER;

	*why = memmem(text, len, "ENCRYPTED", strlen("ENCRYPTED")) != NULL
	           ? "the key has a password, which is not asked for"
	           : "no private key in PEM, nor a JWK";
	/* An empty password: no terminal is asked for one. */
	signer->private =
	    PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t) "");
	BIO_free(bio);
	ERR_clear_error();
	if (signer->private != NULL)
		kind = jwk_judge(signer->private, why);
	if (jwt_signer_is(signer, kind))
		return true;
	EVP_PKEY_free(signer->private);
	signer->private = NULL;
	return false;
}

/* Note kid, alg and use of a JWK.  Returns NULL, or why it cannot sign. */
static const char *
jwt_signer_read_members(
    struct jwt_signer *signer, const struct jose_object *jwk)
{
	const struct json_token *kid = jose_object_find(jwk, "kid");
	const struct json_token *alg = jose_object_find(jwk, "alg");
	size_t len;

	signer->has_kid = kid != NULL;
	if (kid != NULL && !jose_string(kid, signer->kid, sizeof(signer->kid),
			       &signer->kid_len))
		return "kid is not a string of at most 256 bytes";
	if (jose_object_find(jwk, "keys") != NULL)
		return "a set of keys, and one is needed";
	if (!jwt_signer_is(signer, jwk_kind_of(jwk)))
		return "a kind of key that is not taken here";
	if (!jwk_use_narrow(jwk, "sign", &signer->algs))
		return "alg, use or key_ops of the key is broken";
	if (signer->algs == 0)
		return "by its alg, use or key_ops the key is not for signing";
	if (alg != NULL &&
	    jose_string(alg, signer->alg_name, JWT_ALG_NAME_MAX, &len))
		signer->alg_name[len] = '\0';
	return NULL;
}

static bool
jwt_signer_read_jwk(
    struct jwt_signer *signer, const struct jose_object *jwk, const char **why)
{
	enum jwk_kind kind = jwk_kind_of(jwk);

	*why = jwt_signer_read_members(signer, jwk);
	if (*why != NULL)
		return false;
	if (kind == JWK_OCT)
		signer->secret = jwk_secret_make(jwk, why);
	else
		signer->private = jwk_private_make(jwk, kind, why);
	return signer->secret != NULL || signer->private != NULL;
}

bool
jwt_signer_read(
    struct jwt_signer *signer, const char *text, size_t len, const char **why)
{
	struct jose_object *jwk = xmalloc(sizeof(*jwk));
	bool good;

	memset(signer, 0, sizeof(*signer));
	if (len > JWK_TEXT_MAX) {
		*why = "longer than 256 KiB";
		good = false;
	} else if (jose_object_read(jwk, text, len)) {
		good = jwt_signer_read_jwk(signer, jwk, why);
	} else {
		good = jwt_signer_read_pem(signer, text, len, why);
	}
	if (good && signer->alg_name[0] == '\0')
		snprintf(signer->alg_name, sizeof(signer->alg_name), "%s",
		    jwk_alg_name(signer->algs));
	free(jwk);
	return good;
}

void
jwt_signer_fini(struct jwt_signer *signer)
{
	jwk_secret_free(signer->secret);
	EVP_PKEY_free(signer->private);
	signer->secret = NULL;
	signer->private = NULL;
}

/* Turn an ES256 signature from DER into two numbers side by side.  Returns its
 * length, 0: it is none. */
static size_t
jwt_es256_raw(unsigned char *signature, size_t len)
{
	const unsigned char *p = signature;
	ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &p, (long)len);
	bool good;

	if (parsed == NULL)
		return 0;
	good = BN_bn2binpad(ECDSA_SIG_get0_r(parsed), signature, JWT_HALF) ==
	           JWT_HALF &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(parsed), signature + JWT_HALF,
		   JWT_HALF) == JWT_HALF;
	ECDSA_SIG_free(parsed);
	return good ? 2 * JWT_HALF : 0;
}

static size_t
jwt_sign_private(EVP_PKEY *key, unsigned alg, const unsigned char *text,
    size_t len, unsigned char signature[JWT_SIGNATURE_MAX])
{
	const EVP_MD *hash = alg == JWK_EDDSA ? NULL : EVP_sha256();
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t n = JWT_SIGNATURE_MAX;
	EVP_PKEY_CTX *ctx = NULL;
	bool good = EVP_DigestSignInit(md, &ctx, hash, NULL, key) == 1;

	if (good && alg == JWK_PS256)
		good = EVP_PKEY_CTX_set_rsa_padding(
			   ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(
			   ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
	good = good && EVP_DigestSign(md, signature, &n, text, len) == 1;
	EVP_MD_CTX_free(md);
	ERR_clear_error();
	if (good && alg == JWK_ES256)
		return jwt_es256_raw(signature, n);
	return good ? n : 0;
}

size_t
jwt_sign(const struct jwt_signer *signer, unsigned alg, const char *header,
    size_t header_len, const char *payload, size_t payload_len, char *out)
{
	unsigned char signature[JWT_SIGNATURE_MAX];
	size_t len = base64url_encode(header, header_len, out), n;
	unsigned mac_len = 0;

	out[len++] = '.';
	len += base64url_encode(payload, payload_len, out + len);
	if (signer->secret != NULL) {
		HMAC(EVP_sha256(), signer->secret->bytes,
		    (int)signer->secret->len, (unsigned char *)out, len,
		    signature, &mac_len);
		n = mac_len;
	} else {
		n = jwt_sign_private(
		    signer->private, alg, (unsigned char *)out, len, signature);
	}
	if (n == 0)
		return 0;
	out[len++] = '.';
	return len + base64url_encode(signature, n, out + len);
}
