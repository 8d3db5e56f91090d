/* SPDX-License-Identifier: MIT */
/* listeners.c - see listeners.h. */

#include "broker/host/listeners.h"

#include "common/address.h"
#include "common/bug.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How often another port is tried when one is free on some addresses only. */
#define LISTENERS_PORT_TRIES 32

static bool
listeners_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/* A socket's role among those of its address. */
enum listeners_role { LISTENERS_ALONE, LISTENERS_FIRST, LISTENERS_JOINING };

/* A listening socket.  Returns -1 with errno set. */
static int
listeners_socket(const struct config_address *address, enum listeners_role role)
{
	int family = address->addr.ss_family;
	int saved;
	int fd;

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	/* SO_REUSEADDR: connections of a former server may be in TIME_WAIT.
	 * TCP_NODELAY: accepted sockets inherit it. */
	if (listeners_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
	    (role != LISTENERS_JOINING ||
		listeners_set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
	    (family != AF_INET6 ||
		listeners_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !address->dual)) &&
	    listeners_set(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
	    bind(fd, (const struct sockaddr *)&address->addr, address->len) ==
		0 &&
	    listen(fd, SOMAXCONN) == 0 &&
	    (role != LISTENERS_FIRST ||
		listeners_set(fd, SOL_SOCKET, SO_REUSEPORT, 1)))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

bool
listeners_have_ipv6(void)
{
	struct config_address loopback;
	bool have;
	int fd;

	CHECK(address_parse(&loopback, "[::1]:0") == NULL);
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return false;
	have = bind(fd, (struct sockaddr *)&loopback.addr, loopback.len) == 0;
	close(fd);
	return have;
}

/* Close the socket that all workers share, and remove its file. */
static void
listeners_close_unix(struct listeners *listeners, size_t at)
{
	if (listeners->fd[0][at] == -1)
		return;
	unix_socket_remove(&listeners->address[at], &listeners->file[at]);
	close(listeners->fd[0][at]);
	for (unsigned w = 0; w < listeners->sockets; w++)
		listeners->fd[w][at] = -1;
}

/* Close the sockets of one address. */
static void
listeners_close_address(struct listeners *listeners, size_t at)
{
	if (address_is_unix(&listeners->address[at])) {
		listeners_close_unix(listeners, at);
		return;
	}
	for (unsigned w = 0; w < listeners->sockets; w++) {
		if (listeners->fd[w][at] != -1)
			close(listeners->fd[w][at]);
		listeners->fd[w][at] = -1;
	}
}

/* Open the one socket of a path.  Returns false with errno. */
static bool
listeners_open_unix(struct listeners *listeners, size_t at)
{
	const struct config_address *address = &listeners->address[at];
	int fd = unix_socket_open(address);

	for (unsigned w = 0; w < listeners->workers; w++)
		listeners->fd[w][at] = fd;
	if (fd != -1)
		listeners->file[at] = unix_socket_look(address);
	return fd != -1;
}

/* Open the sockets of one address; afterwards it says which port it has.  On
 * failure none is open and errno is set. */
static bool
listeners_open_address(struct listeners *listeners, size_t at)
{
	struct config_address *address = &listeners->address[at];
	socklen_t len = sizeof(address->addr);
	int saved;

	if (address_is_unix(address))
		return listeners_open_unix(listeners, at);
	for (unsigned w = 0; w < listeners->workers; w++) {
		int fd =
		    listeners_socket(address, listeners->alone ? LISTENERS_ALONE
					      : w == 0         ? LISTENERS_FIRST
						       : LISTENERS_JOINING);

		listeners->fd[w][at] = fd;
		if (fd == -1 ||
		    (w == 0 &&
			getsockname(fd, (struct sockaddr *)&address->addr,
			    &len) == -1)) {
			saved = errno;
			listeners_close_address(listeners, at);
			errno = saved;
			return false;
		}
	}
	return true;
}

/* Say what is wrong with an address (errno).  Returns false. */
static bool
listeners_fail(struct listeners *listeners,
    const struct config_address *address, char error[LISTENERS_ERROR_MAX])
{
	char text[ADDRESS_TEXT_MAX];

	address_format(address, text);
	if (errno == ENOTSOCK) {
		snprintf(error, LISTENERS_ERROR_MAX,
		    "%s is there, and is no socket", text);
	} else if (errno == EADDRINUSE) {
		listeners->taken = *address;
		snprintf(error, LISTENERS_ERROR_MAX,
		    "%s is in use by another program", text);
	} else if (errno == EADDRNOTAVAIL) {
		snprintf(error, LISTENERS_ERROR_MAX,
		    "%s is not an address of this host", text);
	} else {
		snprintf(error, LISTENERS_ERROR_MAX, "cannot listen on %s: %s",
		    text, strerror(errno));
	}
	return false;
}

/*
 * Open all addresses, in order.  The first one with port 0 has its port chosen
 * by the kernel, the others with port 0 ask for the same.  *chosen says whether
 * it was such a one that failed.
 */
static bool
listeners_open_all(struct listeners *listeners,
    const struct config_address *wanted, bool *chosen,
    char error[LISTENERS_ERROR_MAX])
{
	uint16_t ports[2][2] = { { 0 } }; /* by TLS and PROXY header */

	for (size_t i = 0; i < listeners->count; i++) {
		struct config_address *address = &listeners->address[i];
		uint16_t *port = &ports[wanted[i].tls][wanted[i].proxy];

		*address = wanted[i];
		*chosen = address_wants_port(address) && *port != 0;
		if (*chosen)
			address_set_port(address, *port);
		if (!listeners_open_address(listeners, i))
			return listeners_fail(listeners, address, error);
		if (address_wants_port(&wanted[i]))
			*port = address_port(address);
	}
	return true;
}

static void
listeners_init(struct listeners *listeners, size_t count, unsigned workers)
{
	CHECK(count <= CONFIG_LISTEN_MAX && workers <= CONFIG_WORKERS_MAX);
	memset(listeners, 0, sizeof(*listeners));
	memset(listeners->fd, 0xff, sizeof(listeners->fd)); /* all -1 */
	listeners->count = count;
	listeners->workers = workers;
	listeners->sockets = workers;
}

bool
listeners_open(struct listeners *listeners,
    const struct config_address *address, size_t count, unsigned workers,
    char error[LISTENERS_ERROR_MAX])
{
	bool chosen;

	for (int i = 0; i < LISTENERS_PORT_TRIES; i++) {
		listeners_init(listeners, count, workers);
		if (listeners_open_all(listeners, address, &chosen, error))
			return true;
		listeners_close(listeners);
		if (!chosen)
			return false;
	}
	return false;
}

bool
listeners_open_alone(struct listeners *listeners,
    const struct config_address *address, char error[LISTENERS_ERROR_MAX])
{
	bool chosen;

	listeners_init(listeners, 1, 1);
	listeners->alone = true;
	if (listeners_open_all(listeners, address, &chosen, error))
		return true;
	listeners_close(listeners);
	return false;
}

/* One more socket for each address. */
static bool
listeners_add_sockets(
    struct listeners *listeners, char error[LISTENERS_ERROR_MAX])
{
	unsigned w = listeners->sockets++;

	for (size_t i = 0; i < listeners->count; i++)
		listeners->fd[w][i] = -1;
	for (size_t i = 0; i < listeners->count; i++) {
		const struct config_address *address = &listeners->address[i];

		listeners->fd[w][i] =
		    address_is_unix(address)
			? listeners->fd[0][i]
			: listeners_socket(address, LISTENERS_JOINING);
		if (listeners->fd[w][i] == -1)
			return listeners_fail(listeners, address, error);
	}
	return true;
}

/* Close the last socket of each address. */
static void
listeners_drop_sockets(struct listeners *listeners)
{
	unsigned w = --listeners->sockets;

	for (size_t i = 0; i < listeners->count; i++) {
		if (listeners->fd[w][i] != -1 &&
		    !address_is_unix(&listeners->address[i]))
			close(listeners->fd[w][i]);
		listeners->fd[w][i] = -1;
	}
}

/*
 * Spread new connections over this many sockets of each address, or, if these are
 * all, as the kernel does.  The filter returns the number of a socket: the kernel
 * counts them in the order in which they began to listen, as we do.  Where it is
 * refused, those that are left over get their share, and are accepted from.
 */
static void
listeners_steer(const struct listeners *listeners, unsigned sockets)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM)),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, sockets),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_fprog filter = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	for (size_t i = 0; i < listeners->count; i++) {
		int fd = listeners->fd[0][i];

		if (address_is_unix(&listeners->address[i]))
			continue;
		if (listeners->sockets > sockets)
			setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
			    &filter, sizeof(filter));
		else
			listeners_set(
			    fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0);
	}
}

