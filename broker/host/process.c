/* SPDX-License-Identifier: MIT */
/* process.c - see process.h; two of the system calls have no name in the C
 * library everywhere yet. */

#include "broker/host/process.h"

#include "common/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int
process_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

bool
process_order(int pidfd, int sig, int order)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = sig;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_int = order;
	return syscall(SYS_pidfd_send_signal, pidfd, sig, &info, 0) == 0;
}

bool
process_signal(int pidfd, int sig)
{
	return process_order(pidfd, sig, PROCESS_COMMAND);
}

pid_t
process_own_number(pid_t pid)
{
	char path[32], *line = NULL;
	size_t size = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	status = fopen(path, "re");
	while (status != NULL && getline(&line, &size, status) != -1)
		/* Its numbers from our namespace down to its own. */
		if (strncmp(line, "NSpid:", strlen("NSpid:")) == 0)
			pid = (pid_t)atoi(strrchr(line, '\t'));
	free(line);
	if (status != NULL)
		fclose(status);
	return pid;
}

bool
process_wait(int pidfd, uint64_t timeout_ms)
{
	return process_wait_unless(pidfd, -1, timeout_ms);
}

bool
process_wait_unless(int pidfd, int fd, uint64_t timeout_ms)
{
	uint64_t deadline = clock_monotonic_ms() + timeout_ms;
	struct pollfd fds[] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};

	for (;;) {
		uint64_t now = clock_monotonic_ms();
		uint64_t left = deadline > now ? deadline - now : 0;
		int n = poll(fds, 2, left > INT_MAX ? INT_MAX : (int)left);

		if (n > 0)
			return fds[0].revents != 0;
		if (n == 0 && left == 0)
			return false;
		if (n == -1 && errno != EINTR)
			return false;
	}
}

const char *
process_describe_end(int wait_status, char out[PROCESS_END_MAX])
{
	if (WIFSIGNALED(wait_status))
		snprintf(out, PROCESS_END_MAX, "was killed by SIG%s",
		    sigabbrev_np(WTERMSIG(wait_status)));
	else
		snprintf(out, PROCESS_END_MAX, "left with status %d",
		    WEXITSTATUS(wait_status));
	return out;
}
