/* SPDX-License-Identifier: MIT */
/*
 * test_kill_points.c - a worker stands at each place that broker/shared/stop_point.h has in
 * broker/, and there it is continued, or killed, or judged by the watchdog.
 *
 * The rows are places, the columns what happens there.  The test itself is the
 * other worker, and the supervisor that reaps: it must have the lock as soon as
 * the victim is dead, find every number once, and never be taken for the one
 * who hangs.  What a whole worker does at the places in worker/ is in
 * tests/e2e/kill-*.
 */

#include "broker/ring/ring.h"
#include "broker/ring/store.h"
#include "broker/shared/stop_point.h"
#include "broker/supervisor/policy.h"
#include "broker/ring/topics.h"
#include "broker/shared/wakeup.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <poll.h>
#include <string.h>

#define RING_SIZE 8192u
#define TOPICS    3u /* one, two, and a silent one without subscribers */
#define WORKERS   3u

enum { OTHER, VICTIM, SLEEPER }; /* slots */

static struct testseg t;
static struct wakeup wakeup;
static struct ring ring; /* of the other worker */
static struct reader reader;
static uint32_t one, two, silent;

struct row {
	enum stop_place place;
	int (*deed)(void *arg);  /* brings the victim there, and beyond */
	const char *says;        /* bodies that this publishes, a letter each */
	enum stop_place after;   /* somebody has died there before */
	bool holding;            /* the lock is held there */
	bool is_unsigned;        /* and its holder is not known by name */
	bool kept;               /* dead or not, what it says is in the ring */
	unsigned subscribers[2]; /* of the silent topic: before, behind */
};

static int
setup(void **state)
{
	int result = mp_setup(NULL);

	(void)state;
	testseg_open(&t, RING_SIZE, TOPICS);
	assert_true(wakeup_open(&wakeup, &t.seg, WORKERS));
	for (unsigned slot = 0; slot < WORKERS; slot++)
		atomic_store(&t.seg.workers[slot].state, WORKER_READY);
	ring_attach(&ring, &t.seg, OTHER);
	one = hand_topic(&ring, "one");
	two = hand_topic(&ring, "two");
	silent = hand_topic(&ring, "silent");
	topics_subscribe(&t.seg, one, SLEEPER);
	topics_subscribe(&t.seg, two, SLEEPER);
	wakeup_claim_slot(&wakeup, SLEEPER);
	wakeup_fall_asleep(&wakeup);
	wakeup_claim_slot(&wakeup, OTHER);
	reader_open(&reader, &t.seg, 200, 2 * RING_SIZE);
	return result;
}

static int
teardown(void **state)
{
	int result;

	wakeup_close(&wakeup);
	result = mp_teardown(state);
	reader_close(&reader);
	ring_detach(&ring);
	testseg_close(&t);
	return result;
}

/* What a victim does, one of these, under the name of the victim's slot. */

static void
be_victim(struct ring *own)
{
	stop_point_set_self(STOP_WORKER(VICTIM));
	wakeup_claim_slot(&wakeup, VICTIM);
	ring_attach(own, &t.seg, VICTIM);
}

static int
publish_abc(void *arg)
{
	struct ring_msg msgs[] = { hand_msg(one, "\"a\""),
		hand_msg(two, "\"b\""), hand_msg(one, "\"c\"") };
	struct ring own;

	(void)arg;
	be_victim(&own);
	hand_lock(&own);
	MP_CHECK(ring_publish(&own, msgs, 3) == RING_OK);
	ring_unlock(&own);
	stop_point_here(t.seg.header, STOP_BEFORE_WAKE);
	wakeup_wake(&wakeup, ring_interest(&own, msgs, 3));
	return 0;
}

/* The directory is full: this takes the silent topic's slot. */
static int
use_new_topic(void *arg)
{
	struct ring own;

	(void)arg;
	be_victim(&own);
	hand_topic(&own, "new");
	return 0;
}

static int
subscribe(void *arg)
{
	struct ring own;

	(void)arg;
	be_victim(&own);
	hand_lock(&own);
	topics_subscribe(&t.seg, silent, VICTIM);
	ring_unlock(&own);
	return 0;
}

