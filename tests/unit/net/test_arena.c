/* SPDX-License-Identifier: MIT */
/* test_arena.c - what worker/net/arena.h promises, one test per promise. */

#include "broker/ring/ring.h"
#include "common/ws.h"
#include "tests/support/suite.h"
#include "worker/delivery/form.h"
#include "worker/net/arena.h"
#include "worker/protocol/plain.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;

static int
setup(void **state)
{
	(void)state;
	arena_init(&arena);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

/* Add a message in the raw form. */
static void
add_raw(const char *json, size_t json_len)
{
	const struct ring_record rec = { .body = json,
		.body_len = (uint32_t)json_len };

	plain_form.message(&arena.bytes, &rec, NULL, NULL);
	arena_end(&arena, 0, 0);
}

/* Add a message; its frame must be a text frame with this payload. */
static void
assert_raw_bytes(
    const char *json, size_t json_len, const char *text, size_t len)
{
	uint32_t index = arena.count;
	size_t start = arena_start(&arena, index);
	uint8_t header[WS_HEADER_MAX];
	size_t header_len = ws_frame_header(header, WS_TEXT, len);

	add_raw(json, json_len);
	assert_int_equal(arena.count, index + 1);
	assert_int_equal(
	    arena_start(&arena, index + 1), start + header_len + len);
	assert_memory_equal(arena.bytes.at + start, header, header_len);
	assert_memory_equal(arena.bytes.at + start + header_len, text, len);
}

static void
assert_raw(const char *json, const char *text)
{
	assert_raw_bytes(json, strlen(json), text, strlen(text));
}

static void
test_string_is_what_it_stands_for(void **state)
{
	(void)state;
	assert_raw("\"hello\"", "hello");
	assert_raw("\"\"", "");
	assert_raw("\"gr\xc3\xbc\xc3\x9f\"", "gr\xc3\xbc\xc3\x9f");
}

static void
test_escapes_are_decoded(void **state)
{
	(void)state;
	assert_raw("\"a\\n\\t\\\"\\\\\\/b\"", "a\n\t\"\\/b");
	assert_raw("\"\\u00e9\"", "\xc3\xa9");
	assert_raw("\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80");
	assert_raw("\"\\ufffd\"", "\xef\xbf\xbd");
	assert_raw_bytes("\"a\\u0000b\"", 10, "a\0b", 3);
}

static void
test_what_is_no_string_stays_json(void **state)
{
	static const char *const texts[] = { "17", "-1.5e3", "true", "false",
		"null", "[]", "[\"a\",1]", "{\"text\":\"a\\nb\"}" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_raw(texts[i], texts[i]);
}

/* Around each length at which a header grows, and past any first allocation. */
static void
test_header_has_the_shortest_length(void **state)
{
	static const size_t lens[] = { 0, 1, 125, 126, 127, 65535, 65536, 65537,
		300000 };
	char *json = malloc(300002), *text = malloc(300000);

	(void)state;
	assert_non_null(json);
	assert_non_null(text);
	memset(text, 'x', 300000);
	for (size_t i = 0; i < COUNT(lens); i++) {
		json[0] = '"';
		memset(json + 1, 'x', lens[i]);
		json[lens[i] + 1] = '"';
		assert_raw_bytes(json, lens[i] + 2, text, lens[i]);
	}
	free(json);
	free(text);
}

static void
test_frames_lie_one_behind_another(void **state)
{
	static const unsigned char bytes[] = "\x81\x01"
					     "a"
					     "\x81\x00"
					     "\x81\x02"
					     "17";

	(void)state;
	add_raw("\"a\"", 3);
	add_raw("\"\"", 2);
	add_raw("17", 2);
	assert_int_equal(arena.count, 3);
	assert_int_equal(arena_start(&arena, 0), 0);
	assert_int_equal(arena_start(&arena, 1), 3);
	assert_int_equal(arena_start(&arena, 2), 5);
	assert_int_equal(arena_start(&arena, 3), 9);
	assert_memory_equal(arena.bytes.at, bytes, 9);
}

static void
test_reset_forgets_the_frames_and_keeps_the_memory(void **state)
{
	char *bytes;

	(void)state;
	add_raw("\"hello\"", 7);
	bytes = arena.bytes.at;
	arena_reset(&arena);
	assert_int_equal(arena.count, 0);
	assert_int_equal(arena_start(&arena, 0), 0);
	assert_raw("\"world\"", "world");
	assert_ptr_equal(arena.bytes.at, bytes);
}

static void
test_thousands_of_frames(void **state)
{
	(void)state;
	for (int i = 0; i < 5000; i++)
		add_raw("\"hello\"", 7);
	for (uint32_t i = 0; i < 5000; i++) {
		assert_int_equal(arena_start(&arena, i), 7 * i);
		assert_memory_equal(arena.bytes.at + 7 * i, "\x81\x05hello", 7);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_string_is_what_it_stands_for),
	T(test_escapes_are_decoded),
	T(test_what_is_no_string_stays_json),
	T(test_header_has_the_shortest_length),
	T(test_frames_lie_one_behind_another),
	T(test_reset_forgets_the_frames_and_keeps_the_memory),
	T(test_thousands_of_frames),
};

SUITE_MAIN(tests);
