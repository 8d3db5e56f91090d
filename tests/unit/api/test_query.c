/* SPDX-License-Identifier: MIT */
/* test_query.c - what worker/api/query.h promises. */

#include "tests/support/suite.h"

#include "worker/api/query.h"

#include <string.h>

static bool
parse(const char *query, struct api_query *out)
{
	struct http_text text = { query, strlen(query) };

	return api_query_parse(text, out);
}

static bool
parse_name(const char *text, struct api_name *name)
{
	struct http_text piece = { text, strlen(text) };
	const char *why = NULL;
	bool ok = api_name_parse(&piece, name, &why);

	assert_true(ok || why != NULL);
	return ok;
}

static void
expect_name(const struct api_name *name, const char *wanted)
{
	assert_int_equal(name->len, strlen(wanted));
	assert_memory_equal(name->at, wanted, name->len);
}

static void
test_nothing_is_asked_for(void **state)
{
	static const char *const queries[] = { "", "&&", "x=1&limits=0", "=" };
	struct api_query q;

	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++) {
		assert_true(parse(queries[i], &q));
		assert_false(q.has_limit || q.has_before || q.has_after ||
			     q.since.given || q.last_event_id.given);
		assert_int_equal(q.prefix.len, 0);
	}
}

static void
test_all_is_asked_for(void **state)
{
	struct api_query q;

	(void)state;
	assert_true(
	    parse("limit=7&before=9&prefix=a%2Fb+c&after=&since=k3f9%3A41&"
		  "lastEventId=k3f9%3A42",
		&q));
	assert_int_equal(q.limit, 7);
	assert_int_equal(q.before, 9);
	expect_name(&q.prefix, "a/b c");
	assert_true(q.has_limit && q.has_before && q.has_after &&
		    q.since.given && q.last_event_id.given);
	expect_name(&q.after, "");
	assert_int_equal(q.since.len, 7);
	assert_memory_equal(q.since.at, "k3f9:41", 7);
	assert_int_equal(q.last_event_id.len, 7);
	assert_memory_equal(q.last_event_id.at, "k3f9:42", 7);
}

static void
test_of_a_repeated_one_the_last_counts(void **state)
{
	struct api_query q;

	(void)state;
	assert_true(parse("limit=7&limit=8&after=a&after=b", &q));
	assert_int_equal(q.limit, 8);
	expect_name(&q.after, "b");
}

static void
test_numbers_too_large_are_the_largest(void **state)
{
	struct api_query q;

	(void)state;
	assert_true(parse("limit=4294967295&before=18446744073709551615", &q));
	assert_true(q.limit == UINT32_MAX && q.before == UINT64_MAX);
	assert_true(parse("limit=4294967296&before=18446744073709551616", &q));
	assert_true(q.limit == UINT32_MAX && q.before == UINT64_MAX);
	assert_true(parse("limit=4294967290&before=18446744073709551609", &q));
	assert_int_equal(q.limit, 4294967290);
	assert_true(q.before == UINT64_C(18446744073709551609));
	assert_true(parse("limit=99999999999999999999999999999999999", &q));
	assert_true(q.limit == UINT32_MAX);
}

static void
test_mistakes_are_refused(void **state)
{
	static const char *const bad[] = { "limit", "limit=", "limit=0",
		"limit=-1", "limit=1e3", "limit=%31", "limit= 1",
		"before=", "before=x", "before=1 ", "prefix=%", "prefix=%00",
		"after=%ff", "after=a%0a", "after=%7f" };
	struct api_query q;
	char longest[7 + 3 * 256 + 1] = "prefix=";

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (parse(bad[i], &q))
			fail_msg("%s is not refused", bad[i]);
		assert_non_null(q.why);
	}
	for (size_t i = 0; i < 255; i++)
		strcat(longest, "%61");
	assert_true(parse(longest, &q));
	assert_int_equal(q.prefix.len, 255);
	strcat(longest, "a");
	assert_false(parse(longest, &q));
}

