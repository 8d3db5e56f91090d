/* SPDX-License-Identifier: MIT */
/* base64url.c - see base64url.h. */

#include "common/base64url.h"

static const char base64url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The six bits of a character, or -1. */
static int
base64url_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

bool
base64url_decode(
    const char *text, size_t len, unsigned char *out, size_t *out_len)
{
	unsigned held = 0, bits = 0;
	size_t n = 0;

	if (len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		int value = base64url_value(text[i]);

		if (value == -1)
			return false;
		held = (held << 6 | (unsigned)value) & 0xfff;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		out[n++] = (unsigned char)(held >> bits);
	}
	*out_len = n;
	/* The bits that belong to no byte have one spelling: zero. */
	return (held & ((1u << bits) - 1)) == 0;
}

size_t
base64url_encode(const void *data, size_t len, char *out)
{
	const unsigned char *from = data;
	unsigned held = 0, bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		held = (held << 8 | from[i]) & 0xffff;
		for (bits += 8; bits >= 6; bits -= 6)
			out[n++] = base64url_alphabet[held >> (bits - 6) & 63];
	}
	if (bits > 0)
		out[n++] = base64url_alphabet[held << (6 - bits) & 63];
	return n;
}
