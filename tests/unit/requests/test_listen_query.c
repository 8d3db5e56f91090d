/* SPDX-License-Identifier: MIT */
/*
 * test_listen_query.c - what worker/requests/listen_query.h and
 * worker/requests/topic_name.h promise.
 *
 * max_buffer is 1000 and max_topics_per_conn is 3 wherever nothing else is
 * said.
 */

#include "tests/support/suite.h"

#include "worker/requests/listen_query.h"
#include "worker/requests/topic_name.h"

#include <stdio.h>
#include <string.h>

static const struct config config = {
	.max_buffer = 1000,
	.max_topics_per_conn = 3,
	.max_patterns_per_conn = 2,
};

static struct http_text
text(const char *string)
{
	return (struct http_text){ string, strlen(string) };
}

static struct query_options
accepted(const char *query)
{
	struct query_options options;

	if (query_parse(&config, text(query), &options) != QUERY_OK)
		fail_msg("%s: %s", query, options.why);
	return options;
}

static void
expect_refused(const char *query, const char *part_of_why)
{
	struct query_options options;

	if (query_parse(&config, text(query), &options) != QUERY_REFUSED)
		fail_msg("%s: accepted", query);
	if (strstr(options.why, part_of_why) == NULL)
		fail_msg("%s: %s", query, options.why);
}

/* Expect these topics and <patterns>, in order, with a comma behind each. */
static void
expect_topics(const char *query, const char *wanted)
{
	struct http_text rest = text(query);
	struct query_name name;
	char room[QUERY_TOPIC_ROOM], got[512];
	uint32_t count = 0;
	size_t len = 0;

	for (; query_name_next(&rest, room, &name); count++)
		len += (size_t)snprintf(got + len, sizeof(got) - len,
		    name.is_pattern ? "<%.*s>," : "%.*s,", (int)name.text.len,
		    name.text.at);
	got[len] = '\0';
	assert_string_equal(got, wanted);
	assert_int_equal(
	    accepted(query).topics + accepted(query).patterns, count);
}

static void
test_nothing_asked_gives_the_defaults(void **state)
{
	static const char *const queries[] = { "", "&", "&&&", "unknown=1" };

	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++) {
		struct query_options options = accepted(queries[i]);

		assert_int_equal(options.buffer, QUERY_BUFFER_DEFAULT);
		assert_int_equal(options.overflow, OUTQ_DROP);
		assert_int_equal(options.topics, 0);
	}
}

static void
test_the_default_buffer_keeps_to_the_maximum(void **state)
{
	const struct config small = { .max_buffer = 10 };
	struct query_options options;

	(void)state;
	assert_int_equal(query_parse(&small, text(""), &options), QUERY_OK);
	assert_int_equal(options.buffer, 10);
}

