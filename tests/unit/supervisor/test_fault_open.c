/* SPDX-License-Identifier: MIT */
/*
 * test_fault_open.c - parts of a server that the system refuses: what was
 * opened before is closed again, the name is gone from /dev/shm, and the reason
 * says which part and why.  mp_teardown() counts the descriptors.
 */

#include "broker/host/logfile.h"
#include "broker/ring/store.h"
#include "broker/shared/segment.h"
#include "broker/supervisor/state.h"
#include "broker/shared/wakeup.h"
#include "common/log.h"
#include "tests/fault/fault.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define RING_SIZE (64 * 1024)
#define TOPICS    16u

static char name[32];
static char file[48];
static char error[SEGMENT_ERROR_MAX];

static int
setup(void **state)
{
	fault_disarm();
	snprintf(name, sizeof(name), "test-fault-%d", getpid());
	snprintf(file, sizeof(file), "/tmp/%s", name);
	return mp_setup(state);
}

static int
teardown(void **state)
{
	fault_disarm();
	log_open("test", STDERR_FILENO, LOG_INFO);
	segment_unlink(name);
	unlink(file);
	return mp_teardown(state);
}

static void
check_error(const char *what, int err)
{
	if (strstr(error, what) == NULL || strstr(error, strerror(err)) == NULL)
		fail_msg(
		    "not \"%s\" and \"%s\" in: %s", what, strerror(err), error);
}

static void
check_no_segment(enum fault_call call, int err, const char *what)
{
	struct segment seg;
	int claim;

	fault_arm(call, 1, 1, err);
	assert_false(store_create(&seg, name,
	    &(struct segment_shape){
		.ring_size = RING_SIZE, .topics_max = TOPICS, .keys_max = 64 },
	    &claim, error));
	assert_int_equal(fault_struck(call), 1);
	check_error(what, err);
	assert_int_equal(
	    segment_attach(&seg, name, false, error), SEGMENT_MISSING);
}

static void
test_segment_that_cannot_be_had_is_not_left_behind(void **state)
{
	(void)state;
	check_no_segment(FAULT_shm_open, EMFILE, "cannot be created");
	check_no_segment(FAULT_shm_open, EACCES, "cannot be created");
	check_no_segment(FAULT_posix_fallocate, ENOSPC, "--ring-size");
	check_no_segment(FAULT_posix_fallocate, EFBIG, "/dev/shm");
	check_no_segment(FAULT_mmap, ENOMEM, "cannot be mapped");
}

static void
test_interrupted_allocation_is_made_again(void **state)
{
	struct segment seg;
	int claim;

	(void)state;
	fault_arm(FAULT_posix_fallocate, 1, 3, EINTR);
	assert_true(store_create(&seg, name,
	    &(struct segment_shape){
		.ring_size = RING_SIZE, .topics_max = TOPICS, .keys_max = 64 },
	    &claim, error));
	assert_int_equal(fault_struck(FAULT_posix_fallocate), 3);
	fault_arm(FAULT_posix_fallocate, 1, 3, EINTR);
	assert_true(segment_fill(&seg, claim, name, error));
	assert_int_equal(fault_struck(FAULT_posix_fallocate), 3);
	fault_arm(FAULT_posix_fallocate, 1, 1, ENOSPC);
	assert_false(segment_fill(&seg, claim, name, error));
	check_error("--ring-size", ENOSPC);
	segment_close(&seg);
	segment_remove(name, claim);
}

static void
test_next_segment_that_cannot_be_had_is_told(void **state)
{
	struct segment seg;
	int fd = segment_open_next(name, error);

	(void)state;
	assert_int_not_equal(fd, -1);
	fault_arm(FAULT_posix_fallocate, 2, 1, ENOSPC);
	assert_false(store_create_next(&seg, fd, name,
	    &(struct segment_shape){
		.ring_size = RING_SIZE, .topics_max = TOPICS, .keys_max = 64 },
	    error));
	check_error("--ring-size", ENOSPC);
	assert_null(seg.header);
	close(fd);
	segment_remove_next(name);
}

