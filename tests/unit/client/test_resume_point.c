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
	const struct server_message said = { .kind = SERVER_MESSAGE,
		.seq = seq };

	return resume_point_message(&place, &said, &gap);
}

static bool
told(bool has_numbers, uint64_t from, uint64_t to)
{
	const struct server_message said = { .kind = SERVER_GAP,
		.has_numbers = has_numbers,
		.from = from,
		.to = to };

	return resume_point_gapped(&place, &said, &gap) == RESUME_POINT_NEWS;
}

/* The same of a host of a cluster. */
static bool
ack_at(const char *epoch, uint64_t seq, uint64_t replayed, bool recovered,
    const char *pos)
{
	char raw[CLIENT_EPOCH_MAX], raw_pos[CLIENT_POS_MAX];
	struct server_message said = { .kind = SERVER_ACK,
		.seq = seq,
		.replayed = replayed,
		.recovered = recovered };

	snprintf(raw, sizeof(raw), "\"%s\"", epoch);
	snprintf(raw_pos, sizeof(raw_pos), "\"%s\"", pos);
	said.epoch = (struct json_token){ JSON_STRING, raw, strlen(raw) };
	said.pos = (struct json_token){ JSON_STRING, raw_pos, strlen(raw_pos) };
	return resume_point_acked(&place, &said);
}

static enum resume_point_verdict
message_at(uint64_t seq, const char *raw_pos)
{
	const struct server_message said = { .kind = SERVER_MESSAGE,
		.seq = seq,
		.pos = { JSON_STRING, raw_pos, strlen(raw_pos) } };

	return resume_point_message(&place, &said, &gap);
}

static enum resume_point_news
told_why(const char *raw_reason)
{
	const struct server_message said = { .kind = SERVER_GAP,
		.reason = { JSON_STRING, raw_reason, strlen(raw_reason) } };

	return resume_point_gapped(&place, &said, &gap);
}

