/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the fuzz targets share.
 *
 * A target is one function, LLVMFuzzerTestOneInput(), that hands its input to
 * a parser and states by CHECK() what must hold whatever the bytes.  It is
 * linked twice: with libFuzzer, which makes up inputs (`make fuzz'), and with
 * replay.c, which feeds those that are kept in corpus/ (`make test').
 */

#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "common/bug.h"
#include "common/http.h"
#include "common/xmalloc.h"
#include "tests/support/dice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Try one input; returns 0.  Whatever is wrong aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes in a block of exactly their size, so that a sanitizer sees a look
 * behind the end.  Owns: the caller, by free(3). */
static inline char *
fuzz_copy(const void *data, size_t len)
{
	char *copy = xmalloc(len > 0 ? len : 1);

	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

/* The same as a C string; ends at the first NUL. */
static inline char *
fuzz_string(const void *data, size_t len)
{
	char *copy = xmalloc(len + 1);

	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

/* Dice that fall the same for the same input. */
static inline struct dice
fuzz_dice(const uint8_t *data, size_t size)
{
	struct dice dice = { UINT64_C(0x9e3779b97f4a7c15) + size };

	for (size_t i = 0; i < size; i++)
		dice.state = (dice.state ^ data[i]) * UINT64_C(0x100000001b3);
	dice.state |= 1;
	return dice;
}

/* Whether part lies within the len bytes at `at'. */
static inline bool
fuzz_within(const void *part, size_t part_len, const void *at, size_t len)
{
	const char *p = part, *start = at;

	return p >= start && p <= start + len &&
	       part_len <= (size_t)(start + len - p);
}

#endif
