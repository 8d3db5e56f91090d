/* SPDX-License-Identifier: MIT */
/*
 * url.h - where a client finds its server.
 *
 * Two spellings of one place: http://HOST:PORT, as the server prints it when it
 * is ready, and ws://HOST:PORT/ws, the endpoint below it.  With TLS these are
 * https:// and wss://.  A server on this host may have a unix socket instead,
 * unix:PATH; nothing else can be said of it.
 */

#ifndef COMMON_URL_H
#define COMMON_URL_H

#include <stdbool.h>

#define URL_MAX 1024 /* bytes of one */

struct url {
	bool is_tls;             /* https:// or wss:// */
	bool is_unix;            /* unix:, and host is the path */
	char text[URL_MAX];      /* as given, to be shown to the user */
	char authority[URL_MAX]; /* HOST[:PORT], for the Host line */
	char host[URL_MAX];      /* without the brackets of IPv6 */
	char port[8];
	char base[URL_MAX]; /* path beside /ws, without a slash behind */
	/* Path and query of the endpoint, with room for options of our own. */
	char endpoint[URL_MAX + 64];
};

/*
 * Take a URL apart.  http://HOST/base has its endpoint at /base/ws; a ws:// URL
 * without a path at /ws.  A query goes with the endpoint.
 * Returns NULL, or what is wrong with it (a constant string).
 */
const char *url_parse(struct url *url, const char *text);

/* Add name=value to the endpoint's query, unless it says name= already.  Short
 * ones of the program's own, at most once. */
void url_add(struct url *url, const char *name, const char *value);

#endif