/* At a host with this epoch it would go on behind this place. */
static void
expect_ask(const char *at, const char *epoch, uint64_t seq, const char *pos)
{
	struct resume_point_request ask = resume_point_ask(&place, at);

	assert_true(ask.is_since);
	assert_string_equal(ask.epoch, epoch);
	assert_int_equal(ask.seq, seq);
	assert_string_equal(ask.pos, pos);
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

	return resume_point_gapped(&place, &said, &gap) == RESUME_POINT_NEWS;
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

/* Subscribed at host e of a cluster, and has 1 and 2. */
static void
begin_in_cluster(void)
{
	assert_int_equal(resume_point_ask(&place, "e").history, 0);
	assert_false(ack_at("e", 0, 0, false, "log.1"));
	assert_int_equal(message_at(1, "\"log.10\""), RESUME_POINT_NEXT);
	assert_int_equal(message_at(2, "\"log.20\""), RESUME_POINT_NEXT);
}

static void
test_it_goes_on_at_another_host_by_its_pos(void **state)
{
	(void)state;
	begin_in_cluster();
	resume_point_cut(&place);
	expect_ask("e", "e", 2, "");
	expect_ask("f", "e", 2, "log.20");
	assert_false(ack_at("f", 9, 1, true, "log.60"));
	assert_int_equal(message_at(9, "\"log.50\""), RESUME_POINT_NEXT);
	resume_point_cut(&place);
	/* All that there was: so the end of the log then is a place, too. */
	expect_ask("e", "f", 9, "log.60");
	assert_false(ack_at("e", 7, 4, true, "log.80"));
	assert_int_equal(message_at(4, "\"log.61\""), RESUME_POINT_NEXT);
	expect_ask("f", "e", 4, "log.61");
}

/* Published there in local mode. */
static void
test_one_without_a_pos_leaves_it_behind_the_last(void **state)
{
	(void)state;
	begin_in_cluster();
	assert_int_equal(message(3), RESUME_POINT_NEXT);
	resume_point_cut(&place);
	expect_ask("f", "e", 3, "log.20");
}

/* It says where it goes on, which is where it is. */
static void
test_a_loss_of_another_host_leaves_it_where_it_is(void **state)
{
	static const char reason[] = "\"cluster\"", epoch[] = "\"e\"";
	const struct server_message said = { .kind = SERVER_GAP,
		.seq = 2,
		.reason = { JSON_STRING, reason, sizeof(reason) - 1 },
		.epoch = { JSON_STRING, epoch, sizeof(epoch) - 1 } };

	(void)state;
	begin_in_cluster();
	assert_int_equal(
	    resume_point_gapped(&place, &said, &gap), RESUME_POINT_NEWS);
	assert_false(gap.has_numbers);
	assert_int_equal(message_at(3, "\"log.30\""), RESUME_POINT_NEXT);
	resume_point_cut(&place);
	expect_ask("f", "e", 3, "log.30");
}

static void
test_who_has_heard_nothing_has_a_pos(void **state)
{
	(void)state;
	resume_point_ask(&place, "e");
	ack_at("e", 7, 0, false, "log.5");
	resume_point_cut(&place);
	expect_ask("f", "e", 7, "log.5");
}

static void
test_a_past_that_never_came_is_asked_for_again(void **state)
{
	(void)state;
	place.history = 3;
	resume_point_ask(&place, "e");
	ack_at("e", 7, 3, true, "log.5");
	resume_point_cut(&place);
	expect_ask("e", "e", 4, "");
	assert_false(resume_point_ask(&place, "f").is_since);
	assert_int_equal(resume_point_ask(&place, "f").history, 3);
	assert_false(ack_at("f", 2, 2, true, "log.6"));
	assert_int_equal(message_at(1, "\"log.3\""), RESUME_POINT_NEXT);
	expect_ask("e", "f", 1, "log.3");
}

/* But one who knew where to go on from has to be told. */
static void
test_a_since_that_never_came_is_a_gap(void **state)
{
	(void)state;
	place.is_known = true; /* --since e:3 */
	strcpy(place.epoch, "e");
	place.seq = 3;
	resume_point_ask(&place, "e");
	ack_at("e", 7, 4, true, "log.5");
	resume_point_cut(&place);
	assert_true(resume_point_ask(&place, "f").history >= UINT32_MAX);
	assert_true(ack_at("f", 2, 2, true, "log.6"));
}

static void
test_what_the_other_host_has_no_more_is_a_gap(void **state)
{
	(void)state;
	begin_in_cluster();
	resume_point_cut(&place);
	expect_ask("f", "e", 2, "log.20");
	assert_false(ack_at("f", 9, 1, false, "log.60"));
	assert_int_equal(told_why("\"expired\""), RESUME_POINT_NEWS);
	assert_false(gap.has_numbers);
	assert_int_equal(message_at(9, "\"log.50\""), RESUME_POINT_NEXT);
	expect_ask("e", "f", 9, "log.60");
}

static void
test_what_is_passed_over_there_has_numbers(void **state)
{
	(void)state;
	begin_in_cluster();
	resume_point_cut(&place);
	expect_ask("f", "e", 2, "log.20");
	assert_false(ack_at("f", 9, 3, false, "log.60"));
	assert_true(told(true, 7, 8)); /* conflated */
	assert_int_equal(gap.from, 7);
	assert_int_equal(gap.to, 8);
	assert_int_equal(message_at(9, "\"log.50\""), RESUME_POINT_NEXT);
	expect_ask("e", "f", 9, "log.60");
}

static void
test_of_another_log_all_is_new(void **state)
{
	(void)state;
	begin_in_cluster();
	resume_point_cut(&place);
	expect_ask("f", "e", 2, "log.20");
	assert_false(ack_at("f", 2, 0, false, "new.9"));
	assert_int_equal(told_why("\"cluster\""), RESUME_POINT_ANEW);
	assert_int_equal(message_at(3, "\"new.10\""), RESUME_POINT_OLD);
	assert_true(resume_point_ask(&place, "f").history >= UINT32_MAX);
	/* If that is cut off, a host of the old log still goes on. */
	expect_ask("g", "e", 2, "log.20");
	resume_point_ask(&place, "f");
	assert_false(ack_at("f", 3, 3, true, "new.10")); /* it was told */
	assert_int_equal(message_at(1, "\"new.1\""), RESUME_POINT_NEXT);
	expect_ask("g", "f", 1, "new.1");
}

/* Servers that share nothing: what was seen of each is not new. */
static void
test_a_ring_of_before_goes_on(void **state)
{
	(void)state;
	resume_point_ask(&place, "e");
	ack("e", 7, 0, false);
	assert_int_equal(message(8), RESUME_POINT_NEXT);
	resume_point_cut(&place);
	assert_true(resume_point_ask(&place, "f").history >= UINT32_MAX);
	assert_true(ack("f", 1, 1, true));
	assert_int_equal(message(1), RESUME_POINT_NEXT);
	resume_point_cut(&place);
	expect_ask("e", "e", 8, "");
	assert_true(ack("e", 10, 2, true));
	assert_int_equal(message(8), RESUME_POINT_OLD);
	assert_int_equal(message(9), RESUME_POINT_NEXT);
	expect_ask("f", "f", 1, "");
}

static void
test_so_many_rings_are_remembered(void **state)
{
	char epoch[] = "a";

	(void)state;
	for (size_t i = 0; i < RESUME_POINT_RINGS + 2; i++) {
		epoch[0] = (char)('a' + i);
		resume_point_ask(&place, epoch);
		ack(epoch, 5, 0, true);
		assert_int_equal(message(6 + i),
		    i == 0 ? RESUME_POINT_NEXT : RESUME_POINT_HOLE);
		resume_point_cut(&place);
	}
	assert_false(resume_point_ask(&place, "a").is_since);
	expect_ask("b", "b", 7, "");
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
	cmocka_unit_test_setup(
	    test_it_goes_on_at_another_host_by_its_pos, setup),
	cmocka_unit_test_setup(
	    test_a_loss_of_another_host_leaves_it_where_it_is, setup),
	cmocka_unit_test_setup(
	    test_one_without_a_pos_leaves_it_behind_the_last, setup),
	cmocka_unit_test_setup(test_who_has_heard_nothing_has_a_pos, setup),
	cmocka_unit_test_setup(
	    test_a_past_that_never_came_is_asked_for_again, setup),
	cmocka_unit_test_setup(test_a_since_that_never_came_is_a_gap, setup),
	cmocka_unit_test_setup(
	    test_what_the_other_host_has_no_more_is_a_gap, setup),
	cmocka_unit_test_setup(
	    test_what_is_passed_over_there_has_numbers, setup),
	cmocka_unit_test_setup(test_of_another_log_all_is_new, setup),
	cmocka_unit_test_setup(test_a_ring_of_before_goes_on, setup),
	cmocka_unit_test_setup(test_so_many_rings_are_remembered, setup),
};

SUITE_MAIN(tests);
