/* SPDX-License-Identifier: MIT */
/*
 * fault.h - calls that fail when a test says so.
 *
 * In a program that is linked with the linker's --wrap for each of FAULT_CALLS,
 * whatever of ours calls malloc(3) or accept4(2) comes by here first.  "The nth
 * call of it fails with this errno" is all there is to say; how much that holds
 * of what a caller does next is for the test to look at.
 *
 * A whole server takes its one fault from the environment, in numbers: who has
 * it (self: the process that was executed; child: any that it forked), which
 * call, from which of those calls on, how many times, errno:
 *
 *	FAULT='child malloc 300 1 12' pubsubd-faulty run ...
 *
 * Those calls are counted over all the processes, so that one of them has it.
 */

#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

/* clang-format off */
#define FAULT_CALLS(X) \
	X(malloc) X(calloc) X(realloc) X(reallocarray) X(mmap) X(shm_open) \
	X(posix_fallocate) X(eventfd) X(signalfd) X(pipe2) X(fork) X(socket) \
	X(fcntl) X(ftruncate) X(accept4) X(recv) X(send) X(sendmsg) X(write) \
	X(epoll_create1) X(epoll_wait)
/* clang-format on */

enum fault_call {
#define FAULT_ENUM(name) FAULT_##name,
	FAULT_CALLS(FAULT_ENUM)
#undef FAULT_ENUM
	    FAULT_CALLS_COUNT,
};

/* No error: recv, send, sendmsg and write do a part of what they are asked. */
#define FAULT_SHORT 0

/* From the nth call (1: the next) on, as many fail, with this errno. */
void fault_arm(enum fault_call call, unsigned nth, unsigned times, int err);

/* No call fails any more. */
void fault_disarm(void);

/* How many calls have failed since fault_arm(). */
unsigned fault_struck(enum fault_call call);

#endif
