/* SPDX-License-Identifier: MIT */
/* percent.c - see percent.h. */

#include "common/percent.h"

#include "common/hex.h"

#include <string.h>

static bool
percent_decode(
    const char *in, size_t len, bool plus_is_space, char *out, size_t *out_len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int high, low;

		if (in[i] == '+' && plus_is_space) {
			out[n++] = ' ';
			continue;
		}
		if (in[i] != '%') {
			out[n++] = in[i];
			continue;
		}
		if (len - i < 3)
			return false;
		high = hex_digit(in[i + 1]);
		low = hex_digit(in[i + 2]);
		if (high < 0 || low < 0 || high + low == 0)
			return false;
		out[n++] = (char)(high << 4 | low);
		i += 2;
	}
	*out_len = n;
	return true;
}

bool
percent_decode_path(const char *in, size_t len, char *out, size_t *out_len)
{
	return percent_decode(in, len, false, out, out_len);
}

bool
percent_decode_query(const char *in, size_t len, char *out, size_t *out_len)
{
	return percent_decode(in, len, true, out, out_len);
}

/* The character whose escape begins here and means nothing, or -1. */
static int
percent_unreserved(const char *in, size_t len)
{
	int high, low, c;

	if (len < 3 || in[0] != '%')
		return -1;
	high = hex_digit(in[1]);
	low = hex_digit(in[2]);
	if (high < 0 || low < 0)
		return -1;
	c = high << 4 | low;
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~", c) != NULL))
		return c;
	return -1;
}

size_t
percent_normalise(const char *in, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = percent_unreserved(in + i, len - i);

		out[n++] = c == -1 ? in[i] : (char)c;
		if (c != -1)
			i += 2;
	}
	return n;
}
