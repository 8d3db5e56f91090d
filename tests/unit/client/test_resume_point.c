/* SPDX-License-Identifier: MIT */
/* test_resume_point.c - what broker/cli/client/resume_point.h promises: each
 * number once, in order, or told, whatever happens to the connections. */

#include "broker/cli/client/resume_point.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

static struct resume_point place;
static struct resume_point_gap gap;

static bool
ack(const char *epoch, uint64_t seq, uint64_t replayed, bool recovered)
{
	char raw[CLIENT_EPOCH_MAX];
	struct server_message said = { .kind = SERVER_ACK,
		.seq = seq,
		.replayed = replayed,
		.recovered = recovered };

	snprintf(raw, sizeof(raw), "\"%s\"", epoch);
	said.epoch = (struct json_token){ JSON_STRING, raw, strlen(epoch) + 2 };
	return resume_point_acked(&place, &said);
}

static enum resume_point_verdict
message(uint64_t seq)
{
	return resume_point_message(&place, seq, false, &gap);
}

static bool
told(bool has_numbers, uint64_t from, uint64_t to)
{
	const struct server_message said = { .kind = SERVER_GAP,
		.has_numbers = has_numbers,
		.from = from,
		.to = to };

	return resume_point_gapped(&place, &said, &gap);
}

/* It would go on behind this number. */
static void
expect_since(const char *epoch, uint64_t seq)
{
	assert_true(resume_point_ask(&place, epoch).is_since);
	assert_string_equal(place.epoch, epoch);
	assert_int_equal(place.seq, seq);
}

static int
setup(void **state)
{
	(void)state;
	place = (struct resume_point){ 0 };
	return 0;
}

static void
test_it_begins_at_the_present(void **state)
{
	(void)state;
	assert_false(resume_point_ask(&place, "e").is_since);
	assert_int_equal(resume_point_ask(&place, "e").history, 0);
	assert_false(ack("e", 7, 0, false));
	assert_int_equal(message(8), RESUME_POINT_NEXT);
	expect_since("e", 8);
}

static void
test_history_comes_before_the_present(void **state)
{
	(void)state;
	place.history = 3;
	assert_int_equal(resume_point_ask(&place, "e").history, 3);
	assert_false(ack("e", 7, 3, true));
	assert_int_equal(message(5), RESUME_POINT_NEXT);
	resume_point_cut(&place); /* in the middle of it */
	expect_since("e", 5);
	assert_false(ack("e", 9, 4, true));
	assert_int_equal(message(6), RESUME_POINT_NEXT);
}

static void
test_a_number_is_new_once(void **state)
{
	(void)state;
	ack("e", 7, 0, false);
	assert_int_equal(message(8), RESUME_POINT_NEXT);
	assert_int_equal(message(8), RESUME_POINT_OLD);
	assert_int_equal(message(7), RESUME_POINT_OLD);
	assert_int_equal(message(9), RESUME_POINT_NEXT);
}

static void
test_a_hole_is_never_passed_over(void **state)
{
	(void)state;
	ack("e", 7, 0, false);
	assert_int_equal(message(11), RESUME_POINT_HOLE);
	assert_true(gap.has_numbers);
	assert_int_equal(gap.from, 8);
	assert_int_equal(gap.to, 10);
	assert_int_equal(message(12), RESUME_POINT_NEXT);
}

static void
test_a_gap_moves_the_place(void **state)
{
	(void)state;
	ack("e", 7, 0, false);
	assert_true(told(true, 8, 10));
	assert_int_equal(gap.from, 8);
	assert_int_equal(gap.to, 10);
	assert_false(told(true, 8, 10));
	assert_int_equal(message(11), RESUME_POINT_NEXT);
}

