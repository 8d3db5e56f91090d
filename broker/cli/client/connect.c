/* SPDX-License-Identifier: MIT */
/* connect.c - see connect.h. */

#include "broker/cli/client/connect.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool
connecting_init(struct connecting *dial, const struct url *url)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	sigset_t none, held;
	int error;

	dial->fd = -1;
	dial->list = dial->next = NULL;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, &held);
	error = getaddrinfo(url->host, url->port, &hints, &dial->list);
	sigprocmask(SIG_SETMASK, &held, NULL);
	if (error != 0) {
		snprintf(dial->why, sizeof(dial->why), "%s",
		    error == EAI_SYSTEM ? strerror(errno)
					: gai_strerror(error));
		return false;
	}
	dial->next = dial->list;
	return true;
}

/* Close the present try, if there is one. */
static void
connecting_drop(struct connecting *dial)
{
	if (dial->fd != -1)
		close(dial->fd);
	dial->fd = -1;
}

void
connecting_fini(struct connecting *dial)
{
	connecting_drop(dial);
	if (dial->list != NULL)
		freeaddrinfo(dial->list);
	dial->list = dial->next = NULL;
}

static void
connecting_failed(struct connecting *dial, int error)
{
	snprintf(dial->why, sizeof(dial->why), "%s", strerror(error));
	connecting_drop(dial);
}

bool
connecting_next(struct connecting *dial)
{
	const struct addrinfo *address;

	connecting_drop(dial);
	while ((address = dial->next) != NULL) {
		dial->next = address->ai_next;
		dial->fd = socket(address->ai_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (dial->fd != -1 && (connect(dial->fd, address->ai_addr,
					   address->ai_addrlen) == 0 ||
					  errno == EINPROGRESS))
			return true;
		connecting_failed(dial, errno);
	}
	return false;
}

void
connecting_timed_out(struct connecting *dial)
{
	connecting_failed(dial, ETIMEDOUT);
}

int
connecting_result(struct connecting *dial)
{
	int error = 0, on = 1, fd = dial->fd;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		connecting_failed(dial, error);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	dial->fd = -1;
	return fd;
}
