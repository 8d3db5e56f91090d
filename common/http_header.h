/* SPDX-License-Identifier: MIT */
/*
 * http_header.h - a parsed head, and what its header lines say.
 *
 * The head of a request and that of an answer (http_answer.h) hold their header
 * lines alike, so that one set of look-ups serves both.
 */

#ifndef COMMON_HTTP_HEADER_H
#define COMMON_HTTP_HEADER_H

#include "common/http_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX    8192u /* bytes, a usual limit for a head */
#define HTTP_HEADERS_MAX 64u   /* lines; one more is refused with 431 */

enum http_parse {
	HTTP_OK = 0,  /* a whole head */
	HTTP_PARTIAL, /* read more, then call again */
	HTTP_REFUSED, /* answer with ->status and close the connection */
};

struct http_header {
	struct http_text name;  /* as sent; compare without regard to case */
	struct http_text value; /* without the white space around it */
};

/* Valid as long as the buffer that it was parsed from. */
struct http_request {
	int status;      /* on HTTP_REFUSED: 400, 413, 414, 431, 501 or 505 */
	const char *why; /* on HTTP_REFUSED: a static sentence */

	size_t head_len;         /* bytes; a body begins here */
	struct http_text method; /* a token, upper and lower case differ */
	struct http_text path;   /* begins with '/', or is "*" (OPTIONS) */
	struct http_text query;  /* without the '?'; empty when there is none */
	struct http_text host;   /* host[:port] asked for, maybe empty; of the
	                            target where that has one, else of Host */
	int minor_version;       /* HTTP/1.0 or HTTP/1.1 */

	bool is_chunked;         /* never together with a content length */
	bool has_content_length; /* without it and is_chunked: no body */
	uint64_t content_length; /* 0 if !has_content_length */

	size_t headers_len;
	struct http_header headers[HTTP_HEADERS_MAX];
};

/*
 * May the connection take another request after this one's response?
 * HTTP/1.1: unless "Connection: close"; HTTP/1.0: only if "keep-alive".
 */
bool http_keep_alive(const struct http_request *req);

/* Returns: the value of the first header of that name, or NULL. */
const struct http_text *http_header_find(
    const struct http_request *req, const char *name);

/* Returns: how many header lines of that name there are. */
size_t http_header_count(const struct http_request *req, const char *name);

/*
 * Returns: whether the comma-separated list in all headers of that name has
 *          token in it, case not mattering.
 */
bool http_header_has_token(
    const struct http_request *req, const char *name, const char *token);

/* Returns: the same for a member whose upper and lower case differ. */
bool http_header_has_exactly(
    const struct http_request *req, const char *name, const char *member);

/*
 * Returns: whether the list in all headers of that name, as Accept-Encoding is
 *          one, names token with a weight that is not 0 (RFC 9110, 12.4.2).
 *          Case does not matter; "*" names nothing.
 */
bool http_header_accepts(
    const struct http_request *req, const char *name, const char *token);

#endif