static void
test_a_gap_that_was_cut_off_comes_again(void **state)
{
	(void)state;
	ack("e", 7, 0, false);
	resume_point_cut(&place);
	/* 8 to 20 are not there any more; their gap never came. */
	assert_false(ack("e", 25, 5, false));
	resume_point_cut(&place);
	expect_since("e", 7);
	assert_false(ack("e", 25, 5, false));
	assert_true(told(true, 8, 20));
	assert_int_equal(gap.from, 8);
	assert_int_equal(message(21), RESUME_POINT_NEXT);
}

static void
test_a_gap_without_numbers_leads_to_the_present(void **state)
{
	(void)state;
	place.is_known = true; /* --since e:50 */
	strcpy(place.epoch, "e");
	place.seq = 50;
	expect_since("e", 50);
	assert_false(ack("e", 9, 0, false));
	assert_true(told(false, 0, 0));
	assert_false(gap.has_numbers);
	assert_int_equal(message(10), RESUME_POINT_NEXT);
	expect_since("e", 10);
}

static void
test_all_of_another_ring_is_new(void **state)
{
	(void)state;
	ack("e", 7, 0, false);
	resume_point_cut(&place);
	assert_false(resume_point_ask(&place, "f").is_since);
	assert_true(resume_point_ask(&place, "f").history >= UINT32_MAX);
	assert_true(ack("f", 3, 3, true));
	assert_int_equal(message(1), RESUME_POINT_NEXT);
	expect_since("f", 1);
}

static void
test_who_asked_for_another_epoch_gets_the_present(void **state)
{
	(void)state;
	place.is_known = true;
	strcpy(place.epoch, "e");
	place.seq = 5;
	assert_true(resume_point_ask(&place, "f").is_since);
	assert_false(ack("f", 9, 0, false));
	assert_true(told(false, 0, 0));
	assert_int_equal(message(10), RESUME_POINT_NEXT);
	expect_since("f", 10);
}

static void
test_nothing_counts_before_the_ack(void **state)
{
	(void)state;
	ack("e", 7, 0, false);
	resume_point_cut(&place);
	assert_int_equal(message(8), RESUME_POINT_OLD);
	assert_false(told(true, 8, 9));
	expect_since("e", 7);
}

/* The server has moved the connection to another ring. */
static bool
moved(const char *raw, uint64_t seq)
{
	const struct server_message said = { .kind = SERVER_GAP,
		.epoch = { JSON_STRING, raw, strlen(raw) },
		.seq = seq };

	return resume_point_gapped(&place, &said, &gap);
}

static void
test_it_goes_along_to_another_ring(void **state)
{
	(void)state;
	ack("e", 7, 0, false);
	assert_int_equal(message(8), RESUME_POINT_NEXT);
	assert_true(moved("\"f\"", 20));
	assert_false(gap.has_numbers);
	expect_since("f", 20);
	assert_int_equal(message(20), RESUME_POINT_OLD);
	assert_int_equal(message(21), RESUME_POINT_NEXT);
	resume_point_cut(&place);
	expect_since("f", 21);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(test_it_begins_at_the_present, setup),
	cmocka_unit_test_setup(test_history_comes_before_the_present, setup),
	cmocka_unit_test_setup(test_a_number_is_new_once, setup),
	cmocka_unit_test_setup(test_a_hole_is_never_passed_over, setup),
	cmocka_unit_test_setup(test_a_gap_moves_the_place, setup),
	cmocka_unit_test_setup(test_a_gap_that_was_cut_off_comes_again, setup),
	cmocka_unit_test_setup(
	    test_a_gap_without_numbers_leads_to_the_present, setup),
	cmocka_unit_test_setup(test_all_of_another_ring_is_new, setup),
	cmocka_unit_test_setup(
	    test_who_asked_for_another_epoch_gets_the_present, setup),
	cmocka_unit_test_setup(test_nothing_counts_before_the_ack, setup),
	cmocka_unit_test_setup(test_it_goes_along_to_another_ring, setup),
};

SUITE_MAIN(tests);
