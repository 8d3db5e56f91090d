/* SPDX-License-Identifier: MIT */
/*
 * http_head.h - read the lines of a head.  Shared by the parsers of requests
 * and of answers, and used by nothing else.
 */

#ifndef COMMON_HTTP_HEAD_H
#define COMMON_HTTP_HEAD_H

#include "common/http_header.h"

#include <stdbool.h>
#include <stddef.h>

/* Note why a head is refused.  Returns: false. */
bool http_refuse(struct http_request *req, int status, const char *why);

/*
 * Go through the lines that have come in, to the empty one; *scanned as for
 * http_parse_request().
 *
 * Returns: HTTP_OK with head_len set, HTTP_PARTIAL or HTTP_REFUSED.
 */
enum http_parse http_scan(
    const char *buf, size_t len, size_t *scanned, struct http_request *req);

/* Take a line, without its end, off a head that the scan has been through. */
struct http_text http_take_line(struct http_text *head);

/* Parse a header line and append it.  Returns: false, with why, if it is none
 * or one too many. */
bool http_parse_header(struct http_request *req, struct http_text line);

#endif
