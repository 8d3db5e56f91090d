/* SPDX-License-Identifier: MIT */
/* test_grants.c - what common/grants.h promises. */

#include "common/buf.h"
#include "common/grants.h"
#include "tests/support/suite.h"

#include <string.h>

static const unsigned kinds[] = { GRANT_SUBSCRIBE, GRANT_PUBLISH,
	GRANT_PRESENCE, GRANT_HISTORY };

/* All kinds of access to a topic that there are, as bits. */
static unsigned
allowed(const struct grants *grants, const char *topic)
{
	unsigned all = 0;

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (grants_left(grants, kinds[i], topic, strlen(topic)) == 0)
			all |= kinds[i];
	assert_int_equal(grants_left(grants, GRANT_ALL, topic, strlen(topic)),
	    GRANT_ALL & ~all);
	return all;
}

static void
add_text(struct grants *grants, const char *text)
{
	const char *why;

	assert_true(grants_add_text(grants, text, strlen(text), true, &why));
}

static void
test_nothing_is_granted_at_first(void **state)
{
	struct grants grants = { 0 };

	(void)state;
	assert_int_equal(allowed(&grants, ""), 0);
	assert_int_equal(allowed(&grants, "room"), 0);
	assert_int_equal(grants_left(&grants, 0, "room", 4), 0);
	grants_fini(&grants);
}

static void
test_a_text_grants_its_kinds_for_its_pattern(void **state)
{
	struct grants grants = { 0 };

	(void)state;
	add_text(&grants, "subscribe:room/+");
	add_text(&grants, "publish,history:room/1");
	add_text(&grants, "presence:#");
	add_text(&grants, "all:own");
	assert_int_equal(
	    allowed(&grants, "room/2"), GRANT_SUBSCRIBE | GRANT_PRESENCE);
	assert_int_equal(allowed(&grants, "room/1"), GRANT_ALL);
	assert_int_equal(allowed(&grants, "rooms"), GRANT_PRESENCE);
	assert_int_equal(allowed(&grants, "own"), GRANT_ALL);
	assert_int_equal(grants.count, 4);
	grants_fini(&grants);
	assert_int_equal(allowed(&grants, "own"), 0);
}

/* Only the first colon divides. */
static void
test_a_pattern_may_have_colons_and_be_empty(void **state)
{
	struct grants grants = { 0 };

	(void)state;
	add_text(&grants, "publish:a:b");
	add_text(&grants, "subscribe:");
	assert_int_equal(allowed(&grants, "a:b"), GRANT_PUBLISH);
	assert_int_equal(allowed(&grants, ""), GRANT_SUBSCRIBE);
	assert_int_equal(allowed(&grants, "b"), 0);
	grants_fini(&grants);
}

static void
test_texts_that_are_no_grants_are_refused(void **state)
{
	static const char *const texts[] = { "", ":", "room", ":room",
		"subscribe", "read:room", "subscribe,:room", ",publish:room",
		"subscribe, publish:room", "Subscribe:room", "publish:#/a",
		"subscribe publish:room" };
	struct grants grants = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *why = NULL;

		assert_false(grants_add_text(
		    &grants, texts[i], strlen(texts[i]), true, &why));
		assert_non_null(why);
	}
	assert_int_equal(grants.count, 0);
	grants_fini(&grants);
}

static void
test_a_place_for_the_name_is_refused_where_none_is_known(void **state)
{
	struct grants grants = { 0 };
	const char *why;

	(void)state;
	assert_false(
	    grants_add_text(&grants, "all:user/{sub}", 14, false, &why));
	assert_string_equal(
	    why, "{sub} is for --grant, where it is known who asks");
	assert_true(
	    grants_add_text(&grants, "all:user/{name}", 15, false, &why));
	grants_fini(&grants);
}

