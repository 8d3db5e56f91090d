/* SPDX-License-Identifier: MIT */
/* test_base64url.c - what common/base64url.h promises. */

#include "common/base64url.h"
#include "tests/support/suite.h"

#include <string.h>

static bool
decodes(const char *text, const char *wanted)
{
	unsigned char out[64];
	size_t len;

	if (!base64url_decode(text, strlen(text), out, &len))
		return false;
	assert_true(len <= BASE64URL_DECODED_MAX(strlen(text)));
	assert_int_equal(len, strlen(wanted));
	assert_memory_equal(out, wanted, len);
	return true;
}

static void
test_the_vectors_of_rfc_4648(void **state)
{
	static const char *const pairs[][2] = { { "", "" }, { "Zg", "f" },
		{ "Zm8", "fo" }, { "Zm9v", "foo" }, { "Zm9vYg", "foob" },
		{ "Zm9vYmE", "fooba" }, { "Zm9vYmFy", "foobar" },
		{ "-_-_", "\xfb\xff\xbf" } };
	char out[16];

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		size_t len =
		    base64url_encode(pairs[i][1], strlen(pairs[i][1]), out);

		assert_true(decodes(pairs[i][0], pairs[i][1]));
		assert_int_equal(len, strlen(pairs[i][0]));
		assert_memory_equal(out, pairs[i][0], len);
	}
}

static void
test_what_is_not_the_one_text_is_refused(void **state)
{
	static const char *const texts[] = { "Zg==", "Zg=", "A", "Z", "Zm9vA",
		"Zm9vY", "Zh", "Zm9", "Zm8 ", " Zm8", "Zm\n8", "+/+/", "Zm9v.",
		"Zm9vYmF=", "\xc3\xa9\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (decodes(texts[i], ""))
			fail_msg("%s is decoded", texts[i]);
}

/* Every text of two and three characters that is taken is the one that its
 * bytes are encoded as. */
static void
test_no_bytes_have_two_texts(void **state)
{
	unsigned char bytes[4];
	char text[3], back[8];
	size_t n, len, taken = 0;

	(void)state;
	for (unsigned i = 0; i < 1u << 24; i += 1 + (i % 7 == 0)) {
		text[0] = (char)(i >> 16);
		text[1] = (char)(i >> 8);
		text[2] = (char)i;
		for (len = 2; len <= 3; len++) {
			if (!base64url_decode(text, len, bytes, &n))
				continue;
			taken++;
			assert_int_equal(base64url_encode(bytes, n, back), len);
			assert_memory_equal(back, text, len);
		}
	}
	assert_true(taken > 1000);
}

static void
test_all_bytes_come_back(void **state)
{
	unsigned char bytes[256], back[BASE64URL_DECODED_MAX(400)];
	char text[BASE64URL_ENCODED_LEN(sizeof(bytes))];
	size_t len, n;

	(void)state;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	for (size_t i = 0; i <= sizeof(bytes); i++) {
		len = base64url_encode(bytes, i, text);
		assert_int_equal(len, BASE64URL_ENCODED_LEN(i));
		assert_true(base64url_decode(text, len, back, &n));
		assert_int_equal(n, i);
		assert_memory_equal(back, bytes, i);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_the_vectors_of_rfc_4648),
	cmocka_unit_test(test_what_is_not_the_one_text_is_refused),
	cmocka_unit_test(test_no_bytes_have_two_texts),
	cmocka_unit_test(test_all_bytes_come_back),
};

SUITE_MAIN(tests);
