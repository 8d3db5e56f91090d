/* SPDX-License-Identifier: MIT */
/*
 * test_fault_aside.c - rings of a cluster that are given up, and what is done with
 * them when there are too many, or no room for another.
 */

#include "broker/cluster/bridge_args.h"
#include "broker/ring/ring_cluster.h"
#include "broker/ring/store.h"
#include "broker/supervisor/state.h"
#include "common/log.h"
#include "tests/fault/fault.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char name[32];
static char error[SEGMENT_ERROR_MAX];
static int log_fd;
static struct config config;
static struct supervisor s;

/* Begin as after a start: the segment is there, and so is a bridge. */
static int
setup(void **state)
{
	mp_setup(state);
	fault_disarm();
	snprintf(name, sizeof(name), "test-aside-%d", getpid());
	config = (struct config){ .workers = 1,
		.respawn = true,
		.cluster_count = 1,
		.ring_size = 64 * 1024,
		.max_topics = 16,
		.max_members = 16,
		.dedup_keys = 64 };
	strcpy(config.name, name);
	memset(&s, 0, sizeof(s));
	s.config = &config;
	s.claim = -1;
	s.phase = PHASE_SERVING;
	due_init(&s.due);
	log_fd = memfd_create("log", MFD_CLOEXEC);
	assert_int_not_equal(log_fd, -1);
	log_open("supervisor", log_fd, LOG_INFO);
	return 0;
}

static int
teardown(void **state)
{
	fault_disarm();
	log_open("test", STDERR_FILENO, LOG_INFO);
	close(log_fd);
	segment_close(&s.segment);
	if (s.claim != -1)
		close(s.claim);
	segment_unlink(name);
	segment_remove_asides(name);
	return mp_teardown(state);
}

/* How often the log says so. */
static unsigned
said(const char *what)
{
	static char text[16384];
	ssize_t n = pread(log_fd, text, sizeof(text) - 1, 0);
	unsigned count = 0;

	assert_true(n >= 0);
	text[n] = '\0';
	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		count++;
	return count;
}

static void
open_segment(void)
{
	if (supervisor_open_segment(&s, error) != EXIT_STATUS_OK)
		fail_msg("%s", error);
	store_begin_run(&s.segment, 1, 1000);
}

/* A client publishes, and the bridge gives the ring up. */
static void
give_up(void)
{
	struct ring worker;
	struct ring_msg msg;

	ring_attach(&worker, &s.segment, 0);
	msg = hand_msg(hand_topic(&worker, "t"), "\"a\"");
	msg.mark = &ring_to_outbox;
	hand_lock(&worker);
	assert_int_equal(ring_publish(&worker, &msg, 1), RING_OK);
	ring_unlock(&worker);
	ring_detach(&worker);
	s.bridge.gave_up = true;
}

static void
renew(void)
{
	if (!supervisor_renew_segment(&s, error))
		fail_msg("%s", error);
	store_begin_run(&s.segment, 1, 1000);
	s.bridge.gave_up = false;
}

static unsigned
count_asides(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++)
		count += segment_aside_size(name, i) > 0;
	return count;
}

/* Whether a ring of this epoch is among those set aside. */
static bool
is_aside(const char *epoch)
{
	struct segment seg;
	bool found = false;
	int fd;

	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++) {
		fd = segment_open_aside(name, i);
		if (fd == -1)
			continue;
		assert_int_equal(
		    segment_adopt(&seg, fd, name, error), SEGMENT_OK);
		found |= strcmp(seg.header->epoch, epoch) == 0;
		segment_close(&seg);
		close(fd);
	}
	return found;
}

static void
test_ring_that_is_given_up_is_kept(void **state)
{
	char epoch[LAYOUT_EPOCH + 1];

	(void)state;
	open_segment();
	strcpy(epoch, s.segment.header->epoch);
	atomic_store(&s.segment.header->cluster.counters[CLUSTER_SENT], 7);
	give_up();
	renew();
	assert_string_not_equal(s.segment.header->epoch, epoch);
	assert_true(is_aside(epoch));
	assert_int_equal(s.segment.header->cluster.counters[CLUSTER_SENT], 7);
	assert_true(segment_is_named(name, s.claim));
	assert_int_equal(said("is lost"), 0);
	/* It has nothing. */
	s.bridge.gave_up = true;
	renew();
	assert_int_equal(count_asides(), 1);
}

static void
test_ring_that_kills_workers_is_not_kept(void **state)
{
	(void)state;
	open_segment();
	give_up();
	s.bridge.gave_up = false;
	renew();
	assert_int_equal(count_asides(), 0);
}

/* No writer has left such words. */
static void
test_damaged_ring_is_not_kept(void **state)
{
	(void)state;
	open_segment();
	give_up();
	atomic_store(&s.segment.header->head, 8);
	renew();
	assert_int_equal(count_asides(), 0);
	assert_int_equal(said("is lost: ring positions out of order"), 1);
}