/* A client has gone: that takes no lock. */
static int
unsubscribe(void *arg)
{
	struct ring own;

	(void)arg;
	be_victim(&own);
	topics_unsubscribe(&t.seg, silent, VICTIM);
	return 0;
}

static int
sleep_and_be_woken(void *arg)
{
	struct ring own;

	(void)arg;
	be_victim(&own);
	wakeup_fall_asleep(&wakeup);
	wakeup_clear(&wakeup);
	wakeup_get_up(&wakeup);
	return 0;
}

static int
take_slot(void *arg)
{
	struct ring own;

	(void)arg;
	be_victim(&own);
	topics_clear_worker(&t.seg, VICTIM);
	return 0;
}

static int
take_lock(void *arg)
{
	struct ring own;

	(void)arg;
	be_victim(&own);
	hand_lock(&own);
	ring_unlock(&own);
	return 0;
}

static const struct row rows[] = {
	{ .place = STOP_LOCKED,
	    .deed = publish_abc,
	    .says = "abc",
	    .holding = true,
	    .is_unsigned = true },
	{ .place = STOP_BEFORE_RESERVE,
	    .deed = publish_abc,
	    .says = "abc",
	    .holding = true },
	{ .place = STOP_RESERVED,
	    .deed = publish_abc,
	    .says = "abc",
	    .holding = true },
	{ .place = STOP_HALF_COPIED,
	    .deed = publish_abc,
	    .says = "abc",
	    .holding = true },
	{ .place = STOP_COPIED,
	    .deed = publish_abc,
	    .says = "abc",
	    .holding = true },
	{ .place = STOP_COMMITTED,
	    .deed = publish_abc,
	    .says = "abc",
	    .holding = true,
	    .kept = true },
	{ .place = STOP_HALF_APPLIED,
	    .deed = publish_abc,
	    .says = "abc",
	    .holding = true,
	    .kept = true },
	{ .place = STOP_APPLIED,
	    .deed = publish_abc,
	    .says = "abc",
	    .holding = true,
	    .kept = true },
	{ .place = STOP_UNLOCKING,
	    .deed = publish_abc,
	    .says = "abc",
	    .holding = true,
	    .is_unsigned = true,
	    .kept = true },
	{ .place = STOP_BEFORE_WAKE,
	    .deed = publish_abc,
	    .says = "abc",
	    .kept = true },
	{ .place = STOP_HALF_WOKEN,
	    .deed = publish_abc,
	    .says = "abc",
	    .kept = true },
	{ .place = STOP_TOPIC_RETIRED, .deed = use_new_topic, .holding = true },
	{ .place = STOP_TOPIC_HALF_MADE,
	    .deed = use_new_topic,
	    .holding = true },
	{ .place = STOP_SUBSCRIBE_COUNTED,
	    .deed = subscribe,
	    .holding = true,
	    .subscribers = { 0, 1 } },
	{ .place = STOP_SUBSCRIBE_INTERESTED,
	    .deed = subscribe,
	    .holding = true,
	    .subscribers = { 0, 1 } },
	{ .place = STOP_UNSUBSCRIBE_COUNTED,
	    .deed = unsubscribe,
	    .subscribers = { 1, 0 } },
	{ .place = STOP_UNSUBSCRIBE_LOST,
	    .deed = unsubscribe,
	    .subscribers = { 1, 0 } },
	{ .place = STOP_ASLEEP,
	    .deed = sleep_and_be_woken,
	    .subscribers = { 1, 1 } },
	{ .place = STOP_SILENCED,
	    .deed = sleep_and_be_woken,
	    .subscribers = { 1, 1 } },
	{ .place = STOP_SLOT_HALF_CLEARED,
	    .deed = take_slot,
	    .subscribers = { 1, 0 } },
	{ .place = STOP_HALF_REPLAYED,
	    .deed = take_lock,
	    .says = "abc",
	    .after = STOP_COMMITTED,
	    .holding = true,
	    .kept = true },
	{ .place = STOP_INDEX_EMPTY,
	    .deed = take_lock,
	    .after = STOP_TOPIC_HALF_MADE,
	    .holding = true },
	{ .place = STOP_REPAIRED,
	    .deed = take_lock,
	    .says = "abc",
	    .after = STOP_HALF_APPLIED,
	    .holding = true,
	    .kept = true },
};

