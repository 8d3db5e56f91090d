/* SPDX-License-Identifier: MIT */
/* test_server_message.c - what broker/cli/client/server_message.h, retry.h and
 * sub_print.h promise. */

#include "broker/cli/client/retry.h"
#include "broker/cli/client/server_message.h"
#include "broker/cli/client/sub_print.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

static struct json_reader reader;
static struct server_message said;

static bool
parse(const char *text)
{
	return server_message_parse(&reader, text, strlen(text), &said);
}

/* Put a message of that many levels between two texts. */
static bool
parse_deep(const char *before, unsigned levels, const char *after)
{
	char text[512];
	size_t len = strlen(before);

	assert_true(len + 2 * levels + strlen(after) < sizeof(text));
	strcpy(text, before);
	memset(text + len, '[', levels);
	memset(text + len + levels, ']', levels);
	strcpy(text + len + 2 * levels, after);
	return parse(text);
}

static int
teardown(void **state)
{
	(void)state;
	json_reader_fini(&reader);
	return 0;
}

/* Older rings hold messages of 64 levels: their envelopes were refused, and with
 * them every message of the topic. */
static void
test_envelopes_are_deeper_than_messages(void **state)
{
	static const char message[] = "{\"type\":\"message\",\"topic\":\"a\","
				      "\"seq\":7,\"message\":";
	static const char past[] = "{\"type\":\"ack\",\"id\":1,\"topic\":\"a\","
				   "\"epoch\":\"k3\",\"seq\":7,\"messages\":"
				   "[{\"seq\":7,\"message\":";

	(void)state;
	for (unsigned levels = 60; levels <= 64; levels++) {
		assert_true(parse_deep(message, levels, "}"));
		assert_int_equal(said.message.raw_len, 2 * levels);
		assert_true(parse_deep(past, levels, "}]}"));
	}
	assert_false(parse_deep(past, 65, "}]}"));
	assert_false(parse_deep(message, 64, "]}"));
}

static void
test_each_kind_is_taken_apart(void **state)
{
	(void)state;
	assert_true(
	    parse("{\"type\":\"welcome\",\"version\":1,\"epoch\":\"k3\","
		  "\"limits\":{\"message\":65536,\"rate\":1},"
		  "\"ping\":54,"
		  "\"retry\":{\"min_ms\":500,\"max_ms\":15000}}"));
	assert_int_equal(said.kind, SERVER_WELCOME);
	assert_true(server_message_is(&said.epoch, "k3", 2));
	assert_int_equal(said.max_message, 65536);
	assert_int_equal(said.ping, 54);
	assert_int_equal(said.retry.min_ms, 500);
	assert_int_equal(said.retry.max_ms, 15000);
	assert_true(parse("{\"type\":\"ack\",\"id\":3,\"topic\":\"a\","
			  "\"epoch\":\"k3\",\"seq\":48,\"replayed\":6,"
			  "\"recovered\":true}"));
	assert_int_equal(said.kind, SERVER_ACK);
	assert_int_equal(said.id, 3);
	assert_int_equal(said.seq, 48);
	assert_int_equal(said.replayed, 6);
	assert_true(said.recovered);
	assert_true(parse("{\"type\":\"message\",\"topic\":\"a\",\"seq\":7,"
			  "\"time\":1,\"message\":{\"b\":[1]}}"));
	assert_int_equal(said.kind, SERVER_MESSAGE);
	assert_int_equal(said.message.raw_len, strlen("{\"b\":[1]}"));
	assert_true(parse("{\"type\":\"gap\",\"topic\":\"a\",\"from\":4,"
			  "\"to\":9,\"reason\":\"slow\"}"));
	assert_int_equal(said.kind, SERVER_GAP);
	assert_true(said.has_numbers);
	assert_int_equal(said.from, 4);
	assert_int_equal(said.to, 9);
	assert_true(
	    parse("{\"type\":\"gap\",\"topic\":\"a\",\"reason\":\"epoch\"}"));
	assert_false(said.has_numbers);
	assert_true(parse("{\"type\":\"drain\",\"in_ms\":1,"
			  "\"retry\":{\"min_ms\":0,\"max_ms\":8}}"));
	assert_int_equal(said.kind, SERVER_DRAIN);
	assert_int_equal(said.retry.max_ms, 8);
	assert_true(parse("{\"type\":\"error\",\"code\":\"bad_topic\","
			  "\"reason\":\"x\"}"));
	assert_int_equal(said.kind, SERVER_ERROR);
	assert_int_equal(said.id, 0);
	assert_true(parse("{\"type\":\"unsubscribed\",\"topic\":\"a\","
			  "\"code\":\"forbidden\"}"));
	assert_int_equal(said.kind, SERVER_UNSUBSCRIBED);
}

