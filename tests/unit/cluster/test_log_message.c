/* SPDX-License-Identifier: MIT */
/* test_log_message.c - the bytes of a log: there and back, and no others. */

#include "broker/cluster/log_message.h"
#include "tests/support/suite.h"

#include <stdlib.h>

static struct buf bytes;

static void
add(const char *name, const char *body, uint64_t conn)
{
	const struct ring_record rec = { .name = name,
		.name_len = (uint8_t)strlen(name),
		.body = body,
		.body_len = (uint32_t)strlen(body),
		.worker = 3,
		.time_ms = 1700000000123,
		.conn = conn };

	log_batch_add(&bytes, &rec);
}

static int
setup(void **state)
{
	(void)state;
	buf_init(&bytes);
	log_batch_open(&bytes, 0xfedcba9876543210, 41);
	add("room/1", "\"hello\"", 1);
	add("", "0", 2);
	add("room/2", "{\"a\":1}", 3);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_fini(&bytes);
	return 0;
}

static void
test_batch_is_read_as_it_was_written(void **state)
{
	struct log_record rec;
	struct log_head head;
	size_t at = LOG_HEAD;

	(void)state;
	log_batch_set_round(&bytes, 9);
	assert_true(log_read(bytes.at, bytes.len, &head));
	assert_int_equal(head.kind, LOG_BATCH);
	assert_int_equal(head.origin, 0xfedcba9876543210);
	assert_int_equal(head.prev, 41);
	assert_int_equal(head.round, 9);
	assert_int_equal(head.count, 3);
	log_record_next(bytes.at, &at, &rec);
	assert_int_equal(rec.name_len, 6);
	assert_memory_equal(rec.name, "room/1", 6);
	assert_int_equal(rec.body_len, 7);
	assert_memory_equal(rec.body, "\"hello\"", 7);
	assert_int_equal(rec.time_ms, 1700000000123);
	assert_int_equal(rec.worker, 3);
	assert_int_equal(rec.conn, 1);
	log_record_next(bytes.at, &at, &rec);
	assert_int_equal(rec.name_len, 0);
	log_record_next(bytes.at, &at, &rec);
	assert_int_equal(rec.conn, 3);
	assert_int_equal(at, bytes.len);
}

static void
test_trimmed_batch_goes_on_behind(void **state)
{
	struct log_record rec;
	struct log_head head;
	size_t at = LOG_HEAD;

	(void)state;
	log_batch_trim(&bytes, 2);
	assert_true(log_read(bytes.at, bytes.len, &head));
	assert_int_equal(head.prev, 43);
	assert_int_equal(head.count, 1);
	log_record_next(bytes.at, &at, &rec);
	assert_int_equal(rec.conn, 3);
	assert_int_equal(at, bytes.len);
}

static void
test_cut_or_longer_batch_is_none(void **state)
{
	struct log_head head;
	char *copy;

	(void)state;
	for (size_t len = 0; len < bytes.len; len++) {
		copy = malloc(len + 1); /* so that a reader beyond is seen */
		assert_non_null(copy);
		memcpy(copy, bytes.at, len);
		assert_false(log_read(copy, len, &head));
		free(copy);
	}
	buf_add(&bytes, "x", 1);
	assert_false(log_read(bytes.at, bytes.len, &head));
}

static void
test_wrong_head_is_none(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} wrong[] = { { 0, 'x' }, { 4, 0 }, { 4, 4 }, { 28, 0 }, { 28, 4 },
		{ 23, 0xff }, { 29, 1 } };
	struct log_head head;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char was = bytes.at[wrong[i].at];

		bytes.at[wrong[i].at] = (char)wrong[i].byte;
		assert_false(log_read(bytes.at, bytes.len, &head));
		bytes.at[wrong[i].at] = was;
	}
	assert_true(log_read(bytes.at, bytes.len, &head));
}

static void
test_checkpoint_is_read_as_it_was_written(void **state)
{
	struct ring_log_state said = { .pos = 77 << 8 | 5,
		.hash = 0x1234567890abcdef,
		.count = 2,
		.origins = { { 1, 10, 70 }, { 2, 20, 77 } } },
			      heard;
	struct log_head head;
	char name[LOG_NAME + 1];

	(void)state;
	log_checkpoint(&bytes, LOG_CHECKPOINT, 2,
	    "a name that is longer than a checkpoint has room for", &said);
	assert_true(log_read(bytes.at, bytes.len, &head));
	assert_int_equal(head.kind, LOG_CHECKPOINT);
	assert_int_equal(head.origin, 2);
	log_read_state(bytes.at, &heard, name);
	assert_memory_equal(&heard, &said, sizeof(said));
	assert_string_equal(name, "a name that is longer than a che");
	assert_false(log_read(bytes.at, bytes.len - 1, &head));
	bytes.at[28] = 3; /* one more than there are */
	assert_false(log_read(bytes.at, bytes.len, &head));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_batch_is_read_as_it_was_written),
	TEST(test_trimmed_batch_goes_on_behind),
	TEST(test_cut_or_longer_batch_is_none),
	TEST(test_wrong_head_is_none),
	TEST(test_checkpoint_is_read_as_it_was_written),
};

SUITE_MAIN(tests);
