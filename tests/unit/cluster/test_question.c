/* SPDX-License-Identifier: MIT */
/* test_question.c - questions as bytes, and which hosts are asked. */

#include "broker/cluster/host_message.h"
#include "broker/cluster/hosts.h"
#include "broker/cluster/question.h"
#include "common/buf.h"
#include "tests/support/suite.h"

#include <string.h>

static struct buf bytes;
static struct layout_cluster cluster;

static int
setup(void **state)
{
	(void)state;
	buf_init(&bytes);
	memset(&cluster, 0, sizeof(cluster));
	cluster.self = 1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_fini(&bytes);
	return 0;
}

static const struct question list = { .kind = QUESTION_TOPICS,
	.has_after = true,
	.has_patterns = true,
	.name_len = 5,
	.after_len = 6,
	.limit = 20,
	.name = "room/",
	.after_name = "room/1",
	.patterns = "\6room/+\4open",
	.patterns_len = 12 };

static void
test_is_read_as_it_was_written(void **state)
{
	struct question q;

	(void)state;
	question_write(&bytes, &list);
	assert_true(question_read(bytes.at, bytes.len, &q));
	assert_int_equal(q.kind, QUESTION_TOPICS);
	assert_true(q.has_after && q.has_patterns);
	assert_false(q.wants_members || q.counts_members);
	assert_int_equal(q.limit, 20);
	assert_int_equal(q.name_len, 5);
	assert_memory_equal(q.name, "room/", 5);
	assert_int_equal(q.after_len, 6);
	assert_memory_equal(q.after_name, "room/1", 6);
	assert_true(question_may_tell(&q, "room/7", 6));
	assert_true(question_may_tell(&q, "open", 4));
	assert_false(question_may_tell(&q, "room/7/8", 8));
	assert_false(question_may_tell(&q, "secret", 6));
}

static void
test_without_patterns_all_is_told_and_with_none_nothing(void **state)
{
	struct question q = { .kind = QUESTION_TOPICS,
		.limit = 1,
		.name = "",
		.after_name = "",
		.patterns = "" };

	(void)state;
	assert_true(question_may_tell(&q, "secret", 6));
	q.has_patterns = true;
	assert_false(question_may_tell(&q, "secret", 6));
}

static void
test_other_bytes_are_none(void **state)
{
	struct question q;

	(void)state;
	question_write(&bytes, &list);
	/* Cut between two patterns it is one with fewer. */
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_equal(question_read(bytes.at, len, &q),
		    len == bytes.len - 12 || len == bytes.len - 5);
	bytes.at[0] = 3;
	assert_false(question_read(bytes.at, bytes.len, &q));
	bytes.at[0] = QUESTION_TOPICS;
	memset(bytes.at + 4, 0, 4); /* no limit */
	assert_false(question_read(bytes.at, bytes.len, &q));
	memset(bytes.at + 4, 0x7f, 4);
	assert_false(question_read(bytes.at, bytes.len, &q));
}

static void
test_head_of_a_message(void **state)
{
	const struct host_message said = {
		.kind = HOST_ANSWERS, .origin = 0xfedcba9876543210, .number = 7
	};
	struct host_message heard;

	(void)state;
	host_message_write(&bytes, &said);
	assert_int_equal(bytes.len, HOST_MESSAGE_HEAD);
	assert_true(host_message_read(bytes.at, bytes.len, &heard));
	assert_int_equal(heard.kind, said.kind);
	assert_int_equal(heard.origin, said.origin);
	assert_int_equal(heard.number, said.number);
	assert_false(host_message_read(bytes.at, bytes.len - 1, &heard));
	bytes.at[4] = 9;
	assert_false(host_message_read(bytes.at, bytes.len, &heard));
}

static void
test_hosts_are_those_that_were_heard_of(void **state)
{
	uint64_t others[LAYOUT_ORIGINS];

	(void)state;
	hosts_heard_log(&cluster, 10000);
	for (uint64_t origin = 1; origin <= 3; origin++)
		hosts_note(&cluster, origin, 10000 + origin);
	hosts_heard_log(&cluster, 10500);
	assert_int_equal(hosts_others(&cluster, others), 2);
	assert_int_equal(others[0], 2);
	assert_int_equal(others[1], 3);
	for (uint64_t now = 11000; now <= 14000; now += 500) {
		hosts_note(&cluster, 3, now);
		hosts_heard_log(&cluster, now);
	}
	assert_int_equal(hosts_others(&cluster, others), 1);
	assert_int_equal(others[0], 3);
}

static void
test_they_stay_while_the_log_is_away(void **state)
{
	uint64_t others[LAYOUT_ORIGINS];

	(void)state;
	hosts_heard_log(&cluster, 10000);
	hosts_note(&cluster, 2, 10000);
	hosts_note(&cluster, 3, 10000);
	/* What comes first then may be this host's own checkpoint. */
	hosts_note(&cluster, 1, 90000);
	hosts_heard_log(&cluster, 90000);
	assert_int_equal(hosts_others(&cluster, others), 2);
}

static void
test_more_than_there_is_room_for(void **state)
{
	uint64_t others[LAYOUT_ORIGINS];

	(void)state;
	hosts_heard_log(&cluster, 10000);
	for (uint64_t origin = 2; origin < LAYOUT_ORIGINS + 12; origin++)
		hosts_note(&cluster, origin, 10000 + origin);
	assert_int_equal(hosts_others(&cluster, others), LAYOUT_ORIGINS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_is_read_as_it_was_written),
	TEST(test_without_patterns_all_is_told_and_with_none_nothing),
	TEST(test_other_bytes_are_none),
	TEST(test_head_of_a_message),
	TEST(test_hosts_are_those_that_were_heard_of),
	TEST(test_they_stay_while_the_log_is_away),
	TEST(test_more_than_there_is_room_for),
};

SUITE_MAIN(tests);