#define ROWS COUNT(rows)

/* Bring a child to a place. */
static pid_t
stop_point_arm(enum stop_place place, int (*deed)(void *arg))
{
	pid_t pid;

	atomic_store(
	    &t.seg.header->stop_point_arm, STOP_AT(place, STOP_WORKER(VICTIM)));
	pid = mp_spawn(deed, NULL);
	mp_wait_stopped(pid);
	assert_int_equal(
	    atomic_load(&t.seg.header->stop_point_arm), STOP_NOWHERE);
	assert_int_equal(atomic_load(&t.seg.header->stopped), pid);
	return pid;
}

/* Bring the victim of a row to its place. */
static pid_t
stop_point_reached(const struct row *row, struct watchdog *watchdog)
{
	watchdog_init(watchdog);
	for (unsigned i = 0; i < row->subscribers[0]; i++)
		topics_subscribe(&t.seg, silent, VICTIM);
	if (row->after != STOP_NOWHERE) {
		mp_kill(stop_point_arm(row->after,
		    row->says != NULL ? publish_abc : use_new_topic));
		assert_true(watchdog_bury(watchdog, &t.seg, VICTIM));
	}
	return stop_point_arm(row->place, row->deed);
}

/* The other worker says x and y; everybody has seen exactly `before', and then
 * these, and all is in order. */
static void
check_goes_on(const char *before)
{
	uint64_t seq[2] = { 0, 0 };
	char error[SEGMENT_ERROR_MAX], expected[16];
	size_t n;

	hand_publish(&ring, two, "\"x\"");
	hand_publish(&ring, one, "\"y\"");
	snprintf(expected, sizeof(expected), "%sxy", before);
	n = strlen(expected);
	assert_int_equal(reader_read(&reader), RING_OK);
	assert_int_equal(reader.batch.count, n);
	for (size_t i = 0; i < n; i++) {
		const struct ring_record *rec = &reader.batch.records[i];

		assert_int_equal(rec->body[1], expected[i]);
		assert_int_equal(rec->seq, ++seq[rec->topic == two]);
	}
	assert_int_equal(ring_topic_seq(&t.seg, one), seq[0]);
	assert_int_equal(ring_topic_seq(&t.seg, two), seq[1]);
	assert_int_equal(t.seg.header->making, 0);
	if (!ring_verify(&t.seg, error))
		fail_msg("%s", error);
}

static uint64_t
recoveries(void)
{
	uint64_t sum = 0;

	for (unsigned slot = 0; slot < WORKERS; slot++)
		sum += stats_get(
		    t.seg.workers[slot].counters, STATS_LOCK_RECOVERED);
	return sum;
}

/* It is dead and reaped: do as the supervisor and the successor do, and see
 * that the other goes on. */
static void
check_death(const struct row *row, struct watchdog *watchdog)
{
	struct pollfd bell = { .fd = wakeup.fd[SLEEPER], .events = POLLIN };

	assert_int_equal(watchdog_bury(watchdog, &t.seg, VICTIM),
	    row->holding && !row->is_unsigned);
	atomic_store(&t.seg.workers[VICTIM].state, WORKER_GONE);
	wakeup_ring_all(&wakeup);
	assert_int_equal(topics_subscribers(&t.seg, silent), 0);
	assert_int_equal(poll(&bell, 1, 0), 1);

	assert_int_equal(ring_lock(&ring), RING_OK); /* at the first try */
	ring_unlock(&ring);
	assert_int_equal(recoveries(), row->holding);
	check_goes_on(row->says != NULL && row->kept ? row->says : "");

	mp_join(mp_spawn(take_slot, NULL));
	atomic_store(&t.seg.workers[VICTIM].state, WORKER_READY);
	assert_int_equal(topics_subscribers(&t.seg, silent), 0);
	assert_int_equal(atomic_load(&t.seg.topics[silent].interest), 0);
	assert_int_equal(atomic_load(&t.seg.busy[0]),
	    UINT64_C(1) << one | UINT64_C(1) << two);
	assert_int_equal(atomic_load(&t.seg.workers[VICTIM].sleeping) % 2, 0);
}

