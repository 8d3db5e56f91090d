/* SPDX-License-Identifier: MIT */
/* test_hub_record.c - what worker/handover/hub_record.h promises. */

#include "tests/support/suite.h"
#include "tests/unit/support/out.h"
#include "worker/handover/conn_record.h"
#include "worker/handover/hub_record.h"

#include <string.h>

static struct fields fields;
static struct adopt_topic topic;
static struct field record;

static const struct hub_hello hello = {
	.version = CONN_RECORD_VERSION,
	.cursor = UINT64_C(0x123456789abc),
	.numbered = 77,
	.epoch = "abcdefghijkl",
};

static void
test_hello_is_taken_as_it_was_put(void **state)
{
	struct hub_hello taken;

	(void)state;
	hub_hello_put(&out, &hello);
	assert_true(hub_hello_take(&taken, &out));
	assert_int_equal(taken.cursor, hello.cursor);
	assert_int_equal(taken.numbered, 77);
	assert_string_equal(taken.epoch, "abcdefghijkl");
}

static void
test_hello_of_another_version_is_refused(void **state)
{
	struct hub_hello other = hello, taken;

	(void)state;
	other.version++;
	hub_hello_put(&out, &other);
	assert_false(hub_hello_take(&taken, &out));
}

static void
test_hello_of_another_length_is_refused(void **state)
{
	struct hub_hello taken;

	(void)state;
	hub_hello_put(&out, &hello);
	out.len--;
	assert_false(hub_hello_take(&taken, &out));
	out.len += 2;
	assert_false(hub_hello_take(&taken, &out));
	buf_reset(&out);
	assert_false(hub_hello_take(&taken, &out));
}

static void
test_hello_whose_epoch_has_no_end_is_refused(void **state)
{
	struct hub_hello other = hello, taken;

	(void)state;
	memset(other.epoch, 'x', sizeof(other.epoch));
	hub_hello_put(&out, &other);
	assert_false(hub_hello_take(&taken, &out));
}

static void
test_topics_come_in_their_order(void **state)
{
	const struct adopt_topic room = {
		.name = "room", .name_len = 4, .slot = 3, .seq = 48, .pos = 4096
	};
	const struct adopt_topic nameless = { .name = "", .slot = 9 };

	(void)state;
	assert_true(hub_topic_put(&out, &room));
	assert_true(hub_topic_put(&out, &nameless));
	fields_begin(&fields, out.at, out.len);
	assert_int_equal(hub_topic_next(&fields, &topic), FIELDS_OK);
	assert_int_equal(topic.name_len, 4);
	assert_memory_equal(topic.name, "room", 4);
	assert_int_equal(topic.slot, 3);
	assert_int_equal(topic.seq, 48);
	assert_int_equal(topic.pos, 4096);
	assert_int_equal(hub_topic_next(&fields, &topic), FIELDS_OK);
	assert_int_equal(topic.name_len, 0);
	assert_int_equal(topic.slot, 9);
	assert_int_equal(hub_topic_next(&fields, &topic), FIELDS_END);
}

static void
test_topic_that_is_cut_is_refused(void **state)
{
	(void)state;
	assert_true(fields_add(&out, 1, "too short", 9, NULL, 0));
	fields_begin(&fields, out.at, out.len);
	assert_int_equal(hub_topic_next(&fields, &topic), FIELDS_BROKEN);
}

static void
test_topic_whose_name_is_too_long_is_refused(void **state)
{
	char bytes[24 + LAYOUT_TOPIC_NAME_MAX + 1] = { 0 };

	(void)state;
	assert_true(fields_add(&out, 1, bytes, sizeof(bytes), NULL, 0));
	fields_begin(&fields, out.at, out.len);
	assert_int_equal(hub_topic_next(&fields, &topic), FIELDS_BROKEN);
}

static void
test_connections_come_in_their_order(void **state)
{
	struct buf one;

	(void)state;
	buf_init(&one);
	buf_puts(&one, "first");
	assert_true(hub_conn_put(&out, &one));
	buf_puts(&one, " and second");
	assert_true(hub_conn_put(&out, &one));
	buf_fini(&one);
	fields_begin(&fields, out.at, out.len);
	assert_int_equal(hub_conn_next(&fields, &record), FIELDS_OK);
	assert_int_equal(record.len, 5);
	assert_memory_equal(record.at, "first", 5);
	assert_int_equal(hub_conn_next(&fields, &record), FIELDS_OK);
	assert_int_equal(record.len, 16);
	assert_int_equal(hub_conn_next(&fields, &record), FIELDS_END);
}

static void
test_identities_come_in_their_order(void **state)
{
	struct buf one;

	(void)state;
	buf_init(&one);
	buf_puts(&one, "who");
	assert_true(hub_identity_put(&out, &one));
	buf_puts(&one, " else");
	assert_true(hub_identity_put(&out, &one));
	buf_fini(&one);
	fields_begin(&fields, out.at, out.len);
	assert_int_equal(hub_identity_next(&fields, &record), FIELDS_OK);
	assert_int_equal(record.len, 3);
	assert_int_equal(hub_identity_next(&fields, &record), FIELDS_OK);
	assert_memory_equal(record.at, "who else", 8);
	assert_int_equal(hub_identity_next(&fields, &record), FIELDS_END);
	fields_begin(&fields, out.at, out.len);
	assert_int_equal(hub_conn_next(&fields, &record), FIELDS_BROKEN);
}

static void
test_topic_is_no_connection_and_the_reverse(void **state)
{
	const struct adopt_topic room = { .name = "room", .name_len = 4 };
	struct buf one;

	(void)state;
	assert_true(hub_topic_put(&out, &room));
	fields_begin(&fields, out.at, out.len);
	assert_int_equal(hub_conn_next(&fields, &record), FIELDS_BROKEN);
	buf_reset(&out);
	buf_init(&one);
	for (int i = 0; i < 30; i++)
		buf_puts(&one, "x");
	assert_true(hub_conn_put(&out, &one));
	buf_fini(&one);
	fields_begin(&fields, out.at, out.len);
	assert_int_equal(hub_topic_next(&fields, &topic), FIELDS_BROKEN);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, out_setup, out_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_hello_is_taken_as_it_was_put),
	TEST(test_hello_of_another_version_is_refused),
	TEST(test_hello_of_another_length_is_refused),
	TEST(test_hello_whose_epoch_has_no_end_is_refused),
	TEST(test_topics_come_in_their_order),
	TEST(test_topic_that_is_cut_is_refused),
	TEST(test_topic_whose_name_is_too_long_is_refused),
	TEST(test_connections_come_in_their_order),
	TEST(test_identities_come_in_their_order),
	TEST(test_topic_is_no_connection_and_the_reverse),
};

SUITE_MAIN(tests);
