/* SPDX-License-Identifier: MIT */
/*
 * test_jwt.c - which tokens are taken: every algorithm with every kind of key,
 * every form that is refused, and the examples of the RFCs.
 */

#include "common/jwt.h"
#include "tests/support/suite.h"
#include "tests/support/token_keys.h"
#include "tests/support/token_maker.h"

#include <stdlib.h>
#include <string.h>

#define NOW  1700000000u
#define FINE "{\"exp\":1700000100}"

static const struct jwt_policy open_policy = { .leeway_s = 30 };
static struct jwt_claims claims;

/* A set of the keys in these files; ends with NULL. */
static struct jwk_set
keys_of(const char *const *files)
{
	struct jwk_set set;
	struct jwk_fault fault;

	jwk_set_init(&set);
	for (; *files != NULL; files++)
		if (!jwk_set_add(&set, *files, strlen(*files), &fault))
			fail_msg("%s", fault.why);
	return set;
}

static enum jwt_status
verify_with(const char *const *files, const struct jwt_policy *policy,
    const char *token)
{
	struct jwk_set set = keys_of(files);
	enum jwt_status status;

	status = jwt_verify(&set, policy, token, strlen(token), NOW, &claims);
	jwk_set_fini(&set);
	return status;
}

/* Verify with one key of each kind. */
static enum jwt_status
verify(const char *token)
{
	static const char *const all[] = { KEY_HMAC, KEY_RSA, KEY_EC, KEY_ED,
		NULL };

	return verify_with(all, &open_policy, token);
}

/* Sign by HS256 with the usual header, and verify. */
static enum jwt_status
verify_payload(const struct jwt_policy *policy, const char *payload)
{
	static const char *const hmac[] = { KEY_HMAC, NULL };
	static char token[TOKEN_ROOM];

	token_sign("HS256", "{\"alg\":\"HS256\"}", payload, token);
	return verify_with(hmac, policy, token);
}

static enum jwt_status
verify_header(const char *header)
{
	static char token[TOKEN_ROOM];

	token_sign("HS256", header, FINE, token);
	return verify(token);
}

static const char *const algs[] = { "HS256", "RS256", "PS256", "ES256", "EdDSA",
	"Ed25519" };

/* Which of the keys below each of these is for. */
static const int key_of_alg[] = { 0, 1, 1, 2, 3, 3 };
static const char *const keys[] = { KEY_HMAC, KEY_RSA, KEY_EC, KEY_ED };

static void
test_every_algorithm_with_every_kind_of_key(void **state)
{
	char token[TOKEN_ROOM], header[64];

	(void)state;
	for (size_t said = 0; said < COUNT(algs); said++)
		for (size_t used = 0; used < COUNT(algs); used++)
			for (int k = 0; k < (int)COUNT(keys); k++) {
				const char *file[] = { keys[k], NULL };
				enum jwt_status status;
				bool same =
				    key_of_alg[said] == key_of_alg[used];

				snprintf(header, sizeof(header),
				    "{\"alg\":\"%s\"}", algs[said]);
				token_sign(algs[used], header, FINE, token);
				status = verify_with(file, &open_policy, token);
				if (k != key_of_alg[said])
					assert_int_equal(
					    status, JWT_UNKNOWN_KEY);
				else if (said == used ||
					 (same && key_of_alg[said] == 3))
					assert_int_equal(status, JWT_OK);
				else
					assert_int_equal(
					    status, JWT_BAD_SIGNATURE);
			}
}

/* The attack of RFC 8725, 2.1: the public key, which everybody has, as the
 * secret of an HMAC. */
static void
test_a_public_key_is_no_secret(void **state)
{
	const char *rsa[] = { KEY_RSA, NULL };
	char token[TOKEN_ROOM];

	(void)state;
	token_sign("HS256", "{\"alg\":\"HS256\"}", FINE, token);
	assert_int_equal(
	    verify_with(rsa, &open_policy, token), JWT_UNKNOWN_KEY);
}