static void
test_an_object_grants_lists_of_patterns(void **state)
{
	static const char json[] =
	    "{\"subscribe\":[\"room/+\",\"caf\\u00e9\"],\"publish\":[],"
	    "\"history\":[\"room/1\"],\"later\":{\"x\":1}}";
	struct grants grants = { 0 };
	const char *why;

	(void)state;
	assert_true(grants_add_object(&grants, json, sizeof(json) - 1, &why));
	assert_int_equal(allowed(&grants, "room/2"), GRANT_SUBSCRIBE);
	assert_int_equal(
	    allowed(&grants, "room/1"), GRANT_SUBSCRIBE | GRANT_HISTORY);
	assert_int_equal(allowed(&grants, "caf\xc3\xa9"), GRANT_SUBSCRIBE);
	assert_int_equal(grants.count, 3);
	grants_fini(&grants);
}

/* A token that means to say something else must not be read as one. */
static void
test_objects_that_are_no_grants_are_refused(void **state)
{
	static const char *const texts[] = { "[]", "null", "\"#\"", "{",
		"{\"subscribe\":\"#\"}", "{\"subscribe\":{}}",
		"{\"subscribe\":null}", "{\"subscribe\":[1]}",
		"{\"subscribe\":[[\"a\"]]}", "{\"subscribe\":[null]}",
		"{\"subscribe\":[\"#/a\"]}", "{\"subscribe\":[\"a\\u0000\"]}",
		"{\"subscribe\":[],\"subscribe\":[\"#\"]}",
		"{\"subscribe\":[\"a\"],\"subscrib\\u0065\":[\"#\"]}" };
	struct grants grants = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *why = NULL;

		if (grants_add_object(
			&grants, texts[i], strlen(texts[i]), &why))
			fail_msg("%s is taken", texts[i]);
		assert_non_null(why);
	}
	grants_fini(&grants);
}

/* "all" is a word of options; in a token it is a member without a meaning. */
static void
test_an_object_cannot_grant_all(void **state)
{
	struct grants grants = { 0 };
	const char *why;

	(void)state;
	assert_true(grants_add_object(&grants, "{\"all\":[\"#\"]}", 13, &why));
	assert_int_equal(allowed(&grants, "room"), 0);
	grants_fini(&grants);
}

static void
test_one_more_than_the_limit_is_refused(void **state)
{
	struct grants grants = { 0 };
	const char *why;

	(void)state;
	for (unsigned i = 0; i < GRANTS_MAX; i++)
		assert_true(grants_add(&grants, GRANT_PUBLISH, "a", 1, &why));
	assert_false(grants_add(&grants, GRANT_PUBLISH, "b", 1, &why));
	assert_string_equal(why, "more than 256 grants");
	assert_int_equal(allowed(&grants, "b"), 0);
	grants_fini(&grants);
}

/* What somebody of this name is granted by a text. */
static unsigned
allowed_for(const char *text, const char *sub, const char *topic)
{
	struct grants from = { 0 }, grants = { 0 };
	unsigned all;

	add_text(&from, text);
	grants_add_for(&grants, &from, sub, strlen(sub));
	all = allowed(&grants, topic);
	grants_fini(&from);
	grants_fini(&grants);
	return all;
}

static void
test_the_name_stands_in_its_place(void **state)
{
	(void)state;
	assert_int_equal(
	    allowed_for("publish:user/{sub}", "42", "user/42"), GRANT_PUBLISH);
	assert_int_equal(
	    allowed_for("publish:user/{sub}", "42", "user/{sub}"), 0);
	assert_int_equal(
	    allowed_for("publish:user/{sub}", "42", "user/421"), 0);
	assert_int_equal(
	    allowed_for("all:{sub}/x-{sub}/#", "a", "a/x-a/b"), GRANT_ALL);
	assert_int_equal(
	    allowed_for("publish:user/{sub}", "a+b@c.org", "user/a+b@c.org"),
	    GRANT_PUBLISH);
	assert_int_equal(
	    allowed_for("publish:{sub}", "{sub}", "{sub}"), GRANT_PUBLISH);
	assert_int_equal(
	    allowed_for("publish:news", "42", "news"), GRANT_PUBLISH);
}

