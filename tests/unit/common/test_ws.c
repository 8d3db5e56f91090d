/* SPDX-License-Identifier: MIT */
/*
 * test_ws.c - what common/ws.h promises of good peers, and of the pool; one
 * test per promise.
 */

#include "common/ws.h"
#include "tests/support/suite.h"
#include "tests/unit/support/ws_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* A sanitizer may let malloc(3) fail, as it does without one. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-*): the sanitizer's own */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void
test_messages_are_told_in_order(void **state)
{
	struct stream *s = *state;

	PUT(s, FIN | WS_TEXT, "hello");
	PUT(s, FIN | WS_TEXT, "");
	PUT(s, FIN | WS_BINARY, "\xff\xfe");
	PUT(s, FIN | WS_TEXT, "gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x8c\x8d");
	expect(s, "text hello\ntext \nbinary \xff\xfe\n"
		  "text gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x8c\x8d\n");
}

static void
test_fragments_make_one_message(void **state)
{
	struct stream *s = *state;

	PUT(s, WS_TEXT, "");
	PUT(s, WS_CONTINUATION, "one ");
	PUT(s, WS_CONTINUATION, "");
	PUT(s, WS_CONTINUATION, "mess");
	PUT(s, FIN | WS_CONTINUATION, "age");
	PUT(s, WS_BINARY, "");
	PUT(s, FIN | WS_CONTINUATION, "");
	PUT(s, WS_BINARY, "last");
	PUT(s, FIN | WS_CONTINUATION, "");
	expect(s, "text one message\nbinary \nbinary last\n");
}

static void
test_character_may_be_split_over_fragments(void **state)
{
	struct stream *s = *state;

	PUT(s, WS_TEXT, "a\xf0");
	PUT(s, WS_CONTINUATION, "\x9f");
	PUT(s, WS_CONTINUATION, "\x8c\x8d\xf4\x8f");
	PUT(s, FIN | WS_CONTINUATION, "\xbf\xbf");
	expect(s, "text a\xf0\x9f\x8c\x8d\xf4\x8f\xbf\xbf\n");
}

static void
test_pings_between_fragments_are_answered(void **state)
{
	struct stream *s = *state;

	PUT(s, WS_TEXT, "frag");
	PUT(s, FIN | WS_PING, "who?");
	PUT(s, FIN | WS_PONG, "\xff");
	PUT(s, FIN | WS_PING, "");
	PUT(s, FIN | WS_CONTINUATION, "ment");
	expect_out(
	    s, "ping\npong\nping\ntext fragment\n", "\x8a\x04who?\x8a\x00", 8);
}

static void
test_longest_ping_is_answered(void **state)
{
	struct stream *s = *state;
	uint8_t pong[2 + 125] = { 0x8a, 125 };

	memset(pong + 2, 0xfe, 125);
	put_frame(s, FIN | WS_PING, pong + 2, 125);
	expect_out(s, "ping\n", pong, sizeof(pong));
}

static void
test_all_forms_of_length(void **state)
{
	static const size_t lens[] = { 125, 126, 65535, 65536, MESSAGE_MAX };
	static uint8_t payload[MESSAGE_MAX];
	struct stream *s = *state;
	char told[400] = "";

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)('a' + (i * 7 + i / 256) % 26);
	put_frame(s, FIN | WS_TEXT, "before", 6);
	for (size_t i = 0; i < COUNT(lens); i++) {
		put_frame(s, FIN | WS_BINARY, payload, lens[i]);
		if (i == 0)
			snprintf(told, sizeof(told),
			    "text before\nbinary %.125s\n",
			    (const char *)payload);
		else
			snprintf(told + strlen(told),
			    sizeof(told) - strlen(told), "binary of %zu: %u\n",
			    lens[i], stream_digest(payload, lens[i]));
	}
	expect(s, told);
}

static void
test_message_longer_than_what_is_read_ahead(void **state)
{
	static uint8_t payload[5000];
	struct stream *s = *state;
	char told[100];

	memset(payload, 'x', sizeof(payload));
	PUT(s, FIN | WS_TEXT, "before");
	put_frame(s, FIN | WS_TEXT, payload, sizeof(payload));
	PUT(s, FIN | WS_TEXT, "after");
	snprintf(told, sizeof(told),
	    "text before\ntext of 5000: %u\ntext after\n",
	    stream_digest(payload, sizeof(payload)));
	expect(s, told);
}

static void
test_message_of_one_byte_fragments(void **state)
{
	struct stream *s = *state;
	char told[100];
	uint8_t x[1000];

	memset(x, 'x', sizeof(x));
	PUT(s, WS_TEXT, "x");
	for (size_t i = 0; i < sizeof(x) - 2; i++)
		PUT(s, WS_CONTINUATION, "x");
	PUT(s, FIN | WS_CONTINUATION, "x");
	snprintf(
	    told, sizeof(told), "text of 1000: %u\n", stream_digest(x, 1000));
	expect(s, told);
}

