/* SPDX-License-Identifier: MIT */
/*
 * test_kill_log.c - a bridge, or a worker that publishes, is killed at each place
 * at which it may have half of a log's message in the ring; whoever comes next
 * does the same once more.
 *
 * A second host reads the same stream undisturbed.  In the end both have the same
 * state and messages: nothing twice, nothing lost, and the hash is one.
 */

#include "broker/ring/topics.h"
#include "broker/shared/stop_point.h"
#include "tests/support/hosts.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#define RING_SIZE 32768u
#define VICTIM    STOP_WORKER(3)
#define OTHER     5u /* an origin */

static struct host a, b;
static struct stream stream;

/* A place, and who comes by there. */
struct row {
	enum stop_place place;
	int (*deed)(void *arg);
	enum stop_place after; /* somebody has died there before, likewise */
};

static int
setup(void **state)
{
	int result = mp_setup(NULL);

	(void)state;
	host_open(&a, RING_SIZE, 4);
	host_open(&b, RING_SIZE, 4);
	return result;
}

static int
teardown(void **state)
{
	int result = mp_teardown(state);

	stream_close(&stream);
	host_close(&a);
	host_close(&b);
	return result;
}

/* Have the lock as the worker of a slot, whose turn it is to die. */
static void
begin_turn(struct ring *own, unsigned slot)
{
	stop_point_set_self(VICTIM);
	ring_attach(own, &a.t.seg, slot);
	hand_lock(own);
}

static void
end_turn(struct ring *own)
{
	ring_unlock(own);
	ring_detach(own);
}

static void
make_three(struct ring_msg msgs[3], const struct ring_mark *mark)
{
	for (unsigned i = 0; i < 3; i++) {
		msgs[i] = hand_msg(hand_find(&a.t.seg, "one"), "\"w\"");
		msgs[i].mark = mark;
	}
}

/* Three clients publish, in one turn of a worker. */
static int
accept_three(void *arg)
{
	struct ring_msg msgs[3];
	struct ring own;

	(void)arg;
	make_three(msgs, &ring_to_outbox);
	begin_turn(&own, 1);
	MP_CHECK(ring_publish(&own, msgs, 3) == RING_OK);
	end_turn(&own);
	return 0;
}

/* The same in local mode: behind what waits already, which is shown first. */
static int
publish_three(void *arg)
{
	struct ring_msg msgs[3];
	struct ring own;

	(void)arg;
	make_three(msgs, &ring_local);
	begin_turn(&own, 1);
	ring_show(&own, HOSTS_BODY_MAX);
	MP_CHECK(ring_all_shown(&own));
	MP_CHECK(ring_publish(&own, msgs, 3) == RING_OK);
	end_turn(&own);
	return 0;
}

/* What waits becomes messages, when that begins. */
static int
show(void *arg)
{
	struct ring own;

	(void)arg;
	begin_turn(&own, 2);
	ring_show(&own, HOSTS_BODY_MAX);
	end_turn(&own);
	return 0;
}

/* A bridge that has just been started catches up. */
static int
catch_up(void *arg)
{
	(void)arg;
	stop_point_set_self(VICTIM);
	ring_detach(&a.ring);
	ring_attach(&a.ring, &a.t.seg, ring_bridge_slot(&a.t.seg));
	host_catch_up(&a, &stream);
	return 0;
}

/* The same with one that has no place for any message. */
static int
leave_out(void *arg)
{
	a.in.body_max = 0;
	return catch_up(arg);
}

/* One whose ring has not begun yet joins where b is. */
static int
join(void *arg)
{
	struct ring_log_state state;

	(void)arg;
	stop_point_set_self(VICTIM);
	ring_detach(&a.ring);
	ring_attach(&a.ring, &a.t.seg, ring_bridge_slot(&a.t.seg));
	ring_log_state(&b.t.seg, &state);
	hand_lock(&a.ring);
	ring_log_join(&a.ring, &state, "first", 0);
	ring_unlock(&a.ring);
	return 0;
}

