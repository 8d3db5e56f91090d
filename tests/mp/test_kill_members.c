/* SPDX-License-Identifier: MIT */
/*
 * test_kill_members.c - a worker is killed anywhere while members come and go, and
 * so is now and then its successor while it clears up.
 *
 * Users come and go at random on two workers, one of which is killed in each
 * round.  Whatever happens, who watches is told of each user in turn that it has
 * come and that it has left; and in the end those are there, and no others, who
 * have a connection on the worker that lives.  The clock is the test's own.
 */

#include "broker/ring/members.h"
#include "broker/ring/store.h"
#include "broker/shared/stop_point.h"
#include "common/buf.h"
#include "tests/support/dice.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define RING_SIZE 65536u
#define ROUNDS    400u
#define USERS     6u
#define STEPS     12u

enum { OTHER, VICTIM };

struct scene {
	struct testseg t;
	struct ring ring; /* of the other worker */
	struct reader reader;
	struct dice dice;
	uint32_t topic;
	uint64_t now_ms;
	unsigned held[USERS]; /* connections on the other worker */
	bool is_there[USERS]; /* by what was told */
	uint32_t delay_ms;
};

static struct scene s;

static const enum stop_place places[] = { STOP_NOWHERE, STOP_MEMBER_FILLED,
	STOP_MEMBER_MADE, STOP_MEMBER_JOINED, STOP_MEMBER_LINKED,
	STOP_MEMBER_DEPARTED, STOP_MEMBER_LEFT, STOP_MEMBER_UNLINKED,
	STOP_RESERVED, STOP_COPIED, STOP_COMMITTED, STOP_HALF_APPLIED,
	STOP_APPLIED, STOP_UNLOCKING };

static const enum stop_place clearing_places[] = { STOP_MEMBERS_HALF_CLEARED,
	STOP_MEMBERS_CLEARED, STOP_HALF_REPLAYED, STOP_REPAIRED,
	STOP_MEMBER_LEFT, STOP_MEMBER_UNLINKED, STOP_COMMITTED };

static int
setup(void **state)
{
	int result = mp_setup(NULL);

	(void)state;
	memset(&s, 0, sizeof(s));
	testseg_open(&s.t, RING_SIZE, 4);
	atomic_store(&s.t.seg.workers[OTHER].state, WORKER_READY);
	atomic_store(&s.t.seg.workers[VICTIM].state, WORKER_READY);
	ring_attach(&s.ring, &s.t.seg, OTHER);
	s.topic = hand_topic(&s.ring, "room");
	atomic_store(&s.t.seg.attendance[s.topic].watched, 1u << OTHER);
	reader_open(&s.reader, &s.t.seg, 2000, RING_SIZE);
	s.dice.state = 7;
	s.now_ms = 1000;
	return result;
}

static int
teardown(void **state)
{
	int result = mp_teardown(state);

	reader_close(&s.reader);
	ring_detach(&s.ring);
	testseg_close(&s.t);
	return result;
}

static struct members_at
at(struct ring *ring)
{
	return (struct members_at){
		.ring = ring, .now_ms = s.now_ms, .time_ms = 1
	};
}

/* Half of them have an info, one of several pieces. */
static struct member_user
user(unsigned number)
{
	static const char names[USERS][3] = { "u0", "u1", "u2", "u3", "u4",
		"u5" };
	static char info[200];

	memset(info, '1', sizeof(info));
	return (struct member_user){ .name = names[number],
		.name_len = 2,
		.info = number % 2 == 0 ? info : NULL,
		.info_len = number % 2 == 0 ? sizeof(info) : 0,
		.is_verified = number % 3 == 0 };
}

/* A user comes or goes on a worker. */
static void
step(struct ring *ring, struct dice *dice, unsigned held[USERS])
{
	unsigned number = (unsigned)dice_below(dice, USERS);
	struct member_user who = user(number);
	struct members_at a;

	hand_lock(ring);
	a = at(ring);
	if (held[number] > 0 && dice_below(dice, 3) > 0) {
		members_depart(&a, s.topic, &who, s.delay_ms);
		held[number]--;
	} else if (members_arrive(&a, s.topic, &who) == MEMBERS_OK) {
		held[number]++;
	}
	members_leave_due(&a);
	ring_unlock(ring);
}

