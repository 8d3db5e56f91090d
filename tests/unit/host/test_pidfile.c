/* SPDX-License-Identifier: MIT */
/* test_pidfile.c - what broker/host/pidfile.h promises, with real processes: a lock
 * is always free for the process that has it. */

#include "broker/host/pidfile.h"
#include "broker/host/process.h"
#include "broker/shared/worker_args.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char directory[64];
static char path[96];
static char error[PIDFILE_ERROR_MAX];
static struct mp_gate locked, release;
static unsigned slots[] = { 0, 1, 2 };

static int
setup(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/test-pidfile.XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/test.pid", directory);
	mp_gate_open(&locked);
	mp_gate_open(&release);
	return mp_setup(state);
}

static int
teardown(void **state)
{
	int left = mp_teardown(state);

	mp_gate_close(&locked);
	mp_gate_close(&release);
	unlink(path);
	return rmdir(directory) == 0 ? left : -1;
}

/* A supervisor: has byte 0 until the gate is opened, and removes the file. */
static int
be_supervisor(void *arg)
{
	struct pidfile pidfile;
	pid_t holder;

	(void)arg;
	MP_CHECK(pidfile_lock(&pidfile, path, &holder, error) == PIDFILE_OK);
	mp_gate_give(&locked, 1);
	mp_gate_take(&release, 1);
	pidfile_remove(&pidfile);
	return 0;
}

/* A worker of a slot: has byte 1 and its own until the gate is opened. */
static int
be_worker(void *arg)
{
	struct pidfile pidfile = { path, open(path, O_RDWR | O_CREAT, 0600) };
	const unsigned *slot = arg;

	MP_CHECK(pidfile.fd != -1);
	MP_CHECK(pidfile_join(&pidfile, WORKER_LIVES_AT + (off_t)*slot));
	mp_gate_give(&locked, 1);
	mp_gate_take(&release, 1);
	return 0;
}

static void
test_locked_file_has_one_supervisor(void **state)
{
	pid_t pid = mp_spawn(be_supervisor, NULL);
	struct pidfile pidfile;
	pid_t holder = 0;

	(void)state;
	mp_gate_take(&locked, 1);
	assert_int_equal(
	    pidfile_lock(&pidfile, path, &holder, error), PIDFILE_HELD);
	assert_int_equal(holder, pid);
	mp_gate_give(&release, 1);
	mp_join(pid);
}

static void
test_file_of_a_killed_supervisor_is_taken_over(void **state)
{
	pid_t pid = mp_spawn(be_supervisor, NULL);
	struct pidfile pidfile;
	pid_t holder;

	(void)state;
	mp_gate_take(&locked, 1);
	mp_kill(pid);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(
	    pidfile_lock(&pidfile, path, &holder, error), PIDFILE_OK);
	pidfile_remove(&pidfile);
}

static void
test_removed_file_is_gone(void **state)
{
	struct pidfile pidfile;
	pid_t holder;

	(void)state;
	assert_int_equal(
	    pidfile_lock(&pidfile, path, &holder, error), PIDFILE_OK);
	pidfile_remove(&pidfile);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(errno, ENOENT);
}

static void
test_file_holds_the_number_and_no_old_digits(void **state)
{
	FILE *file = fopen(path, "w");
	struct pidfile pidfile;
	char text[64];
	pid_t holder;

	(void)state;
	assert_non_null(file);
	fprintf(file, "12345678901234567890\nand more\n");
	fclose(file);
	assert_int_equal(
	    pidfile_lock(&pidfile, path, &holder, error), PIDFILE_OK);
	assert_int_equal(pread(pidfile.fd, text, sizeof(text), 0),
	    snprintf(error, sizeof(error), "%d\n", getpid()));
	assert_int_equal(atoi(text), getpid());
	pidfile_remove(&pidfile);
}

static void
test_link_is_not_followed(void **state)
{
	char target[96];
	struct pidfile pidfile;
	pid_t holder;

	(void)state;
	snprintf(target, sizeof(target), "%s/target", directory);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(
	    pidfile_lock(&pidfile, path, &holder, error), PIDFILE_FAILED);
	assert_int_equal(access(target, F_OK), -1);
}