static void
test_a_key_with_alg_is_for_that_only(void **state)
{
	const char *ps[] = { "{\"alg\":\"PS256\"," KEY_RSA_REST, NULL };
	char token[TOKEN_ROOM];

	(void)state;
	token_sign("RS256", "{\"alg\":\"RS256\"}", FINE, token);
	assert_int_equal(verify_with(ps, &open_policy, token), JWT_UNKNOWN_KEY);
	token_sign("PS256", "{\"alg\":\"PS256\"}", FINE, token);
	assert_int_equal(verify_with(ps, &open_policy, token), JWT_OK);
}

static void
test_kid_selects(void **state)
{
	static const char first[] = "{\"kid\":\"a\",\"kty\":\"oct\",\"k\":"
				    "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
				    "AAA\"}";
	const char *two[] = { first, KEY_HMAC_KID, NULL };
	const char *nameless[] = { KEY_HMAC, NULL };
	const char *twice[] = { KEY_HMAC, KEY_HMAC, NULL };
	const char *mixed[] = { KEY_HMAC_KID, KEY_EC, NULL };
	char token[TOKEN_ROOM];

	(void)state;
	/* named, also with an escape in the name */
	token_sign("HS256",
	    "{\"alg\":\"HS256\",\"kid\":\"018c0ae5-4d9b-471b-bfd6-eef314bc7037"
	    "\"}",
	    FINE, token);
	assert_int_equal(verify_with(two, &open_policy, token), JWT_OK);
	/* a name that no key has, or only in part */
	assert_int_equal(
	    verify_with(nameless, &open_policy, token), JWT_UNKNOWN_KEY);
	token_sign("HS256",
	    "{\"alg\":\"HS256\",\"kid\":\"\\u00308c0ae5-4d9b-471b-bfd6-eef314bc"
	    "7037\"}",
	    FINE, token);
	assert_int_equal(
	    verify_with(two, &open_policy, token), JWT_UNKNOWN_KEY);
	token_sign("HS256",
	    "{\"alg\":\"HS256\",\"kid\":\"\\u003018c0ae5-4d9b-471b-bfd6-eef314b"
	    "c7037\"}",
	    FINE, token);
	assert_int_equal(verify_with(two, &open_policy, token), JWT_OK);
	token_sign("HS256",
	    "{\"alg\":\"HS256\",\"kid\":\"018c0ae5-4d9b-471b-bfd6-"
	    "eef314bc70\"}",
	    FINE, token);
	assert_int_equal(
	    verify_with(two, &open_policy, token), JWT_UNKNOWN_KEY);
	token_sign("HS256",
	    "{\"alg\":\"HS256\",\"kid\":\"018c0ae5-4d9b-471b-bfd6-eef314bc7037"
	    "x\"}",
	    FINE, token);
	assert_int_equal(
	    verify_with(two, &open_policy, token), JWT_UNKNOWN_KEY);
	token_sign("HS256",
	    "{\"alg\":\"HS256\",\"kid\":\"018c0ae5-4d9b-471b-bfd6-eef314bc7038"
	    "\"}",
	    FINE, token);
	assert_int_equal(
	    verify_with(two, &open_policy, token), JWT_UNKNOWN_KEY);
	/* the name of another kind of key */
	token_sign("EdDSA",
	    "{\"alg\":\"EdDSA\",\"kid\":\"018c0ae5-4d9b-471b-bfd6-eef314bc7037"
	    "\"}",
	    FINE, token);
	assert_int_equal(
	    verify_with(two, &open_policy, token), JWT_UNKNOWN_KEY);
	/* nameless: only where one key fits */
	token_sign("HS256", "{\"alg\":\"HS256\"}", FINE, token);
	assert_int_equal(
	    verify_with(two, &open_policy, token), JWT_UNKNOWN_KEY);
	assert_int_equal(
	    verify_with(twice, &open_policy, token), JWT_UNKNOWN_KEY);
	assert_int_equal(verify_with(mixed, &open_policy, token), JWT_OK);
}

