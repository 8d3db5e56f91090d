/* SPDX-License-Identifier: MIT */
/*
 * test_top_screen.c - what broker/cli/top_screen.h promises, of a segment in
 * plain memory with looks whose clock is set by hand.
 */

#include "broker/cli/top_screen.h"
#include "broker/ring/store.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#include <string.h>

#define WORKERS 40u
#define TOPICS  64u
#define SECOND  UINT64_C(1000000000)

struct screen {
	struct ringkit kit;
	struct look before, now;
	struct buf buf;
	struct top_view view;
};

static int
setup(void **state)
{
	struct screen *s = ringkit_new(sizeof(*s), 64u << 10, TOPICS);

	store_begin_run(&s->kit.t.seg, WORKERS, 1000);
	look_init(&s->before);
	look_init(&s->now);
	buf_init(&s->buf);
	s->view = (struct top_view){ .instance = "main",
		.seg = &s->kit.t.seg,
		.now = &s->now,
		.before = &s->before };
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct screen *s = *state;

	look_fini(&s->before);
	look_fini(&s->now);
	buf_fini(&s->buf);
	ringkit_free(s);
	return 0;
}

/* Twenty topics get a message each, between the looks. */
static void
look_twice(struct screen *s)
{
	char name[8];

	look_take(&s->before, &s->kit.t.seg);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "topic%d", i);
		hand_publish(&s->kit.ring, hand_topic(&s->kit.ring, name), "1");
	}
	look_take(&s->now, &s->kit.t.seg);
	s->before.at_ns = SECOND;
	s->now.at_ns = 2 * SECOND;
}

/* Draw; returns how many lines that are, each of which must end. */
static unsigned
draw(struct screen *s, unsigned rows)
{
	unsigned lines = 0;
	size_t len = 0;

	s->view.rows = rows;
	buf_reset(&s->buf);
	top_screen_put(&s->buf, &s->view);
	for (size_t i = 0; i < s->buf.len; i++, len++)
		if (s->buf.at[i] == '\n') {
			assert_true(len <= 80);
			lines++;
			len = (size_t)-1;
		}
	assert_int_equal(s->buf.at[s->buf.len - 1], '\n');
	return lines;
}

static bool
shows(const struct screen *s, const char *text)
{
	return memmem(s->buf.at, s->buf.len, text, strlen(text)) != NULL;
}

static void
test_rows_are_filled_and_not_more(void **state)
{
	struct screen *s = *state;

	look_twice(s);
	for (unsigned rows = 18; rows < 60; rows++)
		assert_int_equal(draw(s, rows), rows);
	/* All workers, and all topics. */
	assert_int_equal(draw(s, 200), 7 + 4 + WORKERS + 20);
}

static void
test_workers_that_have_no_room_are_counted(void **state)
{
	struct screen *s = *state;

	look_twice(s);
	draw(s, 24);
	assert_true(shows(s, "... and 33 more\n"));
	assert_true(shows(s, "topic4\n"));
	assert_false(shows(s, "topic5\n"));
	draw(s, 7 + 4 + 5 + WORKERS);
	assert_false(shows(s, " more\n"));
}

static void
test_without_a_screen_all_workers_and_ten_topics_are_shown(void **state)
{
	struct screen *s = *state;

	look_twice(s);
	assert_int_equal(draw(s, 0), 7 + 4 + WORKERS + 10);
}

static void
test_rates_need_two_looks(void **state)
{
	struct screen *s = *state;

	look_take(&s->now, &s->kit.t.seg);
	draw(s, 0);
	assert_true(shows(s, "messages/s         - in      - out"));
	assert_true(shows(s, "delivery       - for 50 %"));
	look_twice(s);
	draw(s, 0);
	assert_true(shows(s, "messages/s         0 in      0 out"));
	assert_true(
	    shows(s, "ring            1120/s of 65536; 20 of 64 topics"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_rows_are_filled_and_not_more),
	T(test_workers_that_have_no_room_are_counted),
	T(test_without_a_screen_all_workers_and_ten_topics_are_shown),
	T(test_rates_need_two_looks),
};

SUITE_MAIN(tests);
