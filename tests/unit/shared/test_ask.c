/* SPDX-License-Identifier: MIT */
/* test_ask.c - what broker/shared/ask.h promises, of a segment in plain memory
 * with askers and workers played by hand. */

#include "broker/shared/ask.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <stdlib.h>
#include <string.h>

#define COMMAND LAYOUT_WORKERS /* the first slot of commands */
#define NOW     UINT64_C(100000)

struct talk {
	struct testseg t;
	struct asked workers[2];
	struct ask_head head;
	char text[ASK_TEXT_MAX];
	/* what asked_next() has found */
	unsigned asker;
	uint64_t id;
	struct ask_question question;
};

static int
setup(void **state)
{
	struct talk *talk = calloc(1, sizeof(*talk));

	assert_non_null(talk);
	testseg_open(&talk->t, 64u << 10, 4);
	for (int w = 0; w < 2; w++)
		asked_init(&talk->workers[w], &talk->t.seg);
	*state = talk;
	return 0;
}

static int
teardown(void **state)
{
	struct talk *talk = *state;

	testseg_close(&talk->t);
	free(talk);
	return 0;
}

static uint64_t
ask(struct talk *talk, unsigned asker, uint64_t conn, uint64_t targets)
{
	const struct ask_question question = { .kind = ASK_CONNECTIONS,
		.conn = conn };

	return ask_put(&talk->t.seg, asker, &question, targets);
}

static bool
next(struct talk *talk, unsigned worker, uint64_t now)
{
	return asked_next(&talk->workers[worker], &talk->t.seg, worker, now,
	    &talk->asker, &talk->id, &talk->question);
}

static void
answer(struct talk *talk, unsigned worker, const char *text, uint64_t now)
{
	struct ask_head head = { .count = 7, .below = 9 };

	asked_answer(&talk->workers[worker], &talk->t.seg, worker, talk->asker,
	    talk->id, now, &head, text, (uint32_t)strlen(text));
}

static bool
taken(struct talk *talk, unsigned asker, unsigned worker, uint64_t id)
{
	return ask_take(
	    &talk->t.seg, asker, worker, id, &talk->head, talk->text);
}

static void
test_question_reaches_its_targets_once(void **state)
{
	struct talk *talk = *state;
	uint64_t id;

	assert_false(asked_may_be(&talk->workers[1], &talk->t.seg));
	id = ask(talk, COMMAND, 5, 2);
	assert_true(asked_may_be(&talk->workers[1], &talk->t.seg));
	assert_true(next(talk, 1, NOW));
	assert_int_equal(talk->asker, COMMAND);
	assert_int_equal(talk->id, id);
	assert_int_equal(talk->question.conn, 5);
	assert_false(next(talk, 0, NOW));
	answer(talk, 1, "x", NOW);
	assert_false(next(talk, 1, NOW));
	ask_end(&talk->t.seg, COMMAND);
	assert_false(next(talk, 1, NOW));
	assert_false(asked_may_be(&talk->workers[1], &talk->t.seg));
}

static void
test_answer_comes_whole(void **state)
{
	struct talk *talk = *state;
	uint64_t id = ask(talk, COMMAND, 5, 1);

	assert_false(taken(talk, COMMAND, 0, id));
	assert_true(next(talk, 0, NOW));
	answer(talk, 0, "thirteen byte", NOW);
	assert_false(taken(talk, COMMAND + 1, 0, id));
	assert_false(taken(talk, COMMAND, 0, id + 2));
	assert_true(taken(talk, COMMAND, 0, id));
	assert_int_equal(talk->head.count, 7);
	assert_int_equal(talk->head.below, 9);
	assert_int_equal(talk->head.text_len, 13);
	assert_memory_equal(talk->text, "thirteen byte", 13);
}

static void
test_longest_answer_fits(void **state)
{
	struct talk *talk = *state;
	uint64_t id = ask(talk, COMMAND, 5, 1);
	char *text = malloc(ASK_TEXT_MAX + 1);

	assert_non_null(text);
	memset(text, 'x', ASK_TEXT_MAX);
	text[ASK_TEXT_MAX] = '\0';
	assert_true(next(talk, 0, NOW));
	answer(talk, 0, text, NOW);
	assert_true(taken(talk, COMMAND, 0, id));
	assert_int_equal(talk->head.text_len, ASK_TEXT_MAX);
	assert_memory_equal(talk->text, text, ASK_TEXT_MAX);
	free(text);
}

static void
test_askers_are_answered_one_after_another(void **state)
{
	struct talk *talk = *state;
	uint64_t first = ask(talk, COMMAND, 1, 1);
	uint64_t second = ask(talk, COMMAND + 1, 2, 1);

	assert_true(next(talk, 0, NOW));
	answer(talk, 0, "1", NOW);
	/* It may not have been taken yet, and is kept. */
	assert_false(next(talk, 0, NOW + 1));
	assert_true(asked_may_be(&talk->workers[0], &talk->t.seg));
	assert_true(taken(talk, COMMAND, 0, first));
	assert_true(next(talk, 0, NOW + 2));
	assert_int_equal(talk->question.conn, 2);
	answer(talk, 0, "2", NOW + 2);
	assert_true(taken(talk, COMMAND + 1, 0, second));
	assert_false(taken(talk, COMMAND, 0, first));
}

/* Each of two workers has answered another asker first: neither waits for an
 * asker that waits for the other. */
