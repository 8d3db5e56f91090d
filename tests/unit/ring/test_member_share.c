/* SPDX-License-Identifier: MIT */
/* test_member_share.c - what broker/ring/member_share.h promises, with members
 * that come and go. */

#include "broker/ring/member_share.h"
#include "broker/ring/member_table.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOPIC 3u

static struct testseg t;
static uint32_t serial; /* of names */

static int
setup(void **state)
{
	(void)state;
	testseg_open(&t, 8192, 8);
	atomic_store(&t.seg.header->used, 8);
	serial = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	testseg_close(&t);
	return 0;
}

static uint32_t
holder(const char *address)
{
	return member_holder(&t.seg, address, strlen(address));
}

/* Another member, if its address may have one.  Returns it, or MEMBER_NONE. */
static uint32_t
come(uint32_t who, uint16_t info_len)
{
	static const char info[LAYOUT_INFO_MAX] = "";
	char name[16];
	struct member_user user = { .name = name,
		.name_len = (uint8_t)snprintf(
		    name, sizeof(name), "%u", (unsigned)++serial),
		.info = info,
		.info_len = info_len,
		.holder = who };
	uint32_t index;

	if (!member_may_hold(&t.seg, who))
		return MEMBER_NONE;
	member_begin(&t.seg);
	index = member_make(&t.seg, TOPIC, &user, 0);
	if (index != MEMBER_NONE)
		member_link(&t.seg, index);
	member_end(&t.seg);
	return index;
}

static void
go(uint32_t index)
{
	member_begin(&t.seg);
	member_unlink(&t.seg, index);
	member_end(&t.seg);
}

/* Have an address take what it may.  Returns how many. */
static uint32_t
fill(uint32_t who, uint16_t info_len)
{
	uint32_t count = 0;

	while (come(who, info_len) != MEMBER_NONE)
		count++;
	return count;
}

static void
test_one_address_does_not_take_all(void **state)
{
	uint32_t hog = holder("hog"), took = fill(hog, 0);

	(void)state;
	assert_in_range(
	    took, TESTSEG_MEMBERS * 77 / 100, TESTSEG_MEMBERS * 79 / 100);
	/* Whoever has none gets one, also after many that took what they
	 * could. */
	for (unsigned i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof(name), "hog %u", i);
		assert_int_not_equal(fill(holder(name), 0), 0);
	}
	assert_int_not_equal(come(holder("somebody"), 0), MEMBER_NONE);
	assert_int_equal(come(hog, 0), MEMBER_NONE);
}

static void
test_long_texts_count_for_more(void **state)
{
	uint32_t pieces =
	    (LAYOUT_INFO_MAX + 4 + LAYOUT_PIECE - 1) / LAYOUT_PIECE;
	uint32_t took = fill(holder("hog"), LAYOUT_INFO_MAX);

	(void)state;
	assert_in_range(took * pieces, t.seg.pieces_max * 76 / 100,
	    t.seg.pieces_max * 80 / 100);
	assert_int_not_equal(
	    come(holder("somebody"), LAYOUT_INFO_MAX), MEMBER_NONE);
}

static void
test_who_counts_for_no_address_takes_all(void **state)
{
	(void)state;
	assert_int_equal(fill(MEMBER_HOLDER_NONE, 0), TESTSEG_MEMBERS);
}

static void
test_who_leaves_makes_room(void **state)
{
	uint32_t hog = holder("hog"), first = come(hog, 0);

	(void)state;
	fill(hog, 0);
	assert_false(member_may_hold(&t.seg, hog));
	go(first);
	assert_true(member_may_hold(&t.seg, hog));
}

/* Who took the lock after a death makes all lists anew, and the shares. */
static void
test_a_repair_finds_the_same(void **state)
{
	size_t size =
	    LAYOUT_HOLDER_ROWS * LAYOUT_HOLDERS * sizeof(*t.seg.member_holders);
	uint32_t *before = malloc(size);

	(void)state;
	assert_non_null(before);
	for (unsigned i = 0; i < 100; i++)
		go(come(holder("hog"), (uint16_t)i));
	for (unsigned i = 0; i < 1000; i++) {
		come(holder("one"), (uint16_t)(i % LAYOUT_INFO_MAX));
		come(holder("other"), 0);
	}
	memcpy(before, t.seg.member_holders, size);
	/* One that had not come yet. */
	member_begin(&t.seg);
	member_make(&t.seg, TOPIC,
	    &(struct member_user){
		.name = "x", .name_len = 1, .holder = holder("one") },
	    0);
	member_table_repair(&t.seg);
	assert_memory_equal(before, t.seg.member_holders, size);
	free(before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_one_address_does_not_take_all),
	TEST(test_long_texts_count_for_more),
	TEST(test_who_counts_for_no_address_takes_all),
	TEST(test_who_leaves_makes_room),
	TEST(test_a_repair_finds_the_same),
};

SUITE_MAIN(tests);
