/* SPDX-License-Identifier: MIT */
/* jwt_claims.c - what a token says, and whether it holds here and now; see
 * jwt.h. */

#include "common/jose_object.h"
#include "common/jwt.h"

#include <string.h>

/* Larger numbers are not exact in every language; and no date. */
#define JWT_DATE_MAX (((uint64_t)1 << 53) - 1)

/* Digits, maybe with a fraction, which is left out: no sign, no exponent. */
static bool
jwt_date(const struct json_token *value, uint64_t *date)
{
	const char *p = value->raw, *end = value->raw + value->raw_len;

	if (value->kind != JSON_NUMBER)
		return false;
	*date = 0;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		*date = *date * 10 + (uint64_t)(*p - '0');
		if (*date > JWT_DATE_MAX)
			return false;
	}
	if (p == value->raw)
		return false;
	if (p < end && *p == '.')
		for (p++; p < end && *p >= '0' && *p <= '9'; p++)
			;
	return p == end;
}

static enum jwt_status
jwt_check_times(const struct jose_object *object, uint32_t leeway, uint64_t now,
    struct jwt_claims *claims)
{
	const struct json_token *exp = jose_object_find(object, "exp");
	const struct json_token *nbf = jose_object_find(object, "nbf");
	uint64_t from;

	if (exp == NULL || !jwt_date(exp, &claims->exp))
		return JWT_BAD_CLAIM;
	if (now >= claims->exp + leeway)
		return JWT_EXPIRED;
	if (nbf == NULL)
		return JWT_OK;
	if (!jwt_date(nbf, &from))
		return JWT_BAD_CLAIM;
	return now + leeway < from ? JWT_NOT_YET : JWT_OK;
}

/* Whether a value is one of the policy's audiences. */
static bool
jwt_is_audience(const struct jwt_policy *policy, const struct json_token *value)
{
	for (size_t i = 0; i < policy->aud_count; i++)
		if (jose_string_is(value, policy->aud[i]))
			return true;
	return false;
}

/* aud is a string, or an array of them. */
static enum jwt_status
jwt_check_audience(
    const struct jose_object *object, const struct jwt_policy *policy)
{
	const struct json_token *aud = jose_object_find(object, "aud");
	struct json_reader reader;
	struct json_token value;
	bool found = false, strings = true;

	if (aud == NULL)
		return policy->aud_count > 0 ? JWT_WRONG_AUDIENCE : JWT_OK;
	if (aud->kind == JSON_STRING)
		return jwt_is_audience(policy, aud) ? JWT_OK
		                                    : JWT_WRONG_AUDIENCE;
	if (aud->kind != JSON_ARRAY)
		return JWT_BAD_CLAIM;
	json_reader_init(&reader);
	if (json_array_open(&reader, aud->raw, aud->raw_len) == JSON_OK)
		while (json_element_next(&reader, &value)) {
			strings = strings && value.kind == JSON_STRING;
			found = found || jwt_is_audience(policy, &value);
		}
	json_reader_fini(&reader);
	if (!strings)
		return JWT_BAD_CLAIM;
	return found ? JWT_OK : JWT_WRONG_AUDIENCE;
}

static enum jwt_status
jwt_check_issuer(
    const struct jose_object *object, const struct jwt_policy *policy)
{
	const struct json_token *iss = jose_object_find(object, "iss");

	if (iss != NULL && iss->kind != JSON_STRING)
		return JWT_BAD_CLAIM;
	if (policy->iss == NULL)
		return JWT_OK;
	return iss != NULL && jose_string_is(iss, policy->iss)
	           ? JWT_OK
	           : JWT_WRONG_ISSUER;
}

/* Whether text has no control characters, so that it can be shown and logged. */
static bool
jwt_is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

static enum jwt_status
jwt_take_claims(const struct jose_object *object, struct jwt_claims *claims)
{
	const struct json_token *sub = jose_object_find(object, "sub");
	const struct json_token *info = jose_object_find(object, "info");
	const struct json_token *grants = jose_object_find(object, "pubsubd");

	if (sub != NULL && (!jose_string(sub, claims->sub, sizeof(claims->sub),
				&claims->sub_len) ||
			       !jwt_is_plain(claims->sub, claims->sub_len)))
		return JWT_BAD_CLAIM;
	if (info != NULL) {
		if (info->raw_len > JWT_INFO_MAX ||
		    !json_within_depth(
			info->raw, info->raw_len, JWT_INFO_DEPTH))
			return JWT_BAD_CLAIM;
		claims->info = info->raw;
		claims->info_len = info->raw_len;
	}
	if (grants == NULL)
		return JWT_OK;
	if (grants->kind != JSON_OBJECT)
		return JWT_BAD_CLAIM;
	claims->grants = grants->raw;
	claims->grants_len = grants->raw_len;
	return JWT_OK;
}

enum jwt_status
jwt_claims_read(struct jwt_claims *claims, size_t len,
    const struct jwt_policy *policy, uint64_t now_s)
{
	struct jose_object object;
	enum jwt_status status;

	claims->exp = 0;
	claims->sub_len = claims->info_len = claims->grants_len = 0;
	claims->info = claims->grants = NULL;
	if (!jose_object_read(&object, claims->payload, len))
		return JWT_MALFORMED;
	status = jwt_check_times(&object, policy->leeway_s, now_s, claims);
	if (status == JWT_OK)
		status = jwt_check_issuer(&object, policy);
	if (status == JWT_OK)
		status = jwt_check_audience(&object, policy);
	if (status == JWT_OK)
		status = jwt_take_claims(&object, claims);
	return status;
}
