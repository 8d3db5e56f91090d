/* SPDX-License-Identifier: MIT */
/*
 * mp.h - tests of several processes: children, gates, bounded waits.
 *
 * Every test runs between mp_setup() and mp_teardown().  It has MP_SECONDS; a
 * wait that is still going on then fails.  The teardown fails the test if it
 * left a child or a descriptor behind, and removes the children it finds.
 *
 * Children report by their exit status alone: a failed cmocka assertion would
 * longjmp into the child's copy of the runner.  MP_CHECK() is theirs.  They die
 * with their parent, and of SIGALRM when the test's time is over.
 *
 * Events are ordered by gates, stops and waitpid(2), never by sleeping.
 */

#ifndef TESTS_MP_H
#define TESTS_MP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#define MP_SECONDS 60 /* that a test may take, sanitizers and all */

/* For cmocka_unit_test_setup_teardown(). */
int mp_setup(void **state);
int mp_teardown(void **state);

/* Whether the test's time is over; for loops that wait by looking. */
bool mp_expired(void);

/* Start a child that exits with what run(arg) returns. */
pid_t mp_spawn(int (*run)(void *arg), void *arg);

/* Wait until a child has stopped itself (SIGSTOP).  Fails if it ends. */
void mp_wait_stopped(pid_t pid);

/* Let a stopped child go on. */
void mp_continue(pid_t pid);

/* kill -9, and reap.  Fails if the child had ended by itself. */
void mp_kill(pid_t pid);

/* Wait for a child's end; fails unless it exited with 0. */
void mp_join(pid_t pid);

/* The same for a child that must die of this signal. */
void mp_join_killed(pid_t pid, int signo);

/* Zeroed memory that children share with the test, for what they have found;
 * free with mp_unshare(). */
void *mp_share(size_t size);
void mp_unshare(void *memory, size_t size);

/* A counting gate, on a pipe: passes are given and taken. */
struct mp_gate {
	int fd[2];
};

void mp_gate_open(struct mp_gate *gate);
void mp_gate_close(struct mp_gate *gate);

/* Let n takers pass.  Anybody. */
void mp_gate_give(const struct mp_gate *gate, unsigned n);

/* Wait for n passes.  Anybody; in the test itself it is bounded by mp's time,
 * and a child is ended by its alarm. */
void mp_gate_take(const struct mp_gate *gate, unsigned n);

/* In a child: what must be true, or it ends with a word to stderr. */
#define MP_CHECK(cond)                                                      \
	do {                                                                \
		if (!(cond)) {                                              \
			dprintf(STDERR_FILENO, "%s:%d: child %d: not %s\n", \
			    __FILE__, __LINE__, getpid(), #cond);           \
			_exit(1);                                           \
		}                                                           \
	} while (0)

#endif