static void
test_segment_that_cannot_be_looked_at_is_no_missing_one(void **state)
{
	struct segment seg;
	int claim;

	(void)state;
	assert_true(store_create(&seg, name,
	    &(struct segment_shape){
		.ring_size = RING_SIZE, .topics_max = TOPICS, .keys_max = 64 },
	    &claim, error));
	segment_close(&seg);
	close(claim);
	fault_arm(FAULT_shm_open, 1, 1, EMFILE);
	assert_int_equal(segment_claim(name, &claim, error), SEGMENT_FAILED);
	check_error("cannot be opened", EMFILE);
	fault_arm(FAULT_shm_open, 1, 1, EMFILE);
	assert_int_equal(
	    segment_attach(&seg, name, true, error), SEGMENT_FAILED);
	check_error("cannot be opened", EMFILE);
	fault_arm(FAULT_mmap, 1, 1, ENOMEM);
	assert_int_equal(
	    segment_attach(&seg, name, true, error), SEGMENT_FAILED);
	check_error("cannot be mapped", ENOMEM);
	assert_int_equal(segment_attach(&seg, name, true, error), SEGMENT_OK);
	segment_close(&seg);
}

static void
test_doorbells_are_all_there_or_none(void **state)
{
	struct wakeup wakeup;
	struct testseg t;

	(void)state;
	testseg_open(&t, RING_SIZE, TOPICS);
	for (unsigned nth = 1; nth <= 4; nth++) {
		fault_arm(FAULT_eventfd, nth, 1, EMFILE);
		assert_false(wakeup_open(&wakeup, &t.seg, 4));
		assert_int_equal(errno, EMFILE);
		assert_int_equal(wakeup.count, 0);
	}
	testseg_close(&t);
}

static void
test_log_needs_its_pipe(void **state)
{
	struct logfile logfile;

	(void)state;
	fault_arm(FAULT_pipe2, 1, 2, EMFILE);
	assert_false(logfile_open(&logfile, file, -1, error));
	check_error("a pipe for the log", EMFILE);
	assert_false(logfile_open(&logfile, NULL, -1, error));
	check_error("a pipe for the log", EMFILE);
}

/* What was logged, and carried to the file. */
static const char *
logged(struct logfile *logfile)
{
	static char text[4096];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	logfile_carry(logfile);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
	return text;
}

static void
test_log_that_takes_half_a_line_gets_the_rest(void **state)
{
	struct logfile logfile;

	(void)state;
	assert_true(logfile_open(&logfile, file, -1, error));
	assert_int_equal(write(logfile.writer, "one line\n", 9), 9);
	fault_arm(FAULT_write, 1, 2, FAULT_SHORT);
	assert_string_equal(logged(&logfile), "one line\n");
	assert_int_equal(fault_struck(FAULT_write), 2);
	assert_int_equal(write(logfile.writer, "another\n", 8), 8);
	fault_arm(FAULT_write, 1, 1, EINTR);
	assert_string_equal(logged(&logfile), "one line\nanother\n");
	logfile_close(&logfile);
}

/* A disk that is full for a while: the lines that are lost are counted, and the
 * log says how many, once it can. */
static void
test_log_counts_what_it_cannot_write(void **state)
{
	struct logfile logfile;
	const char *text;

	(void)state;
	assert_true(logfile_open(&logfile, file, -1, error));
	log_open("test", logfile.writer, LOG_INFO);
	assert_int_equal(write(logfile.writer, "a\nb\nc\n", 6), 6);
	fault_arm(FAULT_write, 1, 1, ENOSPC);
	assert_string_equal(logged(&logfile), "");
	log_info("d");
	logged(&logfile);
	text = logged(&logfile);
	assert_non_null(strstr(text, ": d\n"));
	assert_non_null(strstr(text, "3 lines lost"));
	logfile_close(&logfile);
}

static void
test_line_that_the_pipe_does_not_take_is_counted(void **state)
{
	uint64_t before;

	(void)state;
	log_open("test", STDERR_FILENO, LOG_INFO);
	before = log_dropped();
	fault_arm(FAULT_write, 1, 1, EAGAIN);
	log_info("nobody hears this");
	assert_int_equal(log_dropped(), before + 1);
}

