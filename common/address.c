/* SPDX-License-Identifier: MIT */
/* address.c - inet_pton(3) and inet_ntop(3), with a port; see address.h. */

#include "common/address.h"

#include "common/bug.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

static const char address_shape[] =
    "must be ADDR:PORT, such as 127.0.0.1:8000 or [::1]:8000";

static const char address_port_shape[] =
    "has a port that is not a number from 0 to 65535";

/* A port: digits only, 0 to 65535.  Returns -1 if it is not. */
static int
address_parse_port(const char *text)
{
	int port = 0;

	if (*text == '\0')
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		port = port * 10 + (*text - '0');
		if (port > UINT16_MAX)
			return -1;
	}
	return port;
}

/* Fill in the address alone, from its text without port and brackets. */
static bool
address_parse_host(struct config_address *address, const char *host, bool v6)
{
	struct sockaddr_in *in = (void *)&address->addr;
	struct sockaddr_in6 *in6 = (void *)&address->addr;

	memset(address, 0, sizeof(*address));
	if (v6) {
		in6->sin6_family = AF_INET6;
		address->len = sizeof(*in6);
		return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
	}
	in->sin_family = AF_INET;
	address->len = sizeof(*in);
	return inet_pton(AF_INET, host, &in->sin_addr) == 1;
}

const char *
address_parse(struct config_address *address, const char *text)
{
	bool v6 = text[0] == '[';
	const char *start = v6 ? text + 1 : text;
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN];
	const char *end = colon;
	size_t len;
	int port;

	if (colon == NULL || colon == text)
		return address_shape;
	if (v6 && *--end != ']')
		return address_shape;
	if (end < start)
		return address_shape;
	len = (size_t)(end - start);
	if (len >= sizeof(host))
		return address_shape;
	memcpy(host, start, len);
	host[len] = '\0';
	if (!address_parse_host(address, host, v6))
		return v6 ? "is no numeric IPv6 address with a port, such as "
		            "[::1]:8000"
		          : "is no numeric IPv4 address with a port, such as "
		            "127.0.0.1:8000";
	port = address_parse_port(colon + 1);
	if (port == -1)
		return address_port_shape;
	address_set_port(address, (uint16_t)port);
	return NULL;
}

/* The addresses that a host's name stands for, IPv4 first; NULL: it is none. */
static const char *const *
address_named(const char *host, size_t len)
{
	static const char *const loopback[] = { "127.0.0.1", "::1" };
	static const char *const all[] = { "0.0.0.0", "::" };
	static const char localhost[] = "localhost";

	if (len == 1 && host[0] == '*')
		return all;
	if (len == 0 || (len == strlen(localhost) &&
			    strncasecmp(host, localhost, len) == 0))
		return loopback;
	return NULL;
}

const char *
address_parse_listen(struct config_address out[ADDRESS_LISTEN_MAX],
    size_t *count, const char *text, bool has_ipv6)
{
	const char *colon = strrchr(text, ':');
	size_t host_len = colon == NULL ? 0 : (size_t)(colon - text);
	int port = address_parse_port(colon == NULL ? text : colon + 1);
	const char *const *named = address_named(text, host_len);

	*count = 1;
	if (colon == NULL && port == -1)
		return "must be PORT or ADDR:PORT, such as 8000, "
		       "127.0.0.1:8000 or [::1]:8000";
	if (named == NULL)
		return address_parse(out, text);
	if (port == -1)
		return address_port_shape;
	*count = has_ipv6 ? 2 : 1;
	for (size_t i = 0; i < *count; i++) {
		CHECK(address_parse_host(&out[i], named[i], i == 1));
		address_set_port(&out[i], (uint16_t)port);
	}
	return NULL;
}

