/* SPDX-License-Identifier: MIT */
/* test_access_rules.c - what common/access_rules.h promises. */

#include "common/access_rules.h"
#include "tests/support/suite.h"
#include "tests/support/token_keys.h"

#include <string.h>

static void
add(struct access_texts *texts, enum access_kind kind, const char *text)
{
	assert_true(access_texts_add(texts, kind, text, strlen(text)));
}

static void
test_rules_are_what_the_texts_say(void **state)
{
	struct access_texts texts = { 0 };
	struct access_fault fault;
	struct access_rules *rules;

	(void)state;
	add(&texts, ACCESS_JWT_KEY, KEY_RSA);
	add(&texts, ACCESS_JWT_KEY, KEY_HMAC_KID);
	add(&texts, ACCESS_JWT_ISS, "me");
	add(&texts, ACCESS_JWT_AUD, "you");
	add(&texts, ACCESS_JWT_AUD, "they");
	add(&texts, ACCESS_JWT_LEEWAY, "5000");
	add(&texts, ACCESS_ANONYMOUS, "subscribe:a");
	add(&texts, ACCESS_GRANT, "publish:{sub}");
	rules = access_rules_new(&texts, &fault);
	access_texts_wipe(&texts); /* the rules do not need them */
	assert_non_null(rules);
	assert_int_equal(rules->keys.count, 2);
	assert_string_equal(rules->policy.iss, "me");
	assert_int_equal(rules->policy.aud_count, 2);
	assert_string_equal(rules->policy.aud[0], "you");
	assert_string_equal(rules->policy.aud[1], "they");
	assert_int_equal(rules->policy.leeway_s, 5);
	assert_int_equal(
	    grants_left(&rules->anonymous, GRANT_SUBSCRIBE, "a", 1), 0);
	assert_int_equal(rules->general.count, 1);
	access_rules_free(rules);
}

static void
test_the_wrong_text_is_named(void **state)
{
	static const struct {
		enum access_kind kind;
		const char *text;
		unsigned line;
	} wrong[] = {
		{ ACCESS_JWT_KEY, "{\n{", 2 },
		{ ACCESS_JWT_KEY, KEY_HMAC_KID, 1 }, /* a second time */
		{ ACCESS_ANONYMOUS, "all:{sub}", 0 },
		{ ACCESS_GRANT, "room", 0 },
		{ ACCESS_KINDS, "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct access_texts texts = { 0 };
		struct access_fault fault = { 0 };

		add(&texts, ACCESS_JWT_ISS, "me");
		add(&texts, ACCESS_JWT_KEY, KEY_HMAC_KID);
		add(&texts, wrong[i].kind, wrong[i].text);
		add(&texts, ACCESS_JWT_AUD, "you");
		assert_null(access_rules_new(&texts, &fault));
		assert_int_equal(fault.text, 2);
		assert_int_equal(fault.line, wrong[i].line);
		assert_true(strlen(fault.why) > 0);
		access_texts_wipe(&texts);
	}
}

static void
test_audiences_are_bounded(void **state)
{
	struct access_texts texts = { 0 };
	struct access_fault fault;

	(void)state;
	for (unsigned i = 0; i <= JWT_AUD_MAX; i++)
		add(&texts, ACCESS_JWT_AUD, "you");
	assert_null(access_rules_new(&texts, &fault));
	assert_int_equal(fault.text, JWT_AUD_MAX);
	access_texts_wipe(&texts);
}

static void
test_texts_are_bounded(void **state)
{
	static char long_text[ACCESS_TEXTS_BYTES];
	struct access_texts texts = { 0 };

	(void)state;
	assert_true(access_texts_add(
	    &texts, ACCESS_JWT_KEY, long_text, sizeof(long_text) - 1));
	assert_false(access_texts_add(&texts, ACCESS_JWT_KEY, "ab", 2));
	assert_true(access_texts_add(&texts, ACCESS_JWT_KEY, "a", 1));
	access_texts_wipe(&texts);
	assert_int_equal(texts.count, 0);
	for (unsigned i = 0; i < ACCESS_TEXTS_MAX; i++)
		add(&texts, ACCESS_JWT_AUD, "");
	assert_false(access_texts_add(&texts, ACCESS_JWT_AUD, "", 0));
	access_texts_wipe(&texts);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_rules_are_what_the_texts_say),
	cmocka_unit_test(test_the_wrong_text_is_named),
	cmocka_unit_test(test_audiences_are_bounded),
	cmocka_unit_test(test_texts_are_bounded),
};

SUITE_MAIN(tests);