/* A name is chosen by its owner, maybe: it must not reach further. */
static void
test_a_name_cannot_be_a_wildcard_or_levels(void **state)
{
	static const char *const names[] = { "+", "#", "a/b", "/", "", "../b",
		"+/#" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(
		    allowed_for("all:user/{sub}", names[i], "user/a"), 0);
		assert_int_equal(
		    allowed_for("all:user/{sub}", names[i], "user/a/b"), 0);
		assert_int_equal(
		    allowed_for("all:user/{sub}", names[i], "user"), 0);
		assert_int_equal(
		    allowed_for("all:{sub}", names[i], "anything"), 0);
		/* What does not ask for a name is granted all the same. */
		assert_int_equal(allowed_for("publish:news", names[i], "news"),
		    GRANT_PUBLISH);
	}
}

static void
test_a_name_that_makes_a_pattern_too_long_has_none(void **state)
{
	char text[4 + 200 + 5 + 1], topic[265] = "";
	char sub[65];

	(void)state;
	memset(sub, 's', sizeof(sub) - 1);
	sub[64] = '\0';
	strcpy(text, "all:");
	memset(text + 4, 'x', 200);
	strcpy(text + 204, "{sub}");
	memcpy(topic, text + 4, 200);
	strcat(topic, sub);
	assert_int_equal(allowed_for(text, sub, topic), 0);
	topic[255] = '\0';
	assert_int_equal(allowed_for(text, sub, topic), 0);
	sub[55] = '\0';
	assert_int_equal(allowed_for(text, sub, topic), GRANT_ALL);
}

/* What a token says that grants what these texts do. */
static void
check_object(const char *const *texts, const char *expected)
{
	struct grants grants = { 0 }, again = { 0 };
	struct buf json;
	const char *why;

	for (; *texts != NULL; texts++)
		assert_true(grants_add_text(
		    &grants, *texts, strlen(*texts), false, &why));
	buf_init(&json);
	grants_put_object(&grants, &json);
	assert_int_equal(json.len, strlen(expected));
	assert_memory_equal(json.at, expected, json.len);
	assert_true(grants_add_object(&again, json.at, json.len, &why));
	assert_int_equal(again.kinds, grants.kinds);
	grants_fini(&grants);
	grants_fini(&again);
	buf_fini(&json);
}

static void
test_grants_become_the_object_of_a_token(void **state)
{
	(void)state;
	check_object((const char *[]){ NULL }, "{}");
	check_object((const char *[]){ "history,subscribe:a/+", NULL },
	    "{\"subscribe\":[\"a/+\"],\"history\":[\"a/+\"]}");
	check_object(
	    (const char *[]){ "publish:a", "subscribe:\"", "publish:#", NULL },
	    "{\"subscribe\":[\"\\\"\"],\"publish\":[\"a\",\"#\"]}");
	check_object((const char *[]){ "all:x", NULL },
	    "{\"subscribe\":[\"x\"],\"publish\":[\"x\"],"
	    "\"presence\":[\"x\"],\"history\":[\"x\"]}");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_grants_become_the_object_of_a_token),
	cmocka_unit_test(test_nothing_is_granted_at_first),
	cmocka_unit_test(test_a_text_grants_its_kinds_for_its_pattern),
	cmocka_unit_test(test_a_pattern_may_have_colons_and_be_empty),
	cmocka_unit_test(test_texts_that_are_no_grants_are_refused),
	cmocka_unit_test(
	    test_a_place_for_the_name_is_refused_where_none_is_known),
	cmocka_unit_test(test_an_object_grants_lists_of_patterns),
	cmocka_unit_test(test_objects_that_are_no_grants_are_refused),
	cmocka_unit_test(test_an_object_cannot_grant_all),
	cmocka_unit_test(test_one_more_than_the_limit_is_refused),
	cmocka_unit_test(test_the_name_stands_in_its_place),
	cmocka_unit_test(test_a_name_cannot_be_a_wildcard_or_levels),
	cmocka_unit_test(test_a_name_that_makes_a_pattern_too_long_has_none),
};

SUITE_MAIN(tests);