bool
listeners_resize(struct listeners *listeners, unsigned workers,
    char error[LISTENERS_ERROR_MAX])
{
	unsigned before = listeners->sockets;

	CHECK(!listeners->alone && workers <= CONFIG_WORKERS_MAX);
	while (listeners->sockets < workers) {
		if (listeners_add_sockets(listeners, error))
			continue;
		while (listeners->sockets > before)
			listeners_drop_sockets(listeners);
		return false;
	}
	listeners->workers = workers;
	listeners_steer(listeners, workers);
	return true;
}

size_t
listeners_of_worker(const struct listeners *listeners, unsigned worker,
    struct listeners_socket out[LISTENERS_OF_WORKER_MAX])
{
	size_t n = 0;

	for (unsigned w = worker; w < listeners->sockets;
	     w += listeners->workers)
		for (size_t i = 0; i < listeners->count; i++) {
			const struct config_address *address =
			    &listeners->address[i];

			if (w == worker || !address_is_unix(address))
				out[n++] = (struct listeners_socket){
					listeners->fd[w][i], address
				};
		}
	return n;
}

bool
listeners_tune(struct listeners *listeners, int unsent_max, unsigned give_up_ms)
{
	bool done = true;

	for (unsigned w = 0; w < listeners->sockets; w++)
		for (size_t i = 0; i < listeners->count; i++) {
			int fd = listeners->fd[w][i];

			if (address_is_unix(&listeners->address[i]))
				continue;
			done &= listeners_set(fd, IPPROTO_TCP,
				    TCP_NOTSENT_LOWAT, unsent_max) &&
			        listeners_set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
				    (int)give_up_ms);
		}
	return done;
}

void
listeners_keep_on_exec(struct listeners *listeners, bool keep)
{
	for (unsigned w = 0; w < listeners->sockets; w++)
		for (size_t i = 0; i < listeners->count; i++)
			fcntl(listeners->fd[w][i], F_SETFD,
			    keep ? 0 : FD_CLOEXEC);
	if (listeners->sockets > listeners->workers)
		listeners_steer(
		    listeners, keep ? listeners->sockets : listeners->workers);
}

void
listeners_adopt_files(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		if (address_is_unix(&listeners->address[i]))
			listeners->file[i] =
			    unix_socket_look(&listeners->address[i]);
}

void
listeners_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		listeners_close_address(listeners, i);
	listeners->count = 0;
}