static void
is_killed(void **state)
{
	const struct row *row = *state;
	struct watchdog watchdog;

	mp_kill(stop_point_reached(row, &watchdog));
	check_death(row, &watchdog);
}

static void
is_continued(void **state)
{
	const struct row *row = *state;
	enum watchdog_verdict verdict[LAYOUT_WORKERS];
	struct watchdog watchdog;
	pid_t pid = stop_point_reached(row, &watchdog);

	/* One look of the watchdog finds nothing yet: it needs two. */
	watchdog_look(&watchdog, &t.seg, WORKERS, verdict);
	assert_int_equal(verdict[VICTIM], WATCHDOG_FINE);
	/* Who needs the lock waits, for a while; who does not goes on. */
	assert_int_equal(ring_lock(&ring), row->holding ? RING_BUSY : RING_OK);
	if (!row->holding)
		ring_unlock(&ring);
	mp_continue(pid);
	mp_join(pid);
	assert_int_equal(ring_lock(&ring), RING_OK);
	ring_unlock(&ring);
	assert_int_equal(recoveries(), row->after != STOP_NOWHERE);
	assert_int_equal(
	    topics_subscribers(&t.seg, silent), row->subscribers[1]);
	check_goes_on(row->says != NULL ? row->says : "");
	for (unsigned i = 0; i < 2 * WATCHDOG_STILL_MAX; i++) {
		atomic_fetch_add(&t.seg.workers[VICTIM].beat, 1);
		watchdog_look(&watchdog, &t.seg, WORKERS, verdict);
		assert_int_equal(verdict[VICTIM], WATCHDOG_FINE);
	}
}

/* Look until the watchdog finds somebody.  The others beat meanwhile, and try
 * to have the lock. */
static unsigned
look_until_found(struct watchdog *watchdog, enum watchdog_verdict *found)
{
	enum watchdog_verdict verdict[LAYOUT_WORKERS];
	unsigned looks = 0;

	do {
		if (ring_lock(&ring) == RING_OK)
			ring_unlock(&ring);
		atomic_fetch_add(&t.seg.workers[OTHER].beat, 1);
		atomic_fetch_add(&t.seg.workers[SLEEPER].beat, 1);
		watchdog_look(watchdog, &t.seg, WORKERS, verdict);
		assert_int_equal(verdict[OTHER], WATCHDOG_FINE);
		assert_int_equal(verdict[SLEEPER], WATCHDOG_FINE);
		looks++;
	} while (verdict[VICTIM] == WATCHDOG_FINE);
	*found = verdict[VICTIM];
	return looks;
}

static void
hangs(void **state)
{
	const struct row *row = *state;
	struct watchdog watchdog;
	enum watchdog_verdict verdict;
	pid_t pid = stop_point_reached(row, &watchdog);
	unsigned looks = look_until_found(&watchdog, &verdict);

	if (row->holding && !row->is_unsigned) {
		assert_int_equal(verdict, WATCHDOG_HOLDS);
		assert_int_equal(looks, 2);
	} else {
		assert_int_equal(verdict, WATCHDOG_SILENT);
		assert_int_equal(looks, WATCHDOG_STILL_MAX);
	}
	mp_kill(pid);
	check_death(row, &watchdog);
}

/*
 * The supervisor looks whether a dead worker held the lock, and between its two
 * looks somebody takes the lock over.  The first look was at the dead one's
 * note once, which was not there yet, the second at the owner, who was another
 * by then: the death was not counted.
 */
static int
bury(void *arg)
{
	struct watchdog *watchdog = arg;

	stop_point_set_self(STOP_SUPERVISOR);
	MP_CHECK(watchdog_bury(watchdog, &t.seg, VICTIM));
	return 0;
}

