/* SPDX-License-Identifier: MIT */
/*
 * json_string.c - what a JSON string stands for, and how a text is written
 * as one.
 *
 * Everything between two escapes is copied in one piece; most strings have no
 * escape at all.
 */

#include "common/json.h"

#include "common/hex.h"
#include "common/utf8.h"

#include <string.h>

#define JSON_UNICODE_LEN 6 /* characters of \u1234 */

static uint32_t
json_hex4(const char *p)
{
	uint32_t n = 0;

	for (int i = 0; i < 4; i++)
		n = n << 4 | (uint32_t)hex_digit(p[i]);
	return n;
}

/* Read \uXXXX, or two of them where they make a pair.  Returns its length. */
static size_t
json_unicode_read(const char *p, const char *end, uint32_t *code_point)
{
	uint32_t high = json_hex4(p + 2);
	uint32_t low;

	*code_point = high;
	if (high < 0xd800 || high > 0xdfff)
		return JSON_UNICODE_LEN;

	*code_point = UTF8_REPLACEMENT;
	if (high > 0xdbff || end - p < 2 * JSON_UNICODE_LEN)
		return JSON_UNICODE_LEN;
	if (p[JSON_UNICODE_LEN] != '\\' || p[JSON_UNICODE_LEN + 1] != 'u')
		return JSON_UNICODE_LEN;
	low = json_hex4(p + JSON_UNICODE_LEN + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return JSON_UNICODE_LEN;
	*code_point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return 2 * JSON_UNICODE_LEN;
}

/* Read the escape whose backslash is at p.  Returns its length. */
static size_t
json_escape_read(const char *p, const char *end, uint32_t *code_point)
{
	switch (p[1]) {
	case 'u':
		return json_unicode_read(p, end, code_point);
	case 'b':
		*code_point = '\b';
		return 2;
	case 'f':
		*code_point = '\f';
		return 2;
	case 'n':
		*code_point = '\n';
		return 2;
	case 'r':
		*code_point = '\r';
		return 2;
	case 't':
		*code_point = '\t';
		return 2;
	default: /* a quote, a slash or a backslash */
		*code_point = (unsigned char)p[1];
		return 2;
	}
}

static const char *
json_backslash(const char *p, const char *end)
{
	return memchr(p, '\\', (size_t)(end - p));
}

size_t
json_string_decode(const char *raw, size_t raw_len, char *out)
{
	const char *end = raw + raw_len - 1;
	const char *p = raw + 1;
	const char *escape;
	uint32_t code_point;
	size_t n = 0;

	while ((escape = json_backslash(p, end)) != NULL) {
		memcpy(out + n, p, (size_t)(escape - p));
		n += (size_t)(escape - p);
		p = escape + json_escape_read(escape, end, &code_point);
		n += utf8_encode(code_point, out + n);
	}
	memcpy(out + n, p, (size_t)(end - p));
	return n + (size_t)(end - p);
}

void
json_normalise(const char *text, size_t len, char *out)
{
	const char *end = text + len;
	const char *p = text;
	const char *escape;
	uint32_t code_point;

	memcpy(out, text, len);
	while ((escape = json_backslash(p, end)) != NULL) {
		p = escape + json_escape_read(escape, end, &code_point);
		if (code_point == UTF8_REPLACEMENT)
			memcpy(
			    out + (escape - text), "\\ufffd", JSON_UNICODE_LEN);
	}
}

size_t
json_compact(const char *text, size_t len, char *out)
{
	bool in_string = false;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (!in_string && strchr(" \t\r\n", text[i]) != NULL)
			continue;
		if (text[i] == '"')
			in_string = !in_string;
		else if (in_string && text[i] == '\\')
			out[n++] = text[i++];
		out[n++] = text[i];
	}
	return n;
}

static uint32_t
json_lower(uint32_t c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool
json_string_reads(
    const char *raw, size_t raw_len, const char *name, bool nocase)
{
	const char *end = raw + raw_len - 1;
	const char *p = raw + 1;

	for (; p < end && *name != '\0'; name++) {
		uint32_t c = (unsigned char)*p, wanted = (unsigned char)*name;

		if (c == '\\')
			p += json_escape_read(p, end, &c);
		else
			p++;
		if (nocase ? json_lower(c) != json_lower(wanted) : c != wanted)
			return false;
	}
	return p == end && *name == '\0';
}

/* The letter of the short escape for a character, or 0. */
static char
json_short_escape(char c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static size_t
json_escape_write(char c, char *out)
{
	static const char digits[] = "0123456789abcdef";
	char letter = json_short_escape(c);

	out[0] = '\\';
	if (letter != 0) {
		out[1] = letter;
		return 2;
	}
	memcpy(out + 1, "u00", 3);
	out[4] = digits[(unsigned char)c >> 4];
	out[5] = digits[(unsigned char)c & 15];
	return JSON_UNICODE_LEN;
}

static bool
json_needs_escape(char c)
{
	return (unsigned char)c < ' ' || c == '"' || c == '\\';
}

size_t
json_string_encode(const char *text, size_t len, char *out)
{
	size_t n = 0;

	out[n++] = '"';
	for (size_t i = 0; i < len; i++) {
		if (json_needs_escape(text[i]))
			n += json_escape_write(text[i], out + n);
		else
			out[n++] = text[i];
	}
	out[n++] = '"';
	return n;
}
