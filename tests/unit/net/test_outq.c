/* SPDX-License-Identifier: MIT */
/*
 * test_outq.c - what worker/net/outq.h promises, one test per promise.
 *
 * send() plays the kernel: it takes what outq_iov() describes, as many bytes as
 * it is told, and keeps them to be compared.
 */

#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "worker/net/kept.h"
#include "worker/net/outq.h"

#include <string.h>

#define IOV_MAX_HERE 4

struct outlet {
	struct outq *q;
	char sent[4096];
	size_t sent_len;
	uint32_t messages; /* that outq_sent() told of */
};

static struct outlet outlet;

static int
setup(void **state)
{
	memset(&outlet, 0, sizeof(outlet));
	outlet.q = outq_new(NULL);
	*state = &outlet;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	outq_free(&outlet.q);
	return 0;
}

static void
add_message(struct outlet *o, uint32_t topic, uint64_t seq, const char *text)
{
	struct kept *kept = kept_new(text, (uint32_t)strlen(text));

	outq_add_message(o->q, topic, seq, kept);
	kept_drop(&kept);
}

static void
add(struct outlet *o, enum outq_kind kind, const char *text)
{
	if (kind == OUTQ_MESSAGE)
		add_message(o, 1, 1, text);
	else
		outq_add_answer(o->q, text, (uint32_t)strlen(text));
}

/* Drop the oldest message.  Returns its bytes, 0 if there is none. */
static uint32_t
drop_oldest(struct outlet *o)
{
	struct outq_dropped dropped;

	return outq_drop_oldest(o->q, &dropped) ? dropped.len : 0;
}

/* Take at most n bytes.  Returns how many. */
static size_t
take(struct outlet *o, size_t n)
{
	struct iovec iov[IOV_MAX_HERE];
	int count = outq_iov(o->q, iov, IOV_MAX_HERE);
	size_t taken = 0;

	for (int i = 0; i < count && taken < n; i++) {
		size_t len = iov[i].iov_len;

		assert_true(len > 0);
		if (len > n - taken)
			len = n - taken;
		assert_true(o->sent_len + len <= sizeof(o->sent));
		memcpy(o->sent + o->sent_len, iov[i].iov_base, len);
		o->sent_len += len;
		taken += len;
	}
	o->messages += outq_sent(o->q, taken);
	return taken;
}

static void
take_all(struct outlet *o)
{
	while (!outq_empty(o->q))
		assert_true(take(o, SIZE_MAX) > 0);
}

static void
assert_sent(const struct outlet *o, const char *text)
{
	assert_int_equal(o->sent_len, strlen(text));
	assert_memory_equal(o->sent, text, o->sent_len);
}

static void
test_items_leave_in_order(void **state)
{
	struct outlet *o = *state;

	add(o, OUTQ_MESSAGE, "one ");
	add(o, OUTQ_ANSWER, "two ");
	add(o, OUTQ_MESSAGE, "three ");
	add(o, OUTQ_ANSWER, "four");
	take_all(o);
	assert_sent(o, "one two three four");
}

static void
test_what_is_added_is_a_copy(void **state)
{
	struct outlet *o = *state;
	char text[] = "text";

	add(o, OUTQ_MESSAGE, text);
	memset(text, 'x', sizeof(text));
	take_all(o);
	assert_sent(o, "text");
}

/* What several are answered is there once, until the last has sent it. */
static void
test_kept_bytes_are_shared(void **state)
{
	struct outlet *o = *state;
	struct kept *kept = kept_new("file", 4);

	outq_add_kept(o->q, kept);
	outq_add_kept(o->q, kept);
	assert_int_equal(kept->references, 3);
	assert_int_equal(o->q->bytes, 8);
	assert_int_equal(o->q->answer_bytes, 8);
	kept_drop(&kept);
	assert_int_equal(drop_oldest(o), 0);
	take(o, 3);
	take_all(o);
	assert_sent(o, "filefile");
	assert_int_equal(o->messages, 0);
}

static void
test_iov_describes_at_most_max_pieces(void **state)
{
	struct outlet *o = *state;
	struct iovec iov[8];

	assert_int_equal(outq_iov(o->q, iov, 8), 0);
	for (int i = 0; i < 6; i++)
		add(o, OUTQ_MESSAGE, "ab");
	assert_int_equal(outq_iov(o->q, iov, 3), 3);
	assert_int_equal(outq_iov(o->q, iov, 8), 6);
	take(o, 3);
	assert_int_equal(outq_iov(o->q, iov, 8), 5);
	assert_int_equal(iov[0].iov_len, 1);
	assert_memory_equal(iov[0].iov_base, "b", 1);
}

