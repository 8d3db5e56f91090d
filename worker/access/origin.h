/* SPDX-License-Identifier: MIT */
/*
 * origin.h - which web pages may talk to this server.
 *
 * A browser lets any page of any site open a WebSocket to any host, cookies,
 * intranet and loopback included; it only says in Origin whose page it is.
 * Two attacks, two questions:
 *
 *	origin_check()		a foreign page connects to us.  Origin must be
 *				the very host and port that the request went to,
 *				or be listed with --allow-origin.
 *	origin_check_host()	a foreign page whose name was made to point to
 *				127.0.0.1 (DNS rebinding).  Origin and Host
 *				agree then, so on a loopback listener Host must
 *				be a name that only this machine can have, or a
 *				listed one (--allow-host, --allow-origin).
 *
 * Programs that are no browsers send no Origin and are let in: this protects
 * the users of browsers, it does not authenticate anybody.
 *
 * Host and port are compared, because a proxy leaves them alone.  The scheme is
 * not, since a proxy that ends TLS makes http of https; it only says which port
 * is the default one.  All loopback names are one host.  An entry of
 * --allow-origin counts with its scheme.  "*" among --allow-origin allows every
 * origin, "null" included; "*" among --allow-host every host; neither option
 * implies the other.
 */

#ifndef WORKER_ACCESS_ORIGIN_H
#define WORKER_ACCESS_ORIGIN_H

#include "common/config.h"
#include "common/http.h"

#include <stdbool.h>

enum origin_verdict {
	ORIGIN_OK = 0,
	ORIGIN_HOST_FOREIGN, /* Host is no name of ours */
	ORIGIN_TWICE,        /* more than one Origin */
	ORIGIN_MALFORMED,    /* neither scheme://host[:port] nor null */
	ORIGIN_OPAQUE,       /* null (a sandboxed frame, a file), not listed */
	ORIGIN_FOREIGN,      /* another site's, not listed */
};

/*
 * May the request have come under this Host?  Asked for every request, before
 * anything else.  On a listener that is not loopback the answer is yes; so it
 * is for an HTTP/1.0 request without any Host, which no browser sends.
 *
 * Returns: ORIGIN_OK or ORIGIN_HOST_FOREIGN (403).
 */
enum origin_verdict origin_check_host(const struct config *config,
    const struct http_request *req, bool loopback_listener);

/*
 * May the page that made the request use /ws, publish, or follow events?  Asked
 * after origin_check_host() for everything that is not a plain read of a page.
 *
 * Returns: any verdict but ORIGIN_HOST_FOREIGN; all but ORIGIN_OK are a 403.
 */
enum origin_verdict origin_check(
    const struct config *config, const struct http_request *req);

/*
 * Whether the page that made the request, which origin_check() lets in, is the
 * server's own or was listed by its name.
 */
bool origin_is_trusted(
    const struct config *config, const struct http_request *req);

/*
 * Whether a page of another site has made the request without saying which, as
 * for an image.  It cannot read the answer, so it can only do harm.
 */
bool origin_is_blind(const struct http_request *req);

#endif
