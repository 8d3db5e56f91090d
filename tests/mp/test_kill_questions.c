/* SPDX-License-Identifier: MIT */
/*
 * test_kill_questions.c - a worker that asks the other hosts, or the bridge that
 * tells what they said, is killed in the midst of it; whoever comes next goes on,
 * and nobody believes what is half-written.
 */

#include "broker/shared/questions.h"
#include "broker/shared/stop_point.h"
#include "common/buf.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <string.h>

#define WORKER 3u
#define VICTIM STOP_WORKER(7)

static struct testseg t;
static struct questions_seen seen;
static struct questions_one one;

static int
setup(void **state)
{
	(void)state;
	testseg_open(&t, 32768, 8);
	questions_seen_init(&seen, &t.seg);
	return mp_setup(NULL);
}

static int
teardown(void **state)
{
	int result = mp_teardown(state);

	testseg_close(&t);
	return result;
}

static void
put(unsigned worker, const char *text, uint32_t *slot, uint64_t *id)
{
	*slot = questions_put(&t.seg, worker, text, strlen(text), id);
	assert_int_not_equal(*slot, QUESTIONS_NONE);
}

static bool
told(uint32_t slot, uint64_t id, const char *text)
{
	struct buf out;
	bool is_told;

	buf_init(&out);
	is_told = questions_take(&t.seg, slot, id, &out);
	if (is_told) {
		assert_int_equal(out.len, strlen(text));
		assert_memory_equal(out.at, text, out.len);
	}
	buf_fini(&out);
	return is_told;
}

/* The bridge's next question is this one. */
static void
next_is(const char *text, unsigned worker)
{
	assert_true(questions_next(&seen, &t.seg, &one));
	assert_int_equal(one.worker, worker);
	assert_int_equal(one.len, strlen(text));
	assert_memory_equal(one.bytes, text, one.len);
}

static int
ask(void *arg)
{
	uint64_t id;

	(void)arg;
	stop_point_set_self(VICTIM);
	questions_put(&t.seg, WORKER, "lost", 4, &id);
	return 0;
}

static int
tell(void *arg)
{
	(void)arg;
	stop_point_set_self(VICTIM);
	questions_answer(&t.seg, one.slot, one.id, "half", 4);
	return 0;
}

static void
kill_at(enum stop_place place, int (*deed)(void *arg))
{
	pid_t pid;

	atomic_store(&t.seg.header->stop_point_arm, STOP_AT(place, VICTIM));
	pid = mp_spawn(deed, NULL);
	mp_wait_stopped(pid);
	mp_kill(pid);
}

static void
check_asker_dies(enum stop_place place)
{
	uint32_t slot, others[LAYOUT_QUESTIONS];
	uint64_t id, ids[LAYOUT_QUESTIONS];

	kill_at(place, ask);
	assert_false(questions_next(&seen, &t.seg, &one));
	/* All other slots can be had, and that one is not. */
	for (uint32_t i = 1; i < LAYOUT_QUESTIONS; i++)
		put(0, "other", &others[i], &ids[i]);
	assert_int_equal(questions_put(&t.seg, 0, "x", 1, &id), QUESTIONS_NONE);
	questions_clear_worker(&t.seg, WORKER);
	put(1, "mine", &slot, &id);
	for (uint32_t i = 0; i < LAYOUT_QUESTIONS; i++) {
		assert_true(questions_next(&seen, &t.seg, &one));
		assert_int_equal(one.worker, one.slot == slot ? 1 : 0);
		if (one.slot == slot)
			assert_memory_equal(one.bytes, "mine", 4);
	}
	questions_answer(&t.seg, slot, id, "yes", 3);
	assert_true(told(slot, id, "yes"));
}

static void
test_asker_dies_with_a_slot(void **state)
{
	(void)state;
	check_asker_dies(STOP_QUESTION_CLAIMED);
}

static void
test_asker_dies_with_half_a_question(void **state)
{
	(void)state;
	check_asker_dies(STOP_QUESTION_HALF_PUT);
}

static void
test_bridge_dies_with_half_an_answer(void **state)
{
	uint32_t slot;
	uint64_t id;

	(void)state;
	put(WORKER, "question", &slot, &id);
	next_is("question", WORKER);
	kill_at(STOP_QUESTION_HALF_TOLD, tell);
	assert_false(told(slot, id, "half"));
	/* Its successor cannot know how far it has come. */
	questions_answer(&t.seg, slot, id, "whole", 5);
	assert_true(told(slot, id, "whole"));
}

static void
test_bridge_that_comes_next_finds_what_is_open(void **state)
{
	uint32_t slots[2];
	uint64_t ids[2];

	(void)state;
	put(0, "answered", &slots[0], &ids[0]);
	put(1, "open", &slots[1], &ids[1]);
	next_is("answered", 0);
	questions_answer(&t.seg, slots[0], ids[0], "yes", 3);
	next_is("open", 1);
	questions_seen_init(&seen, &t.seg);
	next_is("open", 1);
	assert_false(questions_next(&seen, &t.seg, &one));
}

static void
test_what_comes_late_is_told_to_nobody(void **state)
{
	uint32_t slot, again;
	uint64_t id, new_id;

	(void)state;
	put(0, "old", &slot, &id);
	next_is("old", 0);
	questions_leave(&t.seg, slot);
	put(1, "new", &again, &new_id);
	assert_int_equal(again, slot);
	assert_int_not_equal(new_id, id);
	questions_answer(&t.seg, slot, id, "late", 4);
	assert_false(told(slot, new_id, "late"));
	next_is("new", 1);
	questions_answer(&t.seg, slot, new_id, "right", 5);
	assert_true(told(slot, new_id, "right"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_asker_dies_with_a_slot),
	TEST(test_asker_dies_with_half_a_question),
	TEST(test_bridge_dies_with_half_an_answer),
	TEST(test_bridge_that_comes_next_finds_what_is_open),
	TEST(test_what_comes_late_is_told_to_nobody),
};

SUITE_MAIN(tests);
