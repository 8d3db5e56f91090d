/* SPDX-License-Identifier: MIT */
/* link_server.c - which version a server is; see link.h.  libnats does not tell,
 * so it is asked on a connection of its own. */

#include "broker/bridge/link.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The oldest server that keeps a log whole. */
#define LINK_MAJOR 2
#define LINK_MINOR 10

/* What a server says first, on a connection of its own: its INFO. */
static bool
link_read_info(const char *host, const char *port, char *out, size_t size)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found, *at;
	struct timeval patience = { .tv_sec = 2 };
	ssize_t n = -1;
	size_t len = 0;

	if (getaddrinfo(host, port, &hints, &found) != 0)
		return false;
	for (at = found; at != NULL && len == 0; at = at->ai_next) {
		int fd =
		    socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);

		if (fd == -1)
			continue;
		setsockopt(
		    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		setsockopt(
		    fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
			while (len < size - 1 &&
			       memchr(out, '\n', len) == NULL &&
			       (n = recv(fd, out + len, size - 1 - len, 0)) > 0)
				len += (size_t)n;
		close(fd);
	}
	freeaddrinfo(found);
	out[len] = '\0';
	return len > 0;
}

bool
link_check_server(struct link *link, char error[LINK_ERROR_MAX])
{
	static const char key[] = "\"version\":\"";
	char url[160], info[8192], *host, *port;
	int major = 0, minor = 0;
	const char *version;

	if (natsConnection_GetConnectedUrl(link->nc, url, sizeof(url)) !=
	    NATS_OK)
		return snprintf(error, LINK_ERROR_MAX, "not connected"), false;
	host = strstr(url, "//");
	host = host != NULL ? host + 2 : url;
	if (strchr(host, '@') != NULL)
		host = strchr(host, '@') + 1;
	port = strrchr(host, ':');
	if (port == NULL)
		return snprintf(error, LINK_ERROR_MAX, "%s", url), false;
	*port++ = '\0';
	if (host[0] == '[') { /* [::1] */
		host++;
		host[strcspn(host, "]")] = '\0';
	}
	if (!link_read_info(host, port, info, sizeof(info)) ||
	    (version = strstr(info, key)) == NULL ||
	    sscanf(version + sizeof(key) - 1, "%d.%d", &major, &minor) != 2) {
		snprintf(error, LINK_ERROR_MAX,
		    "%s:%s does not say which version of nats-server it is",
		    host, port);
		return false;
	}
	if (major > LINK_MAJOR || (major == LINK_MAJOR && minor >= LINK_MINOR))
		return true;
	snprintf(error, LINK_ERROR_MAX,
	    "%s:%s is nats-server %d.%d: a cluster needs %d.%d or later, "
	    "because an older one may split its log",
	    host, port, major, minor, LINK_MAJOR, LINK_MINOR);
	return false;
}