static void
test_pause_stops_reading_ahead(void **state)
{
	static const uint8_t first[] = "\x81\x81\0\0\0\0x";
	struct stream *s = *state;
	struct owner o;
	size_t taken;

	for (int i = 0; i < 3000; i++)
		put(s, first, 7);
	owner_begin(&o, WS_SERVER);
	o.is_pausing = true;
	o.ws = ws_borrow(o.pool, &o);
	assert_int_equal(ws_feed(o.ws, s->data, s->len, &taken), WS_OK);
	assert_int_equal(taken, 7);
	assert_int_equal(o.told_len, strlen("text x\n"));

	/* Nothing was lost by it, and the rest comes when it is fed. */
	o.is_pausing = false;
	o.told_len = 0;
	owner_feed(&o, s->data + taken, 4096);
	assert_int_equal(
	    o.told_len, ((taken + 4096) / 7 - taken / 7) * strlen("text x\n"));
	owner_end(&o);
}

static void
test_clean_only_between_messages(void **state)
{
	struct stream *s = *state;
	struct owner o;
	size_t ping_end, taken;
	uint8_t out[WS_OUTPUT_MAX];

	owner_begin(&o, WS_SERVER);
	o.ws = ws_borrow(o.pool, &o);
	assert_true(ws_is_clean(o.ws));
	PUT(s, WS_TEXT, "a");
	PUT(s, FIN | WS_PING, "");
	ping_end = s->len;
	PUT(s, FIN | WS_CONTINUATION, "b");
	for (size_t i = 0; i < s->len; i++) {
		ws_feed(o.ws, s->data + i, 1, &taken);
		if (i + 1 == ping_end)
			assert_int_equal(ws_output(o.ws, out, sizeof(out)), 2);
		assert_int_equal(ws_is_clean(o.ws), i + 1 == s->len);
	}
	owner_end(&o);
}

static void
test_waiting_output_is_not_clean(void **state)
{
	struct stream *s = *state;
	struct owner o;
	uint8_t out[2 * WS_OUTPUT_MAX];
	size_t taken;

	owner_begin(&o, WS_SERVER);
	o.ws = ws_borrow(o.pool, &o);
	PUT(s, FIN | WS_PING, "one");
	PUT(s, FIN | WS_PING, "two");
	assert_int_equal(ws_feed(o.ws, s->data, s->len, &taken), WS_OK);
	assert_false(ws_is_clean(o.ws));
	assert_int_equal(ws_output(o.ws, out, 4), 0);
	assert_int_equal(ws_output(o.ws, out, 9), 5);
	assert_memory_equal(out, "\x8a\x03one", 5);
	assert_false(ws_is_clean(o.ws));
	assert_int_equal(ws_output(o.ws, out, sizeof(out)), 5);
	assert_memory_equal(out, "\x8a\x03two", 5);
	assert_true(ws_is_clean(o.ws));
	owner_end(&o);
}

static void
test_pool_lends_a_clean_parser_again(void **state)
{
	struct ws_pool *pool = ws_pool_new(WS_SERVER, 100, 1, &owner_events);
	struct ws *a = ws_borrow(pool, state), *b = ws_borrow(pool, state);
	struct ws *first = a;

	assert_int_equal(ws_pool_lent(pool), 2);
	ws_return(pool, &a);
	assert_null(a);
	ws_return(pool, &b); /* more than it keeps: freed */
	assert_int_equal(ws_pool_lent(pool), 0);
	a = ws_borrow(pool, state);
	assert_ptr_equal(a, first);
	ws_return(pool, &a);
	ws_pool_free(&pool);
	assert_null(pool);
}

/* What one owner left half-read must not reach the next. */
static void
test_pool_does_not_lend_what_is_not_clean(void **state)
{
	struct stream *s = *state;
	struct owner left = { .told_len = 0 }, next;

	PUT(s, FIN | WS_PING, "first");
	PUT(s, WS_TEXT, "half");
	owner_begin(&next, WS_SERVER);
	for (size_t cut = 1; cut <= s->len; cut++) {
		size_t taken;

		left.ws = ws_borrow(next.pool, &left);
		ws_feed(left.ws, s->data, cut, &taken);
		ws_return(next.pool, &left.ws);
		next.told_len = next.out_len = 0;
		owner_feed(&next, s->data, s->len);
		assert_string_equal(next.told, "ping\n");
		assert_int_equal(next.out_len, 7);
		ws_return(next.pool, &next.ws);
	}
	owner_end(&next);
}

static void
test_pool_does_not_lend_what_has_ended(void **state)
{
	struct stream *s = *state;
	struct owner o;

	owner_begin(&o, WS_SERVER);
	PUT(s, FIN | WS_CLOSE, "");
	owner_feed(&o, s->data, s->len);
	assert_int_equal(o.status, WS_ENDED);
	o.status = WS_OK;
	o.told_len = s->len = 0;
	PUT(s, FIN | WS_TEXT, "next");
	owner_feed(&o, s->data, s->len);
	assert_string_equal(o.told, "text next\n");
	owner_end(&o);
}

