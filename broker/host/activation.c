/* SPDX-License-Identifier: MIT */
/* activation.c - see activation.h. */

#include "broker/host/activation.h"

#include "common/address.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sockets that may be passed, at most. */
#define ACTIVATION_MAX (CONFIG_WORKERS_MAX * CONFIG_LISTEN_MAX + 1)

/* A variable that is a number from 1 to max, or 0. */
static unsigned
activation_number(const char *variable, unsigned long max)
{
	const char *text = getenv(variable);
	char *end;
	unsigned long n;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	n = strtoul(text, &end, 10);
	return *end == '\0' && errno == 0 && n <= max ? (unsigned)n : 0;
}

unsigned
activation_count(void)
{
	if (activation_number("LISTEN_PID", INT32_MAX) != (unsigned)getpid())
		return 0;
	return activation_number("LISTEN_FDS", ACTIVATION_MAX);
}

/* Whether the socket with this number, from 0, is called so. */
static bool
activation_is_called(unsigned number, const char *name)
{
	const char *names = getenv("LISTEN_FDNAMES");
	size_t len = strlen(name);

	while (names != NULL && number-- > 0) {
		names = strchr(names, ':');
		names = names != NULL ? names + 1 : NULL;
	}
	return names != NULL && strncmp(names, name, len) == 0 &&
	       (names[len] == '\0' || names[len] == ':');
}

/* An option of a socket that is a number; -1: it is no socket. */
static int
activation_ask(int fd, int option)
{
	socklen_t len = sizeof(int);
	int value;

	if (getsockopt(fd, SOL_SOCKET, option, &value, &len) == -1)
		return -1;
	return value;
}

/* Whether it is an address that a server can have: of the network, or a path. */
static bool
activation_is_served(const struct config_address *address)
{
	return address->addr.ss_family == AF_INET ||
	       address->addr.ss_family == AF_INET6 ||
	       (address_is_unix(address) && address_path(address)[0] == '/');
}

/* Look where a socket listens.  Returns false with a reason. */
static bool
activation_look(
    int fd, struct config_address *address, char error[LISTENERS_ERROR_MAX])
{
	memset(address, 0, sizeof(*address));
	address->len = sizeof(address->addr);
	if (activation_ask(fd, SO_TYPE) == SOCK_STREAM &&
	    activation_ask(fd, SO_ACCEPTCONN) == 1 &&
	    getsockname(fd, (struct sockaddr *)&address->addr, &address->len) ==
		0 &&
	    activation_is_served(address))
		return true;
	snprintf(error, LISTENERS_ERROR_MAX,
	    "descriptor %d of the service manager is not a listening TCP or "
	    "unix socket",
	    fd);
	return false;
}

/* How many sockets of one address there are so far. */
static unsigned
activation_sockets(const struct listeners *listeners, size_t at)
{
	unsigned n = 0;

	while (n < CONFIG_WORKERS_MAX && listeners->fd[n][at] != -1)
		n++;
	return n;
}

/* Put a socket to the others of its address. */
static bool
activation_add(struct listeners *listeners, int fd,
    const struct config_address *address, char error[LISTENERS_ERROR_MAX])
{
	size_t at = 0;
	unsigned n;

	while (at < listeners->count &&
	       !address_equal(&listeners->address[at], address))
		at++;
	n = at < CONFIG_LISTEN_MAX ? activation_sockets(listeners, at) : 0;
	if (at == CONFIG_LISTEN_MAX || n == CONFIG_WORKERS_MAX) {
		snprintf(error, LISTENERS_ERROR_MAX,
		    "the service manager has passed too many sockets: at most "
		    "%u addresses, %u for each",
		    (unsigned)CONFIG_LISTEN_MAX, (unsigned)CONFIG_WORKERS_MAX);
		return false;
	}
	if (at == listeners->count)
		listeners->address[listeners->count++] = *address;
	listeners->fd[n][at] = fd;
	if (n >= listeners->sockets)
		listeners->sockets = n + 1;
	return true;
}

