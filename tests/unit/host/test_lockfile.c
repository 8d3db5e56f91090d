/* SPDX-License-Identifier: MIT */
/* test_lockfile.c - what broker/host/lockfile.h promises, with real processes: a lock
 * is always free for the process that has it. */

#include "broker/host/lockfile.h"
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
static char error[LOCKFILE_ERROR_MAX];
static struct mp_gate locked, release;
static unsigned slots[] = { 0, 1, 2 };

static int
setup(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/test-lockfile.XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/test.lock", directory);
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

/* Who holds the locks. */
static struct lockfile_holders
look(const char *file)
{
	struct lockfile_holders holders;

	assert_true(lockfile_look(file, &holders, error));
	return holders;
}

/* A supervisor: has byte 0 until the gate is opened, and removes the file. */
static int
be_supervisor(void *arg)
{
	struct lockfile lockfile;
	pid_t holder;

	(void)arg;
	MP_CHECK(lockfile_take(&lockfile, path, &holder, error) == LOCKFILE_OK);
	mp_gate_give(&locked, 1);
	mp_gate_take(&release, 1);
	lockfile_release(&lockfile);
	return 0;
}

/* A worker of a slot: has byte 1 and its own until the gate is opened. */
static int
be_worker(void *arg)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	struct lockfile lockfile = { path, fd, fd };
	const unsigned *slot = arg;

	MP_CHECK(lockfile.fd != -1);
	MP_CHECK(lockfile_join(&lockfile, WORKER_LIVES_AT + (off_t)*slot));
	mp_gate_give(&locked, 1);
	mp_gate_take(&release, 1);
	return 0;
}

static void
test_locked_file_has_one_supervisor(void **state)
{
	pid_t pid = mp_spawn(be_supervisor, NULL);
	struct lockfile lockfile;
	pid_t holder = 0;

	(void)state;
	mp_gate_take(&locked, 1);
	assert_int_equal(
	    lockfile_take(&lockfile, path, &holder, error), LOCKFILE_HELD);
	assert_int_equal(holder, pid);
	mp_gate_give(&release, 1);
	mp_join(pid);
}

static void
test_file_of_a_killed_supervisor_is_taken_over(void **state)
{
	pid_t pid = mp_spawn(be_supervisor, NULL);
	struct lockfile lockfile;
	pid_t holder;

	(void)state;
	mp_gate_take(&locked, 1);
	mp_kill(pid);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(
	    lockfile_take(&lockfile, path, &holder, error), LOCKFILE_OK);
	lockfile_release(&lockfile);
}

static void
test_removed_file_is_gone(void **state)
{
	struct lockfile lockfile;
	pid_t holder;

	(void)state;
	assert_int_equal(
	    lockfile_take(&lockfile, path, &holder, error), LOCKFILE_OK);
	lockfile_release(&lockfile);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(errno, ENOENT);
}

static void
test_file_of_another_user_is_refused_whoever_locks_it(void **state)
{
	struct lockfile_holders holders;
	struct lockfile lockfile;
	pid_t holder;

	(void)state;
	if (geteuid() != 0)
		skip(); /* nobody else could make one */
	assert_int_equal(close(open(path, O_RDWR | O_CREAT, 0600)), 0);
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_int_equal(
	    lockfile_take(&lockfile, path, &holder, error), LOCKFILE_FAILED);
	assert_non_null(strstr(error, "test.lock belongs to another user"));
	assert_false(lockfile_look(path, &holders, error));
	assert_non_null(strstr(error, "test.lock belongs to another user"));
	assert_int_equal(lockfile_open_holder(path, &holders, error), -1);
	assert_non_null(strstr(error, "belongs to another user"));
	assert_false(lockfile_take_left(&lockfile, path));
}

