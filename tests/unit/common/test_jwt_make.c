/* SPDX-License-Identifier: MIT */
/* test_jwt_make.c - which tokens are made, by which key, and that the verifier
 * takes them. */

#include "common/buf.h"
#include "common/jwt.h"
#include "common/jwt_make.h"
#include "common/jwt_sign.h"
#include "tests/support/suite.h"
#include "tests/support/token_keys.h"

#include <string.h>

#define NOW UINT64_C(1700000000)

static const struct jwt_wish plain = { .now_s = NOW, .exp_s = NOW + 60 };
static struct jwt_claims claims;
static const char *why;

/* What is wrong with a signing key; NULL: nothing. */
static const char *
key_fault(const char *key)
{
	struct jwt_signer signer;

	if (!jwt_signer_read(&signer, key, strlen(key), &why))
		return why;
	jwt_signer_fini(&signer);
	return NULL;
}

/* Make a token by a key.  Returns whether it was made; it has a NUL. */
static bool
make(const char *key, const struct jwt_wish *wish, struct buf *token)
{
	struct jwt_signer signer;
	bool made;

	buf_init(token);
	assert_true(jwt_signer_read(&signer, key, strlen(key), &why));
	made = jwt_make(&signer, wish, token, &why);
	assert_true(made || token->len == 0);
	buf_add(token, "", 1);
	jwt_signer_fini(&signer);
	return made;
}

/* Make a token by one key and verify it by another, at this time. */
static enum jwt_status
round_trip(const char *key, const char *public, const struct jwt_wish *wish,
    const struct jwt_policy *policy, uint64_t now_s)
{
	struct jwk_fault fault;
	struct jwk_set set;
	struct buf token;
	enum jwt_status status;

	jwk_set_init(&set);
	assert_true(jwk_set_add(&set, public, strlen(public), &fault));
	assert_true(make(key, wish, &token));
	status =
	    jwt_verify(&set, policy, token.at, token.len - 1, now_s, &claims);
	buf_fini(&token);
	jwk_set_fini(&set);
	return status;
}

static enum jwt_status
verified(const char *key, const char *public, const struct jwt_wish *wish)
{
	return round_trip(
	    key, public, wish, &(struct jwt_policy){ .leeway_s = 0 }, NOW);
}

/* The header of a token, decoded. */
static void
check_header(const char *key, const struct jwt_wish *wish, const char *expected)
{
	unsigned char header[JWT_HEADER_MAX + 2];
	struct buf token;
	size_t len;

	assert_true(make(key, wish, &token));
	assert_true(
	    base64url_decode(token.at, strcspn(token.at, "."), header, &len));
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(header, expected, len);
	buf_fini(&token);
}

static const struct {
	const char *private, *public, *alg;
} pairs[] = {
	{ KEY_HMAC, KEY_HMAC, "HS256" },
	{ KEY_RSA_PRIVATE, KEY_RSA, "RS256" },
	{ KEY_RSA_PRIVATE, KEY_RSA, "PS256" },
	{ KEY_EC_PRIVATE, KEY_EC, "ES256" },
	{ KEY_EC_PRIVATE, PEM_EC, "ES256" },
	{ KEY_ED_PRIVATE, KEY_ED, "EdDSA" },
	{ KEY_ED_PRIVATE, PEM_ED, "Ed25519" },
	{ PEM_ED_PRIVATE, PEM_ED_8410, "EdDSA" },
};

static void
test_each_kind_of_key_signs_by_its_algorithms_alone(void **state)
{
	(void)state;
	for (size_t key = 0; key < COUNT(pairs); key++)
		for (size_t i = 0; i < COUNT(pairs); i++) {
			struct jwt_wish wish = plain;
			unsigned alg;
			struct jwt_signer signer;
			struct buf token;

			wish.alg = pairs[i].alg;
			alg = jwk_alg_named(wish.alg, strlen(wish.alg));
			assert_true(jwt_signer_read(&signer, pairs[key].private,
			    strlen(pairs[key].private), &why));
			if ((signer.algs & alg) != 0) {
				assert_int_equal(verified(pairs[key].private,
						     pairs[key].public, &wish),
				    JWT_OK);
			} else {
				assert_false(
				    make(pairs[key].private, &wish, &token));
				assert_string_equal(
				    why, "the key is not for this algorithm");
				buf_fini(&token);
			}
			jwt_signer_fini(&signer);
		}
}