/* Wherever the kernel stops, what follows is the next byte. */
static void
test_partial_sends_at_every_byte(void **state)
{
	static const char all[] = "first-a2-the third-answer-last";
	struct outlet *o = *state;

	for (size_t step = 1; step <= sizeof(all); step++)
		for (size_t first = 0; first < sizeof(all); first++) {
			o->sent_len = o->messages = 0;
			add(o, OUTQ_MESSAGE, "first-");
			add(o, OUTQ_ANSWER, "a2-");
			add(o, OUTQ_MESSAGE, "the third-");
			add(o, OUTQ_ANSWER, "answer-");
			add(o, OUTQ_MESSAGE, "last");
			take(o, first);
			while (!outq_empty(o->q))
				take(o, step);
			assert_sent(o, all);
			assert_int_equal(o->messages, 3);
		}
}

static void
test_bytes_are_those_still_to_be_sent(void **state)
{
	struct outlet *o = *state;

	add(o, OUTQ_ANSWER, "12345");
	add(o, OUTQ_MESSAGE, "123");
	assert_int_equal(o->q->bytes, 8);
	assert_int_equal(o->q->answer_bytes, 5);
	assert_int_equal(o->q->messages, 1);
	take(o, 2);
	assert_int_equal(o->q->bytes, 6);
	assert_int_equal(o->q->answer_bytes, 3);
	take(o, 3);
	assert_int_equal(o->q->bytes, 3);
	assert_int_equal(o->q->answer_bytes, 0);
	assert_int_equal(o->q->messages, 1);
	take(o, 3);
	assert_int_equal(o->q->bytes, 0);
	assert_int_equal(o->q->messages, 0);
	assert_true(outq_empty(o->q));
}

static void
test_the_oldest_message_is_dropped(void **state)
{
	struct outlet *o = *state;

	add(o, OUTQ_MESSAGE, "old.");
	add(o, OUTQ_MESSAGE, "new.");
	add(o, OUTQ_MESSAGE, "newest.");
	assert_int_equal(drop_oldest(o), 4);
	assert_int_equal(o->q->messages, 2);
	assert_int_equal(o->q->bytes, 11);
	take_all(o);
	assert_sent(o, "new.newest.");
	assert_int_equal(o->messages, 2);
}

static void
test_answers_are_never_dropped(void **state)
{
	struct outlet *o = *state;

	add(o, OUTQ_ANSWER, "a1.");
	add(o, OUTQ_MESSAGE, "m.");
	add(o, OUTQ_ANSWER, "a2.");
	assert_int_equal(drop_oldest(o), 2);
	assert_int_equal(drop_oldest(o), 0);
	assert_int_equal(o->q->answer_bytes, 6);
	take_all(o);
	assert_sent(o, "a1.a2.");
}

/*
 * Each drop walked past all answers that waited.  Here the way from the head of
 * the queue is closed while a message is dropped: it is found without it.
 */
static void
test_no_answer_is_walked_past_to_drop_a_message(void **state)
{
	struct outlet *o = *state;
	struct outq_item *head;

	for (int i = 0; i < 3; i++) {
		add(o, OUTQ_ANSWER, "a.");
		add(o, OUTQ_MESSAGE, "m.");
	}
	head = TAILQ_FIRST(&o->q->items);
	for (int i = 0; i < 3; i++) {
		TAILQ_FIRST(&o->q->items) = NULL;
		assert_int_not_equal(drop_oldest(o), 0);
		TAILQ_FIRST(&o->q->items) = head;
	}
	take_all(o);
	assert_sent(o, "a.a.a.");
}

/* It hears of no gap any more: what waits for it would be missing silently. */
static void
test_messages_of_a_topic_that_is_left_are_not_dropped(void **state)
{
	struct outlet *o = *state;
	struct outq_dropped dropped;

	add_message(o, 1, 1, "one,");
	add_message(o, 2, 1, "other,");
	add_message(o, 1, 2, "two,");
	outq_leave_topic(o->q, 1);
	assert_int_equal(o->q->messages, 1);
	assert_int_equal(o->q->answer_bytes, 8);
	add(o, OUTQ_ANSWER, "left.");
	assert_true(outq_drop_oldest(o->q, &dropped));
	assert_int_equal(dropped.topic, 2);
	assert_false(outq_drop_oldest(o->q, &dropped));
	take_all(o);
	assert_int_equal(o->messages, 2);
	assert_sent(o, "one,two,left.");
}

