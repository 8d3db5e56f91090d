/* SPDX-License-Identifier: MIT */
/* ws_deflate.c - see ws_deflate.h. */

#include "common/ws_deflate.h"

#include "common/deflate.h"
#include "common/http_header.h"

#include <stdio.h>
#include <string.h>

#define OFFER_BITS_MIN 8
#define OFFER_BITS_MAX 15

/* Characters of a value that may be right. */
#define OFFER_VALUE_MAX 2u

enum offer_kind {
	OFFER_NONE = 0, /* of another extension */
	OFFER_DECLINED,
	OFFER_ACCEPTED,
};

/* A parameter's value, without its quotes. */
struct offer_value {
	bool is_there;
	size_t len; /* more than OFFER_VALUE_MAX: too long for any */
	char at[OFFER_VALUE_MAX];
};

/* Take the part before the first separator that is outside of quotes off text, or
 * all where there is none.  Returns whether there was one. */
static bool
offer_take(struct http_text *text, char separator, struct http_text *part)
{
	bool is_quoted = false, is_found;
	size_t i;

	for (i = 0; i < text->len; i++) {
		if (is_quoted && text->at[i] == '\\')
			i++;
		else if (text->at[i] == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && text->at[i] == separator)
			break;
	}
	is_found = i < text->len;
	*part = (struct http_text){ text->at, is_found ? i : text->len };
	text->at += part->len + is_found;
	text->len -= part->len + is_found;
	http_text_trim(part);
	return is_found;
}

static void
offer_value_add(struct offer_value *value, char c)
{
	if (value->len < OFFER_VALUE_MAX)
		value->at[value->len] = c;
	value->len++;
}

/* Take a quoted string apart.  Returns false if it is none, or what it says could
 * not stand without quotes. */
static bool
offer_unquote(const struct http_text *text, struct offer_value *value)
{
	size_t i;

	for (i = 1; i < text->len && text->at[i] != '"'; i++) {
		if (text->at[i] == '\\' && ++i == text->len)
			return false;
		if (!http_is_token_char(text->at[i]))
			return false;
		offer_value_add(value, text->at[i]);
	}
	return i + 1 == text->len && value->len > 0;
}

/* Read a parameter, NAME or NAME=VALUE.  Returns false if it is none. */
static bool
offer_parameter(
    struct http_text text, struct http_text *name, struct offer_value *value)
{
	*value = (struct offer_value){ .is_there = memchr(text.at, '=',
						       text.len) != NULL };
	*name = http_text_take(&text, '=');
	http_text_trim(name);
	http_text_trim(&text);
	if (!http_is_token(name))
		return false;
	if (!value->is_there)
		return true;
	if (text.len > 0 && text.at[0] == '"')
		return offer_unquote(&text, value);
	for (size_t i = 0; i < text.len; i++)
		offer_value_add(value, text.at[i]);
	return http_is_token(&text);
}

/* A window's size: a decimal without leading zeros.  Returns 0 if it is none. */
static uint8_t
offer_bits(const struct offer_value *value)
{
	unsigned bits = 0;

	if (value->len > OFFER_VALUE_MAX || value->at[0] == '0')
		return 0;
	for (size_t i = 0; i < value->len; i++) {
		if (value->at[i] < '0' || value->at[i] > '9')
			return 0;
		bits = bits * 10 + (unsigned)(value->at[i] - '0');
	}
	return bits >= OFFER_BITS_MIN && bits <= OFFER_BITS_MAX ? (uint8_t)bits
	                                                        : 0;
}

static bool
offer_no_value(const struct offer_value *value, struct ws_deflate *agreed)
{
	(void)agreed;
	return !value->is_there;
}

static bool
offer_server_window(const struct offer_value *value, struct ws_deflate *agreed)
{
	agreed->window_bits = value->is_there ? offer_bits(value) : 0;
	agreed->has_window = true;
	return agreed->window_bits != 0;
}

static bool
offer_client_window(const struct offer_value *value, struct ws_deflate *agreed)
{
	(void)agreed;
	return !value->is_there || offer_bits(value) != 0;
}

/* The parameters of section 7.1, and what each says. */
static const struct offer_rule {
	const char *name;
	bool (*read)(
	    const struct offer_value *value, struct ws_deflate *agreed);
} offer_rules[] = {
	{ "server_no_context_takeover", offer_no_value },
	{ "client_no_context_takeover", offer_no_value },
	{ "server_max_window_bits", offer_server_window },
	{ "client_max_window_bits", offer_client_window },
};

#define OFFER_RULES (sizeof(offer_rules) / sizeof(offer_rules[0]))

/* Read one parameter.  seen has a bit for each that there was.  Returns false if
 * the offer cannot be accepted for it. */
static bool
offer_take_parameter(
    struct http_text text, unsigned *seen, struct ws_deflate *agreed)
{
	struct offer_value value;
	struct http_text name;

	if (!offer_parameter(text, &name, &value))
		return false;
	for (size_t i = 0; i < OFFER_RULES; i++) {
		if (!http_text_equal(&name, offer_rules[i].name))
			continue;
		if ((*seen & 1u << i) != 0)
			return false;
		*seen |= 1u << i;
		return offer_rules[i].read(&value, agreed);
	}
	return false;
}

/* Read one offer. */
static enum offer_kind
offer_read(struct http_text offer, struct ws_deflate *agreed)
{
	struct http_text name, parameter;
	bool has_more = offer_take(&offer, ';', &name);
	unsigned seen = 0;

	if (!http_text_equal(&name, "permessage-deflate"))
		return OFFER_NONE;
	*agreed = (struct ws_deflate){ .window_bits = OFFER_BITS_MAX };
	while (has_more) {
		has_more = offer_take(&offer, ';', &parameter);
		if (!offer_take_parameter(parameter, &seen, agreed))
			return OFFER_DECLINED;
	}
	return OFFER_ACCEPTED;
}

/* Read the offers of one header line, up to one that can be accepted. */
static bool
offer_choose(
    struct http_text list, struct ws_deflate *agreed, unsigned *declined)
{
	struct http_text offer;

	while (list.len > 0) {
		offer_take(&list, ',', &offer);
		switch (offer_read(offer, agreed)) {
		case OFFER_ACCEPTED:
			return true;
		case OFFER_DECLINED:
			(*declined)++;
			break;
		case OFFER_NONE:
			break;
		}
	}
	return false;
}

bool
ws_deflate_choose(const struct http_request *req, struct ws_deflate *agreed,
    unsigned *declined)
{
	*declined = 0;
	for (size_t i = 0; i < req->headers_len; i++) {
		const struct http_header *header = &req->headers[i];

		if (http_text_equal_nocase(
			&header->name, "Sec-WebSocket-Extensions") &&
		    offer_choose(header->value, agreed, declined))
			return true;
	}
	return false;
}

void
ws_deflate_answer(
    const struct ws_deflate *agreed, char out[WS_DEFLATE_ANSWER_MAX])
{
	int n = snprintf(out, WS_DEFLATE_ANSWER_MAX,
	    "permessage-deflate; server_no_context_takeover; "
	    "client_no_context_takeover");
	unsigned bits = agreed->window_bits;

	if (!agreed->has_window)
		return;
	/* It may inflate with less than it would, as no more is needed. */
	if (bits > DEFLATE_WINDOW_BITS)
		bits = DEFLATE_WINDOW_BITS;
	snprintf(out + n, WS_DEFLATE_ANSWER_MAX - (size_t)n,
	    "; server_max_window_bits=%u", bits);
}