static void
test_the_key_says_which_algorithm_is_used(void **state)
{
	struct jwt_wish ps = plain;

	(void)state;
	ps.alg = "PS256";
	check_header(KEY_HMAC, &plain, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
	check_header(
	    KEY_RSA_PRIVATE, &plain, "{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
	check_header(
	    KEY_RSA_PRIVATE, &ps, "{\"alg\":\"PS256\",\"typ\":\"JWT\"}");
	check_header(
	    KEY_EC_PRIVATE, &plain, "{\"alg\":\"ES256\",\"typ\":\"JWT\"}");
	check_header(
	    PEM_ED_PRIVATE, &plain, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}");
	check_header("{\"alg\":\"Ed25519\"," KEY_ED_PRIVATE_REST, &plain,
	    "{\"alg\":\"Ed25519\",\"typ\":\"JWT\"}");
}

static void
test_a_jwk_may_leave_less(void **state)
{
	struct jwt_wish hs = plain;
	struct buf token;

	(void)state;
	hs.alg = "EdDSA";
	assert_null(key_fault("{\"use\":\"sig\",\"key_ops\":[\"sign\"],"
			      "\"alg\":\"EdDSA\"," KEY_ED_PRIVATE_REST));
	assert_true(make("{\"alg\":\"Ed25519\"," KEY_ED_PRIVATE_REST, &hs,
	    &token)); /* two names of one algorithm */
	buf_fini(&token);
	assert_string_equal(
	    key_fault("{\"alg\":\"ES256\"," KEY_ED_PRIVATE_REST),
	    "by its alg, use or key_ops the key is not for signing");
	assert_string_equal(key_fault("{\"use\":\"enc\"," KEY_ED_PRIVATE_REST),
	    "by its alg, use or key_ops the key is not for signing");
	assert_string_equal(
	    key_fault("{\"key_ops\":[\"verify\"]," KEY_ED_PRIVATE_REST),
	    "by its alg, use or key_ops the key is not for signing");
	assert_string_equal(key_fault("{\"alg\":1," KEY_ED_PRIVATE_REST),
	    "alg, use or key_ops of the key is broken");
	assert_string_equal(
	    key_fault("{\"key_ops\":[\"sign\",1]," KEY_ED_PRIVATE_REST),
	    "alg, use or key_ops of the key is broken");
}

static void
test_keys_that_do_not_sign(void **state)
{
	static const char *const none[][2] = {
		{ "", "no private key in PEM, nor a JWK" },
		{ PEM_ED, "no private key in PEM, nor a JWK" },
		{ "{}", "a kind of key that is not taken here" },
		{ KEY_RSA, "a public key: signing needs the private one" },
		{ KEY_EC, "a public key: signing needs the private one" },
		{ KEY_ED, "a public key: signing needs the private one" },
		{ "{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}",
		    "the secret is shorter than 32 bytes" },
		{ "{\"keys\":[" KEY_HMAC "]}",
		    "a set of keys, and one is needed" },
		{ "-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
		    "the key has a password, which is not asked for" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++)
		assert_string_equal(key_fault(none[i][0]), none[i][1]);
}

static void
test_what_is_wished_is_said(void **state)
{
	static const char *const aud[] = { "one", "two" };
	struct jwt_policy policy = {
		.iss = "h\u00e9 \"us\"",
		.aud_count = 1,
		.aud = { "two" },
	};
	struct jwt_wish wish = {
		.sub = "4\\2",
		.iss = policy.iss,
		.info = "{\"name\": \"Ann\"}",
		.grants = "{\"subscribe\":[\"room/+\"]}",
		.aud = aud,
		.aud_count = 2,
		.now_s = NOW,
		.exp_s = NOW + 1,
	};

	(void)state;
	assert_int_equal(
	    round_trip(KEY_HMAC, KEY_HMAC, &wish, &policy, NOW), JWT_OK);
	assert_int_equal(claims.exp, NOW + 1);
	assert_int_equal(claims.sub_len, 3);
	assert_memory_equal(claims.sub, "4\\2", 3);
	assert_int_equal(claims.info_len, strlen(wish.info));
	assert_memory_equal(claims.info, wish.info, claims.info_len);
	assert_int_equal(claims.grants_len, strlen(wish.grants));
	assert_memory_equal(claims.grants, wish.grants, claims.grants_len);
	wish.aud = &aud[1];
	wish.aud_count = 1;
	assert_int_equal(
	    round_trip(KEY_HMAC, KEY_HMAC, &wish, &policy, NOW), JWT_OK);
	assert_int_equal(
	    round_trip(KEY_HMAC, KEY_HMAC, &wish, &policy, NOW + 1),
	    JWT_EXPIRED);
	wish.aud = aud;
	assert_int_equal(round_trip(KEY_HMAC, KEY_HMAC, &wish, &policy, NOW),
	    JWT_WRONG_AUDIENCE);
}

static void
test_the_key_is_named(void **state)
{
	struct jwt_wish wish = plain;

	(void)state;
	check_header(KEY_HMAC_KID, &wish,
	    "{\"alg\":\"HS256\",\"typ\":\"JWT\","
	    "\"kid\":\"018c0ae5-4d9b-471b-bfd6-eef314bc7037\"}");
	assert_int_equal(verified(KEY_HMAC_KID, KEY_HMAC_KID, &wish), JWT_OK);
	wish.kid = "a \"name\"";
	check_header(KEY_HMAC_KID, &wish,
	    "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"a \\\"name\\\"\"}");
	assert_int_equal(
	    verified(KEY_HMAC_KID, KEY_HMAC_KID, &wish), JWT_UNKNOWN_KEY);
}

/* Refused when it is made, not first when it is used. */
static void
check_not_made(const struct jwt_wish *wish, const char *expected)
{
	struct buf token;

	assert_false(make(KEY_HMAC, wish, &token));
	assert_string_equal(why, expected);
	buf_fini(&token);
}

static void
test_what_a_server_would_refuse_is_not_made(void **state)
{
	static const char claim[] = "a claim of the token is missing or broken";
	char text[JWT_MAX + 1];
	struct jwt_wish wish = plain;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[JWT_SUB_MAX + 1] = '\0';
	wish.sub = text;
	check_not_made(&wish, claim);
	wish.sub = "a\tb";
	check_not_made(&wish, claim);
	wish.sub = "\xff";
	check_not_made(&wish, "the token is malformed");
	wish = plain;
	wish.info = "{";
	check_not_made(&wish, "the token is malformed");
	wish.info = "1,\"sub\":\"root\",\"sub\":\"root\"";
	check_not_made(&wish, "the token is malformed");
	wish = plain;
	wish.exp_s = wish.now_s;
	check_not_made(&wish, "the token has expired");
	wish = plain;
	text[JWT_SUB_MAX + 1] = 'x';
	text[JWT_MAX * 3 / 4 - 100] = '\0';
	wish.iss = text; /* all of it is longer once it is signed */
	check_not_made(&wish, "the token is too long");
	text[JWT_MAX * 3 / 4 - 100] = 'x';
	text[JWT_MAX] = '\0';
	check_not_made(&wish, "the token is too long");
	text[JWT_HEADER_MAX] = '\0';
	wish = plain;
	wish.kid = text;
	check_not_made(&wish, "the token is too long");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_each_kind_of_key_signs_by_its_algorithms_alone),
	cmocka_unit_test(test_the_key_says_which_algorithm_is_used),
	cmocka_unit_test(test_a_jwk_may_leave_less),
	cmocka_unit_test(test_keys_that_do_not_sign),
	cmocka_unit_test(test_what_is_wished_is_said),
	cmocka_unit_test(test_the_key_is_named),
	cmocka_unit_test(test_what_a_server_would_refuse_is_not_made),
};

SUITE_MAIN(tests);
