/* SPDX-License-Identifier: MIT */
/* test_jwk.c - which key files are taken, and what is said of the others. */

#include "common/base64url.h"
#include "common/jwk_set.h"
#include "tests/support/suite.h"
#include "tests/support/token_keys.h"

#include <stdlib.h>
#include <string.h>

#define B32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" /* 32 zero bytes */

/* RFC 7638, 3.1 */
#define KEY_7638                                                              \
	"{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFb" \
	"WhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3"  \
	"oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0"  \
	"_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbO"  \
	"pbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIq"  \
	"bw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":"      \
	"\"RS256"                                                             \
	"\",\"kid\":\"2011-04-29\"}"

/* A key whose first coordinate begins with a zero byte. */
#define KEY_EC_SHORT                                                         \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AOgcAG1ZW26QwIyvM-85Tput" \
	"3G71O-GtPr2vAr7y2O4\",\"y\":\"JzWyArg6s2ngv7zWb0It9G3OyQby8twfbU59" \
	"0avRz4M\"}"

/* That of KEY_EC, with one coordinate and the sign of the other. */
#define PEM_EC_COMPRESSED                                                    \
	"-----BEGIN PUBLIC KEY-----\n"                                       \
	"MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgADf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n" \
	"6e8Tus9uPHvRVEU=\n"                                                 \
	"-----END PUBLIC KEY-----\n"

static struct jwk_fault fault;

/* Add a file's text to a set. */
static bool
adds(struct jwk_set *set, const char *text)
{
	memset(&fault, 0, sizeof(fault));
	return jwk_set_add(set, text, strlen(text), &fault);
}

/* The algorithms of the first key of a file of one key. */
static unsigned
algs_of(const char *text)
{
	struct jwk_set set;
	unsigned algs;

	jwk_set_init(&set);
	if (!adds(&set, text))
		fail_msg("line %u: %s", fault.line, fault.why);
	assert_int_equal(set.count, 1);
	algs = set.keys[0]->algs;
	assert_int_equal(set.keys[0]->secret != NULL, algs == JWK_HS256);
	assert_int_equal(set.keys[0]->public.key != NULL, algs != JWK_HS256);
	assert_int_equal(jwk_set_has_secret(&set), algs == JWK_HS256);
	jwk_set_fini(&set);
	return algs;
}

static void
expect_refused(const char *text, unsigned line, const char *why)
{
	struct jwk_set set;

	jwk_set_init(&set);
	if (adds(&set, text))
		fail_msg("taken: %.60s", text);
	if (strstr(fault.why, why) == NULL || fault.line != line)
		fail_msg("%.60s: line %u: %s, not line %u: %s", text,
		    fault.line, fault.why, line, why);
	assert_int_equal(set.count, 0);
	jwk_set_fini(&set);
}

static void
test_the_kind_fixes_the_algorithms(void **state)
{
	(void)state;
	assert_int_equal(algs_of(KEY_HMAC), JWK_HS256);
	assert_int_equal(algs_of(KEY_RSA), JWK_RS256 | JWK_PS256);
	assert_int_equal(algs_of(KEY_EC), JWK_ES256);
	assert_int_equal(algs_of(KEY_ED), JWK_EDDSA);
}

static void
test_members_only_narrow(void **state)
{
	(void)state;
	assert_int_equal(
	    algs_of("{\"alg\":\"PS256\"," KEY_RSA_REST), JWK_PS256);
	assert_int_equal(
	    algs_of("{\"use\":\"sig\"," KEY_RSA_REST), JWK_RS256 | JWK_PS256);
	assert_int_equal(
	    algs_of("{\"key_ops\":[\"sign\",\"verify\"]," KEY_RSA_REST),
	    JWK_RS256 | JWK_PS256);
	/* Never widen: for something else it is no key of ours. */
	expect_refused("{\"alg\":\"HS256\"," KEY_RSA_REST, 1, "no key in it");
	expect_refused("{\"alg\":\"RS512\"," KEY_RSA_REST, 1, "no key in it");
	expect_refused("{\"use\":\"enc\"," KEY_RSA_REST, 1, "no key in it");
	expect_refused(
	    "{\"key_ops\":[\"sign\"]," KEY_RSA_REST, 1, "no key in it");
	expect_refused("{\"key_ops\":[]," KEY_RSA_REST, 1, "no key in it");
	expect_refused("{\"key_ops\":[7,\"verify\"]," KEY_RSA_REST, 1, "type");
	expect_refused("{\"alg\":7," KEY_RSA_REST, 1, "type");
	expect_refused("{\"use\":[]," KEY_RSA_REST, 1, "type");
	expect_refused("{\"key_ops\":\"verify\"," KEY_RSA_REST, 1, "type");
}