static void
test_headers(void **state)
{
	static const struct {
		const char *header;
		enum jwt_status status;
	} cases[] = {
		{ "{\"alg\":\"HS256\"}", JWT_OK },
		{ "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", JWT_OK },
		{ "{\"typ\":\"jwt\",\"alg\":\"HS256\"}", JWT_OK },
		{ "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", JWT_OK },
		{ "{\"alg\":\"HS256\",\"typ\":\"application/at+jwt\"}",
		    JWT_OK },
		{ "{\"alg\":\"\\u0048S256\"}", JWT_OK },
		/* what points to other keys is not followed */
		{ "{\"alg\":\"HS256\",\"jku\":\"https://evil\",\"x5u\":\"\","
		  "\"jwk\":{\"kty\":\"oct\",\"k\":\"\"},\"x5c\":[]}",
		    JWT_OK },
		{ "{\"alg\":\"none\"}", JWT_BAD_HEADER },
		{ "{\"alg\":\"None\"}", JWT_BAD_HEADER },
		{ "{\"alg\":\"hs256\"}", JWT_BAD_HEADER },
		{ "{\"alg\":\"HS512\"}", JWT_BAD_HEADER },
		{ "{\"alg\":\"HS256 \"}", JWT_BAD_HEADER },
		{ "{\"alg\":\"HS256\\u0000\"}", JWT_BAD_HEADER },
		{ "{\"alg\":\"\"}", JWT_BAD_HEADER },
		{ "{\"alg\":256}", JWT_BAD_HEADER },
		{ "{\"alg\":null}", JWT_BAD_HEADER },
		{ "{\"ALG\":\"HS256\"}", JWT_BAD_HEADER },
		{ "{}", JWT_BAD_HEADER },
		{ "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", JWT_BAD_HEADER },
		{ "{\"alg\":\"HS256\",\"crit\":[]}", JWT_BAD_HEADER },
		{ "{\"alg\":\"HS256\",\"\\u0063rit\":[\"b64\"],\"b64\":false}",
		    JWT_BAD_HEADER },
		{ "{\"alg\":\"HS256\",\"typ\":\"dpop+jwt\"}", JWT_BAD_HEADER },
		{ "{\"alg\":\"HS256\",\"typ\":\"logout+jwt\"}",
		    JWT_BAD_HEADER },
		{ "{\"alg\":\"HS256\",\"typ\":7}", JWT_BAD_HEADER },
		{ "{\"alg\":\"HS256\",\"kid\":7}", JWT_BAD_HEADER },
		{ "{\"alg\":\"HS256\",\"kid\":null}", JWT_BAD_HEADER },
		{ "{\"alg\":\"HS256\",\"kid\":\"\\ud800\"}", JWT_BAD_HEADER },
		{ "{\"alg\":\"HS256\",\"kid\":\"x\\u0000\"}", JWT_BAD_HEADER },
		{ "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", JWT_MALFORMED },
		{ "{\"alg\":\"none\",\"alg\":\"HS256\"}", JWT_MALFORMED },
		{ "{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}", JWT_MALFORMED },
		{ "{\"alg\":\"HS256\"} x", JWT_MALFORMED },
		{ "{\"alg\":\"HS256\",}", JWT_MALFORMED },
		{ "[\"HS256\"]", JWT_MALFORMED },
		{ "\"HS256\"", JWT_MALFORMED },
		{ "", JWT_MALFORMED },
		{ "{\"alg\":\"HS256\",\"x\":\"\xff\"}", JWT_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum jwt_status status = verify_header(cases[i].header);

		if (status != cases[i].status)
			fail_msg("%s: %s", cases[i].header, jwt_reason(status));
	}
}

static void
test_claims(void **state)
{
	static const struct {
		const char *payload;
		enum jwt_status status;
	} cases[] = {
		{ FINE, JWT_OK },
		{ "{\"exp\":1699999971}", JWT_OK }, /* within the leeway */
		{ "{\"exp\":1699999970}", JWT_EXPIRED },
		{ "{\"exp\":0}", JWT_EXPIRED },
		{ "{\"exp\":1700000100.999}", JWT_OK },
		{ "{\"exp\":9007199254740991}", JWT_OK },
		{ "{\"exp\":9007199254740992}", JWT_BAD_CLAIM },
		{ "{\"exp\":99999999999999999999999}", JWT_BAD_CLAIM },
		{ "{\"exp\":18446744073709551617}", JWT_BAD_CLAIM },
		{ "{\"exp\":17e9}", JWT_BAD_CLAIM },
		{ "{\"exp\":1700000100.5e9}", JWT_BAD_CLAIM },
		{ "{\"exp\":-1}", JWT_BAD_CLAIM },
		{ "{\"exp\":\"1700000100\"}", JWT_BAD_CLAIM },
		{ "{\"exp\":null}", JWT_BAD_CLAIM },
		{ "{\"exp\":true}", JWT_BAD_CLAIM },
		{ "{}", JWT_BAD_CLAIM },
		{ "{\"EXP\":1700000100}", JWT_BAD_CLAIM },
		{ "{\"exp\":1700000100,\"nbf\":1700000030}", JWT_OK },
		{ "{\"exp\":1700000100,\"nbf\":1700000031}", JWT_NOT_YET },
		{ "{\"exp\":1700000100,\"nbf\":\"0\"}", JWT_BAD_CLAIM },
		{ "{\"exp\":1700000100,\"nbf\":null}", JWT_BAD_CLAIM },
		{ "{\"exp\":1700000100,\"iat\":5000000000}", JWT_OK },
		{ "{\"exp\":1,\"exp\":1700000100}", JWT_MALFORMED },
		{ "{\"exp\":1700000100,\"\\u0065xp\":1}", JWT_MALFORMED },
		{ "{\"exp\":1700000100} {}", JWT_MALFORMED },
		{ "[]", JWT_MALFORMED },
		{ "7", JWT_MALFORMED },
		{ "{\"exp\":1700000100,\"x\":\"\xc3\"}", JWT_MALFORMED },
		{ "{\"exp\":1700000100,\"aud\":\"us\"}", JWT_WRONG_AUDIENCE },
		{ "{\"exp\":1700000100,\"aud\":[]}", JWT_WRONG_AUDIENCE },
		{ "{\"exp\":1700000100,\"aud\":7}", JWT_BAD_CLAIM },
		{ "{\"exp\":1700000100,\"iss\":\"any\"}", JWT_OK },
		{ "{\"exp\":1700000100,\"iss\":7}", JWT_BAD_CLAIM },
		{ "{\"exp\":1700000100,\"sub\":7}", JWT_BAD_CLAIM },
		{ "{\"exp\":1700000100,\"sub\":\"a\\u0000b\"}", JWT_BAD_CLAIM },
		{ "{\"exp\":1700000100,\"sub\":\"a\\nb\"}", JWT_BAD_CLAIM },
		{ "{\"exp\":1700000100,\"sub\":\"a\\u007f\"}", JWT_BAD_CLAIM },
		{ "{\"exp\":1700000100,\"sub\":\"\\ud800\"}", JWT_BAD_CLAIM },
		{ "{\"exp\":1700000100,\"pubsubd\":[]}", JWT_BAD_CLAIM },
		{ "{\"exp\":1700000100,\"pubsubd\":null}", JWT_BAD_CLAIM },
		{ "{\"exp\":1700000100,\"pubsubd\":{}}", JWT_OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum jwt_status status =
		    verify_payload(&open_policy, cases[i].payload);

		if (status != cases[i].status)
			fail_msg(
			    "%s: %s", cases[i].payload, jwt_reason(status));
	}
}

static void
test_issuer_and_audience(void **state)
{
	static const struct jwt_policy policy = { .iss = "https://i",
		.aud = { "us", "them" },
		.aud_count = 2,
		.leeway_s = 0 };
	static const struct {
		const char *rest;
		enum jwt_status status;
	} cases[] = {
		{ "\"iss\":\"https://i\",\"aud\":\"us\"", JWT_OK },
		{ "\"iss\":\"https:\\/\\/i\",\"aud\":[\"x\",\"them\"]",
		    JWT_OK },
		{ "\"iss\":\"https://i\",\"aud\":[\"x\"]", JWT_WRONG_AUDIENCE },
		{ "\"iss\":\"https://i\",\"aud\":\"us \"", JWT_WRONG_AUDIENCE },
		{ "\"iss\":\"https://i\",\"aud\":\"US\"", JWT_WRONG_AUDIENCE },
		{ "\"iss\":\"https://i\"", JWT_WRONG_AUDIENCE },
		{ "\"iss\":\"https://i\",\"aud\":[\"us\",7]", JWT_BAD_CLAIM },
		{ "\"iss\":\"https://i\",\"aud\":null", JWT_BAD_CLAIM },
		{ "\"iss\":\"https://i/\",\"aud\":\"us\"", JWT_WRONG_ISSUER },
		{ "\"iss\":\"https://\",\"aud\":\"us\"", JWT_WRONG_ISSUER },
		{ "\"aud\":\"us\"", JWT_WRONG_ISSUER },
	};
	char payload[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum jwt_status status;

		snprintf(payload, sizeof(payload), "{\"exp\":1700000001,%s}",
		    cases[i].rest);
		status = verify_payload(&policy, payload);
		if (status != cases[i].status)
			fail_msg("%s: %s", payload, jwt_reason(status));
	}
	/* no leeway: the very second counts */
	assert_int_equal(
	    verify_payload(&policy, "{\"exp\":1700000000}"), JWT_EXPIRED);
}

static void
test_what_a_token_says(void **state)
{
	(void)state;
	assert_int_equal(
	    verify_payload(&open_policy,
		"{\"exp\":1700000100,\"sub\":\"4\\u0032\",\"info\":{\"n\":[1]},"
		"\"pubsubd\":{\"subscribe\":[\"#\"]}}"),
	    JWT_OK);
	assert_int_equal(claims.exp, 1700000100);
	assert_int_equal(claims.sub_len, 2);
	assert_memory_equal(claims.sub, "42", 2);
	assert_int_equal(claims.info_len, strlen("{\"n\":[1]}"));
	assert_memory_equal(claims.info, "{\"n\":[1]}", claims.info_len);
	assert_memory_equal(
	    claims.grants, "{\"subscribe\":[\"#\"]}", claims.grants_len);
	assert_int_equal(verify_payload(&open_policy, FINE), JWT_OK);
	assert_null(claims.info);
	assert_null(claims.grants);
	assert_int_equal(claims.sub_len, 0);
}

/* A payload with a member of so many bytes. */
static char *
long_payload(const char *name, char fill, size_t n)
{
	char *text = malloc(n + 64), *p;

	p = text + sprintf(text, "{\"exp\":1700000100,\"%s\":\"", name);
	memset(p, fill, n);
	strcpy(p + n, "\"}");
	return text;
}

static void
test_limits(void **state)
{
	static const struct {
		const char *name;
		size_t most;
		enum jwt_status over;
	} cases[] = {
		{ "sub", JWT_SUB_MAX, JWT_BAD_CLAIM },
		{ "info", JWT_INFO_MAX - 2, JWT_BAD_CLAIM },
	};
	char text[4096] = "{\"exp\":1700000100", *p;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t over = 0; over <= 1; over++) {
			p = long_payload(
			    cases[i].name, 'x', cases[i].most + over);
			assert_int_equal(verify_payload(&open_policy, p),
			    over ? cases[i].over : JWT_OK);
			free(p);
		}
	/* members: 64 in all */
	for (int i = 0; i < 63; i++)
		sprintf(text + strlen(text), ",\"m%d\":0", i);
	p = text + strlen(text);
	strcpy(p, "}");
	assert_int_equal(verify_payload(&open_policy, text), JWT_OK);
	strcpy(p, ",\"one\":0}");
	assert_int_equal(verify_payload(&open_policy, text), JWT_MALFORMED);
	/* nesting of info */
	strcpy(text, "{\"exp\":1700000100,\"info\":");
	p = text + strlen(text);
	memset(p, '[', 33);
	memset(p + 33, ']', 33);
	strcpy(p + 66, "}");
	assert_int_equal(verify_payload(&open_policy, text), JWT_BAD_CLAIM);
	memset(p, '[', 32);
	memset(p + 32, ']', 32);
	strcpy(p + 64, "}");
	assert_int_equal(verify_payload(&open_policy, text), JWT_OK);
}

/* The lengths of a token and of a header. */
static void
test_long_tokens(void **state)
{
	static char token[TOKEN_ROOM];
	char header[1100], *payload;
	size_t n;

	(void)state;
	/* 8192 characters are a token, whatever it says; 8193 are none */
	for (n = 6000; n < 6200; n++) {
		size_t len;

		payload = long_payload("x", 'x', n);
		len =
		    token_sign("HS256", "{\"alg\":\"HS256\"}", payload, token);
		free(payload);
		assert_int_equal(
		    verify(token), len <= 8192 ? JWT_OK : JWT_TOO_LONG);
	}
	for (n = 1024; n <= 1025; n++) {
		int at = snprintf(
		    header, sizeof(header), "{\"alg\":\"HS256\",\"x\":\"");

		memset(header + at, 'x', n - (size_t)at - 2);
		strcpy(header + n - 2, "\"}");
		assert_int_equal(strlen(header), n);
		assert_int_equal(verify_header(header),
		    n <= JWT_HEADER_MAX ? JWT_OK : JWT_TOO_LONG);
	}
}

static void
test_forms(void **state)
{
	char token[TOKEN_ROOM], bent[TOKEN_ROOM];
	static const char *const forms[] = { "", ".", "..", "...", "a", "a.b",
		"e30.e30.", ".e30.", "e30..", "Bearer x.y.z" };
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++)
		assert_int_not_equal(verify(forms[i]), JWT_OK);
	len = token_sign("HS256", "{\"alg\":\"HS256\"}", FINE, token);
	/* every byte of it counts */
	for (size_t i = 0; i < len; i++) {
		memcpy(bent, token, len + 1);
		bent[i] = bent[i] == 'A' ? 'B' : 'A';
		assert_int_not_equal(verify(bent), JWT_OK);
	}
	/* cut off, or longer */
	for (size_t i = 0; i < len; i++) {
		memcpy(bent, token, i);
		bent[i] = '\0';
		assert_int_not_equal(verify(bent), JWT_OK);
	}
	static const char *const tails[] = { "=", ".", ".e30", " ", "\n", "A",
		"AA", "AAAA" };
	for (size_t i = 0; i < COUNT(tails); i++) {
		snprintf(bent, sizeof(bent), "%s%s", token, tails[i]);
		assert_int_not_equal(verify(bent), JWT_OK);
	}
	/* another text of the same bytes: the last two bits mean nothing */
	memcpy(bent, token, len + 1);
	bent[len - 1]++;
	assert_int_equal(verify(bent), JWT_MALFORMED);
	/* a NUL within */
	memcpy(bent, token, len);
	bent[len / 2] = '\0';
	struct jwk_set set = keys_of((const char *[]){ KEY_HMAC, NULL });
	assert_int_not_equal(
	    jwt_verify(&set, &open_policy, bent, len, NOW, &claims), JWT_OK);
	jwk_set_fini(&set);
}

