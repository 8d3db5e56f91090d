/* SPDX-License-Identifier: MIT */
/*
 * cors.h - tell a browser what a page of another origin may read (Fetch
 * standard, 3.2).
 *
 * A page whose origin may use this server (origin.h) may also read what it
 * answers, files included: a module is imported in no other way.  A page that is
 * the server's own, or was listed, may do so with the cookies of its user, which
 * may say who that is (credential.h), here or to a proxy in front; one that "*" or
 * "null" has let in may not, because nobody has said that it is trusted.
 */

#ifndef WORKER_ACCESS_CORS_H
#define WORKER_ACCESS_CORS_H

#include "common/config.h"
#include "common/http.h"

/* Room for either of the following, with its NUL. */
#define CORS_LINES_SIZE 1536u

/*
 * The header lines that an answer to this request needs, each with its CRLF.
 * Where origins are listed every answer has at least Vary, since a cache must
 * know that it would be another one for another Origin.
 */
void cors_lines(const struct config *config, const struct http_request *req,
    char lines[CORS_LINES_SIZE]);

/*
 * The lines that answer a preflight, besides those: any header that the page
 * asks for is allowed, since none means more here than in a request of no page.
 * None, if the origin is not allowed or there is none.
 */
void cors_preflight_lines(const struct config *config,
    const struct http_request *req, char lines[CORS_LINES_SIZE]);

#endif