static void
test_what_is_said_of_tokens(void **state)
{
	(void)state;
	assert_true(parse("{\"type\":\"expiring\",\"in_ms\":60000}"));
	assert_int_equal(said.kind, SERVER_EXPIRING);
	assert_true(parse("{\"type\":\"ack\",\"id\":0,\"user\":\"42\","
			  "\"expires\":1700000000}"));
	assert_int_equal(said.kind, SERVER_ACK);
	assert_int_equal(said.id, 0);
	assert_null(said.topic.raw);
}

static void
test_what_is_said_of_who_is_there(void **state)
{
	struct json_reader each, one;
	struct json_token member, user;
	bool is_unverified = false;

	(void)state;
	assert_true(
	    parse("{\"type\":\"presence\",\"id\":1,\"topic\":\"a\",\"count\":2,"
		  "\"members\":[{\"user\":\"bob\",\"verified\":false},7,"
		  "{\"connections\":1}],\"more\":true,\"after\":8}"));
	assert_int_equal(said.kind, SERVER_PRESENCE);
	assert_int_equal(said.after, 8);
	json_reader_init(&each);
	json_reader_init(&one);
	assert_int_equal(
	    json_array_open(&each, said.members.raw, said.members.raw_len),
	    JSON_OK);
	assert_true(json_element_next(&each, &member));
	assert_true(
	    server_message_member(&one, &member, &user, &is_unverified));
	assert_true(server_message_is(&user, "bob", 3));
	assert_true(is_unverified);
	while (json_element_next(&each, &member))
		assert_false(server_message_member(
		    &one, &member, &user, &is_unverified));
	json_reader_fini(&one);
	json_reader_fini(&each);
	assert_true(
	    parse("{\"type\":\"presence\",\"topic\":\"a\",\"subscribe\":false,"
		  "\"reason\":\"slow\"}"));
	assert_null(said.members.raw);
	assert_true(parse("{\"type\":\"join\",\"topic\":\"a\",\"time\":1,"
			  "\"user\":\"ann\"}"));
	assert_int_equal(said.kind, SERVER_JOIN);
	assert_false(said.is_unverified);
	assert_true(parse("{\"type\":\"leave\",\"topic\":\"a\",\"time\":1,"
			  "\"user\":\"ann\",\"verified\":false}"));
	assert_int_equal(said.kind, SERVER_LEAVE);
	assert_true(said.is_unverified);
	assert_false(parse("{\"type\":\"leave\",\"topic\":\"a\"}"));
	assert_false(parse("{\"type\":\"join\",\"user\":\"ann\"}"));
	assert_false(
	    parse("{\"type\":\"presence\",\"topic\":\"a\",\"members\":{}}"));
}

static void
test_what_comes_later_is_passed_over(void **state)
{
	(void)state;
	assert_true(parse("{\"type\":\"horn\",\"topic\":[],\"new\":{}}"));
	assert_int_equal(said.kind, SERVER_OTHER);
}