static void
test_buffer_is_a_number_up_to_the_maximum(void **state)
{
	static const struct {
		const char *query;
		uint32_t buffer;
	} cases[] = {
		{ "buffer=0", 0 },
		{ "buffer=1", 1 },
		{ "buffer=0042", 42 },
		{ "buffer=999", 999 },
		{ "buffer=1000", 1000 },
		{ "buffer=1001", 1000 },
		{ "buffer=4294967295", 1000 },
		{ "buffer=4294967297", 1000 },
		{ "buffer=18446744073709551617", 1000 },
		{ "buffer=99999999999999999999999999999999999999", 1000 },
		{ "buffer=5&buffer=6", 6 },
		{ "topic=a&buffer=7&x=y", 7 },
		{ "%62uffe%72=8", 8 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (accepted(cases[i].query).buffer != cases[i].buffer)
			fail_msg("%s: %u", cases[i].query,
			    accepted(cases[i].query).buffer);
}

static void
test_the_largest_maximum_does_not_overflow(void **state)
{
	const struct config large = { .max_buffer = UINT32_MAX };
	struct query_options options;

	(void)state;
	query_parse(&large, text("buffer=4294967294"), &options);
	assert_int_equal(options.buffer, UINT32_MAX - 1);
	query_parse(&large, text("buffer=42949672960"), &options);
	assert_int_equal(options.buffer, UINT32_MAX);
}

static void
test_a_buffer_that_is_no_number_is_refused(void **state)
{
	static const char *const queries[] = { "buffer", "buffer=", "buffer=x",
		"buffer=-1", "buffer=+1", "buffer=1.0", "buffer=1e3",
		"buffer=0x10", "buffer=%201", "buffer=1 ", "buffer=1%",
		"buffer=1x&buffer=1", "buffer=1&buffer=x" };

	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++)
		expect_refused(queries[i], "buffer");
}

static void
test_overflow_is_one_of_three(void **state)
{
	(void)state;
	assert_int_equal(accepted("overflow=drop").overflow, OUTQ_DROP);
	assert_int_equal(accepted("overflow=latest").overflow, OUTQ_LATEST);
	assert_int_equal(accepted("overflow=close").overflow, OUTQ_CLOSE);
	assert_int_equal(accepted("overflow=clos%65").overflow, OUTQ_CLOSE);
	assert_int_equal(
	    accepted("overflow=close&overflow=latest").overflow, OUTQ_LATEST);
}

static void
test_any_other_overflow_is_refused(void **state)
{
	static const char *const queries[] = { "overflow",
		"overflow=", "overflow=Drop", "overflow=dropp", "overflow=dro",
		"overflow=drop+", "overflow=clos%6", "overflow=clos%00",
		"overflow=x&overflow=drop", "overflow=drop&overflow=x",
		"overflow=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++)
		expect_refused(queries[i], "overflow");
}

static void
test_topics_come_decoded_and_in_order(void **state)
{
	(void)state;
	expect_topics("", "");
	expect_topics("topic=a", "a,");
	expect_topics("topic=a&buffer=1&topic=b&&x&topic=c", "a,b,c,");
	expect_topics("topic=room%2F1+2%26%3d", "room/1 2&=,");
	expect_topics("topic=a=b", "a=b,");
	expect_topics("topic=%C3%A9\xc3\xa9", "\xc3\xa9\xc3\xa9,");
	expect_topics("%74opi%63=a", "a,");
	expect_topics("topic=%2541", "%41,");
}

static void
test_the_empty_topic_is_one(void **state)
{
	(void)state;
	expect_topics("topic", ",");
	expect_topics("topic=", ",");
	expect_topics("topic=&topic=a&topic", ",a,,");
}

static void
test_only_so_many_topics(void **state)
{
	(void)state;
	expect_topics("topic=a&topic=b&topic=c", "a,b,c,");
	expect_topics("topic=a&topic=a&topic=a", "a,a,a,");
	expect_refused("topic=a&topic=b&topic=c&topic=d", "more topics");
	expect_refused("topic=a&topic=a&topic=a&topic=a", "more topics");
}

/* A topic of 255 bytes is 765 with every byte encoded. */
static void
test_a_topic_has_at_most_255_bytes(void **state)
{
	char plain[6 + 256 + 1] = "topic=", coded[6 + 3 * 256 + 1] = "topic=";

	(void)state;
	for (int i = 0; i < 255; i++) {
		strcat(plain, "x");
		strcat(coded, "%78");
	}
	assert_int_equal(accepted(plain).topics, 1);
	assert_int_equal(accepted(coded).topics, 1);
	strcat(plain, "x");
	strcat(coded, "%78");
	expect_refused(plain, "255");
	expect_refused(coded, "255");
}

static void
test_a_topic_as_long_as_a_head_is_refused(void **state)
{
	static char query[HTTP_HEAD_MAX + 1] = "topic=";

	(void)state;
	memset(query + 6, 'x', HTTP_HEAD_MAX - 6);
	expect_refused(query, "255");
}

static void
test_bad_topics_are_refused(void **state)
{
	static const struct {
		const char *query, *why;
	} cases[] = {
		{ "topic=%", "percent" },
		{ "topic=%4", "percent" },
		{ "topic=%zz", "percent" },
		{ "topic=a%00b", "percent" },
		{ "topic=%ff", "UTF-8" },
		{ "topic=%c3", "UTF-8" },
		{ "topic=%ed%a0%80", "UTF-8" },
		{ "topic=%c0%80", "UTF-8" },
		{ "topic=\xff", "UTF-8" },
		{ "topic=a%0ab", "control" },
		{ "topic=%0D%0A", "control" },
		{ "topic=%7f", "control" },
		{ "topic=%c2%80", "control" },
		{ "topic=good&topic=%09", "control" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_refused(cases[i].query, cases[i].why);
}

static void
test_unknown_keys_are_ignored(void **state)
{
	static const char *const queries[] = { "token=%zz", "Buffer=x",
		"OVERFLOW=x", "topics=%ff", "topi=%ff", "buffer%20=x",
		"buffer%=x", "=x", "%00=x", "buffer%00=x",
		"a_key_that_is_longer_than_any_that_is_known=x" };

	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++) {
		assert_int_equal(
		    accepted(queries[i]).buffer, QUERY_BUFFER_DEFAULT);
		assert_int_equal(accepted(queries[i]).topics, 0);
		expect_topics(queries[i], "");
	}
}

/* A value that ends where the query does must not be read beyond. */
static void
test_the_query_ends_where_its_length_says(void **state)
{
	struct query_options options;

	(void)state;
	assert_int_equal(query_parse(&config,
			     (struct http_text){ "buffer=123", 8 }, &options),
	    QUERY_OK);
	assert_int_equal(options.buffer, 1);
	assert_int_equal(query_parse(&config,
			     (struct http_text){ "topic=%41", 8 }, &options),
	    QUERY_REFUSED);
}

static void
expect_name(const char *name, size_t len, const char *part_of_why)
{
	const char *why = "";
	bool valid = topic_name_valid(name, len, &why);

	if (valid != (part_of_why == NULL))
		fail_msg("%.*s: %s", (int)len, name, why);
	if (!valid) {
		assert_non_null(strstr(why, part_of_why));
		assert_in_range(strlen(why), 1, 59);
	}
}

static void
test_names_without_controls_are_valid(void **state)
{
	(void)state;
	expect_name("", 0, NULL);
	expect_name("room/1", 6, NULL);
	expect_name(" ", 1, NULL);
	expect_name("~", 1, NULL);
	expect_name("\"\\<>&%", 6, NULL);
	expect_name("\xc2\xa0", 2, NULL);         /* U+00A0, after C1 */
	expect_name("\xc3\x80\xc3\x9f", 4, NULL); /* bytes like those of C1 */
	expect_name("\xe2\x82\x82", 3, NULL);
	expect_name("\xf0\x9f\x98\x80", 4, NULL);
}

static void
test_names_with_controls_are_not(void **state)
{
	char name[3] = "a?b";

	(void)state;
	for (unsigned char c = 0; c < 0x20; c++) {
		name[1] = (char)c;
		expect_name(name, sizeof(name), "control");
	}
	name[1] = 0x7f;
	expect_name(name, sizeof(name), "control");
	for (unsigned c = 0x80; c < 0xa0; c++) {
		const char c1[] = { (char)0xc2, (char)c };

		expect_name(c1, sizeof(c1), "control");
	}
}

static void
test_names_that_are_no_text_are_not(void **state)
{
	(void)state;
	expect_name("\x80", 1, "UTF-8");
	expect_name("a\xc2", 2, "UTF-8");
	expect_name("\xf4\x90\x80\x80", 4, "UTF-8");
}

static void
test_names_end_at_255_bytes(void **state)
{
	char name[256];

	(void)state;
	memset(name, 'x', sizeof(name));
	expect_name(name, 255, NULL);
	expect_name(name, 256, "255");
}

static void
test_patterns(void **state)
{
	(void)state;
	expect_topics(
	    "pattern=room/%2B&topic=a&pattern=%23", "<room/+>,a,<#>,");
	expect_topics("pattern=a", "<a>,");
	expect_refused("pattern", "empty");
	expect_refused("pattern=", "empty");
	expect_refused("pattern=%23/a", "last level");
	expect_refused("pattern=%2", "percent");
	expect_refused("pattern=a&pattern=a&pattern=a", "more patterns");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_patterns),
	cmocka_unit_test(test_nothing_asked_gives_the_defaults),
	cmocka_unit_test(test_the_default_buffer_keeps_to_the_maximum),
	cmocka_unit_test(test_buffer_is_a_number_up_to_the_maximum),
	cmocka_unit_test(test_the_largest_maximum_does_not_overflow),
	cmocka_unit_test(test_a_buffer_that_is_no_number_is_refused),
	cmocka_unit_test(test_overflow_is_one_of_three),
	cmocka_unit_test(test_any_other_overflow_is_refused),
	cmocka_unit_test(test_topics_come_decoded_and_in_order),
	cmocka_unit_test(test_the_empty_topic_is_one),
	cmocka_unit_test(test_only_so_many_topics),
	cmocka_unit_test(test_a_topic_has_at_most_255_bytes),
	cmocka_unit_test(test_a_topic_as_long_as_a_head_is_refused),
	cmocka_unit_test(test_bad_topics_are_refused),
	cmocka_unit_test(test_unknown_keys_are_ignored),
	cmocka_unit_test(test_the_query_ends_where_its_length_says),
	cmocka_unit_test(test_names_without_controls_are_valid),
	cmocka_unit_test(test_names_with_controls_are_not),
	cmocka_unit_test(test_names_that_are_no_text_are_not),
	cmocka_unit_test(test_names_end_at_255_bytes),
};

SUITE_MAIN(tests);
