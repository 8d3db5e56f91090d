/* SPDX-License-Identifier: MIT */
/*
 * test_kill_keys.c - publishers with keys, killed wherever a place is named, and
 * so in the middle of making their message the topic's last value.
 *
 * A client whose server process dies asks again with the same key, perhaps many
 * times.  Whatever instruction the death was at, each key has exactly one
 * message in the ring afterwards, and is answered its number.  One in three of
 * the processes that repair is killed as well.  And the last value is the last
 * message, whole.
 */

#include "broker/ring/dedup.h"
#include "broker/ring/retain.h"
#include "broker/ring/ring.h"
#include "broker/ring/ring_bytes.h"
#include "broker/ring/topics.h"
#include "broker/shared/stop_point.h"
#include "common/clock.h"
#include "tests/support/dice.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define RING_SIZE (256u * 1024)
#define ROUNDS    120u
#define WINDOW    3600000u /* ms: longer than the test */
#define VICTIM    1u
#define OTHER     2u
#define TEXT_MAX  1200u

/* Where a publisher, or who repairs after one, may die. */
static const enum stop_place places[] = { STOP_LOCKED, STOP_BEFORE_RESERVE,
	STOP_RESERVED, STOP_HALF_COPIED, STOP_COPIED, STOP_COMMITTED,
	STOP_HALF_APPLIED, STOP_APPLIED, STOP_UNLOCKING, STOP_KEY_HALF_PUT,
	STOP_KEY_COUNTED, STOP_KEY_DROPPED, STOP_KEY_INDEX_EMPTY,
	STOP_VALUE_GONE, STOP_VALUE_FREED, STOP_VALUE_HALF_MADE,
	STOP_VALUE_MADE, STOP_VALUES_UNCLAIMED, STOP_VALUES_UNLINKED,
	STOP_HALF_REPLAYED, STOP_REPAIRED };

static struct testseg t;
static uint32_t topic;
static uint64_t wanted_key; /* what the child publishes with */
static uint64_t window;

static int
setup(void **state)
{
	struct ring ring;
	int result = mp_setup(NULL);

	(void)state;
	testseg_open(&t, RING_SIZE, 8);
	ring_attach(&ring, &t.seg, OTHER);
	topic = hand_topic(&ring, "t");
	ring_detach(&ring);
	window = WINDOW;
	return result;
}

static int
teardown(void **state)
{
	int result = mp_teardown(state);

	testseg_close(&t);
	return result;
}

static struct dedup_key
key_of(uint64_t number)
{
	return (struct dedup_key){ { number, number } };
}

/* The text that goes with a key: of any length that the slab has room for. */
static const char *
text_of(uint64_t number, char text[TEXT_MAX + 1])
{
	size_t len = 3 + number * 37 % (TEXT_MAX - 2);

	memset(text, 'a' + (int)(number % 26), len);
	text[len] = '\0';
	return text;
}

/* Publish with a key as a worker does.  Returns its number. */
static uint64_t
publish(struct ring *ring, uint64_t number)
{
	const struct dedup_key key = key_of(number);
	struct layout_extra extra = { .key = { number, number }, .retain = 1 };
	char text[TEXT_MAX + 1];
	struct ring_msg msg = hand_msg(topic, text_of(number, text));
	enum dedup_status status;

	hand_lock(ring);
	status =
	    dedup_look(ring->seg, &key, clock_monotonic_ms(), window, &msg.seq);
	if (status == DEDUP_FULL) { /* its window is over */
		MP_CHECK(dedup_look(ring->seg, &key, UINT64_MAX / 2, window,
			     &msg.seq) == DEDUP_NEW);
		status = DEDUP_NEW;
	}
	if (status == DEDUP_NEW) {
		msg.extra = &extra;
		MP_CHECK(ring_publish(ring, &msg, 1) == RING_OK);
	}
	ring_unlock(ring);
	return msg.seq;
}

static int
publish_as_victim(void *arg)
{
	struct ring own;

	(void)arg;
	stop_point_set_self(STOP_WORKER(VICTIM));
	ring_attach(&own, &t.seg, VICTIM);
	publish(&own, wanted_key);
	return 0;
}

/* Have a child publish, and die at the place if it comes by it. */
static void
publish_and_die(enum stop_place place)
{
	_Atomic uint32_t *armed = &t.seg.header->stop_point_arm;
	pid_t pid;

	atomic_store(&t.seg.header->stopped, 0);
	atomic_store(armed, STOP_AT(place, STOP_WORKER(VICTIM)));
	pid = mp_spawn(publish_as_victim, NULL);
	while (atomic_load(&t.seg.header->stopped) != pid) {
		siginfo_t info = { 0 };

		assert_false(mp_expired());
		assert_int_equal(waitid(P_PID, (id_t)pid, &info,
				     WEXITED | WNOHANG | WNOWAIT),
		    0);
		if (info.si_pid == pid) { /* it did not come by */
			atomic_store(armed, STOP_NOWHERE);
			mp_join(pid);
			return;
		}
	}
	mp_wait_stopped(pid);
	mp_kill(pid);
}

/* How many records of the ring end with this key, and the number of the last. */
static unsigned
count_key(uint64_t number, uint64_t *seq)
{
	uint64_t head = ring_head(&t.seg), pos = ring_first(&t.seg);
	struct layout_extra extra;
	struct layout_record rec;
	unsigned count = 0;

	while (pos < head) {
		assert_true(ring_peek(&t.seg, pos, head, &rec));
		ring_bytes_extra(&t.seg, pos, &rec, &extra);
		if (extra.key[0] == number && extra.key[1] == number) {
			*seq = rec.seq;
			count++;
		}
		pos += rec.length;
	}
	return count;
}

/* The topic's last value is that of this key, and whole. */
static void
check_value(uint64_t number, uint64_t seq)
{
	const struct retain_name name = { "t", 1, topics_hash(&t.seg, "t", 1) };
	const struct layout_chunk *head = retain_find(&t.seg, &name);
	char text[TEXT_MAX + 1], copy[TEXT_MAX + 1] = "";

	assert_non_null(head);
	assert_int_equal(head->head.seq, seq);
	assert_int_equal(head->head.body_len, strlen(text_of(number, text)));
	retain_copy(&t.seg, head, copy);
	assert_string_equal(copy, text);
	assert_int_equal(t.seg.retain->values, 1);
}

static void
test_each_key_has_one_message(void **state)
{
	struct dice dice = { 15003 };
	struct ring ring;
	char error[SEGMENT_ERROR_MAX];

	(void)state;
	ring_attach(&ring, &t.seg, OTHER);
	for (wanted_key = 1; wanted_key <= ROUNDS; wanted_key++) {
		uint64_t answered, seq = 0;

		do
			publish_and_die(
			    places[dice_below(&dice, COUNT(places))]);
		while (dice_below(&dice, 3) == 0);
		answered = publish(&ring, wanted_key);
		assert_int_equal(count_key(wanted_key, &seq), 1);
		assert_int_equal(answered, seq);
		assert_int_equal(publish(&ring, wanted_key), seq);
		check_value(wanted_key, seq);
		if (!ring_verify(&t.seg, error))
			fail_msg("%s", error);
	}
	assert_int_equal(ring_topic_seq(&t.seg, topic), ROUNDS);
	ring_detach(&ring);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(
	    test_each_key_has_one_message, setup, teardown),
};

SUITE_MAIN(tests);