static int
live_and_stop(void *arg)
{
	unsigned held[USERS] = { 0 };
	struct dice dice = { *(const uint64_t *)arg };
	struct ring own;

	stop_point_set_self(STOP_WORKER(VICTIM));
	ring_attach(&own, &s.t.seg, VICTIM);
	for (unsigned i = 0; i < STEPS; i++)
		step(&own, &dice, held);
	raise(SIGSTOP);
	return 0;
}

/* Its successor. */
static void
clear(struct ring *ring)
{
	struct members_at a;

	hand_lock(ring);
	a = at(ring);
	members_clear_worker(&a, VICTIM, s.delay_ms);
	members_leave_due(&a);
	ring_unlock(ring);
}

static int
clear_and_stop(void *arg)
{
	struct ring own;

	(void)arg;
	stop_point_set_self(STOP_WORKER(VICTIM));
	ring_attach(&own, &s.t.seg, VICTIM);
	clear(&own);
	raise(SIGSTOP);
	return 0;
}

static void
kill_one(int (*run)(void *arg), void *arg, enum stop_place place)
{
	pid_t pid;

	atomic_store(&s.t.seg.header->stop_point_arm,
	    place == STOP_NOWHERE ? 0 : STOP_AT(place, STOP_WORKER(VICTIM)));
	pid = mp_spawn(run, arg);
	mp_wait_stopped(pid);
	mp_kill(pid);
	atomic_store(&s.t.seg.header->stop_point_arm, 0);
}

/* Each is told to come when it is not there, to leave when it is. */
static void
check_told(void)
{
	assert_int_not_equal(reader_read(&s.reader), RING_LAPPED);
	for (size_t i = 0; i < s.reader.batch.count; i++) {
		const struct ring_record *rec = &s.reader.batch.records[i];
		unsigned number = (unsigned)(rec->body[10] - '0');
		bool joins = rec->flags == RECORD_JOIN;

		assert_memory_equal(rec->body, "{\"user\":\"u", 10);
		assert_true(joins || rec->flags == RECORD_LEAVE);
		assert_true(number < USERS);
		assert_int_equal(s.is_there[number], !joins);
		s.is_there[number] = joins;
	}
}

/* In the end those are there who have a connection. */
static void
check_there(void)
{
	char error[SEGMENT_ERROR_MAX];
	struct members_page page;
	unsigned count = 0;
	struct buf list;

	for (unsigned i = 0; i < USERS; i++) {
		struct member_user who = user(i);
		uint32_t index = member_find(&s.t.seg, s.topic, &who);

		assert_int_equal(s.is_there[i], s.held[i] > 0);
		assert_int_equal(index != MEMBER_NONE, s.held[i] > 0);
		if (index == MEMBER_NONE)
			continue;
		assert_int_equal(
		    member_connections(&s.t.seg, index), s.held[i]);
		count++;
	}
	buf_init(&list);
	members_page(&s.t.seg, s.topic, 0, USERS, &list, &page);
	assert_int_equal(page.count, count);
	buf_fini(&list);
	assert_true(member_table_check(&s.t.seg, error));
}

static void
test_each_is_told_in_turn_whoever_dies(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS && !mp_expired(); round++) {
		uint64_t seed = dice_roll(&s.dice) | 1;
		struct members_at a;

		s.delay_ms = dice_below(&s.dice, 2) == 0 ? 0 : 50;
		kill_one(live_and_stop, &seed,
		    places[dice_below(&s.dice, COUNT(places))]);
		for (uint64_t n = dice_below(&s.dice, 3); n > 0; n--)
			kill_one(clear_and_stop, NULL,
			    clearing_places[dice_below(
				&s.dice, COUNT(clearing_places))]);
		for (unsigned i = 0; i < STEPS / 2; i++)
			step(&s.ring, &s.dice, s.held);
		clear(&s.ring);
		check_told();
		s.now_ms += 100;
		hand_lock(&s.ring);
		a = at(&s.ring);
		members_leave_due(&a);
		ring_unlock(&s.ring);
		assert_int_equal(members_due_at(&s.t.seg), 0);
		check_told();
		check_there();
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_each_is_told_in_turn_whoever_dies),
};

SUITE_MAIN(tests);
