/* SPDX-License-Identifier: MIT */
/*
 * jwt.h - verify a token (RFC 7515 compact serialization, RFC 7519, RFC 8725).
 *
 *	bytes + set of keys + policy + time of day  ->  claims, or why not
 *
 * Strict: what a reader may understand in two ways is refused.  The key chooses
 * the algorithm (jwk.h); the header only says which key.  The payload is not
 * looked at before the signature is verified.  Pure: no file, no network, no
 * clock; OpenSSL does the cryptography.
 *
 * A token is a secret of who bears it, so nothing of it is in any reason.
 */

#ifndef COMMON_JWT_H
#define COMMON_JWT_H

#include "common/base64url.h"
#include "common/jwk_set.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JWT_MAX        8192u /* bytes of a token */
#define JWT_HEADER_MAX 1024u /* bytes of a header, decoded */
#define JWT_SUB_MAX    64u   /* bytes of sub */
#define JWT_INFO_MAX   512u  /* bytes of info, as JSON */
#define JWT_INFO_DEPTH 32u   /* arrays and objects inside each other in it */
#define JWT_AUD_MAX    8u    /* audiences of a policy */

/* Why a token is refused. */
enum jwt_status {
	JWT_OK = 0,
	JWT_TOO_LONG,    /* over JWT_MAX, or its header over JWT_HEADER_MAX */
	JWT_MALFORMED,   /* not the compact form, or not strict JSON */
	JWT_BAD_HEADER,  /* crit, a typ of something else, an unknown alg */
	JWT_UNKNOWN_KEY, /* no key, or not exactly one, fits the header */
	JWT_BAD_SIGNATURE,
	JWT_EXPIRED,
	JWT_NOT_YET, /* nbf */
	JWT_WRONG_ISSUER,
	JWT_WRONG_AUDIENCE,
	JWT_BAD_CLAIM, /* exp is missing, or a claim is not of its type */
	JWT_STATUSES
};

/* What a token must say beside being signed. */
struct jwt_policy {
	const char *iss; /* NULL: any or none */
	size_t aud_count;
	const char *aud[JWT_AUD_MAX]; /* one of these; none: a token with an
	                               * aud is for somebody else */
	uint32_t leeway_s;            /* by which clocks may differ */
};

/* A token's header, read. */
struct jwt_header {
	unsigned alg; /* enum jwk_alg, one of them */
	bool has_kid;
	size_t kid_len;
	char kid[JWK_KID_MAX];
};

/* What a verified token says. */
struct jwt_claims {
	const struct jwk *key; /* that it was verified with, of the set */
	unsigned alg;          /* enum jwk_alg, by which */
	uint64_t exp;          /* seconds since 1970 */
	size_t sub_len;        /* 0: none */
	char sub[JWT_SUB_MAX];
	const char *info; /* JSON, in payload; NULL: none */
	size_t info_len;
	const char *grants; /* the object "pubsubd", in payload; NULL: none */
	size_t grants_len;
	char payload[BASE64URL_DECODED_MAX(JWT_MAX)];
};

/*
 * Verify a token.  now_s: seconds since 1970.
 * Returns: JWT_OK with claims filled in; otherwise claims mean nothing.
 * Blocks:  up to 0.2 ms of computing.
 */
enum jwt_status jwt_verify(const struct jwk_set *keys,
    const struct jwt_policy *policy, const char *token, size_t len,
    uint64_t now_s, struct jwt_claims *claims);

/* A short static sentence for a client. */
const char *jwt_reason(enum jwt_status status);

/* The parts of jwt_verify(), for tests. */

/* Read a decoded header. */
enum jwt_status jwt_header_read(
    const char *text, size_t len, struct jwt_header *header);

/* The one key that fits a header, or NULL. */
const struct jwk *jwt_key_for(
    const struct jwk_set *keys, const struct jwt_header *header);

/* Whether signature is that of text, by this algorithm, which the key has. */
bool jwt_signature_fits(const struct jwk *key, unsigned alg, const char *text,
    size_t len, const unsigned char *signature, size_t signature_len);

/* Read the claims in claims->payload, which has len bytes. */
enum jwt_status jwt_claims_read(struct jwt_claims *claims, size_t len,
    const struct jwt_policy *policy, uint64_t now_s);

#endif
