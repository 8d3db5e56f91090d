/* SPDX-License-Identifier: MIT */
/*
 * fuzz_claims.c - what a token says, as if its signature fitted: a header up to
 * the first newline, and a payload.
 */

#include "common/jwt.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1700000000u

static void
check_header(const char *text, size_t len)
{
	struct jwt_header header;

	if (jwt_header_read(text, len, &header) != JWT_OK)
		return;
	CHECK(len <= JWT_HEADER_MAX);
	CHECK((header.alg & (header.alg - 1)) == 0 && header.alg != 0);
	CHECK(header.kid_len <= JWK_KID_MAX);
	CHECK(header.has_kid || header.kid_len == 0);
}

static void
check_claims(const char *text, size_t len)
{
	static const struct jwt_policy policies[] = { { .leeway_s = 30 },
		{ .iss = "i", .aud = { "a" }, .aud_count = 1 } };
	struct jwt_claims claims;

	for (size_t i = 0; i < 2; i++) {
		if (len > sizeof(claims.payload))
			return;
		memcpy(claims.payload, text, len);
		if (jwt_claims_read(&claims, len, &policies[i], NOW) != JWT_OK)
			continue;
		CHECK(claims.exp + policies[i].leeway_s > NOW);
		CHECK(claims.sub_len <= JWT_SUB_MAX);
		CHECK(claims.info == NULL ||
		      fuzz_within(
			  claims.info, claims.info_len, claims.payload, len));
		CHECK(claims.grants == NULL ||
		      fuzz_within(claims.grants, claims.grants_len,
			  claims.payload, len));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size);
	const char *line = memchr(text, '\n', size);
	size_t len = line != NULL ? (size_t)(line - text) : size;

	check_header(text, len);
	if (line != NULL)
		check_claims(line + 1, size - len - 1);
	free(text);
	return 0;
}