/* Signatures that are too short, too long, or zero. */
static void
test_signatures_of_another_length(void **state)
{
	char token[TOKEN_ROOM], bent[TOKEN_ROOM], header[64];

	(void)state;
	for (size_t i = 0; i < COUNT(algs); i++) {
		size_t len, dot;

		snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", algs[i]);
		len = token_sign(algs[i], header, FINE, token);
		dot = (size_t)(strrchr(token, '.') - token) + 1;
		assert_int_equal(verify(token), JWT_OK);
		for (size_t n = 0; n <= len - dot + 8; n++) {
			if (n % 4 == 1)
				continue; /* no base64url has this length */
			memcpy(bent, token, len);
			memset(bent + len, 'A', 16);
			bent[dot + n] = '\0';
			if (n != len - dot)
				assert_int_not_equal(verify(bent), JWT_OK);
		}
		memset(token + dot, 'A', len - dot);
		assert_int_equal(verify(token), JWT_BAD_SIGNATURE);
	}
}

static void
test_the_payload_is_not_read_before_the_signature_is_verified(void **state)
{
	char token[TOKEN_ROOM];

	(void)state;
	token_sign("HS256", "{\"alg\":\"HS256\"}", "not JSON", token);
	assert_int_equal(verify(token), JWT_MALFORMED);
	*strrchr(token, '.') = '\0';
	strcat(token, ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	assert_int_equal(verify(token), JWT_BAD_SIGNATURE);
}

static enum jwt_status
verify_at(const char *key, const char *token, uint64_t now)
{
	struct jwk_set set = keys_of((const char *[]){ key, NULL });
	static const struct jwt_policy joe = { .iss = "joe" };
	enum jwt_status status =
	    jwt_verify(&set, &joe, token, strlen(token), now, &claims);

	jwk_set_fini(&set);
	return status;
}

static void
test_the_examples_of_rfc_7515_and_7519(void **state)
{
	static const char *const pairs[][2] = { { KEY_A1, TOKEN_A1 },
		{ KEY_A2, TOKEN_A2 }, { KEY_EC, TOKEN_A3 } };

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++)
		for (size_t k = 0; k < COUNT(pairs); k++) {
			assert_int_equal(verify_at(pairs[k][0], pairs[i][1],
					     TOKEN_A_EXP - 1),
			    i == k ? JWT_OK : JWT_UNKNOWN_KEY);
			assert_int_equal(
			    verify_at(pairs[k][0], pairs[i][1], TOKEN_A_EXP),
			    i == k ? JWT_EXPIRED : JWT_UNKNOWN_KEY);
		}
	assert_int_equal(verify(TOKEN_NONE), JWT_BAD_HEADER);
}

