/* SPDX-License-Identifier: MIT */
/* peers.c - see peers.h. */

#include "tests/floor/peers.h"

#include "common/bug.h"
#include "tests/floor/floor.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

static int told[PEERS_MAX]; /* by process */
static unsigned count = 1;
static unsigned self;

unsigned
peers_fork(unsigned processes)
{
	CHECK(processes >= 1 && processes <= PEERS_MAX);
	count = processes;
	for (unsigned i = 0; i < count; i++)
		if ((told[i] = eventfd(0, EFD_NONBLOCK)) == -1)
			floor_die("eventfd");
	for (unsigned i = 1; i < count; i++) {
		pid_t pid = fork();

		if (pid == -1)
			floor_die("fork");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			self = i;
			break;
		}
	}
	return self;
}

int
peers_fd(void)
{
	return count > 1 ? told[self] : -1;
}

void
peers_tell(uint64_t messages)
{
	for (unsigned i = 0; i < count; i++)
		if (i != self &&
		    write(told[i], &messages, sizeof(messages)) == -1)
			floor_die("write");
}

uint64_t
peers_take(void)
{
	uint64_t messages;

	return read(told[self], &messages, sizeof(messages)) == -1 ? 0
	                                                           : messages;
}
