/* SPDX-License-Identifier: MIT */
/* test_terms.c - what broker/supervisor/terms.h promises: what two programs agree
 * on, and what an upgrade makes of the rest. */

#include "broker/supervisor/terms.h"
#include "common/config.h"
#include "tests/support/suite.h"

#include <string.h>

static struct config ours, theirs;
static char said[SUPERVISOR_TERMS_MAX + 64];
static char why[SUPERVISOR_WHY_MAX];

static int
setup(void **state)
{
	(void)state;
	ours = (struct config){ .workers = 2,
		.ring_size = 1 << 20,
		.max_topics = 100,
		.retain_size = 4096,
		.dedup_keys = 10,
		.max_message = 1000 };
	theirs = ours;
	return 0;
}

static enum terms
compare(void)
{
	return supervisor_compare_terms(&ours, said, why);
}

static enum terms
compare_config(void)
{
	supervisor_terms(&theirs, said);
	return compare();
}

/* Put another word in the place of one that they have said. */
static void
say_instead(const char *word, const char *other)
{
	char rest[sizeof(said)];
	char *at = strstr(said, word);

	assert_non_null(at);
	strcpy(rest, at + strlen(word));
	strcpy(at, other);
	strcat(said, rest);
}

static void
test_the_same_goes_on_in_the_segment(void **state)
{
	(void)state;
	assert_int_equal(compare_config(), TERMS_SAME);
	assert_string_equal(why, "");
	/* A program from before there were moves. */
	*strchr(said, '\n') = '\0';
	assert_int_equal(compare(), TERMS_SAME);
}

static void
test_another_shape_takes_another_segment(void **state)
{
	(void)state;
	theirs.ring_size = 2 << 20;
	assert_int_equal(compare_config(), TERMS_MOVE);
	assert_string_equal(
	    why, "--ring-size 2097152 (here --ring-size 1048576)");
	theirs.max_message = 2000;
	assert_int_equal(compare_config(), TERMS_MOVE);
	assert_non_null(strstr(why, ", --max-message 2000 (here"));
}

static void
test_another_layout_takes_another_segment(void **state)
{
	(void)state;
	supervisor_terms(&theirs, said);
	say_instead("layout ", "layout f");
	assert_int_equal(compare(), TERMS_MOVE);
	assert_memory_equal(why, "layout f", 8);
}

/* A later one may have more to say of its segment, or less. */
static void
test_other_terms_are_of_the_segment(void **state)
{
	(void)state;
	supervisor_terms(&theirs, said);
	say_instead("--max-topics", "--max-rooms");
	assert_int_equal(compare(), TERMS_MOVE);
	assert_string_equal(why, "--max-rooms 100, no (here --max-topics 100)");
}

static void
test_what_a_segment_does_not_help_with_is_refused(void **state)
{
	(void)state;
	theirs.ring_size = 2 << 20;
	theirs.workers = 3;
	assert_int_equal(compare_config(), TERMS_OTHER);
	assert_string_equal(why, "--workers 3 (here --workers 2), --ring-size "
				 "2097152 (here --ring-size 1048576)");
	theirs = ours;
	theirs.cluster_count = 1;
	assert_int_equal(compare_config(), TERMS_OTHER);
	assert_string_equal(why, "--cluster");
	ours.cluster_count = 1;
	theirs.cluster_count = 0;
	assert_int_equal(compare_config(), TERMS_OTHER);
	setup(state);
	supervisor_terms(&theirs, said);
	say_instead("handover 1", "handover 2");
	assert_int_equal(compare(), TERMS_OTHER);
}

static void
test_who_knows_no_moves_is_refused(void **state)
{
	(void)state;
	theirs.ring_size = 2 << 20;
	supervisor_terms(&theirs, said);
	say_instead("move 1", "move 2");
	assert_int_equal(compare(), TERMS_OTHER);
	*strchr(said, '\n') = '\0';
	assert_int_equal(compare(), TERMS_OTHER);
	strcpy(said, "would start");
	assert_int_equal(compare(), TERMS_OTHER);
	strcpy(said, "");
	assert_int_equal(compare(), TERMS_OTHER);
}

/* A host of a cluster has another past in another ring. */
static void
test_a_host_of_a_cluster_keeps_its_ring(void **state)
{
	(void)state;
	ours.cluster_count = theirs.cluster_count = 1;
	assert_int_equal(compare_config(), TERMS_SAME);
	theirs.ring_size = 2 << 20;
	assert_int_equal(compare_config(), TERMS_OTHER);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(test_the_same_goes_on_in_the_segment, setup),
	cmocka_unit_test_setup(test_another_shape_takes_another_segment, setup),
	cmocka_unit_test_setup(
	    test_another_layout_takes_another_segment, setup),
	cmocka_unit_test_setup(test_other_terms_are_of_the_segment, setup),
	cmocka_unit_test_setup(
	    test_what_a_segment_does_not_help_with_is_refused, setup),
	cmocka_unit_test_setup(test_who_knows_no_moves_is_refused, setup),
	cmocka_unit_test_setup(test_a_host_of_a_cluster_keeps_its_ring, setup),
};

SUITE_MAIN(tests);
