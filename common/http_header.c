/* SPDX-License-Identifier: MIT */
/*
 * http_header.c - see http_header.h.
 *
 * A request has a dozen headers and is asked for five of them once, so a look
 * at each is cheaper than any index.
 */

#include "common/http_header.h"

/* Find the next header of that name from index *i on; leaves *i behind it. */
static const struct http_text *
http_header_next(const struct http_request *req, const char *name, size_t *i)
{
	while (*i < req->headers_len) {
		const struct http_header *header = &req->headers[(*i)++];

		if (http_text_equal_nocase(&header->name, name))
			return &header->value;
	}
	return NULL;
}

const struct http_text *
http_header_find(const struct http_request *req, const char *name)
{
	size_t i = 0;

	return http_header_next(req, name, &i);
}

size_t
http_header_count(const struct http_request *req, const char *name)
{
	size_t i = 0, count = 0;

	while (http_header_next(req, name, &i) != NULL)
		count++;
	return count;
}

typedef bool http_equal(const struct http_text *text, const char *string);

/* Look for a member in all lists of that name, compared by equal. */
static bool
http_header_has(const struct http_request *req, const char *name,
    const char *wanted, http_equal *equal)
{
	const struct http_text *value;
	struct http_text list, member;
	size_t i = 0;

	while ((value = http_header_next(req, name, &i)) != NULL) {
		list = *value;
		while (http_list_next(&list, &member))
			if (equal(&member, wanted))
				return true;
	}
	return false;
}

bool
http_header_has_token(
    const struct http_request *req, const char *name, const char *token)
{
	return http_header_has(req, name, token, http_text_equal_nocase);
}

bool
http_header_has_exactly(
    const struct http_request *req, const char *name, const char *member)
{
	return http_header_has(req, name, member, http_text_equal);
}

/* Whether the parameters of a list's member begin with "q=0", or "q=0.000". */
static bool
http_weight_is_zero(struct http_text weight)
{
	http_text_trim(&weight);
	if (weight.len < 3 || (weight.at[0] | 0x20) != 'q' ||
	    weight.at[1] != '=')
		return false;
	for (size_t i = 2; i < weight.len; i++)
		if (weight.at[i] != '0' && weight.at[i] != '.')
			return false;
	return true;
}

/* Whether a member is token, with any weight but 0. */
static bool
http_member_accepts(const struct http_text *member, const char *token)
{
	struct http_text weight = *member;
	struct http_text name = http_text_take(&weight, ';');

	http_text_trim(&name);
	return http_text_equal_nocase(&name, token) &&
	       !http_weight_is_zero(weight);
}

bool
http_header_accepts(
    const struct http_request *req, const char *name, const char *token)
{
	return http_header_has(req, name, token, http_member_accepts);
}

bool
http_keep_alive(const struct http_request *req)
{
	if (http_header_has_token(req, "Connection", "close"))
		return false;
	return req->minor_version > 0 ||
	       http_header_has_token(req, "Connection", "keep-alive");
}