static void
test_weak_and_broken_keys_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "{\"kty\":\"oct\",\"k\":\"" B32 "\"", "" }, /* cut off */
		{ "{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}", "shorter than 32" },
		{ "{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		  "AAAAAAAA\"}",
		    "shorter than 32" }, /* 31 */
		{ "{\"kty\":\"oct\",\"k\":\"" B32 "=\"}", "base64url" },
		{ "{\"kty\":\"oct\"}", "base64url" },
		{ "{\"kty\":\"oct\",\"k\":5}", "base64url" },
		{ "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0t\",\"e\":\"AQAB\"}",
		    "2048" },
		{ "{\"kty\":\"RSA\",\"e\":\"AQAB\"}", "numbers" },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" B32
		  "\",\"y\":\"" B32 "\"}",
		    "" },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":"
		  "\"" B32 "\"}",
		    "numbers" },
		/* the key of RFC 7515, A.3, with a byte behind y, and x */
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
		  "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_"
		  "FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0A\"}",
		    "numbers" },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
		  "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEUA\",\"y\":\"x_"
		  "FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
		    "numbers" },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
		    "numbers" },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" B32 "\"}",
		    "small order" },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
		  "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		    "small order" },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
		  "\"7v_______________________________________38\"}",
		    "small order" }, /* 1 + p, not canonical */
		{ KEY_EC_PRIVATE, "private" },
		{ KEY_RSA_PRIVATE, "private" },
		{ KEY_ED_PRIVATE, "private" },
		{ "{\"kty\":\"RSA\",\"kty\":\"oct\"}", "once" },
		{ "{\"kty\":\"oct\",\"\\u006bty\":\"oct\"}", "once" },
		{ "{}", "without kty" },
		{ "{\"kty\":1}", "without kty" },
		{ "{\"kty\":\"EC\",\"crv\":\"P-384\"}", "no key in it" },
		{ "{\"kty\":\"DSA\"}", "no key in it" },
		{ "{\"keys\":[]}", "no key in it" },
		{ "{\"keys\":{}}", "not an array" },
		{ "{\"keys\":[7]}", "not a JSON object" },
		{ "[]", "no key in it" },
		{ "", "no key in it" },
		{ "secret", "no key in it" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_refused(cases[i].text, 1, cases[i].why);
	expect_refused("{\"kid\":5," KEY_RSA_REST, 1, "kid");
}

static void
test_a_fault_says_its_line(void **state)
{
	(void)state;
	expect_refused("{\n\"keys\":[\n" KEY_EC ",\n" KEY_HMAC ",\n"
		       "{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}]}",
	    5, "shorter");
	expect_refused("{\n\n\"keys\":\n[\n,]}", 5, "");
	expect_refused("# a comment\n-----BEGIN RSA PUBLIC KEY-----\nAAAA\n"
		       "-----END RSA PUBLIC KEY-----\n",
	    2, "PUBLIC KEY");
	expect_refused("\n\n-----BEGIN PUBLIC KEY-----\nAAAA\n"
		       "-----END PUBLIC KEY-----\n",
	    3, "not a public key");
	expect_refused("-----BEGIN PUBLIC KEY-----\nAAAA\n", 1, "broken PEM");
}

static void
test_a_kid_is_there_once(void **state)
{
	struct jwk_set set;

	(void)state;
	expect_refused(
	    "{\"keys\":[" KEY_HMAC_KID ",\n" KEY_HMAC_KID "]}", 2, "same kid");
	jwk_set_init(&set);
	assert_true(adds(&set, KEY_HMAC_KID));
	assert_true(adds(&set, KEY_RSA_KID));
	/* also in another file; the set stays as it was */
	assert_false(adds(&set, "{\"keys\":[" KEY_EC "," KEY_RSA_KID "]}"));
	assert_int_equal(set.count, 2);
	/* an escape is no other name */
	assert_false(adds(&set, "{\"kid\":\"\\u0062ilbo.baggins@hobbiton."
				"example\"," KEY_RSA_REST));
	/* keys without a kid may be many */
	assert_true(adds(&set, "{\"keys\":[" KEY_EC "," KEY_EC "]}"));
	assert_int_equal(set.count, 4);
	jwk_set_fini(&set);
}

static void
test_a_set_leaves_out_what_is_for_others(void **state)
{
	(void)state;
	assert_int_equal(algs_of("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-521\","
				 "\"x\":\"\"},{\"use\":\"enc\",\"alg\":"
				 "\"RSA-OAEP\"," KEY_RSA_REST "," KEY_ED "]}"),
	    JWK_EDDSA);
}

