/* SPDX-License-Identifier: MIT */
/*
 * fault.c - see fault.h.
 *
 * libev is a shared library, which --wrap does not reach: epoll's functions are
 * defined here by their own names, and the dynamic linker takes these.
 */

#include "tests/fault/fault.h"

#include "common/bug.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL_SIGSET_SIZE 8 /* bytes, of epoll_pwait(2) */

struct fault {
	unsigned nth, times;
	int err;
	_Atomic unsigned seen; /* calls since it was armed */
};

static struct fault fault_own[FAULT_CALLS_COUNT];

static struct {
	struct fault *of; /* [FAULT_CALLS_COUNT] */
	pid_t executed;   /* 0: nobody is spared */
	bool in_children; /* or in the one that was executed */
} faults = { .of = fault_own };

/* clang-format off */
#define FAULT_DECLARE(type, name, ...) \
	type __real_##name(__VA_ARGS__);   \
	type __wrap_##name(__VA_ARGS__)
/* clang-format on */

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-*): the linker's names */
FAULT_DECLARE(int, main, int, char **);
FAULT_DECLARE(void *, malloc, size_t);
FAULT_DECLARE(void *, calloc, size_t, size_t);
FAULT_DECLARE(void *, realloc, void *, size_t);
FAULT_DECLARE(void *, reallocarray, void *, size_t, size_t);
FAULT_DECLARE(void *, mmap, void *, size_t, int, int, int, off_t);
FAULT_DECLARE(int, shm_open, const char *, int, mode_t);
FAULT_DECLARE(int, posix_fallocate, int, off_t, off_t);
FAULT_DECLARE(int, eventfd, unsigned, int);
FAULT_DECLARE(int, signalfd, int, const sigset_t *, int);
FAULT_DECLARE(int, pipe2, int *, int);
FAULT_DECLARE(pid_t, fork, void);
FAULT_DECLARE(int, socket, int, int, int);
FAULT_DECLARE(int, ftruncate, int, off_t);
FAULT_DECLARE(int, fcntl, int, int, ...);
FAULT_DECLARE(int, accept4, int, struct sockaddr *, socklen_t *, int);
FAULT_DECLARE(ssize_t, recv, int, void *, size_t, int);
FAULT_DECLARE(ssize_t, send, int, const void *, size_t, int);
FAULT_DECLARE(ssize_t, sendmsg, int, const struct msghdr *, int);
FAULT_DECLARE(ssize_t, write, int, const void *, size_t);

void
fault_arm(enum fault_call call, unsigned nth, unsigned times, int err)
{
	struct fault *fault = &faults.of[call];

	fault->nth = nth;
	fault->times = times;
	fault->err = err;
	atomic_store(&fault->seen, 0);
}

void
fault_disarm(void)
{
	for (int i = 0; i < FAULT_CALLS_COUNT; i++)
		faults.of[i].times = 0;
}

unsigned
fault_struck(enum fault_call call)
{
	const struct fault *fault = &faults.of[call];
	unsigned seen = atomic_load(&fault->seen);
	unsigned struck = seen < fault->nth ? 0 : seen - fault->nth + 1;

	return struck < fault->times ? struck : fault->times;
}

/* Whether this call is one that fails; errno is set then. */
static bool
fault_strikes(enum fault_call call)
{
	struct fault *fault = &faults.of[call];
	unsigned n;

	if (fault->times == 0)
		return false;
	if (faults.executed != 0 &&
	    faults.in_children == (getpid() == faults.executed))
		return false;
	n = atomic_fetch_add(&fault->seen, 1) + 1;
	if (n < fault->nth || n - fault->nth >= fault->times)
		return false;
	errno = fault->err;
	return true;
}

/* The same for a call that moves *len bytes, which may also be cut short.
 * Returns whether it fails. */
static bool
fault_strikes_transfer(enum fault_call call, size_t *len)
{
	if (!fault_strikes(call))
		return false;
	if (faults.of[call].err != FAULT_SHORT)
		return true;
	*len = (*len + 1) / 2;
	return false;
}