static void
test_lock_taken_over_while_its_owner_is_buried(void **state)
{
	struct watchdog watchdog;
	pid_t pid;

	(void)state;
	watchdog_init(&watchdog);
	mp_kill(stop_point_arm(STOP_COMMITTED, publish_abc));
	atomic_store(&t.seg.header->stop_point_arm,
	    STOP_AT(STOP_BURYING, STOP_SUPERVISOR));
	pid = mp_spawn(bury, &watchdog);
	mp_wait_stopped(pid);
	assert_int_equal(ring_lock(&ring), RING_OK);
	mp_continue(pid);
	mp_join(pid);
	ring_unlock(&ring);
	assert_true(watchdog_bury(&watchdog, &t.seg, VICTIM));
	assert_false(watchdog_bury(&watchdog, &t.seg, VICTIM));
}

/* A supervisor dies while it begins a run: the next begins one as well. */
static int
begin_run(void *arg)
{
	(void)arg;
	stop_point_set_self(STOP_SUPERVISOR);
	store_begin_run(&t.seg, WORKERS, 1000);
	return 0;
}

static void
test_supervisor_killed_while_it_begins_a_run(void **state)
{
	pid_t pid;

	(void)state;
	hand_lock(&ring);
	ring_seal(&ring);
	ring_unlock(&ring);
	atomic_store(&t.seg.header->stop_point_arm,
	    STOP_AT(STOP_RUN_HALF_BEGUN, STOP_SUPERVISOR));
	pid = mp_spawn(begin_run, NULL);
	mp_wait_stopped(pid);
	mp_kill(pid);
	mp_join(mp_spawn(begin_run, NULL));
	assert_int_equal(topics_subscribers(&t.seg, one), 0);
	check_goes_on("");
}

/* The next supervisor, which repairs what a dead one left. */
static int
recover(void *arg)
{
	char error[SEGMENT_ERROR_MAX];

	(void)arg;
	stop_point_set_self(STOP_WORKER(VICTIM));
	MP_CHECK(ring_recover(&t.seg, error));
	return 0;
}

/* A writer dies, who repairs it dies in the middle, and so do two supervisors
 * that take the ring over: the third one has all of it. */
static void
test_deaths_inside_repairs(void **state)
{
	(void)state;
	mp_kill(stop_point_arm(STOP_HALF_APPLIED, publish_abc));
	mp_kill(stop_point_arm(STOP_HALF_REPLAYED, take_lock));
	mp_kill(stop_point_arm(STOP_HALF_REPLAYED, recover));
	mp_kill(stop_point_arm(STOP_HALF_REPLAYED, recover));
	mp_join(mp_spawn(recover, NULL));
	mp_join(mp_spawn(begin_run, NULL));
	check_goes_on("abc");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest others[] = {
	T(test_lock_taken_over_while_its_owner_is_buried),
	T(test_supervisor_killed_while_it_begins_a_run),
	T(test_deaths_inside_repairs),
};

static const struct {
	const char *name;
	CMUnitTestFunction run;
} columns[] = { { "is continued", is_continued }, { "is killed", is_killed },
	{ "hangs", hangs } };

#define COLUMNS COUNT(columns)
#define OTHERS  COUNT(others)

int
main(int argc, char **argv)
{
	static struct CMUnitTest tests[ROWS * COLUMNS + OTHERS];
	static char names[ROWS * COLUMNS][64];
	size_t n = 0;

	for (size_t i = 0; i < ROWS; i++)
		for (size_t k = 0; k < COLUMNS; k++, n++) {
			snprintf(names[n], sizeof(names[n]), "%s: %s",
			    stop_point_name(rows[i].place), columns[k].name);
			tests[n] = (struct CMUnitTest){ names[n],
				columns[k].run, setup, teardown,
				(void *)(uintptr_t)&rows[i] };
		}
	memcpy(&tests[n], others, sizeof(others));
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	suite_leave_out(tests, COUNT(tests), argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
