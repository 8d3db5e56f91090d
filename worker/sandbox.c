/* SPDX-License-Identifier: MIT */
/*
 * sandbox.c - see sandbox.h.
 *
 * The lists have the system calls that workers were seen to make, and those
 * that the C library may make in their place: on another architecture (aarch64
 * has no epoll_wait, only epoll_pwait), in another version (fstat or
 * newfstatat), or where reading the clock needs the kernel.  A name that an
 * architecture does not know is left out there by libseccomp.
 *
 * A new system call of the worker must be added here; otherwise the tests fail,
 * because they all run confined.
 */

#include "worker/sandbox.h"

#include "broker/shared/layout.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* System calls that a worker makes, allowed with any arguments. */
static const int sandbox_allowed[] = {
	/* sockets that it was given, or that those have accepted */
	SCMP_SYS(accept4),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),
	/* descriptors: doorbells, the log's pipe, files under --root */
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(openat2),
	SCMP_SYS(pread64),
	SCMP_SYS(read),
	SCMP_SYS(sendfile),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	/* libev */
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(eventfd2),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	/* to wait for another process at an upgrade */
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	/* the ring's lock */
	SCMP_SYS(futex),
	SCMP_SYS(sched_yield),
	/* the allocator */
	SCMP_SYS(brk),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	/* time and chance */
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(getrandom),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(nanosleep),
	SCMP_SYS(time),
	/* signals: to catch a fatal one, to die of it, to be continued */
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	/* itself */
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
};

/* System calls that only an intruder makes: to become or start a program, to
 * open files without the kernel's check of where they are, to reach into other
 * processes or for the net. */
static const int sandbox_deadly[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(creat),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(socket),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
};

/* System calls that a worker makes with these arguments only. */
static int
sandbox_add_restricted(scmp_filter_ctx filter)
{
	static const int fcntl_commands[] = { F_GETFD, F_SETFD, F_GETFL,
		F_SETFL, F_GETLK /* who lives: worker_lives() */ };
	static const int mapping[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	int err = 0;

	for (size_t i = 0; err == 0 && i < LENGTH(fcntl_commands); i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl),
		    1,
		    SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)fcntl_commands[i], 0));
	/* No memory becomes code. */
	for (size_t i = 0; err == 0 && i < LENGTH(mapping); i++) {
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, mapping[i], 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		if (err == 0)
			err = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS,
			    mapping[i], 1,
			    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	}
	/* abort(3) and raise(3): a signal to itself and to nobody else. */
	if (err == 0)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill),
		    1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	return err;
}

/* What a walk to a file does (worker/http/beneath.c): it never follows a link,
 * and never writes.  Whatever else openat(2) might do fails. */
static int
sandbox_add_walk(scmp_filter_ctx filter)
{
	const scmp_datum_t judged =
	    O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW;

	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, judged, O_RDONLY | O_NOFOLLOW));
}

/* Put the lists into a filter.  Returns 0 or a negative errno. */
static int
sandbox_fill(scmp_filter_ctx filter, bool walks)
{
	/* A call by the numbers of another architecture ends the worker: the
	 * lists do not know those numbers. */
	int err = seccomp_attr_set(
	    filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	/* Refused calls are in the kernel's log, too. */
	if (err == 0)
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	/* Return the kernel's own errno, so that we can tell it. */
	if (err == 0)
		err = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	/* A call is looked up in a tree, not in a list: it is in the way of
	 * every send where the kernel does not remember what is allowed. */
	if (err == 0)
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; err == 0 && i < LENGTH(sandbox_allowed); i++)
		err = seccomp_rule_add(
		    filter, SCMP_ACT_ALLOW, sandbox_allowed[i], 0);
	for (size_t i = 0; err == 0 && i < LENGTH(sandbox_deadly); i++) {
		if (walks && sandbox_deadly[i] == SCMP_SYS(openat))
			continue;
		err = seccomp_rule_add(
		    filter, SCMP_ACT_KILL_PROCESS, sandbox_deadly[i], 0);
	}
	if (err == 0 && walks)
		err = sandbox_add_walk(filter);
	return err == 0 ? sandbox_add_restricted(filter) : err;
}

/* A part of the sandbox was refused: say which, and how to do without. */
static bool
sandbox_refused(const char *part, int err)
{
	log_errorx("cannot confine this worker, %s: %s; --no-sandbox does "
		   "without",
	    part, strerror(err));
	return false;
}

static bool
sandbox_forbid_privileges(uint32_t *confined)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return sandbox_refused("no_new_privs", errno);
	*confined |= CONFINED_NO_NEW_PRIVS;
	return true;
}

/* All rights that this version of Landlock can forbid about files.  By number,
 * because the header may be older than the kernel. */
static uint64_t
sandbox_landlock_rights(long version)
{
	switch (version) {
	case 1:
		return (UINT64_C(1) << 13) - 1; /* to open, make, remove */
	case 2:
		return (UINT64_C(1) << 14) - 1; /* and to move elsewhere */
	case 3:
	case 4:
		return (UINT64_C(1) << 15) - 1; /* and to truncate */
	default:
		return (UINT64_C(1) << 16) - 1; /* and to control devices */
	}
}

/* Forbid all but reading under root, in this ruleset.  Returns 0 or -1. */
static int
sandbox_landlock_enter(int rules, int root)
{
	/* Directories, too: one that is asked for as a file is opened, seen,
	 * and answered by a redirect (static.c). */
	struct landlock_path_beneath_attr readable = {
		.allowed_access =
		    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = root,
	};

	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		&readable, 0) == -1)
		return -1;
	return (int)syscall(SYS_landlock_restrict_self, rules, 0);
}

static bool
sandbox_confine_files(int root, uint32_t *confined)
{
	struct landlock_ruleset_attr forbidden;
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	int rules, err = 0;

	if (version < 1)
		return true; /* not built in, not enabled, or filtered away */
	memset(&forbidden, 0, sizeof(forbidden));
	forbidden.handled_access_fs = sandbox_landlock_rights(version);
	rules = (int)syscall(
	    SYS_landlock_create_ruleset, &forbidden, sizeof(forbidden), 0);
	if (rules == -1)
		return sandbox_refused("Landlock", errno);
	if (sandbox_landlock_enter(rules, root) == -1)
		err = errno;
	close(rules);
	if (err != 0)
		return sandbox_refused("Landlock", err);
	*confined |= CONFINED_LANDLOCK;
	return true;
}

/* Whether the kernel has filters, and knows to kill the whole process. */
static bool
sandbox_has_seccomp(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static bool
sandbox_filter_calls(bool walks, uint32_t *confined)
{
	scmp_filter_ctx filter;
	int err;

	if (!sandbox_has_seccomp())
		return true;
	filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (filter == NULL)
		return sandbox_refused("seccomp", ENOMEM);
	err = sandbox_fill(filter, walks);
	if (err == 0)
		err = seccomp_load(filter);
	seccomp_release(filter);
	if (err != 0)
		return sandbox_refused("seccomp", -err);
	*confined |= CONFINED_SECCOMP;
	return true;
}

bool
sandbox_enter(int root, bool walks, uint32_t *confined)
{
	*confined = 0;
	/* In this order: each is needed for, or forbidden by, the next. */
	return sandbox_forbid_privileges(confined) &&
	       sandbox_confine_files(root, confined) &&
	       sandbox_filter_calls(walks, confined);
}