static const struct row rows[] = {
	{ .place = STOP_RESERVED, .deed = accept_three },
	{ .place = STOP_HALF_COPIED, .deed = accept_three },
	{ .place = STOP_COPIED, .deed = accept_three },
	{ .place = STOP_COMMITTED, .deed = accept_three },
	{ .place = STOP_HALF_APPLIED, .deed = accept_three },
	{ .place = STOP_APPLIED, .deed = accept_three },
	{ .place = STOP_HALF_REPLAYED,
	    .deed = accept_three,
	    .after = STOP_COMMITTED },
	{ .place = STOP_RESERVED, .deed = show },
	{ .place = STOP_HALF_COPIED, .deed = show },
	{ .place = STOP_COPIED, .deed = show },
	{ .place = STOP_COMMITTED, .deed = show },
	{ .place = STOP_HALF_APPLIED, .deed = show },
	{ .place = STOP_APPLIED, .deed = show },
	{ .place = STOP_HALF_REPLAYED, .deed = show, .after = STOP_COMMITTED },
	{ .place = STOP_RESERVED, .deed = publish_three },
	{ .place = STOP_HALF_COPIED, .deed = publish_three },
	{ .place = STOP_COPIED, .deed = publish_three },
	{ .place = STOP_COMMITTED, .deed = publish_three },
	{ .place = STOP_HALF_APPLIED, .deed = publish_three },
	{ .place = STOP_APPLIED, .deed = publish_three },
	{ .place = STOP_HALF_REPLAYED,
	    .deed = publish_three,
	    .after = STOP_COMMITTED },
	{ .place = STOP_TOPIC_HALF_MADE, .deed = catch_up },
	{ .place = STOP_RESERVED, .deed = catch_up },
	{ .place = STOP_HALF_COPIED, .deed = catch_up },
	{ .place = STOP_COPIED, .deed = catch_up },
	{ .place = STOP_COMMITTED, .deed = catch_up },
	{ .place = STOP_HALF_APPLIED, .deed = catch_up },
	{ .place = STOP_APPLIED, .deed = catch_up },
	{ .place = STOP_LOG_HALF_NOTED, .deed = catch_up },
	{ .place = STOP_LOG_HALF_SKIPPED, .deed = catch_up },
	{ .place = STOP_HALF_REPLAYED,
	    .deed = catch_up,
	    .after = STOP_COMMITTED },
	{ .place = STOP_LOG_HALF_JOINED, .deed = join },
};

static void
kill_at(enum stop_place place, int (*deed)(void *arg))
{
	pid_t pid;

	atomic_store(&a.t.seg.header->stop_point_arm, STOP_AT(place, VICTIM));
	pid = mp_spawn(deed, NULL);
	mp_wait_stopped(pid);
	mp_kill(pid);
}

/* A stream with batches of both, one that comes twice, checkpoints, and a loss of a
 * third host. */
static void
prepare(void)
{
	struct buf lost;

	buf_init(&lost);
	host_accept(&a, "one", "\"a\"");
	host_accept(&a, "two", "\"b\"");
	host_accept(&a, "one", "\"c\"");
	host_send(&a, &stream);
	host_accept(&b, "three", "\"x\"");
	host_send(&b, &stream);
	sender_go_back(&b.sender);
	host_send(&b, &stream);
	host_catch_up(&b, &stream);
	host_checkpoint(&b, &stream);
	host_accept(&b, "one", "\"y\"");
	host_send(&b, &stream);
	log_lost(&lost, OTHER, 0, 3);
	stream_add(&stream, lost.at, lost.len);
	buf_fini(&lost);
}

/* The messages of a topic: as bodies, newest first. */
static void
read_topic(struct host *host, const char *topic, char says[64])
{
	uint32_t slot = hand_find(&host->t.seg, topic);
	uint64_t pos = atomic_load(&host->t.seg.topics[slot].last);
	unsigned char bytes[1024];
	struct ring_record rec;
	size_t n = 0;

	for (; pos != 0 && n < 60; pos = rec.prev) {
		assert_int_equal(
		    ring_fetch(&host->t.seg, pos, bytes, sizeof(bytes), &rec),
		    RING_OK);
		says[n++] = rec.body[1];
	}
	assert_int_equal(ring_topic_seq(&host->t.seg, slot), n);
	says[n] = '\0';
}

