/* SPDX-License-Identifier: MIT */
/*
 * http_response.h - write the head of an HTTP/1.1 response.
 *
 * Takes the time as an argument and writes to the caller's memory, like all
 * of common/.  The values it is given are the program's own or checked: a
 * line break in one of them would split the response, so it must not come
 * from a client as it is.
 */

#ifndef COMMON_HTTP_RESPONSE_H
#define COMMON_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define HTTP_DATE_SIZE      30u /* "Sun, 06 Nov 1994 08:49:37 GMT", NUL */
#define HTTP_LENGTH_UNKNOWN UINT64_MAX /* no Content-Length line */

struct http_response {
	int status;
	time_t date;              /* 0: no Date line */
	const char *content_type; /* NULL: no Content-Type line */
	uint64_t content_length;  /* not written with 101, 204 and 304 */
	const char *upgrade;      /* protocol for an Upgrade line, or NULL */
	bool keep_alive;          /* else Connection: close */
	const char *extra;        /* whole lines with their CRLF, or NULL */
};

/*
 * Write the status line, the headers and the empty line.  No NUL is counted,
 * one may follow.
 *
 * Returns: the number of bytes, or 0 if size is too small for them.
 */
size_t http_response_head(
    char *buf, size_t size, const struct http_response *response);

/* Returns: the reason phrase; "" for a status pubsubd does not use. */
const char *http_reason(int status);

/*
 * Write a time as HTTP does (IMF-fixdate, always GMT and English), with NUL.
 * A time before 1970 or after 9999 is written as the nearest one within.
 */
void http_date(time_t when, char out[HTTP_DATE_SIZE]);

#endif