/* Whoever can open it to read can hold a shared lock on any byte. */
static void
test_file_that_others_can_open_is_refused(void **state)
{
	pid_t pid = mp_spawn(be_worker, &slots[0]);
	struct lockfile_holders holders;
	struct lockfile lockfile;
	pid_t holder;

	(void)state;
	mp_gate_take(&locked, 1);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(
	    lockfile_take(&lockfile, path, &holder, error), LOCKFILE_FAILED);
	assert_non_null(strstr(error, "its mode must be 0600"));
	assert_false(lockfile_look(path, &holders, error));
	assert_int_equal(holders.worker, 0);
	assert_int_equal(lockfile_open_holder(path, &holders, error), -1);
	mp_kill(pid);
}

/* Whether the file can be opened so; if not, errno says why. */
static bool
can_open(int flags)
{
	int fd = open(path, flags);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

/* Be somebody else, and try to lock the file of the supervisor that runs. */
static int
be_stranger(void *arg)
{
	(void)arg;
	MP_CHECK(setgid(12345) == 0 && setuid(12345) == 0);
	MP_CHECK(!can_open(O_RDONLY) && errno == EACCES);
	MP_CHECK(!can_open(O_RDWR) && errno == EACCES);
	return 0;
}

static void
test_stranger_cannot_lock_it(void **state)
{
	struct lockfile lockfile;
	pid_t holder;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(directory, 0755), 0); /* as /var/log/pubsubd */
	umask(0);
	assert_int_equal(
	    lockfile_take(&lockfile, path, &holder, error), LOCKFILE_OK);
	mp_join(mp_spawn(be_stranger, NULL));
	lockfile_release(&lockfile);
}

static void
test_what_a_killed_server_left_can_be_cleared_away(void **state)
{
	struct lockfile lockfile;
	pid_t supervisor, worker;

	(void)state;
	assert_false(lockfile_take_left(&lockfile, path)); /* nothing left */
	assert_int_equal(access(path, F_OK), -1);
	supervisor = mp_spawn(be_supervisor, NULL);
	worker = mp_spawn(be_worker, &slots[0]);
	mp_gate_take(&locked, 2);
	assert_false(lockfile_take_left(&lockfile, path));
	mp_kill(supervisor);
	assert_false(lockfile_take_left(&lockfile, path)); /* a worker lives */
	mp_kill(worker);
	assert_true(lockfile_take_left(&lockfile, path));
	lockfile_release(&lockfile);
	assert_int_equal(access(path, F_OK), -1);
}

/* Another process sees that our parent has byte 0. */
static int
see_supervisor(void *arg)
{
	struct lockfile_holders holders;

	(void)arg;
	MP_CHECK(lockfile_look(path, &holders, error));
	MP_CHECK(holders.supervisor == getppid());
	return 0;
}

/* Removed by hand: made anew, and the worker's lock is on the old one still. */
static void
test_file_that_was_removed_is_made_anew(void **state)
{
	struct lockfile lockfile;
	pid_t holder, worker = mp_spawn(be_worker, &slots[0]);

	(void)state;
	mp_gate_take(&locked, 1);
	assert_int_equal(
	    lockfile_take(&lockfile, path, &holder, error), LOCKFILE_OK);
	for (int i = 0; i < 2; i++) {
		unlink(path);
		assert_true(lockfile_renew(&lockfile, error));
		assert_true(lockfile_is_named(&lockfile));
		assert_int_not_equal(lockfile.fd, lockfile.workers_fd);
	}
	mp_join(mp_spawn(see_supervisor, NULL));
	mp_kill(worker);
	lockfile_begin_run(&lockfile);
	lockfile_release(&lockfile);
	assert_int_equal(access(path, F_OK), -1);
}

/* Removed by hand, and made anew by another server: each lets go of its own. */
static void
test_file_that_was_replaced_is_left_alone(void **state)
{
	struct lockfile lockfile;
	pid_t holder, other;

	(void)state;
	assert_int_equal(
	    lockfile_take(&lockfile, path, &holder, error), LOCKFILE_OK);
	assert_true(lockfile_is_named(&lockfile));
	unlink(path);
	assert_false(lockfile_is_named(&lockfile));
	other = mp_spawn(be_supervisor, NULL);
	mp_gate_take(&locked, 1);
	assert_false(lockfile_is_named(&lockfile));
	lockfile_release(&lockfile);
	assert_int_equal(look(path).supervisor, other);
	mp_kill(other);
}