static void
test_what_is_no_plain_file_is_refused(void **state)
{
	struct pidfile pidfile;
	pid_t holder;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(
	    pidfile_lock(&pidfile, path, &holder, error), PIDFILE_FAILED);
	assert_non_null(strstr(error, "is not a plain file"));
}

static void
test_missing_directory_is_named(void **state)
{
	struct pidfile pidfile;
	pid_t holder;

	(void)state;
	assert_int_equal(
	    pidfile_lock(&pidfile, "/nowhere/at/all.pid", &holder, error),
	    PIDFILE_FAILED);
	assert_string_equal(
	    error, "pidfile /nowhere/at/all.pid: No such file or directory");
}

static void
test_look_tells_who_holds_what(void **state)
{
	struct pidfile_holders holders;
	pid_t supervisor, worker;

	(void)state;
	holders = pidfile_look(path);
	assert_int_equal(holders.supervisor, 0);
	assert_int_equal(holders.worker, 0);
	supervisor = mp_spawn(be_supervisor, NULL);
	worker = mp_spawn(be_worker, &slots[0]);
	mp_gate_take(&locked, 2);
	holders = pidfile_look(path);
	assert_int_equal(holders.supervisor, supervisor);
	assert_int_equal(holders.worker, worker);
	mp_kill(supervisor);
	holders = pidfile_look(path);
	assert_int_equal(holders.supervisor, 0);
	assert_int_equal(holders.worker, worker);
	mp_kill(worker);
}

static void
test_workers_share_their_byte(void **state)
{
	pid_t one = mp_spawn(be_worker, &slots[0]);
	pid_t two = mp_spawn(be_worker, &slots[1]);

	(void)state;
	mp_gate_take(&locked, 2);
	mp_kill(one);
	assert_int_equal(pidfile_look(path).worker, two);
	mp_kill(two);
	assert_int_equal(pidfile_look(path).worker, 0);
}

/* What orphans ask about each other: a lock tells, also of a dead child that
 * nobody has reaped. */
static void
test_each_worker_has_a_lock_that_ends_with_it(void **state)
{
	pid_t one = mp_spawn(be_worker, &slots[0]);
	pid_t two = mp_spawn(be_worker, &slots[1]);
	struct worker_args args = { .pidfile_fd = -1 };
	siginfo_t info;

	(void)state;
	mp_gate_take(&locked, 2);
	assert_true(worker_lives(&args, 2)); /* in doubt, yes */
	args.pidfile_fd = open(path, O_RDWR);
	assert_int_not_equal(args.pidfile_fd, -1);
	assert_true(worker_lives(&args, 0));
	assert_true(worker_lives(&args, 1));
	assert_false(worker_lives(&args, 2));
	assert_int_equal(kill(one, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)one, &info, WEXITED | WNOWAIT), 0);
	assert_false(worker_lives(&args, 0));
	assert_true(worker_lives(&args, 1));
	close(args.pidfile_fd);
	mp_join_killed(one, SIGKILL);
	mp_kill(two);
}