static void
test_what_no_server_says_is_refused(void **state)
{
	static const char *const texts[] = { "", "hello", "[]", "{}",
		"{\"type\":1}", "{\"type\":\"ack\",\"id\":1}",
		"{\"type\":\"unsubscribed\",\"topic\":\"a\"}",
		"{\"type\":\"unsubscribed\",\"code\":\"forbidden\"}",
		"{\"type\":\"message\",\"topic\":\"a\",\"seq\":1}",
		"{\"type\":\"message\",\"topic\":1,\"seq\":1,\"message\":1}",
		"{\"type\":\"message\",\"topic\":\"a\",\"message\":1}",
		"{\"type\":\"message\",\"topic\":\"a\",\"seq\":-1,"
		"\"message\":1}",
		"{\"type\":\"message\",\"topic\":\"a\",\"seq\":\"1\","
		"\"message\":1}",
		"{\"type\":\"gap\",\"topic\":\"a\",\"from\":9,\"to\":1,"
		"\"reason\":\"slow\"}",
		"{\"type\":\"ack\",\"topic\":\"a\",\"epoch\":\"e\",\"seq\":1,"
		"\"replayed\":2}",
		"{\"type\":\"welcome\",\"epoch\":\"e\"}",
		"{\"type\":\"welcome\",\"epoch\":\"e\",\"limits\":1}",
		"{\"type\":\"welcome\",\"limits\":{\"message\":1},\"epoch\":"
		"\"0123456789012345678901234567890123456789"
		"012345678901234567890123456789\"}" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (parse(texts[i]))
			fail_msg("taken: %s", texts[i]);
}

static void
test_a_copy_is_fit_for_a_terminal(void **state)
{
	char out[8];

	(void)state;
	assert_true(parse("{\"type\":\"error\",\"code\":\"\\u001b[2J\","
			  "\"reason\":\"0123456789\"}"));
	assert_string_equal(
	    server_message_copy(&said.code, out, sizeof(out)), "?[2J");
	assert_string_equal(
	    server_message_copy(&said.reason, out, sizeof(out)), "0123456");
}

/* What a message of this JSON text is printed as. */
static void
check_line(enum sub_form form, const char *message, const char *line)
{
	char text[256];
	struct buf buf;

	snprintf(text, sizeof(text),
	    "{\"type\":\"message\",\"topic\":\"a\\u00e9\",\"seq\":1,"
	    "\"message\":%s}",
	    message);
	assert_true(parse(text));
	buf_init(&buf);
	sub_print(&buf, form, &said);
	assert_int_equal(buf.len, strlen(line));
	assert_memory_equal(buf.at, line, buf.len);
	buf_fini(&buf);
}

static void
test_messages_become_lines(void **state)
{
	(void)state;
	check_line(SUB_TEXT, "\"h\\u00e9\\n\"", "h\xc3\xa9\n\n");
	check_line(SUB_TEXT, "\"\"", "\n");
	check_line(SUB_TEXT, "{\"a\":\n [1,\r\n2]}", "{\"a\":  [1,  2]}\n");
	check_line(SUB_TOPIC, "null", "a\xc3\xa9 null\n");
	check_line(SUB_ENVELOPE, "[\n]",
	    "{\"type\":\"message\",\"topic\":\"a\\u00e9\",\"seq\":1,"
	    "\"message\":[ ]}\n");
}

static void
test_gaps_become_sentences(void **state)
{
	const struct resume_point_gap some = { true, 4, 9 },
				      one = { true, 4, 4 };
	const struct resume_point_gap open = { 0 };
	char out[SUB_SENTENCE_MAX];

	(void)state;
	assert_string_equal(sub_sentence(out, "a", &some, "expired"),
	    "a: 6 messages are missing, 4 to 9 (expired: the server's ring "
	    "holds them no more)");
	assert_string_equal(sub_sentence(out, "a", &one, "later"),
	    "a: 1 message is missing, 4 (later)");
	assert_string_equal(sub_sentence(out, "a", &open, "epoch"),
	    "a: messages may be missing (epoch: the server has begun anew "
	    "meanwhile)");
}

static void
test_another_try_must_make_sense(void **state)
{
	static const struct {
		enum outcome_kind kind;
		unsigned code;
		bool makes_sense;
	} ends[] = { { CLIENT_UNREACHABLE, 0, true }, { CLIENT_LOST, 0, true },
		{ CLIENT_ALIEN, 0, false }, { CLIENT_DONE, 0, false },
		{ CLIENT_REFUSED, 403, false }, { CLIENT_REFUSED, 404, false },
		{ CLIENT_REFUSED, 429, true }, { CLIENT_REFUSED, 503, true },
		{ CLIENT_CLOSED, 1001, true }, { CLIENT_CLOSED, 1012, true },
		{ CLIENT_CLOSED, 1011, true }, { CLIENT_CLOSED, 1008, false },
		{ CLIENT_CLOSED, 1009, false }, { CLIENT_CLOSED, 3999, true },
		{ CLIENT_CLOSED, 4000, false }, { CLIENT_CLOSED, 4099, false },
		{ CLIENT_CLOSED, 4100, true }, { CLIENT_CLOSED, 4200, true } };

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct outcome end = { .kind = ends[i].kind,
			.code = ends[i].code };

		if (retry_makes_sense(&end) != ends[i].makes_sense)
			fail_msg(
			    "kind %d code %u", (int)ends[i].kind, ends[i].code);
	}
}

