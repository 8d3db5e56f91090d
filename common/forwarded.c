/* SPDX-License-Identifier: MIT */
/* forwarded.c - see forwarded.h. */

#include "common/forwarded.h"

#include <string.h>

#define FORWARDED_PORT_MAX 5 /* digits */

/* One of the two headers, read from its end. */
struct forwarded_list {
	const struct http_request *req;
	const char *name;
	bool (*parse)(const struct http_text *member, struct ip_address *ip);
	size_t lines;          /* that are not looked at yet */
	struct http_text rest; /* of the line behind these */
};

/* Whether the quote at this place of the text is not escaped. */
static bool
forwarded_is_quote(const struct http_text *text, size_t at)
{
	size_t escapes = 0;

	if (text->at[at] != '"')
		return false;
	while (escapes < at && text->at[at - 1 - escapes] == '\\')
		escapes++;
	return escapes % 2 == 0;
}

/* Take the last member off a list.  A comma in quotes belongs to a member. */
static struct http_text
forwarded_take_last(struct http_text *list)
{
	struct http_text member;
	bool in_quotes = false;
	size_t at = list->len;

	for (; at > 0; at--) {
		if (forwarded_is_quote(list, at - 1))
			in_quotes = !in_quotes;
		else if (list->at[at - 1] == ',' && !in_quotes)
			break;
	}
	member = (struct http_text){ list->at + at, list->len - at };
	list->len = at > 0 ? at - 1 : 0;
	http_text_trim(&member);
	return member;
}

/* Take the last member of all lines.  Returns false if none is left. */
static bool
forwarded_previous(struct forwarded_list *list, struct http_text *member)
{
	for (;;) {
		const struct http_header *header;

		while (list->rest.len > 0) {
			*member = forwarded_take_last(&list->rest);
			if (member->len > 0)
				return true;
		}
		if (list->lines == 0)
			return false;
		header = &list->req->headers[--list->lines];
		if (http_text_equal_nocase(&header->name, list->name))
			list->rest = header->value;
	}
}

/* Nothing, or a port: of digits, or hidden (RFC 7239, 6.2). */
static bool
forwarded_is_port(const struct http_text *text)
{
	struct http_text port;

	if (text->len == 0)
		return true;
	port = (struct http_text){ text->at + 1, text->len - 1 };
	if (text->at[0] != ':' || !http_is_token(&port))
		return false;
	if (port.at[0] == '_')
		return true;
	for (size_t i = 0; i < port.len; i++)
		if (port.at[i] < '0' || port.at[i] > '9')
			return false;
	return port.len <= FORWARDED_PORT_MAX;
}

/* ADDRESS, IPv4:PORT, [IPv6] or [IPv6]:PORT. */
static bool
forwarded_parse_node(const struct http_text *node, struct ip_address *ip)
{
	struct http_text rest = *node, host;

	if (rest.len > 0 && rest.at[0] == '[') {
		http_text_take(&rest, '[');
		if (memchr(rest.at, ']', rest.len) == NULL)
			return false;
		host = http_text_take(&rest, ']');
		return forwarded_is_port(&rest) &&
		       ip_parse(ip, host.at, host.len) &&
		       memchr(host.at, ':', host.len) != NULL;
	}
	host = http_text_take(&rest, ':');
	if (memchr(rest.at, ':', rest.len) != NULL)
		return ip_parse(ip, node->at, node->len);
	if (host.len < node->len)
		rest = (struct http_text){ host.at + host.len,
			node->len - host.len };
	return forwarded_is_port(&rest) && ip_parse(ip, host.at, host.len);
}

/* Take the value of a pair: a token, or a string without its quotes.  Returns
 * false if it is neither. */
static bool
forwarded_take_value(struct http_text *text, struct http_text *value)
{
	size_t end = 1;

	if (text->len == 0 || text->at[0] != '"') {
		*value = http_text_take(text, ';');
		http_text_trim(value);
		return http_is_token(value);
	}
	while (end < text->len && !forwarded_is_quote(text, end))
		end++;
	if (end == text->len)
		return false;
	*value = (struct http_text){ text->at + 1, end - 1 };
	text->at += end + 1;
	text->len -= end + 1;
	http_text_trim(text);
	if (text->len > 0 && text->at[0] != ';')
		return false;
	http_text_take(text, ';');
	return true;
}

/* Whom an element of Forwarded is from: the one "for" of its pairs. */
static bool
forwarded_parse_element(const struct http_text *element, struct ip_address *ip)
{
	struct http_text rest = *element, name, value;
	bool is_told = false;

	while (rest.len > 0) {
		if (rest.at[0] == ';') {
			http_text_take(&rest, ';');
			http_text_trim(&rest);
			continue;
		}
		if (memchr(rest.at, '=', rest.len) == NULL)
			return false;
		name = http_text_take(&rest, '=');
		if (!http_is_token(&name) ||
		    !forwarded_take_value(&rest, &value))
			return false;
		http_text_trim(&rest);
		if (!http_text_equal_nocase(&name, "for"))
			continue;
		if (is_told || !forwarded_parse_node(&value, ip))
			return false;
		is_told = true;
	}
	return is_told;
}

static enum forwarded_status
forwarded_read(struct forwarded_list *list, const struct ip_network *trusted,
    size_t trusted_count, struct ip_address *client)
{
	enum forwarded_status status = FORWARDED_NONE;
	struct http_text member;

	list->lines = list->req->headers_len;
	list->rest = (struct http_text){ NULL, 0 };
	while (forwarded_previous(list, &member)) {
		if (!list->parse(&member, client) || ip_is_unspecified(client))
			return FORWARDED_BAD;
		status = FORWARDED_OK;
		if (!ip_is_among(client, trusted, trusted_count))
			break;
	}
	return status;
}

enum forwarded_status
forwarded_client(const struct http_request *req,
    const struct ip_network *trusted, size_t trusted_count,
    struct ip_address *client)
{
	struct forwarded_list common = { .req = req,
		.name = "X-Forwarded-For",
		.parse = forwarded_parse_node };
	struct forwarded_list standard = { .req = req,
		.name = "Forwarded",
		.parse = forwarded_parse_element };
	struct ip_address other;
	enum forwarded_status status =
	    forwarded_read(&common, trusted, trusted_count, client);
	enum forwarded_status second =
	    forwarded_read(&standard, trusted, trusted_count, &other);

	if (second == FORWARDED_NONE)
		return status;
	if (status == FORWARDED_NONE)
		*client = other;
	else if (status == FORWARDED_OK && second == FORWARDED_OK &&
		 !ip_equal(client, &other))
		return FORWARDED_BAD;
	return status == FORWARDED_BAD ? status : second;
}