static void
test_link_is_not_followed(void **state)
{
	char target[96];
	struct lockfile lockfile;
	pid_t holder;

	(void)state;
	snprintf(target, sizeof(target), "%s/target", directory);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(
	    lockfile_take(&lockfile, path, &holder, error), LOCKFILE_FAILED);
	assert_int_equal(access(target, F_OK), -1);
}

static void
test_what_is_no_plain_file_is_refused(void **state)
{
	struct lockfile lockfile;
	pid_t holder;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(
	    lockfile_take(&lockfile, path, &holder, error), LOCKFILE_FAILED);
	assert_non_null(strstr(error, "is not a plain file"));
}

static void
test_missing_directory_is_named(void **state)
{
	struct lockfile lockfile;
	pid_t holder;

	(void)state;
	assert_int_equal(
	    lockfile_take(&lockfile, "/nowhere/at/all.lock", &holder, error),
	    LOCKFILE_FAILED);
	assert_string_equal(
	    error, "lock file /nowhere/at/all.lock: No such file or directory");
}

static void
test_look_tells_who_holds_what(void **state)
{
	struct lockfile_holders holders;
	pid_t supervisor, worker;

	(void)state;
	holders = look(path);
	assert_int_equal(holders.supervisor, 0);
	assert_int_equal(holders.worker, 0);
	supervisor = mp_spawn(be_supervisor, NULL);
	worker = mp_spawn(be_worker, &slots[0]);
	mp_gate_take(&locked, 2);
	holders = look(path);
	assert_int_equal(holders.supervisor, supervisor);
	assert_int_equal(holders.worker, worker);
	mp_kill(supervisor);
	holders = look(path);
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
	assert_int_equal(look(path).worker, two);
	mp_kill(two);
	assert_int_equal(look(path).worker, 0);
}

/* What orphans ask about each other: a lock tells, also of a dead child that
 * nobody has reaped. */
static void
test_each_worker_has_a_lock_that_ends_with_it(void **state)
{
	pid_t one = mp_spawn(be_worker, &slots[0]);
	pid_t two = mp_spawn(be_worker, &slots[1]);
	struct worker_args args = { .lock_fd = -1 };
	siginfo_t info;

	(void)state;
	mp_gate_take(&locked, 2);
	assert_true(worker_lives(&args, 2)); /* in doubt, yes */
	args.lock_fd = open(path, O_RDWR);
	assert_int_not_equal(args.lock_fd, -1);
	assert_true(worker_lives(&args, 0));
	assert_true(worker_lives(&args, 1));
	assert_false(worker_lives(&args, 2));
	assert_int_equal(kill(one, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)one, &info, WEXITED | WNOWAIT), 0);
	assert_false(worker_lives(&args, 0));
	assert_true(worker_lives(&args, 1));
	close(args.lock_fd);
	mp_join_killed(one, SIGKILL);
	mp_kill(two);
}

