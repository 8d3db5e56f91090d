/* SPDX-License-Identifier: MIT */
/* jwt.c - take a token apart, and go through its checks; see jwt.h. */

#include "common/jwt.h"

#include "common/bug.h"
#include "common/jose_object.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a signature: that of the largest RSA key. */
#define JWT_SIGNATURE_MAX (JWK_RSA_MAX / 8)

/* The three parts of a token, as written. */
struct jwt_parts {
	const char *header, *payload, *signature;
	size_t header_len, payload_len, signature_len;
	size_t signed_len; /* header, dot and payload */
};

/* Split at two dots; a third is refused by base64url. */
static bool
jwt_split(const char *token, size_t len, struct jwt_parts *parts)
{
	const char *end = token + len;
	const char *dot = memchr(token, '.', len);
	const char *dot2 =
	    dot != NULL ? memchr(dot + 1, '.', (size_t)(end - dot - 1)) : NULL;

	if (dot2 == NULL)
		return false;
	parts->header = token;
	parts->header_len = (size_t)(dot - token);
	parts->payload = dot + 1;
	parts->payload_len = (size_t)(dot2 - parts->payload);
	parts->signature = dot2 + 1;
	parts->signature_len = (size_t)(end - parts->signature);
	parts->signed_len = (size_t)(dot2 - token);
	return true;
}

static enum jwt_status
jwt_take_header(const struct jwt_parts *parts, struct jwt_header *header)
{
	unsigned char text[BASE64URL_DECODED_MAX(JWT_MAX)];
	size_t len;

	if (!base64url_decode(parts->header, parts->header_len, text, &len))
		return JWT_MALFORMED;
	return jwt_header_read((const char *)text, len, header);
}

static enum jwt_status
jwt_check_signature(const struct jwk *key, const struct jwt_parts *parts,
    const struct jwt_header *header)
{
	unsigned char signature[BASE64URL_DECODED_MAX(JWT_MAX)];
	size_t len;

	if (key == NULL)
		return JWT_UNKNOWN_KEY;
	if (!base64url_decode(
		parts->signature, parts->signature_len, signature, &len))
		return JWT_MALFORMED;
	if (len > JWT_SIGNATURE_MAX ||
	    !jwt_signature_fits(key, header->alg, parts->header,
		parts->signed_len, signature, len))
		return JWT_BAD_SIGNATURE;
	return JWT_OK;
}

enum jwt_status
jwt_verify(const struct jwk_set *keys, const struct jwt_policy *policy,
    const char *token, size_t len, uint64_t now_s, struct jwt_claims *claims)
{
	struct jwt_parts parts;
	struct jwt_header header;
	enum jwt_status status;
	size_t payload_len;

	if (len > JWT_MAX)
		return JWT_TOO_LONG;
	if (!jwt_split(token, len, &parts))
		return JWT_MALFORMED;
	status = jwt_take_header(&parts, &header);
	if (status != JWT_OK)
		return status;
	claims->alg = header.alg;
	claims->key = jwt_key_for(keys, &header);
	status = jwt_check_signature(claims->key, &parts, &header);
	if (status != JWT_OK)
		return status;
	if (!base64url_decode(parts.payload, parts.payload_len,
		(unsigned char *)claims->payload, &payload_len))
		return JWT_MALFORMED;
	return jwt_claims_read(claims, payload_len, policy, now_s);
}

/* Whether a typ is that of an access token; RFC 8725, 3.11: tokens of one issuer
 * for other purposes (logout, DPoP) must not be taken for one. */
static bool
jwt_typ_is_fine(const struct json_token *typ)
{
	return typ->kind == JSON_STRING &&
	       (json_string_equal_nocase(typ->raw, typ->raw_len, "JWT") ||
		   json_string_equal_nocase(typ->raw, typ->raw_len, "at+jwt") ||
		   json_string_equal_nocase(
		       typ->raw, typ->raw_len, "application/at+jwt"));
}

/* Take alg and kid out of a header's members. */
static enum jwt_status
jwt_header_take(const struct jose_object *object, struct jwt_header *header)
{
	const struct json_token *alg = jose_object_find(object, "alg");
	const struct json_token *kid = jose_object_find(object, "kid");
	const struct json_token *typ = jose_object_find(object, "typ");
	char name[16];
	size_t len;

	if (jose_object_find(object, "crit") != NULL ||
	    (typ != NULL && !jwt_typ_is_fine(typ)))
		return JWT_BAD_HEADER;
	if (alg == NULL || !jose_string(alg, name, sizeof(name), &len))
		return JWT_BAD_HEADER;
	header->alg = jwk_alg_named(name, len);
	if (header->alg == 0)
		return JWT_BAD_HEADER;
	header->has_kid = kid != NULL;
	if (kid != NULL && !jose_string(kid, header->kid, sizeof(header->kid),
			       &header->kid_len))
		return JWT_BAD_HEADER;
	return JWT_OK;
}

enum jwt_status
jwt_header_read(const char *text, size_t len, struct jwt_header *header)
{
	struct jose_object object;

	memset(header, 0, sizeof(*header));
	if (len > JWT_HEADER_MAX)
		return JWT_TOO_LONG;
	if (!jose_object_read(&object, text, len))
		return JWT_MALFORMED;
	return jwt_header_take(&object, header);
}

/* Whether the name that a header gives, if any, is that of the key. */
static bool
jwt_kid_fits(const struct jwk *key, const struct jwt_header *header)
{
	if (!header->has_kid)
		return true;
	return key->has_kid && key->kid_len == header->kid_len &&
	       memcmp(key->kid, header->kid, key->kid_len) == 0;
}

const struct jwk *
jwt_key_for(const struct jwk_set *keys, const struct jwt_header *header)
{
	const struct jwk *found = NULL;

	for (size_t i = 0; i < keys->count; i++) {
		const struct jwk *key = keys->keys[i];

		if ((key->algs & header->alg) == 0 ||
		    !jwt_kid_fits(key, header))
			continue;
		if (found != NULL)
			return NULL;
		found = key;
	}
	return found;
}

const char *
jwt_reason(enum jwt_status status)
{
	static const char *const reasons[] = {
		[JWT_OK] = "fine",
		[JWT_TOO_LONG] = "the token is too long",
		[JWT_MALFORMED] = "the token is malformed",
		[JWT_BAD_HEADER] = "the token's header is not taken here",
		[JWT_UNKNOWN_KEY] = "no key fits the token",
		[JWT_BAD_SIGNATURE] = "the token's signature is wrong",
		[JWT_EXPIRED] = "the token has expired",
		[JWT_NOT_YET] = "the token is not valid yet",
		[JWT_WRONG_ISSUER] = "the token is of another issuer",
		[JWT_WRONG_AUDIENCE] = "the token is for another audience",
		[JWT_BAD_CLAIM] = "a claim of the token is missing or broken",
	};

	CHECK(status < JWT_STATUSES);
	return reasons[status];
}
