/* SPDX-License-Identifier: MIT */
/*
 * json_check.c - is a text exactly one JSON value (RFC 8259)?
 *
 * jsmn splits a text into tokens but lets much pass that is not JSON ({"a"},
 * [1 2], 01, raw control characters), and says nothing about where a text is
 * wrong.  So this file decides, and jsmn (json.c) only sees text that passed.
 *
 * An automaton instead of recursion: what may come next, and one bit for each
 * open bracket that says whether it is an object.  So no text, however nested,
 * uses up the stack, and each byte is looked at once.
 */

#include "common/json.h"

#include "common/bug.h"
#include "common/hex.h"
#include "common/json_scan.h"

#include <stdint.h>
#include <string.h>

_Static_assert(JSON_DEPTH_ANY <= 128, "one bit for each open bracket");

enum json_next {
	JSON_NEXT_VALUE,
	JSON_NEXT_VALUE_OR_END, /* after [ */
	JSON_NEXT_KEY,
	JSON_NEXT_KEY_OR_END, /* after { */
	JSON_NEXT_COLON,
	JSON_NEXT_COMMA_OR_END,
	JSON_NEXT_NOTHING, /* the value is complete */
};

struct json_checker {
	const char *text;
	size_t len;
	size_t pos;
	enum json_next next;
	unsigned depth; /* open brackets */
	unsigned depth_max;
	/* Bit 0: the innermost bracket is an object's; the outer ones go on to
	 * the second word. */
	uint64_t objects[2];
	enum json_status status;
	const char *why;
};

static bool
json_fail(struct json_checker *c, const char *why)
{
	c->status = JSON_BROKEN;
	c->why = c->pos < c->len ? why : "the text ends too early";
	return false;
}

static bool
json_at_digit(const struct json_checker *c)
{
	return c->pos < c->len && c->text[c->pos] >= '0' &&
	       c->text[c->pos] <= '9';
}

static bool
json_at(const struct json_checker *c, char wanted)
{
	return c->pos < c->len && c->text[c->pos] == wanted;
}

static void
json_skip_space(struct json_checker *c)
{
	while (json_at(c, ' ') || json_at(c, '\n') || json_at(c, '\r') ||
	       json_at(c, '\t'))
		c->pos++;
}

/* Note that a value has ended: the bracket around it decides what may
 * follow. */
static bool
json_value_done(struct json_checker *c)
{
	c->next = c->depth > 0 ? JSON_NEXT_COMMA_OR_END : JSON_NEXT_NOTHING;
	return true;
}

static bool
json_open(struct json_checker *c, bool is_object)
{
	if (c->depth == c->depth_max) {
		c->status = JSON_TOO_DEEP;
		c->why = "arrays and objects are nested too deep";
		return false;
	}
	c->pos++;
	c->depth++;
	c->objects[1] = c->objects[1] << 1 | c->objects[0] >> 63;
	c->objects[0] = c->objects[0] << 1 | is_object;
	c->next = is_object ? JSON_NEXT_KEY_OR_END : JSON_NEXT_VALUE_OR_END;
	return true;
}

static bool
json_close(struct json_checker *c)
{
	c->pos++;
	c->depth--;
	c->objects[0] = c->objects[0] >> 1 | c->objects[1] << 63;
	c->objects[1] >>= 1;
	return json_value_done(c);
}

/* Step over the rest of an escape, behind its backslash. */
static bool
json_escape(struct json_checker *c)
{
	c->pos++;
	if (c->pos == c->len ||
	    strchr("\"\\/bfnrtu", c->text[c->pos]) == NULL ||
	    c->text[c->pos] == '\0')
		return json_fail(c, "unknown escape in a string");
	if (c->text[c->pos++] != 'u')
		return true;
	for (int i = 0; i < 4; i++, c->pos++)
		if (c->pos == c->len || hex_digit(c->text[c->pos]) < 0)
			return json_fail(
			    c, "\\u takes four hexadecimal digits");
	return true;
}

static void
json_skip_plain(struct json_checker *c)
{
	c->pos += json_plain_run(c->text + c->pos, c->len - c->pos);
}

static bool
json_string(struct json_checker *c)
{
	c->pos++;
	json_skip_plain(c);
	while (json_at(c, '\\')) {
		if (!json_escape(c))
			return false;
		json_skip_plain(c);
	}
	if (!json_at(c, '"'))
		return json_fail(c, "raw control character in a string");
	c->pos++;
	return true;
}

static bool
json_digits(struct json_checker *c)
{
	if (!json_at_digit(c))
		return json_fail(c, "a digit is expected");
	while (json_at_digit(c))
		c->pos++;
	return true;
}