static void
test_names_of_a_path(void **state)
{
	struct api_name name;

	(void)state;
	assert_true(parse_name("a+b%2Fc%25", &name));
	expect_name(&name, "a+b/c%");
	assert_true(parse_name("caf%C3%A9", &name));
	expect_name(&name, "caf\xc3\xa9");
	assert_false(parse_name("", &name));
	assert_false(parse_name("%", &name));
	assert_false(parse_name("%00", &name));
	assert_false(parse_name("%C3", &name));
	assert_false(parse_name("%09", &name));
}

static void
expect_place(const char *text, bool is_other_epoch, uint64_t seq)
{
	struct api_place place = api_place_parse(text, strlen(text), "k3f9");

	if (place.is_other_epoch != is_other_epoch || place.seq != seq)
		fail_msg("%s: %d, %llu", text, place.is_other_epoch,
		    (unsigned long long)place.seq);
}

static void
test_places(void **state)
{
	(void)state;
	expect_place("k3f9:0", false, 0);
	expect_place("k3f9:41", false, 41);
	expect_place("k3f9:18446744073709551616", false, UINT64_MAX);
	expect_place("k3f8:41", true, 41);
	expect_place("k3f:41", true, 41);
	expect_place("k3f99:41", true, 41);
	expect_place(":41", true, 41);
}

/* The number is one that no topic has ever had, whatever the epoch. */
static void
test_what_is_no_place(void **state)
{
	static const char *const bad[] = { "", ":", "41", "k3f9",
		"k3f9:", "k3f9:x", "k3f9:-1", "k3f9:1:2", "x:", "k3f9: 1" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		expect_place(bad[i], false, UINT64_MAX);
}

/* What is longer than any, or broken, is known to be there and to be none. */
static void
test_a_since_that_is_no_place_is_not_refused(void **state)
{
	static const char long_one[] = "since=k3f9:0000000000000000000000000000"
				       "0000000000000000000000000000000000001";
	static const char *const queries[] = { "since=%zz", long_one };
	struct api_query q;

	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++) {
		assert_true(parse(queries[i], &q));
		assert_true(q.since.given);
		assert_int_equal(q.since.len, 0);
	}
}

/* It was taken for a number that no topic has ever reached, while an empty
 * Last-Event-ID line was none. */
static void
test_a_place_without_a_value_is_none(void **state)
{
	static const char *const queries[] = { "since", "since=", "lastEventId",
		"lastEventId=", "since=a:1&since=" };

	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++) {
		struct api_query q;

		assert_true(parse(queries[i], &q));
		assert_false(q.since.given || q.last_event_id.given);
	}
}

static bool
parse_topic(const char *query, struct api_name *name, bool *given)
{
	struct http_text text = { query, strlen(query) };
	const char *why = NULL;
	bool ok = api_query_topic(text, name, given, &why);

	assert_true(ok || why != NULL);
	return ok;
}

static void
test_a_topic_in_the_query(void **state)
{
	static const char *const bad[] = { "topic", "topic=", "topic=%",
		"topic=%ff", "topic=a%0a", "topic=a&topic=b",
		"topic=a&x=1&topic=" };
	struct api_name name;
	bool given;

	(void)state;
	assert_true(parse_topic("limit=1&topics=a", &name, &given));
	assert_false(given);
	assert_true(
	    parse_topic("x&%74opic=a%2Fb+c&topic=a%2fb%20c", &name, &given));
	assert_true(given);
	expect_name(&name, "a/b c");
	for (size_t i = 0; i < COUNT(bad); i++)
		if (parse_topic(bad[i], &name, &given))
			fail_msg("%s is not refused", bad[i]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_a_topic_in_the_query),
	cmocka_unit_test(test_nothing_is_asked_for),
	cmocka_unit_test(test_all_is_asked_for),
	cmocka_unit_test(test_of_a_repeated_one_the_last_counts),
	cmocka_unit_test(test_numbers_too_large_are_the_largest),
	cmocka_unit_test(test_mistakes_are_refused),
	cmocka_unit_test(test_names_of_a_path),
	cmocka_unit_test(test_places),
	cmocka_unit_test(test_what_is_no_place),
	cmocka_unit_test(test_a_since_that_is_no_place_is_not_refused),
	cmocka_unit_test(test_a_place_without_a_value_is_none),
};

SUITE_MAIN(tests);
