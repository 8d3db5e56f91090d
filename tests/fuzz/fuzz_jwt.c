/* SPDX-License-Identifier: MIT */
/*
 * fuzz_jwt.c - tokens, with one key of each kind.
 *
 * No input that libFuzzer makes up carries a signature that fits, unless the
 * corpus has it; what is accepted is accepted again, and a token that is taken
 * has exactly two dots.
 */

#include "common/jwt.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/token_keys.h"

#define NOW 1300819000u /* before the examples of RFC 7515 expire */

static void
check_taken(const struct jwt_claims *claims, const char *token, size_t size)
{
	const char *dot = memchr(token, '.', size);

	CHECK(claims->exp > NOW);
	CHECK(claims->sub_len <= JWT_SUB_MAX);
	CHECK(dot != NULL &&
	      memchr(dot + 1, '.', (size_t)(token + size - dot - 1)) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const files[] = { KEY_A1, KEY_A2, KEY_EC, KEY_ED };
	static const struct jwt_policy policy = { .leeway_s = 0 };
	static struct jwk_set set;
	static struct jwt_claims claims;
	struct jwk_fault fault;
	char *token = fuzz_copy(data, size);
	enum jwt_status status;

	for (size_t i = set.count; i < sizeof(files) / sizeof(files[0]); i++)
		CHECK(jwk_set_add(&set, files[i], strlen(files[i]), &fault));
	status = jwt_verify(&set, &policy, token, size, NOW, &claims);
	CHECK(jwt_reason(status)[0] != '\0');
	if (status == JWT_OK)
		check_taken(&claims, token, size);
	free(token);
	return 0;
}