static void
test_64_keys_and_no_more(void **state)
{
	size_t each = strlen(KEY_EC) + 1;
	char *text = malloc(65 * each + 16);
	struct jwk_set set;

	(void)state;
	for (size_t n = 64; n <= 65; n++) {
		strcpy(text, "{\"keys\":[" KEY_EC);
		for (size_t i = 1; i < n; i++)
			strcat(text, "," KEY_EC);
		strcat(text, "]}");
		jwk_set_init(&set);
		assert_int_equal(adds(&set, text), n == 64);
		assert_int_equal(set.count, n == 64 ? 64 : 0);
		jwk_set_fini(&set);
	}
	assert_non_null(strstr(fault.why, "64 keys"));
	free(text);
}

static void
test_pem(void **state)
{
	struct jwk_set set;

	(void)state;
	assert_int_equal(algs_of(PEM_ED), JWK_EDDSA);
	assert_int_equal(algs_of(PEM_EC), JWK_ES256);
	jwk_set_init(&set);
	assert_true(adds(&set, "an Ed25519 key\n" PEM_ED "and\n" PEM_EC));
	assert_int_equal(set.count, 2);
	jwk_set_fini(&set);
	expect_refused(PEM_ED PEM_P384, 4, "P-256");
	expect_refused("-----BEGIN PRIVATE KEY-----\nAAAA\n"
		       "-----END PRIVATE KEY-----\n",
	    1, "private");
}

/* The thumbprint of the one key of a file, in base64url. */
static void
expect_thumbprint(const char *text, const char *wanted)
{
	char got[BASE64URL_ENCODED_LEN(SHA256_LEN)];
	struct jwk_set set;

	jwk_set_init(&set);
	if (!adds(&set, text))
		fail_msg("line %u: %s", fault.line, fault.why);
	assert_int_equal(
	    base64url_encode(set.keys[0]->thumbprint, SHA256_LEN, got),
	    sizeof(got));
	if (memcmp(got, wanted, sizeof(got)) != 0)
		fail_msg("%.60s: %.*s", text, (int)sizeof(got), got);
	jwk_set_fini(&set);
}

static void
test_a_thumbprint_is_that_of_the_rfcs(void **state)
{
	(void)state;
	/* RFC 7638, 3.1, and RFC 8037, A.3 */
	expect_thumbprint(
	    KEY_7638, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	expect_thumbprint(
	    KEY_ED, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
	/* Of other libraries: they are the same for every way to write it. */
	expect_thumbprint(
	    PEM_ED, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
	expect_thumbprint(
	    KEY_EC, "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
	expect_thumbprint(
	    PEM_EC, "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
	expect_thumbprint(
	    PEM_EC_COMPRESSED, "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
	expect_thumbprint(
	    KEY_HMAC, "RtoRur_1Dir5M4wuOfqNkDYOf9O_4RJ-aHkTA75RLA8");
	expect_thumbprint(
	    KEY_HMAC_KID, "RtoRur_1Dir5M4wuOfqNkDYOf9O_4RJ-aHkTA75RLA8");
}

/* A coordinate with a zero byte in front keeps it. */
static void
test_the_thumbprint_of_a_short_coordinate(void **state)
{
	(void)state;
	expect_thumbprint(
	    KEY_EC_SHORT, "aaskFP7H_0McnCAKavfemkJK7840inVs1FUcXOE0vYE");
}

static void
test_a_key_is_found_by_thumbprint_and_algorithm(void **state)
{
	uint8_t other[SHA256_LEN] = { 0 };
	struct jwk_set set;

	(void)state;
	jwk_set_init(&set);
	assert_true(adds(&set, KEY_HMAC));
	assert_true(adds(&set, "{\"alg\":\"PS256\"," KEY_RSA_REST));
	assert_ptr_equal(jwk_set_find(&set, set.keys[1]->thumbprint, JWK_PS256),
	    set.keys[1]);
	assert_ptr_equal(jwk_set_find(&set, set.keys[0]->thumbprint, JWK_HS256),
	    set.keys[0]);
	assert_null(jwk_set_find(&set, set.keys[1]->thumbprint, JWK_RS256));
	assert_null(jwk_set_find(&set, set.keys[0]->thumbprint, JWK_PS256));
	assert_null(jwk_set_find(&set, other, JWK_HS256));
	jwk_set_fini(&set);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_the_kind_fixes_the_algorithms),
	cmocka_unit_test(test_members_only_narrow),
	cmocka_unit_test(test_weak_and_broken_keys_are_refused),
	cmocka_unit_test(test_a_fault_says_its_line),
	cmocka_unit_test(test_a_kid_is_there_once),
	cmocka_unit_test(test_a_set_leaves_out_what_is_for_others),
	cmocka_unit_test(test_64_keys_and_no_more),
	cmocka_unit_test(test_pem),
	cmocka_unit_test(test_a_thumbprint_is_that_of_the_rfcs),
	cmocka_unit_test(test_the_thumbprint_of_a_short_coordinate),
	cmocka_unit_test(test_a_key_is_found_by_thumbprint_and_algorithm),
};

SUITE_MAIN(tests);
