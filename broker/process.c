/* SPDX-License-Identifier: MIT */
/* process.c - three system calls that the C library has no names for everywhere
 * yet; see process.h. */

#include "broker/process.h"

#include "common/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int
process_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

bool
process_signal(int pidfd, int sig)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = sig;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_int = PROCESS_COMMAND;
	return syscall(SYS_pidfd_send_signal, pidfd, sig, &info, 0) == 0;
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
