/* SPDX-License-Identifier: MIT */
/* credential.c - see credential.h. */

#include "worker/access/credential.h"

#include "worker/access/origin.h"

#include <string.h>
#include <strings.h>

#define CREDENTIAL_SUBPROTOCOL "bearer."
#define CREDENTIAL_QUERY       "access_token"

/* What one place has. */
struct credential_place {
	struct http_text first;
	unsigned count;
};

static void
credential_note(struct credential_place *place, const char *at, size_t len)
{
	if (place->count++ == 0)
		place->first = (struct http_text){ at, len };
}

/* Whether a text begins so, whatever the case; what follows is then at `rest'. */
static bool
credential_begins(const struct http_text *text, const char *prefix, bool nocase,
    struct http_text *rest)
{
	size_t len = strlen(prefix);

	if (text->len < len || (nocase ? strncasecmp(text->at, prefix, len)
				       : strncmp(text->at, prefix, len)) != 0)
		return false;
	*rest = (struct http_text){ text->at + len, text->len - len };
	return true;
}

/* Whether a line of the head has this name. */
static bool
credential_line_is(const struct http_header *line, const char *name)
{
	return http_text_equal_nocase(&line->name, name);
}

static void
credential_in_authorization(
    const struct http_request *req, struct credential_place *place)
{
	struct http_text rest;

	for (size_t i = 0; i < req->headers_len; i++) {
		const struct http_header *line = &req->headers[i];

		if (!credential_line_is(line, "Authorization") ||
		    !credential_begins(&line->value, "Bearer", true, &rest) ||
		    (rest.len > 0 && rest.at[0] != ' '))
			continue;
		while (rest.len > 0 && rest.at[0] == ' ') {
			rest.at++;
			rest.len--;
		}
		credential_note(place, rest.at, rest.len);
	}
}

static void
credential_in_subprotocols(
    const struct http_request *req, struct credential_place *place)
{
	struct http_text list, member, rest;

	for (size_t i = 0; i < req->headers_len; i++) {
		const struct http_header *line = &req->headers[i];

		if (!credential_line_is(line, "Sec-WebSocket-Protocol"))
			continue;
		list = line->value;
		while (http_list_next(&list, &member))
			if (credential_begins(
				&member, CREDENTIAL_SUBPROTOCOL, false, &rest))
				credential_note(place, rest.at, rest.len);
	}
}

/* Take the first "name=value" off a list of cookies (RFC 6265, 4.2.1). */
static bool
credential_next_cookie(
    struct http_text *list, struct http_text *name, struct http_text *value)
{
	const char *end, *equals;
	size_t len;

	while (list->len > 0 && (*list->at == ' ' || *list->at == ';')) {
		list->at++;
		list->len--;
	}
	if (list->len == 0)
		return false;
	end = memchr(list->at, ';', list->len);
	len = end != NULL ? (size_t)(end - list->at) : list->len;
	equals = memchr(list->at, '=', len);
	*name = (struct http_text){ list->at,
		equals != NULL ? (size_t)(equals - list->at) : len };
	*value = (struct http_text){ list->at + len, 0 };
	if (equals != NULL)
		*value = (struct http_text){ equals + 1, len - name->len - 1 };
	list->at += len;
	list->len -= len;
	return true;
}

/* Cookies of one name may come from several domains; which of them is meant
 * nobody can say. */
static void
credential_in_cookies(const struct http_request *req, const char *wanted,
    struct credential_place *place)
{
	struct http_text list, name, value;

	for (size_t i = 0; i < req->headers_len; i++) {
		const struct http_header *line = &req->headers[i];

		if (!credential_line_is(line, "Cookie"))
			continue;
		list = line->value;
		while (credential_next_cookie(&list, &name, &value))
			if (http_text_equal(&name, wanted))
				credential_note(place, value.at, value.len);
	}
}

static void
credential_in_query(
    const struct http_request *req, struct credential_place *place)
{
	struct http_text query = req->query, key, value;

	while (http_query_next(&query, &key, &value))
		if (http_text_equal(&key, CREDENTIAL_QUERY))
			credential_note(place, value.at, value.len);
}

/* Whether a cookie was sent because its user wanted that. */
static bool
credential_cookies_count(
    const struct config *config, const struct http_request *req)
{
	return http_header_find(req, "Origin") != NULL
	           ? origin_is_trusted(config, req)
	           : !origin_is_blind(req);
}

enum credential_status
credential_find(const struct config *config, const struct http_request *req,
    const struct credential_places *places, struct http_text *credential)
{
	struct credential_place place = { 0 };

	credential_in_authorization(req, &place);
	if (place.count == 0 && places->subprotocol)
		credential_in_subprotocols(req, &place);
	if (place.count == 0 && places->cookie != NULL &&
	    credential_cookies_count(config, req))
		credential_in_cookies(req, places->cookie, &place);
	if (place.count == 0 && places->query)
		credential_in_query(req, &place);
	if (place.count == 0)
		return CREDENTIAL_NONE;
	*credential = place.first;
	return place.count == 1 && credential->len > 0 ? CREDENTIAL_FOUND
	                                               : CREDENTIAL_AMBIGUOUS;
}
