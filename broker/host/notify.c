/* SPDX-License-Identifier: MIT */
/* notify.c - see notify.h. */

#include "broker/host/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define NOTIFY_TEXT_MAX 1024 /* bytes of a message */

/* The manager's address.  Returns its length; 0: there is none, or it cannot be
 * one, with errno set. */
static socklen_t
notify_address(struct sockaddr_un *address)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path != NULL ? strlen(path) : 0;

	errno = 0;
	if (len == 0)
		return 0;
	if ((path[0] != '/' && path[0] != '@') ||
	    len >= sizeof(address->sun_path)) {
		errno = EAFNOSUPPORT;
		return 0;
	}
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, len);
	if (path[0] == '@')
		address->sun_path[0] = '\0'; /* and no NUL behind it */
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
			   (path[0] == '/'));
}

/* Send a text to the manager.  Returns false with errno set; 0: there is no
 * manager. */
static bool
notify_put(const char *text)
{
	static const struct timeval wait = { .tv_usec = NOTIFY_WAIT_MS * 1000 };
	struct sockaddr_un address;
	socklen_t len = notify_address(&address);
	bool sent;
	int fd, saved;

	if (len == 0)
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	sent = sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		   (const struct sockaddr *)&address, len) != -1;
	saved = errno;
	close(fd);
	errno = saved;
	return sent;
}

void
notify_send(const char *fmt, ...)
{
	char text[NOTIFY_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!notify_put(text) && errno != 0)
		log_warn("cannot tell the service manager %.*s",
		    (int)strcspn(text, "\n"), text);
}

/* A variable that is a positive number, or 0. */
static uint64_t
notify_number(const char *variable)
{
	const char *text = getenv(variable);
	char *end;
	unsigned long long n;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	return *end == '\0' && errno == 0 ? n : 0;
}

uint64_t
notify_watchdog_ms(void)
{
	uint64_t pid = notify_number("WATCHDOG_PID");

	if (getenv("WATCHDOG_PID") != NULL && pid != (uint64_t)getpid())
		return 0;
	return notify_number("WATCHDOG_USEC") / 1000;
}
