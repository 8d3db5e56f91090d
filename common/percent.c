/* SPDX-License-Identifier: MIT */
/* percent.c - see percent.h. */

#include "common/percent.h"

#include "common/hex.h"

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
