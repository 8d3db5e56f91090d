/* SPDX-License-Identifier: MIT */
/* test_part.c - parts of several hosts, put together; and bytes that are none. */

#include "broker/cluster/part.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

static struct part a, b;
static struct buf bytes;

static int
setup(void **state)
{
	(void)state;
	part_init(&a);
	part_init(&b);
	buf_init(&bytes);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	part_fini(&a);
	part_fini(&b);
	buf_fini(&bytes);
	return 0;
}

static void
add(struct part *part, uint64_t key, const char *name, uint64_t number)
{
	part_add(part, &(struct part_entry){ .key = key,
			   .number = number,
			   .name = name,
			   .name_len = (uint8_t)strlen(name) });
}

/* What a part has, as text: "name=number ...", and + if there is more. */
static const char *
says(const struct part *part)
{
	static char text[256];
	struct part_entry entry;
	size_t at = 0, len = 0;
	uint32_t count = 0;

	text[0] = '\0';
	while (part_next(part, &at, &entry)) {
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%.*s=%u ", (int)entry.name_len, entry.name,
		    (unsigned)entry.number);
		count++;
	}
	assert_int_equal(count, part->count);
	snprintf(
	    text + len, sizeof(text) - len, "%s", part->has_more ? "+" : ".");
	return text;
}

static void
test_entries_add_up_and_are_in_order(void **state)
{
	(void)state;
	add(&a, 0, "one", 1);
	add(&a, 0, "three", 3);
	add(&b, 0, "four", 5);
	add(&b, 0, "one", 2);
	add(&b, 0, "one/1", 7);
	a.subscribers = 4;
	b.subscribers = 9;
	b.silent = 1;
	b.hosts = 2;
	b.is_known = true;
	part_merge(&a, &b, 10);
	assert_string_equal(says(&a), "four=5 one=3 one/1=7 three=3 .");
	assert_int_equal(a.subscribers, 13);
	assert_int_equal(a.hosts, 3);
	assert_int_equal(a.silent, 1);
	assert_true(a.is_known);
}

static void
test_a_limit_cuts(void **state)
{
	(void)state;
	add(&a, 0, "a", 1);
	add(&a, 0, "c", 1);
	add(&b, 0, "b", 1);
	part_merge(&a, &b, 2);
	assert_string_equal(says(&a), "a=1 b=1 +");
}

/* Of a part that is cut nobody knows what is behind its end. */
static void
test_ends_where_the_first_cut_part_ends(void **state)
{
	(void)state;
	add(&a, 0, "a", 1);
	add(&a, 0, "x", 1);
	add(&b, 0, "b", 1);
	add(&b, 0, "c", 1);
	b.has_more = true;
	part_merge(&a, &b, 10);
	assert_string_equal(says(&a), "a=1 b=1 c=1 +");
}

static void
test_all_of_a_key_or_none(void **state)
{
	(void)state;
	add(&a, 5, "x", 1);
	add(&a, 7, "y", 1);
	add(&b, 5, "a", 1);
	add(&b, 5, "z", 1);
	b.has_more = true;
	part_merge(&a, &b, 1);
	assert_string_equal(says(&a), "a=1 x=1 z=1 +");
}

static void
test_name_of_a_token_is_another_user(void **state)
{
	struct part_entry entry = {
		.key = 5, .number = 1, .name = "ann", .name_len = 3
	};

	(void)state;
	part_add(&a, &entry);
	entry.is_verified = true;
	part_add(&b, &entry);
	part_merge(&a, &b, 10);
	assert_string_equal(says(&a), "ann=1 ann=1 .");
}

static void
test_is_read_as_it_was_written(void **state)
{
	const struct part_entry entry = { .key = 9,
		.number = 2,
		.seq = 77,
		.is_verified = true,
		.name = "ann",
		.name_len = 3,
		.info = "{\"a\":1}",
		.info_len = 7 };
	struct part_entry read;
	size_t at = 0;

	(void)state;
	part_add(&a, &entry);
	a.silent = 2;
	a.hosts = 5;
	a.subscribers = 8;
	a.members = 6;
	a.is_known = a.is_unsure = a.has_more = true;
	part_write(&bytes, &a);
	assert_true(part_read(bytes.at, bytes.len, &b));
	assert_int_equal(b.hosts, 5);
	assert_int_equal(b.silent, 2);
	assert_int_equal(b.subscribers, 8);
	assert_int_equal(b.members, 6);
	assert_true(b.is_known && b.is_unsure && b.has_more);
	assert_true(part_next(&b, &at, &read));
	assert_int_equal(read.seq, 77);
	assert_true(read.is_verified);
	assert_int_equal(read.info_len, 7);
	assert_memory_equal(read.info, "{\"a\":1}", 7);
	assert_false(part_next(&b, &at, &read));
}

static void
test_other_bytes_are_none(void **state)
{
	(void)state;
	add(&a, 0, "a", 1);
	add(&a, 0, "b", 1);
	part_write(&bytes, &a);
	for (size_t len = 0; len < bytes.len; len++)
		assert_false(part_read(bytes.at, len, &b));
	bytes.at[bytes.len - 1] = 'a'; /* twice */
	assert_false(part_read(bytes.at, bytes.len, &b));
	bytes.at[bytes.len - 1] = (char)0xff;
	assert_false(part_read(bytes.at, bytes.len, &b));
	assert_int_equal(b.count, 0);
}

static void
test_never_gets_longer_than_its_room(void **state)
{
	char name[8], info[512];
	uint64_t last = 0, key = 0;

	(void)state;
	memset(info, '1', sizeof(info));
	while (part_has_room(&a, key, last)) {
		snprintf(name, sizeof(name), "%07u", (unsigned)key % 10000000);
		last = key++;
		part_add(&a, &(struct part_entry){ .key = key,
				 .name = name,
				 .name_len = 7,
				 .info = info,
				 .info_len = sizeof(info) });
	}
	part_write(&bytes, &a);
	assert_in_range(bytes.len, PART_BYTES_MAX, PART_LEN_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_entries_add_up_and_are_in_order),
	TEST(test_a_limit_cuts),
	TEST(test_ends_where_the_first_cut_part_ends),
	TEST(test_all_of_a_key_or_none),
	TEST(test_name_of_a_token_is_another_user),
	TEST(test_is_read_as_it_was_written),
	TEST(test_other_bytes_are_none),
	TEST(test_never_gets_longer_than_its_room),
};

SUITE_MAIN(tests);
