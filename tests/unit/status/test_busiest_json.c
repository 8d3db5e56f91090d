/* SPDX-License-Identifier: MIT */
/* test_busiest_json.c - what broker/status/busiest_json.h promises. */

#include "broker/status/busiest_json.h"
#include "common/json.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#include <string.h>

static bool
begins(const struct buf *buf, const char *text)
{
	return buf->len >= strlen(text) &&
	       memcmp(buf->at, text, strlen(text)) == 0;
}

static void
test_first_look_tells_nothing_and_the_next_one_not_at_once(void **state)
{
	struct ringkit *kit = ringkit_new(sizeof(struct ringkit), 64u << 10, 4);
	struct busiest *busiest = busiest_new();
	struct buf first, again;
	const char *why;
	size_t where;

	(void)state;
	buf_init(&first);
	buf_init(&again);
	busiest_json(&first, busiest, &kit->t.seg);
	assert_true(begins(&first, "{\"seconds\":0.000,\"topics\":[]}\n"));
	assert_int_equal(
	    json_check(first.at, first.len, &where, &why), JSON_OK);
	hand_publish(&kit->ring, hand_topic(&kit->ring, "a"), "1");
	busiest_json(&again, busiest, &kit->t.seg);
	assert_int_equal(again.len, first.len);
	assert_memory_equal(again.at, first.at, first.len);
	buf_fini(&first);
	buf_fini(&again);
	busiest_free(busiest);
	ringkit_free(kit);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(
	    test_first_look_tells_nothing_and_the_next_one_not_at_once),
};

SUITE_MAIN(tests);