static void
test_fifth_ring_takes_the_place_of_the_first(void **state)
{
	char epochs[SEGMENT_ASIDE_MAX + 1][LAYOUT_EPOCH + 1];

	(void)state;
	open_segment();
	for (unsigned i = 0; i <= SEGMENT_ASIDE_MAX; i++) {
		assert_int_equal(count_asides(), i);
		assert_int_equal(said("is lost"), 0);
		strcpy(epochs[i], s.segment.header->epoch);
		give_up();
		renew();
	}
	assert_int_equal(count_asides(), SEGMENT_ASIDE_MAX);
	assert_int_equal(said("is lost: there are too many of them"), 1);
	assert_false(is_aside(epochs[0]));
	for (unsigned i = 1; i <= SEGMENT_ASIDE_MAX; i++)
		assert_true(is_aside(epochs[i]));
}

/* There is room for one ring and a part of another: that is only found out when the
 * other is put into memory in full. */
static void
test_ring_set_aside_makes_room(void **state)
{
	(void)state;
	open_segment();
	give_up();
	fault_arm(FAULT_posix_fallocate, 2, 1, ENOSPC);
	renew();
	assert_int_equal(fault_struck(FAULT_posix_fallocate), 1);
	assert_int_equal(count_asides(), 0);
	assert_int_equal(said("is lost: shared memory /pubsubd."), 1);
	assert_true(segment_is_named(name, s.claim));
}

/* There is none for one alone either; that is found out when it is made, or when it is
 * put into memory in full. */
static void
check_no_room(bool gives_up)
{
	open_segment();
	give_up();
	s.bridge.gave_up = gives_up;
	fault_arm(FAULT_posix_fallocate, 2, 100, ENOSPC);
	assert_false(supervisor_renew_segment(&s, error));
	assert_non_null(strstr(error, "no room for"));
	fault_disarm();
	supervisor_close_segment(&s);
	assert_int_equal(s.claim, -1);
	assert_int_equal(count_asides(), 0);
	assert_int_equal(segment_named_size(name), 0);
}

static void
test_without_room_for_any_all_ends(void **state)
{
	(void)state;
	check_no_room(true);
	check_no_room(false);
}

static void
test_without_room_for_any_none_can_be_kept(void **state)
{
	(void)state;
	config.keep_ring = true;
	check_no_room(true);
	check_no_room(false);
	s.has_history = true;
	check_no_room(true);
	check_no_room(false);
}

/* One that was killed had set a ring aside, and made no other yet. */
static void
test_ring_set_aside_makes_room_for_a_start(void **state)
{
	(void)state;
	open_segment();
	give_up();
	assert_true(supervisor_set_aside(&s));
	segment_close(&s.segment);
	close(s.claim);
	s.claim = -1;
	fault_arm(FAULT_posix_fallocate, 1, 1, ENOSPC);
	open_segment();
	assert_int_equal(count_asides(), 0);
	assert_int_equal(said("is lost: shared memory /pubsubd."), 1);
}

/* The bridge has said so, and the supervisor had not looked yet. */
static void
test_ring_that_is_needed_no_more_is_not_lost(void **state)
{
	(void)state;
	open_segment();
	give_up();
	renew();
	atomic_store(&s.segment.header->cluster.asides_done, 1);
	supervisor_close_segment(&s);
	assert_int_equal(count_asides(), 0);
	assert_int_equal(said("is lost"), 0);
}

static void
test_ring_that_is_needed_ends_with_a_stop(void **state)
{
	(void)state;
	open_segment();
	give_up();
	renew();
	supervisor_close_segment(&s);
	assert_int_equal(count_asides(), 0);
	assert_int_equal(said("is lost"), 1);
}

/* Whoever started the server waits to hear of it.  A start that failed removed the
 * ring, and what it had not sent. */
static void
test_ring_is_given_up_when_the_start_was_told(void **state)
{
	const int left = W_EXITCODE(BRIDGE_RENEW, 0);

	(void)state;
	open_segment();
	assert_true(wakeup_open(&s.wakeup, &s.segment, 1));
	s.phase = PHASE_STARTING;
	s.bridge.pid = 1;
	assert_true(supervisor_bridge_reaped(&s, 1, left, 1000));
	assert_int_equal(s.phase, PHASE_STARTING);
	assert_false(s.bridge.gave_up);
	assert_true(s.due.at[DUE_BRIDGE] < 1000 + 60000);
	s.phase = PHASE_SERVING;
	s.bridge.pid = 1;
	assert_true(supervisor_bridge_reaped(&s, 1, left, 2000));
	assert_int_equal(s.phase, PHASE_RENEWING);
	assert_true(s.bridge.gave_up);
	wakeup_close(&s.wakeup);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_ring_that_is_given_up_is_kept),
	TEST(test_ring_that_kills_workers_is_not_kept),
	TEST(test_damaged_ring_is_not_kept),
	TEST(test_fifth_ring_takes_the_place_of_the_first),
	TEST(test_ring_set_aside_makes_room),
	TEST(test_without_room_for_any_all_ends),
	TEST(test_without_room_for_any_none_can_be_kept),
	TEST(test_ring_set_aside_makes_room_for_a_start),
	TEST(test_ring_that_is_needed_no_more_is_not_lost),
	TEST(test_ring_that_is_needed_ends_with_a_stop),
	TEST(test_ring_is_given_up_when_the_start_was_told),
};

SUITE_MAIN(tests);