/* Make the one socket of the operator's pages of it. */
static bool
activation_add_admin(struct listeners *admin, int fd,
    const struct config_address *address, char error[LISTENERS_ERROR_MAX])
{
	if (admin->count > 0) {
		snprintf(error, LISTENERS_ERROR_MAX,
		    "the service manager has passed two sockets that are "
		    "called " ACTIVATION_ADMIN);
		return false;
	}
	admin->alone = true;
	admin->address[0] = *address;
	admin->count = admin->workers = admin->sockets = 1;
	admin->fd[0][0] = fd;
	return true;
}

/* Sort the sockets that were passed. */
static bool
activation_sort(struct listeners *listeners, struct listeners *admin,
    char error[LISTENERS_ERROR_MAX])
{
	unsigned count = activation_count();

	for (unsigned i = 0; i < count; i++) {
		struct config_address address;
		int fd = ACTIVATION_FIRST + (int)i;

		if (!activation_look(fd, &address, error))
			return false;
		if (activation_is_called(i, ACTIVATION_ADMIN)
			? !activation_add_admin(admin, fd, &address, error)
			: !activation_add(listeners, fd, &address, error))
			return false;
	}
	return true;
}

bool
activation_is_passed(int fd)
{
	return fd >= ACTIVATION_FIRST &&
	       fd < ACTIVATION_FIRST + (int)activation_count();
}

/* Close the duplicates. */
static void
activation_drop(struct listeners *listeners)
{
	for (unsigned w = 0; w < listeners->sockets; w++)
		for (size_t i = 0; i < listeners->count; i++)
			if (!activation_is_passed(listeners->fd[w][i]))
				close(listeners->fd[w][i]);
}

/* A descriptor of a socket for one more worker.  A unix socket has one for all
 * of them, as listeners.h has it.  Returns -1 with errno. */
static int
activation_share_one(const struct listeners *listeners, size_t at, int fd)
{
	int above = ACTIVATION_FIRST + (int)activation_count();

	if (address_is_unix(&listeners->address[at]))
		return fd;
	return fcntl(fd, F_DUPFD_CLOEXEC, above);
}

/* Have a socket of each address for each worker. */
static bool
activation_share(struct listeners *listeners, unsigned workers,
    char error[LISTENERS_ERROR_MAX])
{
	listeners->workers = workers;
	if (listeners->sockets < workers)
		listeners->sockets = workers;
	for (size_t i = 0; i < listeners->count; i++) {
		unsigned n = activation_sockets(listeners, i);

		for (unsigned w = n; w < listeners->sockets; w++) {
			listeners->fd[w][i] = activation_share_one(
			    listeners, i, listeners->fd[w % n][i]);
			if (listeners->fd[w][i] != -1)
				continue;
			snprintf(error, LISTENERS_ERROR_MAX,
			    "cannot duplicate a socket of the service "
			    "manager: %s",
			    strerror(errno));
			activation_drop(listeners);
			return false;
		}
	}
	return true;
}

/* What a socket of our own has from the beginning. */
static void
activation_set_up(void)
{
	static const int on = 1;
	unsigned count = activation_count();

	for (unsigned i = 0; i < count; i++) {
		int fd = ACTIVATION_FIRST + (int)i;
		int flags = fcntl(fd, F_GETFL);

		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
}

static void
activation_init(struct listeners *listeners)
{
	memset(listeners, 0, sizeof(*listeners));
	memset(listeners->fd, 0xff, sizeof(listeners->fd)); /* all -1 */
}

bool
activation_take(struct listeners *listeners, struct listeners *admin,
    unsigned workers, char error[LISTENERS_ERROR_MAX])
{
	struct listeners passed, passed_admin;

	activation_init(&passed);
	activation_init(&passed_admin);
	if (!activation_sort(&passed, &passed_admin, error) ||
	    (passed.count > 0 && !activation_share(&passed, workers, error)))
		return false;
	activation_set_up();
	if (passed.count > 0) {
		activation_drop(listeners);
		*listeners = passed;
	}
	if (passed_admin.count > 0) {
		activation_drop(admin);
		*admin = passed_admin;
	}
	return true;
}