static bool
json_number(struct json_checker *c)
{
	if (json_at(c, '-'))
		c->pos++;
	if (json_at(c, '0'))
		c->pos++; /* and no digit after it: 01 is no number */
	else if (!json_digits(c))
		return false;
	if (json_at(c, '.')) {
		c->pos++;
		if (!json_digits(c))
			return false;
	}
	if (json_at(c, 'e') || json_at(c, 'E')) {
		c->pos++;
		if (json_at(c, '+') || json_at(c, '-'))
			c->pos++;
		if (!json_digits(c))
			return false;
	}
	return json_value_done(c);
}

static bool
json_literal(struct json_checker *c, const char *word)
{
	for (; *word != '\0'; word++, c->pos++)
		if (!json_at(c, *word))
			return json_fail(
			    c, "only true, false and null are words");
	return json_value_done(c);
}

static bool
json_value(struct json_checker *c)
{
	switch (c->text[c->pos]) {
	case '{':
		return json_open(c, true);
	case '[':
		return json_open(c, false);
	case '"':
		return json_string(c) && json_value_done(c);
	case 't':
		return json_literal(c, "true");
	case 'f':
		return json_literal(c, "false");
	case 'n':
		return json_literal(c, "null");
	case '-':
		return json_number(c);
	default:
		if (json_at_digit(c))
			return json_number(c);
		return json_fail(c, "a value is expected");
	}
}

static bool
json_key(struct json_checker *c)
{
	if (!json_at(c, '"'))
		return json_fail(c, "a member's name in quotes is expected");
	c->next = JSON_NEXT_COLON;
	return json_string(c);
}

static bool
json_colon(struct json_checker *c)
{
	if (!json_at(c, ':'))
		return json_fail(c, "a colon is expected");
	c->pos++;
	c->next = JSON_NEXT_VALUE;
	return true;
}

static bool
json_comma_or_end(struct json_checker *c)
{
	bool in_object = c->objects[0] & 1;

	if (json_at(c, in_object ? '}' : ']'))
		return json_close(c);
	if (!json_at(c, ','))
		return json_fail(c, in_object ? "a comma or } is expected"
					      : "a comma or ] is expected");
	c->pos++;
	c->next = in_object ? JSON_NEXT_KEY : JSON_NEXT_VALUE;
	return true;
}

/* Step over one token that begins at pos, if it is what may come next. */
static bool
json_step(struct json_checker *c)
{
	switch (c->next) {
	case JSON_NEXT_VALUE:
		return json_value(c);
	case JSON_NEXT_VALUE_OR_END:
		return json_at(c, ']') ? json_close(c) : json_value(c);
	case JSON_NEXT_KEY:
		return json_key(c);
	case JSON_NEXT_KEY_OR_END:
		return json_at(c, '}') ? json_close(c) : json_key(c);
	case JSON_NEXT_COLON:
		return json_colon(c);
	case JSON_NEXT_COMMA_OR_END:
		return json_comma_or_end(c);
	case JSON_NEXT_NOTHING:
		return json_fail(c, "nothing may follow the value");
	}
	BUG("no such state");
}

size_t
json_scalar_len(const char *text, size_t len)
{
	struct json_checker c = { .text = text, .len = len };

	if (len == 0 || *text == '{' || *text == '[' || !json_value(&c))
		return 0;
	return c.pos;
}

enum json_status
json_check(const char *text, size_t len, size_t *where, const char **why)
{
	return json_check_depth(text, len, JSON_DEPTH_MAX, where, why);
}

enum json_status
json_check_depth(const char *text, size_t len, unsigned depth_max,
    size_t *where, const char **why)
{
	struct json_checker c = {
		.text = text, .len = len, .depth_max = depth_max
	};
	bool ok = true;

	json_skip_space(&c);
	while (ok && c.pos < len) {
		ok = json_step(&c);
		if (ok)
			json_skip_space(&c);
	}
	if (ok && c.next != JSON_NEXT_NOTHING)
		json_fail(&c, "");
	*where = c.pos;
	*why = c.why;
	return c.status;
}

/* The byte behind a string that begins at `at'. */
static const char *
json_string_end(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\')
			at++;
	return at + 1;
}

bool
json_within_depth(const char *text, size_t len, unsigned max)
{
	const char *end = text + len;
	unsigned depth = 0;

	/* Each of them has two bytes; a string, the usual message, has none. */
	if (len / 2 <= max || *text == '"')
		return true;
	for (const char *at = text; at < end;) {
		if (*at == '"') {
			at = json_string_end(at, end);
			continue;
		}
		if ((*at == '[' || *at == '{') && ++depth > max)
			return false;
		if (*at == ']' || *at == '}')
			depth--;
		at++;
	}
	return true;
}
