/* SPDX-License-Identifier: MIT */
/*
 * http_text.h - ranges of text, and the small languages inside a head: lists,
 * queries, hosts.
 */

#ifndef COMMON_HTTP_TEXT_H
#define COMMON_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A range of the caller's buffer; not NUL-terminated. */
struct http_text {
	const char *at;
	size_t len;
};

/*
 * Take the first member off a comma-separated list, white space removed;
 * empty members are skipped.  Commas inside quotes are not known.
 *
 * Returns: false when there is none left.
 */
bool http_list_next(struct http_text *list, struct http_text *member);

/*
 * Take the first "key=value" off a query, both still percent-encoded.  A key
 * without '=' has an empty value; empty pieces ("&&") are skipped.
 *
 * Returns: false when there is none left.
 */
bool http_query_next(
    struct http_text *query, struct http_text *key, struct http_text *value);

/*
 * Split host[:port] as it stands in a Host line or a URL; name keeps the
 * brackets of an IPv6 address, port is empty when there is none.  Names are
 * letters, digits and "-._~".  The grammar of URLs allows more characters, but
 * no host has such a name.
 *
 * Returns: false if text is not of that form.  An empty name is: the Host
 *          line of a request without an authority is empty.
 */
bool http_host_split(const struct http_text *text, struct http_text *name,
    struct http_text *port);

/* Returns: whether text is exactly string. */
bool http_text_equal(const struct http_text *text, const char *string);

/* Returns: the same, upper and lower case ASCII letters being the same. */
bool http_text_equal_nocase(const struct http_text *text, const char *string);

/* Returns: whether c may stand in a token: a method, the name of a header. */
bool http_is_token_char(char c);

/* Returns: whether text is a token (RFC 9110, section 5.6.2). */
bool http_is_token(const struct http_text *text);

/* Leave out the spaces and tabs around text. */
void http_text_trim(struct http_text *text);

/*
 * Take the part before the first separator, or all where there is none, off
 * text; the separator goes too.
 */
struct http_text http_text_take(struct http_text *text, char separator);

#endif