const char *
address_parse_unix(struct config_address *address, const char *text)
{
	struct sockaddr_un *un = (void *)&address->addr;
	const char *path = text + strlen(ADDRESS_UNIX);

	if (strncmp(text, ADDRESS_UNIX, strlen(ADDRESS_UNIX)) != 0 ||
	    path[0] != '/')
		return "must be unix:PATH with an absolute path";
	if (strlen(path) >= sizeof(un->sun_path))
		return "is too long for a unix socket: 107 bytes are allowed";
	for (const char *at = path; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~' || *at == ',')
			return "has a character that the path of a socket "
			       "cannot have here";
	memset(address, 0, sizeof(*address));
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, path);
	address->len = sizeof(*un);
	address->mode = ADDRESS_UNIX_MODE;
	address->owner = (uid_t)-1;
	address->group = (gid_t)-1;
	return NULL;
}

bool
address_is_unix(const struct config_address *address)
{
	return address->addr.ss_family == AF_UNIX;
}

const char *
address_path(const struct config_address *address)
{
	const struct sockaddr_un *un = (const void *)&address->addr;

	_Static_assert(
	    ADDRESS_TEXT_MAX > sizeof(ADDRESS_UNIX) + sizeof(un->sun_path),
	    "no room");
	CHECK(address_is_unix(address));
	return un->sun_path;
}

const char *
address_format(const struct config_address *address, char out[ADDRESS_TEXT_MAX])
{
	const struct sockaddr_in *in = (const void *)&address->addr;
	const struct sockaddr_in6 *in6 = (const void *)&address->addr;
	char host[INET6_ADDRSTRLEN];

	switch (address->addr.ss_family) {
	case AF_INET:
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(out, ADDRESS_TEXT_MAX, "%s:%u", host,
		    (unsigned)address_port(address));
		return out;
	case AF_INET6:
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(out, ADDRESS_TEXT_MAX, "[%s]:%u", host,
		    (unsigned)address_port(address));
		return out;
	case AF_UNIX:
		snprintf(out, ADDRESS_TEXT_MAX, ADDRESS_UNIX "%s",
		    address_path(address));
		return out;
	default:
		BUG("an address that address_parse() did not make");
	}
}

bool
address_wants_port(const struct config_address *address)
{
	return !address_is_unix(address) && address_port(address) == 0;
}

uint16_t
address_port(const struct config_address *address)
{
	const struct sockaddr_in *in = (const void *)&address->addr;
	const struct sockaddr_in6 *in6 = (const void *)&address->addr;

	if (address_is_unix(address))
		return 0;
	return ntohs(address->addr.ss_family == AF_INET6 ? in6->sin6_port
							 : in->sin_port);
}

void
address_set_port(struct config_address *address, uint16_t port)
{
	struct sockaddr_in *in = (void *)&address->addr;
	struct sockaddr_in6 *in6 = (void *)&address->addr;

	CHECK(!address_is_unix(address));
	if (address->addr.ss_family == AF_INET6)
		in6->sin6_port = htons(port);
	else
		in->sin_port = htons(port);
}

bool
address_equal(const struct config_address *a, const struct config_address *b)
{
	char text[2][ADDRESS_TEXT_MAX];

	return strcmp(address_format(a, text[0]), address_format(b, text[1])) ==
	       0;
}

/* Whether it stands for all addresses. */
static bool
address_is_any(const struct config_address *address)
{
	const struct sockaddr_in *in = (const void *)&address->addr;
	const struct sockaddr_in6 *in6 = (const void *)&address->addr;

	if (address_is_unix(address))
		return false;
	return address->addr.ss_family == AF_INET6
	           ? IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr)
	           : in->sin_addr.s_addr == htonl(INADDR_ANY);
}

bool
address_is_any_ipv6(const struct config_address *address)
{
	return address->addr.ss_family == AF_INET6 && address_is_any(address);
}

bool
address_overlaps(const struct config_address *a, const struct config_address *b)
{
	if (address_port(a) != address_port(b) ||
	    a->addr.ss_family != b->addr.ss_family)
		return false;
	return address_equal(a, b) || address_is_any(a) || address_is_any(b);
}