/* In local mode a host has its own messages in front of others that are before them
 * in the log. */
static bool
is_local(const struct row *row)
{
	return row->deed == show || row->deed == publish_three;
}

static int
compare_letters(const void *one, const void *other)
{
	return *(const char *)one - *(const char *)other;
}

/* Whoever comes next has the lock, and all goes on to the same. */
static void
check_goes_on(const struct row *row)
{
	static const char *const topics[] = { "one", "two", "three" };
	struct ring_log_state states[2];
	char error[SEGMENT_ERROR_MAX], says[2][64];

	assert_int_equal(ring_lock(&a.ring), RING_OK);
	ring_unlock(&a.ring);
	catch_up(NULL);
	sender_fini(&a.sender);
	sender_init(&a.sender, &a.t.seg);
	host_accept(&a, "two", "\"z\"");
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	host_catch_up(&b, &stream);
	ring_log_state(&a.t.seg, &states[0]);
	ring_log_state(&b.t.seg, &states[1]);
	assert_int_equal(states[0].hash, states[1].hash);
	assert_memory_equal(&states[0], &states[1], sizeof(states[0]));
	assert_int_equal(ring_origin_last(&a.t.seg, OTHER), 3);
	assert_int_equal(
	    a.t.seg.header->cluster.lost, b.t.seg.header->cluster.lost);
	for (unsigned i = 0; i < COUNT(topics); i++) {
		read_topic(&a, topics[i], says[0]);
		read_topic(&b, topics[i], says[1]);
		for (unsigned h = 0; is_local(row) && h < 2; h++)
			qsort(says[h], strlen(says[h]), 1, compare_letters);
		assert_string_equal(says[0], says[1]);
	}
	if (!ring_verify(&a.t.seg, error))
		fail_msg("%s", error);
}

static void
is_killed(void **state)
{
	const struct row *row = *state;
	uint64_t out;

	if (row->deed != join)
		prepare();
	if (row->deed == publish_three)
		show(NULL);
	out = atomic_load(&a.t.seg.header->cluster.out);
	if (row->after != STOP_NOWHERE)
		kill_at(row->after, row->deed);
	kill_at(row->place, row->deed);
	if (row->deed == join) {
		join(NULL);
		prepare();
	}
	check_goes_on(row);
	/* All three of a worker's turn, or none; and then one more. */
	if (row->deed == accept_three || row->deed == publish_three)
		assert_true(
		    atomic_load(&a.t.seg.header->cluster.out) == out + 1 ||
		    atomic_load(&a.t.seg.header->cluster.out) == out + 4);
}

/* What has no place here counts all the same, once, and no record says so. */
static void
is_killed_leaving_out(void **state)
{
	struct ring_log_state states[2];

	(void)state;
	host_accept(&b, "one", "\"x\"");
	host_send(&b, &stream);
	host_catch_up(&b, &stream);
	kill_at(STOP_LOG_HALF_NOTED, leave_out);
	catch_up(NULL);
	ring_log_state(&a.t.seg, &states[0]);
	ring_log_state(&b.t.seg, &states[1]);
	assert_memory_equal(&states[0], &states[1], sizeof(states[0]));
}

int
main(int argc, char **argv)
{
	struct CMUnitTest tests[COUNT(rows) + 1];
	char names[COUNT(rows)][64];

	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(names[i], sizeof(names[i]), "killed-%s-%s%s",
		    rows[i].deed == accept_three    ? "accepting"
		    : rows[i].deed == publish_three ? "publishing"
		    : rows[i].deed == show          ? "showing"
		    : rows[i].deed == join          ? "joining"
						    : "catching-up",
		    stop_point_name(rows[i].place),
		    rows[i].after != STOP_NOWHERE ? "-again" : "");
		tests[i] = (struct CMUnitTest){ names[i], is_killed, setup,
			teardown, (void *)(uintptr_t)&rows[i] };
	}
	tests[COUNT(rows)] = (struct CMUnitTest){ "killed-leaving-out",
		is_killed_leaving_out, setup, teardown, NULL };
	suite_leave_out(tests, COUNT(tests), argv[0]);
	if (argc > 1 && !suite_choose(tests, COUNT(tests), argv[1]))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
