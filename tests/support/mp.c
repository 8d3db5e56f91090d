/* SPDX-License-Identifier: MIT */
/* mp.c - see mp.h. */

#include "tests/support/mp.h"

#include "common/bug.h"
#include "tests/support/suite.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

#define MP_CHILDREN 64 /* at a time */

static struct {
	pid_t children[MP_CHILDREN]; /* not yet reaped; 0: free place */
	volatile sig_atomic_t expired;
	pid_t test; /* the process that runs the tests */
	int fds;    /* open before the test */
} mp_state;

static int
mp_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	CHECK(dir != NULL);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void
mp_alarm_cb(int signo)
{
	(void)signo;
	mp_state.expired = 1;
}

/* Rings again every second, so that no wait can begin unnoticed after it. */
static void
mp_set_alarm(time_t seconds)
{
	struct itimerval timer = { .it_value.tv_sec = seconds,
		.it_interval.tv_sec = seconds != 0 };

	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

int
mp_setup(void **state)
{
	struct sigaction action = { .sa_handler = mp_alarm_cb };

	(void)state;
	mp_state.expired = 0;
	mp_state.test = getpid();
	mp_state.fds = mp_count_fds();
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	mp_set_alarm(MP_SECONDS);
	return 0;
}

/* Note a child under its pid, or that it was reaped (old pid, new 0). */
static void
mp_note(pid_t old, pid_t new)
{
	int i = 0;

	while (i < MP_CHILDREN && mp_state.children[i] != old)
		i++;
	CHECK(i < MP_CHILDREN);
	mp_state.children[i] = new;
}

/* End what a failed test left.  Returns how many there were. */
static int
mp_remove_children(void)
{
	int left = 0;

	for (int i = 0; i < MP_CHILDREN; i++) {
		pid_t pid = mp_state.children[i];

		if (pid == 0)
			continue;
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			;
		mp_state.children[i] = 0;
		left++;
	}
	return left;
}

int
mp_teardown(void **state)
{
	int left = mp_remove_children();
	int fds = mp_count_fds() - mp_state.fds;

	(void)state;
	mp_set_alarm(0);
	if (left != 0)
		print_error("the test left %d children behind\n", left);
	if (fds != 0)
		print_error("the test left %d descriptors behind\n", fds);
	return left != 0 || fds != 0 ? -1 : 0;
}

bool
mp_expired(void)
{
	return mp_state.expired != 0;
}

pid_t
mp_spawn(int (*run)(void *arg), void *arg)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid != 0) {
		mp_note(0, pid);
		return pid;
	}
	CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	if (getppid() != parent)
		_exit(1);
	signal(SIGALRM, SIG_DFL);
	alarm(MP_SECONDS);
	_exit(run(arg));
}

/* waitpid(2) that ends with the test's time. */
static int
mp_wait(pid_t pid, int options)
{
	int status;
	pid_t got;

	do
		got = waitpid(pid, &status, options);
	while (got == -1 && errno == EINTR && !mp_expired());
	if (got == -1)
		fail_msg("no news from child %d: %s", pid, strerror(errno));
	if (!WIFSTOPPED(status))
		mp_note(pid, 0);
	return status;
}

void
mp_wait_stopped(pid_t pid)
{
	int status = mp_wait(pid, WUNTRACED);

	if (!WIFSTOPPED(status))
		fail_msg("child %d did not stop, but ended: %#x", pid, status);
}

void
mp_continue(pid_t pid)
{
	assert_int_equal(kill(pid, SIGCONT), 0);
}

void
mp_join_killed(pid_t pid, int signo)
{
	int status = mp_wait(pid, 0);

	if (!WIFSIGNALED(status) || WTERMSIG(status) != signo)
		fail_msg("child %d did not die of signal %d: %#x", pid, signo,
		    status);
}

void
mp_kill(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	mp_join_killed(pid, SIGKILL);
}

void
mp_join(pid_t pid)
{
	int status = mp_wait(pid, 0);

	if (status != 0)
		fail_msg("child %d ended with %#x", pid, status);
}

void *
mp_share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

void
mp_unshare(void *memory, size_t size)
{
	CHECK(munmap(memory, size) == 0);
}

void
mp_gate_open(struct mp_gate *gate)
{
	CHECK(pipe(gate->fd) == 0);
}

void
mp_gate_close(struct mp_gate *gate)
{
	close(gate->fd[0]);
	close(gate->fd[1]);
}

void
mp_gate_give(const struct mp_gate *gate, unsigned n)
{
	for (; n > 0; n--)
		CHECK(write(gate->fd[1], "", 1) == 1);
}

/* Fail if a child has ended badly: what is waited for will not come. */
static void
mp_look_after_children(void)
{
	for (int i = 0; i < MP_CHILDREN; i++) {
		siginfo_t info = { 0 };

		if (mp_state.children[i] != 0 &&
		    waitid(P_PID, (id_t)mp_state.children[i], &info,
			WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid != 0 && info.si_status != 0)
			fail_msg("child %d ended with %d", info.si_pid,
			    info.si_status);
	}
}

void
mp_gate_take(const struct mp_gate *gate, unsigned n)
{
	struct pollfd fd = { .fd = gate->fd[0], .events = POLLIN };
	bool child = getpid() != mp_state.test;
	char pass;

	while (n > 0) {
		if (poll(&fd, 1, child ? -1 : 100) == 1) {
			CHECK(read(fd.fd, &pass, 1) == 1);
			n--;
			continue;
		}
		mp_look_after_children();
		if (mp_expired())
			fail_msg("nobody came through the gate");
	}
}
