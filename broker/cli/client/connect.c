/* SPDX-License-Identifier: MIT */
/* connect.c - see connect.h. */

#include "broker/cli/client/connect.h"

#include "common/bug.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Give the socket its own end's address.  Returns -1 with errno. */
static int
connect_bind(int fd, const struct sockaddr *from, socklen_t len)
{
	int on = 1;

	/* Else the port would be chosen now, unique among all addresses. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	return bind(fd, from, len);
}

int
connect_begin(const struct sockaddr *to, socklen_t to_len,
    const struct sockaddr *from, socklen_t from_len)
{
	int error, fd = socket(to->sa_family,
		       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if ((from == NULL || connect_bind(fd, from, from_len) == 0) &&
	    (connect(fd, to, to_len) == 0 || errno == EINPROGRESS))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int
connect_result(int fd)
{
	int error = 0, on = 1;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error == 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return error;
}

/* There is one address. */
static void
connecting_by_path(struct connecting *dial, const char *path)
{
	dial->path = (struct sockaddr_un){ .sun_family = AF_UNIX };
	CHECK(strlen(path) < sizeof(dial->path.sun_path)); /* url.c has */
	strcpy(dial->path.sun_path, path);
	dial->only = (struct addrinfo){
		.ai_addr = (struct sockaddr *)&dial->path,
		.ai_addrlen = sizeof(dial->path),
	};
	dial->next = &dial->only;
}

bool
connecting_init(struct connecting *dial, const struct url *url)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	sigset_t none, held;
	int error;

	dial->fd = -1;
	dial->list = dial->next = NULL;
	if (url->is_unix) {
		connecting_by_path(dial, url->host);
		return true;
	}
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
		dial->fd = connect_begin(
		    address->ai_addr, address->ai_addrlen, NULL, 0);
		if (dial->fd != -1)
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
	int fd = dial->fd, error = connect_result(fd);

	if (error != 0) {
		connecting_failed(dial, error);
		return -1;
	}
	dial->fd = -1;
	return fd;
}