static void
test_askers_of_several_workers_do_not_wait_for_each_other(void **state)
{
	struct talk *talk = *state;
	uint64_t first = ask(talk, COMMAND, 1, 3), second;

	assert_true(next(talk, 0, NOW));
	answer(talk, 0, "1", NOW);
	assert_true(taken(talk, COMMAND, 0, first));
	asked_init(&talk->workers[1], &talk->t.seg);
	second = ask(talk, COMMAND + 1, 2, 3);
	assert_true(next(talk, 1, NOW));
	answer(talk, 1, "2", NOW);
	assert_true(taken(talk, COMMAND + 1, 1, second));
	assert_true(next(talk, 0, NOW));
	answer(talk, 0, "2", NOW);
	assert_true(taken(talk, COMMAND + 1, 0, second));
}

static void
test_answer_is_kept_until_its_asker_goes_on(void **state)
{
	struct talk *talk = *state;

	ask(talk, COMMAND, 1, 1);
	ask(talk, COMMAND + 1, 2, 1);
	assert_true(next(talk, 0, NOW));
	answer(talk, 0, "1", NOW);
	assert_false(next(talk, 0, NOW));
	ask_end(&talk->t.seg, COMMAND);
	assert_true(next(talk, 0, NOW));
}

static void
test_answer_of_a_dead_asker_is_kept_no_longer_than_that(void **state)
{
	struct talk *talk = *state;

	ask(talk, COMMAND, 1, 1);
	assert_true(next(talk, 0, NOW));
	answer(talk, 0, "1", NOW);
	ask(talk, COMMAND + 1, 2, 1);
	assert_false(next(talk, 0, NOW + ASK_HOLD_MS - 1));
	assert_true(next(talk, 0, NOW + ASK_HOLD_MS));
	assert_int_equal(talk->question.conn, 2);
}

static void
test_half_written_question_is_none(void **state)
{
	struct talk *talk = *state;
	struct layout_ask *slot = &talk->t.seg.asks[COMMAND];
	uint64_t id = ask(talk, COMMAND, 1, 1);

	/* Its asker died there. */
	atomic_store(&slot->id, id + 1);
	assert_false(next(talk, 0, NOW));
	/* The next one that has the slot goes on from it. */
	assert_int_equal(ask(talk, COMMAND, 2, 1), id + 2);
	assert_true(next(talk, 0, NOW));
	assert_int_equal(talk->question.conn, 2);
}

static void
test_half_written_answer_is_none(void **state)
{
	struct talk *talk = *state;
	uint64_t id = ask(talk, COMMAND, 1, 1);

	assert_true(next(talk, 0, NOW));
	answer(talk, 0, "1", NOW);
	atomic_fetch_add(&talk->t.seg.answers[0].version, 1);
	assert_false(taken(talk, COMMAND, 0, id));
	/* The worker's successor answers with the version that follows. */
	asked_init(&talk->workers[0], &talk->t.seg);
	id = ask(talk, COMMAND, 1, 1);
	assert_true(next(talk, 0, NOW));
	answer(talk, 0, "2", NOW);
	assert_true(taken(talk, COMMAND, 0, id));
}

static void
test_what_was_asked_before_a_worker_began_is_not_for_it(void **state)
{
	struct talk *talk = *state;

	ask(talk, COMMAND, 1, 1);
	ask(talk, 1, 1, 1);
	asked_init(&talk->workers[0], &talk->t.seg);
	assert_false(next(talk, 0, NOW));
	ask(talk, 1, 2, 1);
	assert_true(next(talk, 0, NOW));
	assert_int_equal(talk->question.conn, 2);
}

static void
test_lengths_that_nobody_wrote_are_refused(void **state)
{
	struct talk *talk = *state;
	struct ask_question question = { .kind = ASK_KICK,
		.reason_len = ASK_REASON_MAX + 1 };
	struct ask_head head = { .text_len = ASK_TEXT_MAX + 1 };
	uint64_t id;

	ask_put(&talk->t.seg, COMMAND, &question, 1);
	assert_false(next(talk, 0, NOW));
	question = (struct ask_question){ .user_len = ASK_USER_MAX + 1 };
	ask_put(&talk->t.seg, COMMAND, &question, 1);
	assert_false(next(talk, 0, NOW));
	id = ask(talk, COMMAND, 1, 1);
	assert_true(next(talk, 0, NOW));
	answer(talk, 0, "1", NOW);
	head.id = id;
	head.asker = COMMAND;
	memcpy((void *)(uintptr_t)talk->t.seg.answers[0].words, &head,
	    sizeof(head));
	assert_false(taken(talk, COMMAND, 0, id));
	/* An asker that there is none of keeps nobody from answering. */
	head.asker = UINT32_MAX;
	memcpy((void *)(uintptr_t)talk->t.seg.answers[0].words, &head,
	    sizeof(head));
	ask(talk, COMMAND + 1, 2, 1);
	assert_true(next(talk, 0, NOW));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_question_reaches_its_targets_once),
	T(test_answer_comes_whole),
	T(test_longest_answer_fits),
	T(test_askers_are_answered_one_after_another),
	T(test_askers_of_several_workers_do_not_wait_for_each_other),
	T(test_answer_is_kept_until_its_asker_goes_on),
	T(test_answer_of_a_dead_asker_is_kept_no_longer_than_that),
	T(test_half_written_question_is_none),
	T(test_half_written_answer_is_none),
	T(test_what_was_asked_before_a_worker_began_is_not_for_it),
	T(test_lengths_that_nobody_wrote_are_refused),
};

SUITE_MAIN(tests);
