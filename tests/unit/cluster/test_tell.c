/* SPDX-License-Identifier: MIT */
/* test_tell.c - what a host tells of its segment, page by page. */

#include "broker/cluster/tell.h"
#include "broker/ring/members.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <stdio.h>
#include <string.h>

#define MANY 40u

static struct testseg t;
static struct ring ring;
static struct part part;

static int
setup(void **state)
{
	(void)state;
	testseg_open(&t, 65536, 64);
	ring_attach(&ring, &t.seg, 0);
	atomic_store(&t.seg.workers[0].state, WORKER_READY);
	part_init(&part);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	part_fini(&part);
	ring_detach(&ring);
	testseg_close(&t);
	return 0;
}

static void
arrive(uint32_t topic, const char *name)
{
	struct members_at at = { .ring = &ring, .now_ms = 1 };
	const struct member_user user = { .name = name,
		.name_len = (uint8_t)strlen(name) };

	hand_lock(&ring);
	assert_int_equal(members_arrive(&at, topic, &user), MEMBERS_OK);
	ring_unlock(&ring);
}

static void
tell(uint32_t topic, uint64_t after, uint32_t limit)
{
	const struct question q = { .kind = QUESTION_TOPIC,
		.wants_members = true,
		.counts_members = true,
		.after = after,
		.limit = limit };

	part_fini(&part);
	part_init(&part);
	tell_topic(&t.seg, topic, &q, &part);
}

static void
test_pages_have_each_member_once(void **state)
{
	uint32_t topic = hand_topic(&ring, "room");
	bool seen[MANY] = { false };
	uint32_t count = 0;
	uint64_t after = 0;
	char name[8];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "u%u", i);
		arrive(topic, name);
		arrive(topic, name);
	}
	do {
		struct part_entry entry;
		size_t at = 0;

		tell(topic, after, 7);
		assert_in_range(part.count, 1, 7);
		assert_int_equal(part.members, MANY);
		assert_true(part.is_known);
		while (part_next(&part, &at, &entry)) {
			unsigned i = 0;

			assert_true(entry.key > after);
			assert_int_equal(entry.number, 2);
			memcpy(name, entry.name, entry.name_len);
			name[entry.name_len] = '\0';
			assert_int_equal(sscanf(name, "u%u", &i), 1);
			assert_false(seen[i]);
			seen[i] = true;
			count++;
		}
		after = entry.key;
	} while (part.has_more);
	assert_int_equal(count, MANY);
}

static void
test_topic_that_nobody_knows(void **state)
{
	(void)state;
	tell(UINT32_MAX, 0, 7);
	assert_false(part.is_known);
	assert_int_equal(part.count, 0);
}

static bool
may_tell(void *arg, const char *name, size_t len)
{
	(void)arg;
	return len > 0 && name[len - 1] != '3';
}

static void
test_topics_in_order_and_only_some(void **state)
{
	struct topic_page page = { .prefix = "b",
		.prefix_len = 1,
		.after = "b1",
		.after_len = 2,
		.has_after = true,
		.limit = 2,
		.may_tell = may_tell };
	static const char *const expected[] = { "b2", "b4" };
	struct part_entry entry;
	size_t at = 0;

	(void)state;
	for (const char *const *name = (const char *const[]){ "b5", "a9", "b3",
		 "b1", "b4", "b2", NULL };
	     *name != NULL; name++)
		hand_publish(&ring, hand_topic(&ring, *name), "1");
	topic_page_begin(&page);
	assert_false(topic_page_slice(&t.seg, &page));
	tell_topics(&page, true, &part);
	topic_page_fini(&page);
	assert_true(part.has_more);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(part_next(&part, &at, &entry));
		assert_memory_equal(entry.name, expected[i], 2);
		assert_int_equal(entry.seq, 1);
	}
	assert_false(part_next(&part, &at, &entry));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_pages_have_each_member_once),
	TEST(test_topic_that_nobody_knows),
	TEST(test_topics_in_order_and_only_some),
};

SUITE_MAIN(tests);
