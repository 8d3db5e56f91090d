/* SPDX-License-Identifier: MIT */
/* json_scan.h - look through a string; for json_check.c and json_flat.c. */

#ifndef COMMON_JSON_SCAN_H
#define COMMON_JSON_SCAN_H

#include "common/vec.h"

#include <stddef.h>

/* The bytes that mean something in a string: a quote, a backslash, a control
 * character. */
static inline vec
json_special(const char *p)
{
	vec v = vec_load(p);

	return (vec)(v < VEC_ALL(' ')) | (vec)(v == VEC_ALL('"')) |
	       (vec)(v == VEC_ALL('\\'));
}

/* How many bytes from p on mean nothing in a string. */
static inline size_t
json_plain_run(const char *p, size_t len)
{
	size_t run = 0;
	unsigned first;

	for (; len - run >= VEC_LEN; run += VEC_LEN) {
		first = vec_first(json_special(p + run), 0);
		if (first < VEC_LEN)
			return run + first;
	}
	if (run > 0 && run < len) {
		/* The last sixteen, without those that were seen. */
		first = vec_first(json_special(p + len - VEC_LEN),
		    VEC_LEN - (unsigned)(len - run));
		return len - VEC_LEN + first;
	}
	while (run < len && (unsigned char)p[run] >= ' ' && p[run] != '"' &&
	       p[run] != '\\')
		run++;
	return run;
}

#endif
