/* SPDX-License-Identifier: MIT */
/*
 * http_condition.h - conditional requests (RFC 9110, section 13).
 *
 * A client that holds a copy asks for news of it (If-None-Match,
 * If-Modified-Since), or insists on what it knows (If-Match,
 * If-Unmodified-Since).  The two that compare entity tags win over the two that
 * compare times, as 13.2.2 orders them.
 *
 * Pure: the present time comes in as an argument.
 */

#ifndef COMMON_HTTP_CONDITION_H
#define COMMON_HTTP_CONDITION_H

#include "common/http_header.h"

#include <stdbool.h>
#include <time.h>

/* What a resource is compared by. */
struct http_validators {
	const char *etag;  /* a strong entity tag, with its quotes */
	bool has_modified; /* the next one is known */
	time_t modified;   /* when it was last changed, seconds since 1970 */
};

enum http_condition {
	HTTP_CONDITION_MET = 0,      /* answer as without a condition */
	HTTP_CONDITION_NOT_MODIFIED, /* 304 */
	HTTP_CONDITION_FAILED,       /* 412 */
};

/*
 * Evaluate the conditions of a GET or HEAD of a resource that is there: the
 * request would be answered 200 without them (13.2.1).  now is for dates with a
 * year of two digits.  A time that is none is ignored, and so is a time beside
 * an entity tag of the same purpose; entity tags from the first broken one on
 * are ignored.
 */
enum http_condition http_condition_check(const struct http_request *req,
    const struct http_validators *resource, time_t now);

/*
 * Read a time in one of the three formats of RFC 9110, 5.6.7.
 *
 * Returns: false if text is in none of them, or no day of the calendar.
 */
bool http_date_parse(const struct http_text *text, time_t now, time_t *when);

/*
 * Take the first entity tag off a comma-separated list (8.8.3); tag keeps its
 * quotes.  A comma or a backslash inside the quotes is part of the tag.
 *
 * Returns: false, with an empty list, when there is none left, or the next is
 *          broken.
 */
bool http_etag_next(
    struct http_text *list, struct http_text *tag, bool *is_weak);

#endif
