/* SPDX-License-Identifier: MIT */
/* cors.c - see cors.h. */

#include "worker/access/cors.h"

#include "worker/access/origin.h"

#include <stdio.h>

/* The longest Origin that is sent back: a host's name has 253 bytes. */
#define CORS_ORIGIN_MAX 320u

/* The longest list of headers that is. */
#define CORS_HEADERS_MAX 1024u

/* The Origin of a page that may use this server, or NULL. */
static const struct http_text *
cors_origin(const struct config *config, const struct http_request *req)
{
	const struct http_text *origin = http_header_find(req, "Origin");

	if (origin == NULL || origin->len > CORS_ORIGIN_MAX ||
	    origin_check(config, req) != ORIGIN_OK)
		return NULL;
	return origin;
}

void
cors_lines(const struct config *config, const struct http_request *req,
    char lines[CORS_LINES_SIZE])
{
	const struct http_text *origin = cors_origin(config, req);
	const char *vary = "Vary: Origin\r\n";

	lines[0] = '\0';
	if (origin != NULL)
		snprintf(lines, CORS_LINES_SIZE,
		    "Access-Control-Allow-Origin: %.*s\r\n%s"
		    "Access-Control-Expose-Headers: Retry-After\r\n%s",
		    (int)origin->len, origin->at,
		    origin_is_trusted(config, req)
			? "Access-Control-Allow-Credentials: true\r\n"
			: "",
		    vary);
	else if (config->allow_origin_count > 0)
		snprintf(lines, CORS_LINES_SIZE, "%s", vary);
}

/* The headers that a page asks for, as it names them; empty if that is no list
 * of names. */
static struct http_text
cors_headers_asked(const struct http_request *req)
{
	static const char name[] = "Access-Control-Request-Headers";
	const struct http_text *asked = http_header_find(req, name);
	const struct http_text none = { "", 0 };
	struct http_text list, member;

	if (asked == NULL || asked->len > CORS_HEADERS_MAX)
		return none;
	list = *asked;
	while (http_list_next(&list, &member))
		if (!http_is_token(&member))
			return none;
	return *asked;
}

void
cors_preflight_lines(const struct config *config,
    const struct http_request *req, char lines[CORS_LINES_SIZE])
{
	struct http_text asked = cors_headers_asked(req);

	lines[0] = '\0';
	if (cors_origin(config, req) == NULL)
		return;
	snprintf(lines, CORS_LINES_SIZE,
	    "Access-Control-Allow-Methods: GET, HEAD, POST\r\n"
	    "Access-Control-Allow-Headers: Content-Type, Last-Event-ID%s%.*s"
	    "\r\nAccess-Control-Max-Age: 600\r\n",
	    asked.len > 0 ? ", " : "", (int)asked.len, asked.at);
}
