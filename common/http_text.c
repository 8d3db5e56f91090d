/* SPDX-License-Identifier: MIT */
/* http_text.c - see http_text.h. */

#include "common/http_text.h"

#include "common/hex.h"

#include <string.h>
#include <strings.h>

#define HTTP_PORT_MAX 5 /* digits */

static bool
http_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
http_is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       http_is_digit(c);
}

bool
http_is_token_char(char c)
{
	return http_is_alnum(c) ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool
http_is_token(const struct http_text *text)
{
	for (size_t i = 0; i < text->len; i++)
		if (!http_is_token_char(text->at[i]))
			return false;
	return text->len > 0;
}

bool
http_text_equal(const struct http_text *text, const char *string)
{
	return text->len == strlen(string) &&
	       memcmp(text->at, string, text->len) == 0;
}

bool
http_text_equal_nocase(const struct http_text *text, const char *string)
{
	return text->len == strlen(string) &&
	       strncasecmp(text->at, string, text->len) == 0;
}

static bool
http_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

void
http_text_trim(struct http_text *text)
{
	while (text->len > 0 && http_is_blank(text->at[0])) {
		text->at++;
		text->len--;
	}
	while (text->len > 0 && http_is_blank(text->at[text->len - 1]))
		text->len--;
}

struct http_text
http_text_take(struct http_text *text, char separator)
{
	const char *end = memchr(text->at, separator, text->len);
	struct http_text part = *text;
	size_t taken = text->len;

	if (end != NULL) {
		part.len = (size_t)(end - text->at);
		taken = part.len + 1;
	}
	text->at += taken;
	text->len -= taken;
	return part;
}

bool
http_list_next(struct http_text *list, struct http_text *member)
{
	while (list->len > 0) {
		struct http_text part = http_text_take(list, ',');

		http_text_trim(&part);
		if (part.len > 0) {
			*member = part;
			return true;
		}
	}
	return false;
}

bool
http_query_next(
    struct http_text *query, struct http_text *key, struct http_text *value)
{
	while (query->len > 0) {
		struct http_text part = http_text_take(query, '&');

		if (part.len > 0) {
			*key = http_text_take(&part, '=');
			*value = part;
			return true;
		}
	}
	return false;
}

static bool
http_is_host_char(char c)
{
	return http_is_alnum(c) || (c != '\0' && strchr("-._~", c) != NULL);
}

static bool
http_is_ipv6_char(char c)
{
	return hex_digit(c) >= 0 || c == ':' || c == '.';
}

/* Take [address], brackets included, off text. */
static bool
http_take_ipv6(struct http_text *text, struct http_text *name)
{
	const char *end = memchr(text->at, ']', text->len);

	if (end == NULL || end == text->at + 1)
		return false;
	for (const char *p = text->at + 1; p < end; p++)
		if (!http_is_ipv6_char(*p))
			return false;
	*name = http_text_take(text, ']');
	name->len++; /* the bracket */
	return true;
}

static bool
http_take_name(struct http_text *text, struct http_text *name)
{
	*name = (struct http_text){ text->at, 0 };
	while (name->len < text->len && http_is_host_char(text->at[name->len]))
		name->len++;
	text->at += name->len;
	text->len -= name->len;
	return name->len > 0;
}

bool
http_host_split(const struct http_text *text, struct http_text *name,
    struct http_text *port)
{
	struct http_text rest = *text;

	*name = *port = (struct http_text){ rest.at, 0 };
	if (rest.len == 0)
		return true;
	if (!(*rest.at == '[' ? http_take_ipv6(&rest, name)
			      : http_take_name(&rest, name)))
		return false;
	if (rest.len == 0)
		return true;
	if (*rest.at != ':' || rest.len > 1 + HTTP_PORT_MAX)
		return false;
	*port = (struct http_text){ rest.at + 1, rest.len - 1 };
	for (size_t i = 0; i < port->len; i++)
		if (!http_is_digit(port->at[i]))
			return false;
	return true;
}
