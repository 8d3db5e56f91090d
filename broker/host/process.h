/* SPDX-License-Identifier: MIT */
/*
 * process.h - other processes, held by pidfd(2) so that a number that was used
 * again can never be signalled or waited for by mistake.
 */

#ifndef BROKER_HOST_PROCESS_H
#define BROKER_HOST_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A handle on a process, or -1 with errno set (ESRCH: it is gone).  Check
 * afterwards that the number still belongs to the process that was meant.
 * Owns: the caller, close(2). */
int process_open(pid_t pid);

/*
 * Send a signal that says it is a command's, in its siginfo: si_code SI_QUEUE,
 * si_int one of these.  Two `stop's at a time mean no more than one, unlike two
 * SIGTERMs from somebody who has lost patience.
 * Returns false with errno set (ESRCH: it is gone).
 */
#define PROCESS_COMMAND 1
#define PROCESS_UPGRADE 2 /* with SIGUSR2: not a restart */
bool process_order(int pidfd, int sig, int order);

/* The same with PROCESS_COMMAND. */
bool process_signal(int pidfd, int sig);

/* The number by which a process knows itself: another than ours for it, where
 * it lives in a pid namespace below ours. */
pid_t process_own_number(pid_t pid);

/* Wait until it has ended.  Returns whether it has, within this time. */
bool process_wait(int pidfd, uint64_t timeout_ms);

/* The same, but no longer than until this descriptor can be read. */
bool process_wait_unless(int pidfd, int fd, uint64_t timeout_ms);

/* Say how a process ended, by its waitpid(2) status: "left with status 1", "was
 * killed by SIGSEGV".  Returns out. */
#define PROCESS_END_MAX 64
const char *process_describe_end(int wait_status, char out[PROCESS_END_MAX]);

#endif