/* Texts whose signature is right, but which are no tokens: MALFORMED is said of
 * a payload alone behind a signature that fits. */
static void
test_the_examples_of_rfc_7520_and_8037(void **state)
{
	static const char *const all[] = { KEY_HMAC_KID, KEY_RSA_KID, KEY_ED,
		NULL };
	static const char *const other[] = { KEY_A1, KEY_A2, KEY_ED, NULL };

	(void)state;
	assert_int_equal(
	    verify_with(all, &open_policy, TOKEN_7520_HMAC), JWT_MALFORMED);
	assert_int_equal(
	    verify_with(all, &open_policy, TOKEN_7520_RSA), JWT_MALFORMED);
	assert_int_equal(
	    verify_with(all, &open_policy, TOKEN_8037), JWT_MALFORMED);
	assert_int_equal(
	    verify_with(all, &open_policy, TOKEN_7520_PSS), JWT_BAD_HEADER);
	assert_int_equal(
	    verify_with(other, &open_policy, TOKEN_7520_RSA), JWT_UNKNOWN_KEY);
}

/* Deterministic signatures come out as they are printed there. */
static void
test_signing_gives_the_printed_signatures(void **state)
{
	char token[TOKEN_ROOM];

	(void)state;
	token_sign("EdDSA", "{\"alg\":\"EdDSA\"}", "Example of Ed25519 signing",
	    token);
	assert_string_equal(token, TOKEN_8037);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_every_algorithm_with_every_kind_of_key),
	cmocka_unit_test(test_a_public_key_is_no_secret),
	cmocka_unit_test(test_a_key_with_alg_is_for_that_only),
	cmocka_unit_test(test_kid_selects),
	cmocka_unit_test(test_headers),
	cmocka_unit_test(test_claims),
	cmocka_unit_test(test_issuer_and_audience),
	cmocka_unit_test(test_what_a_token_says),
	cmocka_unit_test(test_limits),
	cmocka_unit_test(test_long_tokens),
	cmocka_unit_test(test_forms),
	cmocka_unit_test(test_signatures_of_another_length),
	cmocka_unit_test(
	    test_the_payload_is_not_read_before_the_signature_is_verified),
	cmocka_unit_test(test_the_examples_of_rfc_7515_and_7519),
	cmocka_unit_test(test_the_examples_of_rfc_7520_and_8037),
	cmocka_unit_test(test_signing_gives_the_printed_signatures),
};

SUITE_MAIN(tests);
