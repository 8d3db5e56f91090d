/* SPDX-License-Identifier: MIT */
/* test_pack.c - what delivery/pack.h promises. */

#include "common/config.h"
#include "common/deflate.h"
#include "common/ws_frame.h"
#include "tests/support/suite.h"
#include "worker/delivery/pack.h"
#include "worker/net/net.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 70000u

/* Connections without anything but what is needed here. */
struct bench {
	struct packer *packer;
	struct net net;
	struct config config;
	_Atomic uint64_t counters[STATS_COUNT];
	struct inflater *inflater;
};

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	arena_init(&b->net.arena);
	b->net.config = &b->config;
	b->net.stats.counters = b->counters;
	b->inflater = inflater_new(TEXT_MAX);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	pack_fini(&b->packer);
	pack_fini(&b->packer); /* nothing more happens */
	arena_fini(&b->net.arena);
	inflater_free(&b->inflater);
	free(b);
	return 0;
}

/* A text frame at the end of the arena, packed and ended. */
static void
put(struct bench *b, const char *text, size_t len)
{
	struct arena *arena = &b->net.arena;
	size_t start = ws_text_open(&arena->bytes);

	buf_add(&arena->bytes, text, len);
	ws_text_close(&arena->bytes, start);
	pack_frame(&b->net, &b->packer);
	arena_end(arena, 0, 1);
}

/* The index-th frame is this text, compressed or not. */
static void
expect(struct bench *b, uint32_t index, bool is_packed, const char *text,
    size_t len)
{
	const struct arena *arena = &b->net.arena;
	size_t start = arena_start(arena, index), text_len;
	const uint8_t *frame = (const uint8_t *)arena->bytes.at + start;
	size_t header = ws_frame_header_len(frame);
	size_t payload_len = arena->table[index].end - start - header;
	uint8_t wanted[WS_HEADER_MAX];

	assert_int_equal(ws_frame_header(wanted, WS_TEXT, payload_len), header);
	wanted[0] |= is_packed ? WS_RSV1 : 0;
	assert_memory_equal(frame, wanted, header);
	if (is_packed) {
		const char *back;

		assert_in_range(payload_len, 1, len - 1);
		assert_int_equal(inflate_message(b->inflater, frame + header,
				     payload_len, &back, &text_len),
		    INFLATE_OK);
		assert_int_equal(text_len, len);
		assert_memory_equal(back, text, len);
	} else {
		assert_int_equal(payload_len, len);
		assert_memory_equal(frame + header, text, len);
	}
}

static uint64_t
count(const struct bench *b, enum stats_id id)
{
	return stats_get(b->counters, id);
}

/* With each form of a header before, and after. */
static void
test_frames_of_all_sizes_become_smaller(void **state)
{
	static const size_t sizes[] = { 60, 125, 126, 127, 1000, 65535, 65536,
		TEXT_MAX };
	struct bench *b = *state;
	static char text[TEXT_MAX];
	uint64_t total = 0;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "{\"temperature\":21},"[i % 19];
	for (uint32_t i = 0; i < COUNT(sizes); i++) {
		put(b, text, sizes[i]);
		total += sizes[i];
	}
	for (uint32_t i = 0; i < COUNT(sizes); i++)
		expect(b, i, true, text, sizes[i]);
	assert_int_equal(count(b, STATS_DEFLATED), COUNT(sizes));
	assert_int_equal(count(b, STATS_DEFLATED_FROM), total);
	assert_in_range(count(b, STATS_DEFLATED_TO), 1, total / 10);
	assert_int_equal(count(b, STATS_DEFLATED_IN_VAIN), 0);
}

static void
test_only_from_a_length_on(void **state)
{
	struct bench *b = *state;
	char text[512];

	memset(text, 'x', sizeof(text));
	b->config.compress = sizeof(text);
	put(b, text, sizeof(text) - 1);
	put(b, text, sizeof(text));
	b->config.compress = CONFIG_COMPRESS_OFF;
	put(b, text, sizeof(text));
	expect(b, 0, false, text, sizeof(text) - 1);
	expect(b, 1, true, text, sizeof(text));
	expect(b, 2, false, text, sizeof(text));
}

static void
test_what_does_not_become_smaller_stays(void **state)
{
	struct bench *b = *state;

	put(b, "hello", 5);
	put(b, "", 0);
	expect(b, 0, false, "hello", 5);
	expect(b, 1, false, "", 0);
	assert_int_equal(count(b, STATS_DEFLATED_IN_VAIN), 2);
	assert_int_equal(count(b, STATS_DEFLATED), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_frames_of_all_sizes_become_smaller),
	T(test_only_from_a_length_on),
	T(test_what_does_not_become_smaller_stays),
};

SUITE_MAIN(tests);