static void
test_wait_ends_with_the_last_worker(void **state)
{
	struct pidfile pidfile;
	pid_t worker[2], holder;
	int ended[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		worker[i] = mp_spawn(be_worker, &slots[i]);
	mp_gate_take(&locked, 2);
	assert_int_equal(
	    pidfile_lock(&pidfile, path, &holder, error), PIDFILE_OK);
	assert_false(pidfile_wait_workers(&pidfile, -1, 1));
	/* An end of a pipe that nobody writes to any more can be read. */
	assert_int_equal(pipe2(ended, O_CLOEXEC), 0);
	close(ended[1]);
	assert_false(
	    pidfile_wait_workers(&pidfile, ended[0], MP_SECONDS * 1000));
	close(ended[0]);
	mp_gate_give(&release, 2);
	assert_true(pidfile_wait_workers(&pidfile, -1, MP_SECONDS * 1000));
	pidfile_remove(&pidfile);
	for (int i = 0; i < 2; i++)
		mp_join(worker[i]);
}

static void
test_workers_that_do_not_leave_can_be_killed(void **state)
{
	struct pidfile pidfile;
	pid_t worker[3], holder;

	(void)state;
	for (int i = 0; i < 3; i++)
		worker[i] = mp_spawn(be_worker, &slots[i]);
	mp_gate_take(&locked, 3);
	assert_int_equal(kill(worker[1], SIGSTOP), 0);
	assert_int_equal(
	    pidfile_lock(&pidfile, path, &holder, error), PIDFILE_OK);
	assert_true(pidfile_kill_workers(&pidfile, MP_SECONDS * 1000));
	assert_int_equal(pidfile_look(path).worker, 0);
	pidfile_remove(&pidfile);
	for (int i = 0; i < 3; i++)
		mp_join_killed(worker[i], SIGKILL);
}

static void
test_handle_is_on_the_supervisor_then_on_a_worker(void **state)
{
	struct pidfile_holders holders;
	pid_t supervisor = mp_spawn(be_supervisor, NULL);
	pid_t worker = mp_spawn(be_worker, &slots[0]);
	int pidfd;

	(void)state;
	mp_gate_take(&locked, 2);
	pidfd = pidfile_open_holder(path, &holders);
	assert_int_not_equal(pidfd, -1);
	assert_true(process_signal(pidfd, SIGKILL));
	assert_true(process_wait(pidfd, MP_SECONDS * 1000));
	close(pidfd);
	mp_join_killed(supervisor, SIGKILL);

	pidfd = pidfile_open_holder(path, &holders);
	assert_int_equal(holders.supervisor, 0);
	assert_int_equal(holders.worker, worker);
	assert_false(process_wait(pidfd, 1));
	mp_kill(worker);
	assert_true(process_wait(pidfd, MP_SECONDS * 1000));
	close(pidfd);
	assert_int_equal(pidfile_open_holder(path, &holders), -1);
}

/* Another image of the process that took the lock: that of cat(1). */
static int
be_cat(void *arg)
{
	struct mp_gate *pipes = arg;
	struct pidfile pidfile;
	pid_t holder;

	MP_CHECK(pidfile_lock(&pidfile, path, &holder, error) == PIDFILE_OK);
	fcntl(pidfile.fd, F_SETFD, 0);
	dup2(pipes[0].fd[0], STDIN_FILENO);
	dup2(pipes[1].fd[1], STDOUT_FILENO);
	execlp("cat", "cat", (char *)NULL);
	return 127;
}

static void
test_lock_survives_execve(void **state)
{
	struct mp_gate pipes[2];
	pid_t pid;

	(void)state;
	mp_gate_open(&pipes[0]);
	mp_gate_open(&pipes[1]);
	pid = mp_spawn(be_cat, pipes);
	mp_gate_give(&pipes[0], 1);
	mp_gate_take(&pipes[1], 1); /* cat runs: it has passed it on */
	assert_int_equal(pidfile_look(path).supervisor, pid);
	mp_kill(pid);
	assert_int_equal(pidfile_look(path).supervisor, 0);
	mp_gate_close(&pipes[0]);
	mp_gate_close(&pipes[1]);
}

#define PIDFILE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	PIDFILE_TEST(test_locked_file_has_one_supervisor),
	PIDFILE_TEST(test_file_of_a_killed_supervisor_is_taken_over),
	PIDFILE_TEST(test_removed_file_is_gone),
	PIDFILE_TEST(test_file_holds_the_number_and_no_old_digits),
	PIDFILE_TEST(test_link_is_not_followed),
	PIDFILE_TEST(test_what_is_no_plain_file_is_refused),
	PIDFILE_TEST(test_missing_directory_is_named),
	PIDFILE_TEST(test_look_tells_who_holds_what),
	PIDFILE_TEST(test_workers_share_their_byte),
	PIDFILE_TEST(test_each_worker_has_a_lock_that_ends_with_it),
	PIDFILE_TEST(test_wait_ends_with_the_last_worker),
	PIDFILE_TEST(test_workers_that_do_not_leave_can_be_killed),
	PIDFILE_TEST(test_handle_is_on_the_supervisor_then_on_a_worker),
	PIDFILE_TEST(test_lock_survives_execve),
};

SUITE_MAIN(tests);