/* Feed a message of which this is a piece, while the system gives no memory. */
static enum ws_status
feed_without_memory(struct ws *ws, const struct stream *piece)
{
	enum ws_status status = WS_OK;
	struct rlimit had, none;
	size_t taken;

	assert_int_equal(getrlimit(RLIMIT_AS, &had), 0);
	none = had;
	none.rlim_cur = 1;
	assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
	/* What the heap has left may do for the first ones. */
	for (int i = 0; i < 1000 && status == WS_OK; i++)
		status = ws_feed(ws, piece->data, piece->len, &taken);
	assert_int_equal(setrlimit(RLIMIT_AS, &had), 0);
	return status;
}

static void
test_out_of_memory_is_told_by_status(void **state)
{
	static char large[65000];
	struct ws_pool *pool =
	    ws_pool_new(WS_SERVER, UINT64_MAX, 0, &owner_events);
	struct ws *ws = ws_borrow(pool, NULL);
	struct stream *s = *state;
	size_t taken;

	put_header(s, FIN | WS_BINARY, 8, UINT64_MAX >> 1);
	assert_int_equal(ws_feed(ws, s->data, s->len, &taken), WS_OK);
	s->len = 0;
	put_payload(s, large, sizeof(large));
	assert_int_equal(feed_without_memory(ws, s), WS_NOMEM);
	ws_return(pool, &ws);
	ws_pool_free(&pool);
}

static unsigned parts;         /* of messages, told by fragment() */
static struct ws *part_pauses; /* the parser to pause there */

static void
part_cb(void *owner)
{
	(void)owner;
	parts++;
	ws_pause(part_pauses);
}

/* A pause at a fragment's end takes no byte of the next, and loses none. */
static void
test_pause_between_fragments_keeps_the_message(void **state)
{
	struct stream *s = *state;
	struct ws_events events = owner_events;
	struct owner o;
	size_t at = 0, taken;
	unsigned feeds = 0;

	PUT(s, WS_TEXT, "");
	PUT(s, WS_CONTINUATION, "mes");
	PUT(s, FIN | WS_PING, "");
	PUT(s, WS_CONTINUATION, "sa");
	PUT(s, FIN | WS_CONTINUATION, "ge");
	parts = 0;
	owner_begin(&o, WS_SERVER);
	ws_pool_free(&o.pool);
	events.fragment = part_cb;
	o.pool = ws_pool_new(WS_SERVER, 100, 0, &events);
	o.ws = part_pauses = ws_borrow(o.pool, &o);
	for (; at < s->len; at += taken, feeds++) {
		assert_int_equal(
		    ws_feed(o.ws, s->data + at, s->len - at, &taken), WS_OK);
		assert_int_not_equal(taken, 0);
	}
	assert_int_equal(parts, 3);
	assert_int_equal(feeds, 4);
	assert_string_equal(o.told, "ping\ntext message\n");
	owner_end(&o);
}

static void
test_client_masks_its_pongs(void **state)
{
	struct stream *s = *state;
	struct owner o;

	s->is_masked = false;
	PUT(s, FIN | WS_PING, "who?");
	owner_begin(&o, WS_CLIENT);
	owner_feed(&o, s->data, s->len);
	assert_string_equal(o.told, "ping\n");
	assert_int_equal(o.out_len, 2 + 4 + 4);
	assert_memory_equal(o.out, "\x8a\x84", 2);
	for (int i = 0; i < 4; i++)
		assert_int_equal(o.out[6 + i] ^ o.out[2 + i], "who?"[i]);
	owner_end(&o);
}

#define T(test) \
	cmocka_unit_test_setup_teardown(test, stream_setup, stream_teardown)

static const struct CMUnitTest tests[] = {
	T(test_messages_are_told_in_order),
	T(test_fragments_make_one_message),
	T(test_character_may_be_split_over_fragments),
	T(test_pings_between_fragments_are_answered),
	T(test_longest_ping_is_answered),
	T(test_all_forms_of_length),
	T(test_message_longer_than_what_is_read_ahead),
	T(test_message_of_one_byte_fragments),
	T(test_pause_stops_reading_ahead),
	T(test_clean_only_between_messages),
	T(test_waiting_output_is_not_clean),
	T(test_pool_lends_a_clean_parser_again),
	T(test_pool_does_not_lend_what_is_not_clean),
	T(test_pool_does_not_lend_what_has_ended),
	T(test_out_of_memory_is_told_by_status),
	T(test_pause_between_fragments_keeps_the_message),
	T(test_client_masks_its_pongs),
};

SUITE_MAIN(tests);
