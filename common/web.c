/* SPDX-License-Identifier: MIT */
/* web.c - see web.h. */

#include "common/web.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#define WEB_PORT_MAX  65535
#define WEB_LOCALHOST "localhost"

static bool
web_text_equal(const struct http_text *a, const struct http_text *b)
{
	return a->len == b->len && strncasecmp(a->at, b->at, a->len) == 0;
}

/* Returns the port, WEB_PORT_NONE for no digits, more than the maximum if it
 * is too large.  Five digits at most (http_host_split()). */
static int
web_port(const struct http_text *digits)
{
	int port = 0;

	if (digits->len == 0)
		return WEB_PORT_NONE;
	for (size_t i = 0; i < digits->len; i++)
		port = port * 10 + (digits->at[i] - '0');
	return port;
}

/* Read the text of a numeric address; false if it is none. */
static bool
web_address(int family, const char *text, size_t len, void *out)
{
	char copy[INET6_ADDRSTRLEN];

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return inet_pton(family, copy, out) == 1;
}

/* localhost, or a name below it (RFC 6761, 6.3). */
static bool
web_is_localhost(const struct http_text *name)
{
	size_t len = strlen(WEB_LOCALHOST);
	struct http_text tail = *name;

	if (name->len < len)
		return false;
	tail.at += name->len - len;
	tail.len = len;
	if (!http_text_equal_nocase(&tail, WEB_LOCALHOST))
		return false;
	return name->len == len || (name->len > len + 1 && tail.at[-1] == '.');
}

static bool
web_parse_ipv6(struct web_host *host)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t loopback[16] = { [15] = 1 };

	if (!web_address(
		AF_INET6, host->name.at + 1, host->name.len - 2, host->ipv6))
		return false;
	host->is_ipv6 = true;
	host->is_loopback =
	    memcmp(host->ipv6, loopback, sizeof(loopback)) == 0 ||
	    (memcmp(host->ipv6, mapped, sizeof(mapped)) == 0 &&
		host->ipv6[12] == 127);
	return true;
}

bool
web_host_parse(const struct http_text *text, struct web_host *host)
{
	struct http_text port;
	uint8_t ipv4[4];

	memset(host, 0, sizeof(*host));
	if (!http_host_split(text, &host->name, &port) || host->name.len == 0)
		return false;
	host->port = web_port(&port);
	if (host->port > WEB_PORT_MAX)
		return false;
	if (host->name.at[0] == '[')
		return web_parse_ipv6(host);
	if (host->name.at[host->name.len - 1] == '.')
		host->name.len--;
	host->is_loopback =
	    web_is_localhost(&host->name) ||
	    (web_address(AF_INET, host->name.at, host->name.len, ipv4) &&
		ipv4[0] == 127);
	return host->name.len > 0;
}

bool
web_host_equal(const struct web_host *a, const struct web_host *b)
{
	if (a->is_loopback || b->is_loopback)
		return a->is_loopback && b->is_loopback;
	if (a->is_ipv6 && b->is_ipv6)
		return memcmp(a->ipv6, b->ipv6, sizeof(a->ipv6)) == 0;
	return web_text_equal(&a->name, &b->name);
}

int
web_default_port(const struct http_text *scheme)
{
	if (http_text_equal_nocase(scheme, "http") ||
	    http_text_equal_nocase(scheme, "ws"))
		return 80;
	if (http_text_equal_nocase(scheme, "https") ||
	    http_text_equal_nocase(scheme, "wss"))
		return 443;
	return WEB_PORT_NONE;
}

static bool
web_is_scheme(const struct http_text *scheme)
{
	for (size_t i = 0; i < scheme->len; i++) {
		char c = scheme->at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (letter)
			continue;
		if (i == 0 || !((c >= '0' && c <= '9') || c == '+' ||
				  c == '-' || c == '.'))
			return false;
	}
	return scheme->len > 0;
}

bool
web_origin_parse(const struct http_text *text, struct web_origin *origin)
{
	static const char separator[3] = { ':', '/', '/' };
	const char *at =
	    memmem(text->at, text->len, separator, sizeof(separator));
	struct http_text rest = *text;
	int default_port;

	memset(origin, 0, sizeof(*origin));
	if (at == NULL)
		return false;
	origin->scheme = *text;
	origin->scheme.len = (size_t)(at - text->at);
	if (!web_is_scheme(&origin->scheme))
		return false;
	rest.at = at + sizeof(separator);
	rest.len -= origin->scheme.len + sizeof(separator);

	default_port = web_default_port(&origin->scheme);
	if (rest.len == 0 && default_port == WEB_PORT_NONE) {
		origin->host.name = rest;
		origin->host.port = WEB_PORT_NONE;
		return true;
	}
	if (!web_host_parse(&rest, &origin->host))
		return false;
	if (origin->host.port == WEB_PORT_NONE)
		origin->host.port = default_port;
	return true;
}

bool
web_origin_parse_written(
    const struct http_text *text, struct web_origin *origin)
{
	struct http_text rest = *text;

	if (rest.len > 0 && rest.at[rest.len - 1] == '/')
		rest.len--;
	return web_origin_parse(&rest, origin) ||
	       web_origin_parse(text, origin);
}

bool
web_origin_equal(const struct web_origin *a, const struct web_origin *b)
{
	return web_text_equal(&a->scheme, &b->scheme) &&
	       web_host_equal(&a->host, &b->host) &&
	       a->host.port == b->host.port;
}
