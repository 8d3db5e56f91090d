/* SPDX-License-Identifier: MIT */
/*
 * http_answer.h - the client's side of HTTP/1.x: parse the head of an answer.
 *
 * It is as strict about lines as http.h, and copies nothing either.  It does
 * only what our own clients need: they send one request per connection, as
 * HTTP/1.0 where they expect a body, so a body is never chunked and ends by its
 * Content-Length or with the connection.
 */

#ifndef COMMON_HTTP_ANSWER_H
#define COMMON_HTTP_ANSWER_H

#include "common/http_header.h"

#include <stddef.h>
#include <stdint.h>

/* Valid as long as the buffer that it was parsed from. */
struct http_answer {
	int status;              /* 100 to 599 */
	struct http_text reason; /* as sent, maybe empty */
	uint64_t content_length; /* HTTP_LENGTH_TO_END if it is not told */
	/* head_len, and the lines for http_header_find() and its kin; on
	 * HTTP_REFUSED: why. */
	struct http_request head;
};

#define HTTP_LENGTH_TO_END UINT64_MAX

/*
 * Parse the head at the start of buf, as http_parse_request() does; head_max is
 * the longest allowed, *scanned is 0 for a new one.
 *
 * Returns: HTTP_OK with answer filled in; HTTP_PARTIAL; HTTP_REFUSED with only
 *          head.why in it, maybe before the head is complete.
 */
enum http_parse http_parse_answer(const char *buf, size_t len, size_t head_max,
    size_t *scanned, struct http_answer *answer);

#endif
