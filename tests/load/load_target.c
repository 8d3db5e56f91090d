/* SPDX-License-Identifier: MIT */
/* load_target.c - from a URL to an address that answers. */

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/http.h"
#include "tests/load/load.h"

#define CONNECT_SECONDS 5

/* Split ws://authority/path, or wss://.  Returns NULL or what is wrong. */
static const char *
target_split(struct load_target *target, const char *url)
{
	static const char *const schemes[] = { "ws://", "wss://" };
	const char *scheme, *authority;
	size_t len;

	target->is_tls = strncasecmp(url, schemes[1], strlen(schemes[1])) == 0;
	scheme = schemes[target->is_tls];
	if (strncasecmp(url, scheme, strlen(scheme)) != 0)
		return "a URL begins with ws:// or wss://";
	authority = url + strlen(scheme);
	len = strcspn(authority, "/?");
	if (len == 0 || len >= sizeof(target->authority))
		return "no host in the URL";
	memcpy(target->authority, authority, len);
	target->authority[len] = '\0';
	if ((size_t)snprintf(target->path, sizeof(target->path), "%s%s",
		authority[len] == '/' ? "" : "/",
		authority + len) >= sizeof(target->path))
		return "the URL is too long";
	if (target->path[strcspn(target->path, " \r\n#")] != '\0')
		return "a character in the URL that must not be there";
	return NULL;
}

/* What of the address tells one host from another, and its port. */
static const void *
target_host(const struct sockaddr_storage *addr, size_t *len, uint16_t *port)
{
	const struct sockaddr_in *in = (const void *)addr;
	const struct sockaddr_in6 *in6 = (const void *)addr;

	*port =
	    ntohs(addr->ss_family == AF_INET6 ? in6->sin6_port : in->sin_port);
	*len = addr->ss_family == AF_INET6 ? sizeof(in6->sin6_addr)
	                                   : sizeof(in->sin_addr);
	return addr->ss_family == AF_INET6 ? (const void *)&in6->sin6_addr
	                                   : (const void *)&in->sin_addr;
}

/* The target is on this host if it is reached from its own address. */
static void
target_look(struct load_target *target, int fd)
{
	struct sockaddr_storage own = { .ss_family = AF_UNSPEC };
	socklen_t own_len = sizeof(own);
	const void *here, *there;
	size_t len;
	uint16_t own_port;

	getsockname(fd, (struct sockaddr *)&own, &own_len);
	here = target_host(&own, &len, &own_port);
	there = target_host(&target->addr, &len, &target->port);
	target->is_local = own.ss_family == target->addr.ss_family &&
	                   memcmp(here, there, len) == 0;
}

/* Connect once.  Returns 0 or errno. */
static int
target_try(struct load_target *target, const struct addrinfo *info)
{
	struct timeval limit = { .tv_sec = CONNECT_SECONDS };
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd == -1)
		return errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, info->ai_addr, info->ai_addrlen) == 0) {
		memcpy(&target->addr, info->ai_addr, info->ai_addrlen);
		target->addr_len = info->ai_addrlen;
		target_look(target, fd);
	} else {
		error = errno == EINPROGRESS ? ETIMEDOUT : errno;
	}
	close(fd);
	return error;
}

/* Copy a range of the authority without the brackets of an IPv6 address. */
static void
target_copy(char *out, size_t size, const struct http_text *text)
{
	bool is_bracketed = text->len >= 2 && text->at[0] == '[';

	snprintf(out, size, "%.*s", (int)(text->len - 2 * is_bracketed),
	    text->at + is_bracketed);
}

/* Look up the host; the list is not empty.  Returns 0 or of EAI_*. */
static int
target_resolve(
    const struct load_target *target, unsigned clients, struct addrinfo **infos)
{
	/* Only IPv4 has more than one loopback address to connect from. */
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_family =
		    clients > LOAD_CLIENTS_PER_ADDRESS ? AF_INET : AF_UNSPEC,
	};
	struct http_text authority, host, port;
	char host_name[sizeof(target->authority)], port_name[16];

	authority.at = target->authority;
	authority.len = strlen(target->authority);
	if (!http_host_split(&authority, &host, &port))
		return EAI_NONAME;
	target_copy(host_name, sizeof(host_name), &host);
	target_copy(port_name, sizeof(port_name), &port);
	if (port.len == 0)
		strcpy(port_name, target->is_tls ? "443" : "80");
	return getaddrinfo(host_name, port_name, &hints, infos);
}

int
load_target_find(struct load_target *target, const char *url, unsigned clients,
    char why[LOAD_WHY_MAX])
{
	const char *wrong = target_split(target, url);
	struct addrinfo *infos;
	int error;

	if (wrong != NULL) {
		snprintf(why, LOAD_WHY_MAX, "%s", wrong);
		return 2;
	}
	if ((error = target_resolve(target, clients, &infos)) != 0) {
		snprintf(why, LOAD_WHY_MAX, "%s", gai_strerror(error));
		return 1;
	}
	for (struct addrinfo *info = infos; info != NULL; info = info->ai_next)
		if ((error = target_try(target, info)) == 0)
			break;
	freeaddrinfo(infos);
	if (error == 0)
		return 0;
	snprintf(why, LOAD_WHY_MAX, "no server answers: %s", strerror(error));
	return 1;
}