static void
fault_from_environment(void)
{
	static const char *const names[] = {
#define FAULT_NAME(name) #name,
		FAULT_CALLS(FAULT_NAME)
#undef FAULT_NAME
	};
	const char *text = getenv("FAULT");
	char who[8], name[32];
	unsigned nth, times;
	int err, call = 0;

	if (text == NULL)
		return;
	CHECK(sscanf(text, "%7s %31s %u %u %d", who, name, &nth, &times,
		  &err) == 5);
	while (strcmp(names[call], name) != 0)
		CHECK(++call < FAULT_CALLS_COUNT);
	faults.of = __real_mmap(NULL, sizeof(fault_own), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(faults.of != MAP_FAILED);
	faults.executed = getpid();
	faults.in_children = strcmp(who, "child") == 0;
	fault_arm((enum fault_call)call, nth, times, err);
}

/* Not sooner: what a sanitizer or a counter of lines does at the start of a
 * program is linked into it like the rest. */
int
__wrap_main(int argc, char **argv)
{
	fault_from_environment();
	return __real_main(argc, argv);
}

void *
__wrap_malloc(size_t size)
{
	return fault_strikes(FAULT_malloc) ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fault_strikes(FAULT_calloc) ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return fault_strikes(FAULT_realloc) ? NULL : __real_realloc(old, size);
}

void *
__wrap_reallocarray(void *old, size_t n, size_t size)
{
	return fault_strikes(FAULT_reallocarray)
	           ? NULL
	           : __real_reallocarray(old, n, size);
}

void *
__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	return fault_strikes(FAULT_mmap)
	           ? MAP_FAILED
	           : __real_mmap(at, size, prot, flags, fd, offset);
}

int
__wrap_shm_open(const char *name, int flags, mode_t mode)
{
	return fault_strikes(FAULT_shm_open)
	           ? -1
	           : __real_shm_open(name, flags, mode);
}

/* The error is what this one returns. */
int
__wrap_posix_fallocate(int fd, off_t offset, off_t size)
{
	return fault_strikes(FAULT_posix_fallocate)
	           ? errno
	           : __real_posix_fallocate(fd, offset, size);
}

int
__wrap_eventfd(unsigned value, int flags)
{
	return fault_strikes(FAULT_eventfd) ? -1 : __real_eventfd(value, flags);
}

int
__wrap_signalfd(int fd, const sigset_t *set, int flags)
{
	return fault_strikes(FAULT_signalfd) ? -1
	                                     : __real_signalfd(fd, set, flags);
}

int
__wrap_pipe2(int *fd, int flags)
{
	return fault_strikes(FAULT_pipe2) ? -1 : __real_pipe2(fd, flags);
}

pid_t
__wrap_fork(void)
{
	return fault_strikes(FAULT_fork) ? -1 : __real_fork();
}

int
__wrap_socket(int family, int type, int protocol)
{
	return fault_strikes(FAULT_socket)
	           ? -1
	           : __real_socket(family, type, protocol);
}

int
__wrap_ftruncate(int fd, off_t size)
{
	return fault_strikes(FAULT_ftruncate) ? -1 : __real_ftruncate(fd, size);
}

/* Its argument is a number, a pointer or none: a register's width in any case. */
int
__wrap_fcntl(int fd, int command, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, command);
	arg = va_arg(ap, void *);
	va_end(ap);
	return fault_strikes(FAULT_fcntl) ? -1 : __real_fcntl(fd, command, arg);
}

int
__wrap_accept4(int fd, struct sockaddr *peer, socklen_t *len, int flags)
{
	return fault_strikes(FAULT_accept4)
	           ? -1
	           : __real_accept4(fd, peer, len, flags);
}

ssize_t
__wrap_recv(int fd, void *data, size_t len, int flags)
{
	return fault_strikes_transfer(FAULT_recv, &len)
	           ? -1
	           : __real_recv(fd, data, len, flags);
}

ssize_t
__wrap_send(int fd, const void *data, size_t len, int flags)
{
	return fault_strikes_transfer(FAULT_send, &len)
	           ? -1
	           : __real_send(fd, data, len, flags);
}

/* Short: a part of the first piece. */
ssize_t
__wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct iovec first = msg->msg_iov[0];
	struct msghdr part = *msg;

	if (fault_strikes_transfer(FAULT_sendmsg, &first.iov_len))
		return -1;
	if (first.iov_len == msg->msg_iov[0].iov_len)
		return __real_sendmsg(fd, msg, flags);
	part.msg_iov = &first;
	part.msg_iovlen = 1;
	return __real_sendmsg(fd, &part, flags);
}

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	return fault_strikes_transfer(FAULT_write, &len)
	           ? -1
	           : __real_write(fd, data, len);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-*) */

int
epoll_create1(int flags)
{
	return fault_strikes(FAULT_epoll_create1)
	           ? -1
	           : (int)syscall(SYS_epoll_create1, flags);
}

int
epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
	return fault_strikes(FAULT_epoll_wait)
	           ? -1
	           : (int)syscall(SYS_epoll_pwait, fd, events, max, timeout_ms,
			 NULL, KERNEL_SIGSET_SIZE);
}