static void
test_wait_ends_with_the_last_worker(void **state)
{
	struct lockfile lockfile;
	pid_t worker[2], holder;
	int ended[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		worker[i] = mp_spawn(be_worker, &slots[i]);
	mp_gate_take(&locked, 2);
	assert_int_equal(
	    lockfile_take(&lockfile, path, &holder, error), LOCKFILE_OK);
	assert_false(lockfile_wait_workers(&lockfile, -1, 1));
	/* An end of a pipe that nobody writes to any more can be read. */
	assert_int_equal(pipe2(ended, O_CLOEXEC), 0);
	close(ended[1]);
	assert_false(
	    lockfile_wait_workers(&lockfile, ended[0], MP_SECONDS * 1000));
	close(ended[0]);
	mp_gate_give(&release, 2);
	assert_true(lockfile_wait_workers(&lockfile, -1, MP_SECONDS * 1000));
	lockfile_release(&lockfile);
	for (int i = 0; i < 2; i++)
		mp_join(worker[i]);
}

static void
test_workers_that_do_not_leave_can_be_killed(void **state)
{
	struct lockfile lockfile;
	pid_t worker[3], holder;

	(void)state;
	for (int i = 0; i < 3; i++)
		worker[i] = mp_spawn(be_worker, &slots[i]);
	mp_gate_take(&locked, 3);
	assert_int_equal(kill(worker[1], SIGSTOP), 0);
	assert_int_equal(
	    lockfile_take(&lockfile, path, &holder, error), LOCKFILE_OK);
	assert_true(lockfile_kill_workers(&lockfile, MP_SECONDS * 1000));
	assert_int_equal(look(path).worker, 0);
	lockfile_release(&lockfile);
	for (int i = 0; i < 3; i++)
		mp_join_killed(worker[i], SIGKILL);
}

static void
test_handle_is_on_the_supervisor_then_on_a_worker(void **state)
{
	struct lockfile_holders holders;
	pid_t supervisor = mp_spawn(be_supervisor, NULL);
	pid_t worker = mp_spawn(be_worker, &slots[0]);
	int pidfd;

	(void)state;
	mp_gate_take(&locked, 2);
	pidfd = lockfile_open_holder(path, &holders, error);
	assert_int_not_equal(pidfd, -1);
	assert_true(process_signal(pidfd, SIGKILL));
	assert_true(process_wait(pidfd, MP_SECONDS * 1000));
	close(pidfd);
	mp_join_killed(supervisor, SIGKILL);

	pidfd = lockfile_open_holder(path, &holders, error);
	assert_int_equal(holders.supervisor, 0);
	assert_int_equal(holders.worker, worker);
	assert_false(process_wait(pidfd, 1));
	mp_kill(worker);
	assert_true(process_wait(pidfd, MP_SECONDS * 1000));
	close(pidfd);
	assert_int_equal(lockfile_open_holder(path, &holders, error), -1);
}

/* Another image of the process that took the lock: that of cat(1). */
static int
be_cat(void *arg)
{
	struct mp_gate *pipes = arg;
	struct lockfile lockfile;
	pid_t holder;

	MP_CHECK(lockfile_take(&lockfile, path, &holder, error) == LOCKFILE_OK);
	fcntl(lockfile.fd, F_SETFD, 0);
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
	assert_int_equal(look(path).supervisor, pid);
	mp_kill(pid);
	assert_int_equal(look(path).supervisor, 0);
	mp_gate_close(&pipes[0]);
	mp_gate_close(&pipes[1]);
}

#define LOCKFILE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	LOCKFILE_TEST(test_locked_file_has_one_supervisor),
	LOCKFILE_TEST(test_file_of_a_killed_supervisor_is_taken_over),
	LOCKFILE_TEST(test_removed_file_is_gone),
	LOCKFILE_TEST(test_file_of_another_user_is_refused_whoever_locks_it),
	LOCKFILE_TEST(test_file_that_others_can_open_is_refused),
	LOCKFILE_TEST(test_stranger_cannot_lock_it),
	LOCKFILE_TEST(test_what_a_killed_server_left_can_be_cleared_away),
	LOCKFILE_TEST(test_file_that_was_removed_is_made_anew),
	LOCKFILE_TEST(test_file_that_was_replaced_is_left_alone),
	LOCKFILE_TEST(test_link_is_not_followed),
	LOCKFILE_TEST(test_what_is_no_plain_file_is_refused),
	LOCKFILE_TEST(test_missing_directory_is_named),
	LOCKFILE_TEST(test_look_tells_who_holds_what),
	LOCKFILE_TEST(test_workers_share_their_byte),
	LOCKFILE_TEST(test_each_worker_has_a_lock_that_ends_with_it),
	LOCKFILE_TEST(test_wait_ends_with_the_last_worker),
	LOCKFILE_TEST(test_workers_that_do_not_leave_can_be_killed),
	LOCKFILE_TEST(test_handle_is_on_the_supervisor_then_on_a_worker),
	LOCKFILE_TEST(test_lock_survives_execve),
};

SUITE_MAIN(tests);