/* It wants none of it any more, but what is half sent has to be whole. */
static void
test_all_messages_of_a_topic_are_dropped(void **state)
{
	struct outlet *o = *state;

	add_message(o, 1, 1, "begun,");
	add_message(o, 1, 2, "one,");
	add_message(o, 2, 1, "other,");
	add(o, OUTQ_ANSWER, "answer,");
	add_message(o, 1, 3, "two,");
	take(o, 1);
	assert_int_equal(outq_drop_topic(o->q, 1), 2);
	assert_int_equal(outq_drop_topic(o->q, 1), 0);
	assert_int_equal(o->q->messages, 1);
	take_all(o);
	assert_sent(o, "begun,other,answer,");
}

static void
test_what_was_begun_is_not_dropped(void **state)
{
	struct outlet *o = *state;

	add(o, OUTQ_MESSAGE, "begun.");
	add(o, OUTQ_MESSAGE, "waits.");
	take(o, 1);
	assert_int_equal(drop_oldest(o), 6);
	assert_int_equal(drop_oldest(o), 0);
	take_all(o);
	assert_sent(o, "begun.");
}

/*
 * The rest of a begun frame is an answer, it no longer waits: counted as a
 * waiting message, it filled a buffer of one, and under overflow=latest every
 * newer message was dropped for one that could not be.
 */
static void
test_what_was_begun_does_not_wait(void **state)
{
	struct outlet *o = *state;

	add(o, OUTQ_MESSAGE, "begun.");
	assert_int_equal(o->q->messages, 1);
	take(o, 1);
	assert_int_equal(o->q->messages, 0);
	assert_int_equal(o->q->answer_bytes, 5);
	take_all(o);
	assert_int_equal(o->messages, 1);
	assert_int_equal(o->q->answer_bytes, 0);
}

static void
test_dropping_the_last_lets_more_be_added(void **state)
{
	struct outlet *o = *state;

	add(o, OUTQ_MESSAGE, "gone");
	drop_oldest(o);
	assert_true(outq_empty(o->q));
	add(o, OUTQ_MESSAGE, "here");
	take_all(o);
	assert_sent(o, "here");
}

/* Against a model: a string of what must come out. */
static void
test_anything_in_any_order_adds_up(void **state)
{
	struct outlet *o = *state;
	struct dice dice = { 4711 };
	size_t waiting = 0, dropped, total = 0;
	uint32_t added = 0, drops = 0;

	for (int i = 0; i < 20000; i++) {
		switch (dice_below(&dice, 4)) {
		case 0:
			add(o, OUTQ_ANSWER, "answer");
			waiting += 6;
			break;
		case 1:
			add(o, OUTQ_MESSAGE, "message");
			waiting += 7;
			added++;
			break;
		case 2:
			dropped = drop_oldest(o);
			waiting -= dropped;
			drops += dropped > 0;
			break;
		default:
			o->sent_len = 0;
			total = take(o, dice_below(&dice, 40));
			waiting -= total;
		}
		assert_int_equal(o->q->bytes, waiting);
		assert_true(o->q->answer_bytes <= o->q->bytes);
	}
	while (!outq_empty(o->q)) {
		o->sent_len = 0;
		take(o, 100);
	}
	assert_int_equal(o->messages + drops, added);
	assert_int_equal(o->q->answer_bytes, 0);
	assert_int_equal(o->q->messages, 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_items_leave_in_order),
	T(test_what_is_added_is_a_copy),
	T(test_kept_bytes_are_shared),
	T(test_iov_describes_at_most_max_pieces),
	T(test_partial_sends_at_every_byte),
	T(test_bytes_are_those_still_to_be_sent),
	T(test_the_oldest_message_is_dropped),
	T(test_answers_are_never_dropped),
	T(test_no_answer_is_walked_past_to_drop_a_message),
	T(test_messages_of_a_topic_that_is_left_are_not_dropped),
	T(test_all_messages_of_a_topic_are_dropped),
	T(test_what_was_begun_is_not_dropped),
	T(test_what_was_begun_does_not_wait),
	T(test_dropping_the_last_lets_more_be_added),
	T(test_anything_in_any_order_adds_up),
};

SUITE_MAIN(tests);