/* A worker whose whole life is its end. */
static int
leave_with_7(const struct worker_args *args)
{
	(void)args;
	return 7;
}

static void
supervisor_setup(struct supervisor *s, struct testseg *t)
{
	static struct config config = {
		.workers = 1, .respawn = true, .root = "/"
	};
	static const struct supervisor_args args = { .config = &config,
		.worker_main = leave_with_7 };
	pid_t holder;

	memset(s, 0, sizeof(*s));
	testseg_open(t, RING_SIZE, TOPICS);
	store_begin_run(&t->seg, 1, 1000);
	config.log_level = LOG_ERROR;
	s->args = &args;
	s->config = &config;
	s->root = -1;
	s->segment = t->seg;
	s->phase = PHASE_SERVING;
	due_init(&s->due);
	s->due.at[DUE_FORK] = 1;
	assert_true(wakeup_open(&s->wakeup, &s->segment, 1));
	assert_int_equal(pipe2(s->life, O_CLOEXEC), 0);
	s->state_fd = s->life[1];
	assert_true(logfile_open(&s->logfile, NULL, -1, error));
	assert_int_equal(
	    lockfile_take(&s->lockfile, file, &holder, error), LOCKFILE_OK);
	log_open("supervisor", s->logfile.writer, LOG_INFO);
}

static void
supervisor_teardown(struct supervisor *s, struct testseg *t)
{
	close(s->root);
	lockfile_release(&s->lockfile);
	close(s->logfile.reader);
	close(s->logfile.writer);
	close(s->logfile.fd);
	close(s->life[0]);
	close(s->life[1]);
	wakeup_close(&s->wakeup);
	testseg_close(t);
}

/* EAGAIN: the limit on processes.  Each try is later than the one before, and
 * the first one that the system grants is a worker. */
static void
test_fork_that_fails_is_tried_again_later(void **state)
{
	static struct supervisor s;
	struct testseg t;
	uint64_t now = 1000, waits[2];
	siginfo_t info;

	(void)state;
	supervisor_setup(&s, &t);
	fault_arm(FAULT_fork, 1, 2, EAGAIN);
	for (unsigned i = 0; i < 2; i++) {
		supervisor_fork_due(&s, now);
		assert_int_equal(fault_struck(FAULT_fork), i + 1);
		assert_int_equal(s.child[0].pid, 0);
		assert_int_equal(s.alive, 0);
		assert_int_equal(
		    atomic_load(&t.seg.workers[0].state), WORKER_GONE);
		waits[i] = s.due.at[DUE_FORK] - now;
		supervisor_fork_due(&s, s.due.at[DUE_FORK] - 1);
		assert_int_equal(fault_struck(FAULT_fork), i + 1);
		now = s.due.at[DUE_FORK];
	}
	assert_true(waits[1] > waits[0] && waits[0] > 0);

	supervisor_fork_due(&s, now);
	assert_int_equal(s.alive, 1);
	assert_int_equal(
	    waitid(P_PID, (id_t)s.child[0].pid, &info, WEXITED | WNOWAIT), 0);
	supervisor_reap(&s, now);
	assert_int_equal(s.alive, 0);
	assert_string_equal(t.seg.workers[0].last_death, "left with status 7");
	supervisor_teardown(&s, &t);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_segment_that_cannot_be_had_is_not_left_behind),
	TEST(test_interrupted_allocation_is_made_again),
	TEST(test_next_segment_that_cannot_be_had_is_told),
	TEST(test_segment_that_cannot_be_looked_at_is_no_missing_one),
	TEST(test_doorbells_are_all_there_or_none),
	TEST(test_log_needs_its_pipe),
	TEST(test_log_that_takes_half_a_line_gets_the_rest),
	TEST(test_log_counts_what_it_cannot_write),
	TEST(test_line_that_the_pipe_does_not_take_is_counted),
	TEST(test_fork_that_fails_is_tried_again_later),
};

SUITE_MAIN(tests);
