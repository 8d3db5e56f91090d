/* SPDX-License-Identifier: MIT */
/* http_condition.c - see http_condition.h. */

#include "common/http_condition.h"

#include <string.h>

#define HTTP_DATE_TEXT_MAX \
	40 /* "Wednesday, 06-Nov-94 08:49:37 GMT", and more */

/* A year of two digits is in the past if it would be further off than this. */
#define HTTP_YEARS_AHEAD 50

/* White space, and the commas of empty members. */
static bool
http_is_between_tags(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

static void
http_skip(struct http_text *list, size_t n)
{
	list->at += n;
	list->len -= n;
}

/* Bytes of the opaque tag at the start of a list; 0: there is none. */
static size_t
http_opaque_tag_len(const struct http_text *list)
{
	const char *end;

	if (list->len < 2 || *list->at != '"')
		return 0;
	end = memchr(list->at + 1, '"', list->len - 1);
	return end != NULL ? (size_t)(end - list->at) + 1 : 0;
}

bool
http_etag_next(struct http_text *list, struct http_text *tag, bool *is_weak)
{
	while (list->len > 0 && http_is_between_tags(*list->at))
		http_skip(list, 1);
	*is_weak = list->len >= 2 && memcmp(list->at, "W/", 2) == 0;
	if (*is_weak)
		http_skip(list, 2);
	*tag = (struct http_text){ list->at, http_opaque_tag_len(list) };
	http_skip(list, tag->len > 0 ? tag->len : list->len);
	return tag->len > 0;
}

/* Whether a list has this strong tag; weakly compared, W/ does not matter
 * (8.8.3.2). */
static bool
http_etags_have(struct http_text list, const char *etag, bool weakly)
{
	struct http_text tag;
	bool is_weak;

	while (http_etag_next(&list, &tag, &is_weak))
		if ((weakly || !is_weak) && http_text_equal(&tag, etag))
			return true;
	return false;
}

/* Whether a header of that name is "*" or has the tag. */
static bool
http_etag_matches(const struct http_request *req, const char *name,
    const char *etag, bool weakly)
{
	for (size_t i = 0; i < req->headers_len; i++) {
		const struct http_header *header = &req->headers[i];

		if (http_text_equal_nocase(&header->name, name) &&
		    (http_text_equal(&header->value, "*") ||
			http_etags_have(header->value, etag, weakly)))
			return true;
	}
	return false;
}

/* Put a year of two digits into the right century (5.6.7). */
static void
http_date_fix_century(struct tm *tm, time_t now)
{
	struct tm present;

	gmtime_r(&now, &present);
	tm->tm_year =
	    present.tm_year - present.tm_year % 100 + tm->tm_year % 100;
	if (tm->tm_year > present.tm_year + HTTP_YEARS_AHEAD)
		tm->tm_year -= 100;
}

/* A program that never calls setlocale(3) has the names in English. */
static bool
http_date_scan(const char *text, time_t now, struct tm *tm)
{
	static const struct {
		const char *format;
		bool short_year;
	} formats[] = {
		{ "%a, %d %b %Y %H:%M:%S GMT", false },
		{ "%A, %d-%b-%y %H:%M:%S GMT", true }, /* RFC 850 */
		{ "%a %b %d %H:%M:%S %Y", false },     /* asctime(3) */
	};
	const char *end;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		memset(tm, 0, sizeof(*tm));
		end = strptime(text, formats[i].format, tm);
		if (end == NULL || *end != '\0')
			continue;
		if (formats[i].short_year)
			http_date_fix_century(tm, now);
		return true;
	}
	return false;
}

bool
http_date_parse(const struct http_text *text, time_t now, time_t *when)
{
	char copy[HTTP_DATE_TEXT_MAX];
	struct tm tm;
	bool is_leap_second;
	int day;

	if (text->len >= sizeof(copy) ||
	    memchr(text->at, '\0', text->len) != NULL)
		return false;
	memcpy(copy, text->at, text->len);
	copy[text->len] = '\0';
	if (!http_date_scan(copy, now, &tm))
		return false;
	day = tm.tm_mday;
	is_leap_second = tm.tm_sec == 60;
	*when = timegm(&tm); /* makes 3 March of 31 February */
	return tm.tm_mday == day || is_leap_second;
}

/* The time in the only header of that name. */
static bool
http_condition_time(
    const struct http_request *req, const char *name, time_t now, time_t *when)
{
	const struct http_text *value = http_header_find(req, name);

	return value != NULL && http_header_count(req, name) == 1 &&
	       http_date_parse(value, now, when);
}

/* Whether the client is wrong about what it insists on. */
static bool
http_condition_fails(const struct http_request *req,
    const struct http_validators *resource, time_t now)
{
	time_t when;

	if (http_header_find(req, "If-Match") != NULL)
		return !http_etag_matches(
		    req, "If-Match", resource->etag, false);
	return resource->has_modified &&
	       http_condition_time(req, "If-Unmodified-Since", now, &when) &&
	       resource->modified > when;
}

/* Whether the client has it already. */
static bool
http_condition_is_held(const struct http_request *req,
    const struct http_validators *resource, time_t now)
{
	time_t when;

	if (http_header_find(req, "If-None-Match") != NULL)
		return http_etag_matches(
		    req, "If-None-Match", resource->etag, true);
	return resource->has_modified &&
	       http_condition_time(req, "If-Modified-Since", now, &when) &&
	       resource->modified <= when;
}

enum http_condition
http_condition_check(const struct http_request *req,
    const struct http_validators *resource, time_t now)
{
	if (http_condition_fails(req, resource, now))
		return HTTP_CONDITION_FAILED;
	if (http_condition_is_held(req, resource, now))
		return HTTP_CONDITION_NOT_MODIFIED;
	return HTTP_CONDITION_MET;
}
