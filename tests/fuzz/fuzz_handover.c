/* SPDX-License-Identifier: MIT */
/*
 * fuzz_handover.c - what a supervisor finds in its environment after a restart.
 *
 * Whoever starts the program can put anything there.  What is taken is within
 * the bounds of its arrays and names open descriptors; it is taken once.
 */

#include "broker/supervisor/handover.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET_FD 100 /* where the inputs find a socket */

/* A bound socket in a place that the corpus knows. */
static void
open_socket(void)
{
	static bool is_open;
	int fd;

	if (is_open)
		return;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd != -1);
	CHECK(dup2(fd, SOCKET_FD) == SOCKET_FD);
	CHECK(close(fd) == 0);
	is_open = true;
}

static void
check_sockets(const struct listeners *listeners)
{
	CHECK(listeners->count <= CONFIG_LISTEN_MAX);
	CHECK(listeners->workers <= CONFIG_WORKERS_MAX);
	for (unsigned w = 0; w < listeners->workers; w++)
		for (size_t i = 0; i < listeners->count; i++)
			CHECK(fcntl(listeners->fd[w][i], F_GETFD) != -1);
	for (size_t i = 0; i < listeners->count; i++)
		CHECK(listeners->address[i].len <=
		      sizeof(listeners->address[i].addr));
}

/* The pid is told by us: whose it is, is asked first. */
static void
take(const char *text)
{
	struct handover handover;
	char *value;

	CHECK(asprintf(&value, "%d %s", (int)getpid(), text) != -1);
	CHECK(setenv(HANDOVER_VARIABLE, value, 1) == 0);
	free(value);
	CHECK(handover_is_there());
	if (handover_take(&handover)) {
		CHECK(fcntl(handover.lock_fd, F_GETFD) != -1);
		CHECK(handover.listeners.count > 0);
		check_sockets(&handover.listeners);
		check_sockets(&handover.admin);
	}
	CHECK(!handover_is_there());
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	open_socket();
	take(text);
	CHECK(setenv(HANDOVER_VARIABLE, text, 1) == 0);
	if (strtol(text, NULL, 10) != getpid())
		CHECK(!handover_is_there());
	handover_drop();
	free(text);
	return 0;
}