static void
test_the_wait_doubles_up_to_the_servers_limit(void **state)
{
	static const uint64_t ceilings[] = { 100, 200, 400, 450, 450 };
	const struct outcome end = { .kind = CLIENT_LOST };
	struct retry high = { .welcome = { 100, 450 } }, low = high;

	(void)state;
	for (size_t i = 0; i < COUNT(ceilings); i++) {
		assert_int_equal(
		    retry_delay(&high, &end, UINT32_MAX), ceilings[i]);
		assert_int_equal(retry_delay(&low, &end, 0), ceilings[i] / 10);
	}
}

static void
test_the_servers_advice_comes_first(void **state)
{
	const struct outcome end = { .kind = CLIENT_CLOSED, .code = 1012 };
	const struct outcome slow = { .kind = CLIENT_CLOSED, .code = 4200 };
	const struct outcome later = {
		.kind = CLIENT_REFUSED, .code = 503, .retry_after_ms = 2000
	};
	struct retry retry = { .welcome = { 100, 100 },
		.drain = { 30, 8000 },
		.has_drain = true };

	(void)state;
	assert_int_equal(retry_delay(&retry, &end, 0), 30);
	retry.has_drain = true;
	assert_int_equal(retry_delay(&retry, &end, UINT32_MAX), 8000);
	assert_int_equal(retry_delay(&retry, &end, UINT32_MAX), 100);
	assert_int_equal(retry_delay(&retry, &slow, UINT32_MAX), 0);
	assert_int_equal(retry_delay(&retry, &later, 0), 2010);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_teardown(
	    test_envelopes_are_deeper_than_messages, teardown),
	cmocka_unit_test_teardown(test_each_kind_is_taken_apart, teardown),
	cmocka_unit_test_teardown(test_what_is_said_of_tokens, teardown),
	cmocka_unit_test_teardown(test_what_is_said_of_who_is_there, teardown),
	cmocka_unit_test_teardown(
	    test_what_comes_later_is_passed_over, teardown),
	cmocka_unit_test_teardown(
	    test_what_no_server_says_is_refused, teardown),
	cmocka_unit_test_teardown(test_a_copy_is_fit_for_a_terminal, teardown),
	cmocka_unit_test_teardown(test_messages_become_lines, teardown),
	cmocka_unit_test(test_gaps_become_sentences),
	cmocka_unit_test(test_another_try_must_make_sense),
	cmocka_unit_test(test_the_wait_doubles_up_to_the_servers_limit),
	cmocka_unit_test(test_the_servers_advice_comes_first),
};

SUITE_MAIN(tests);
