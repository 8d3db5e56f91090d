/* SPDX-License-Identifier: MIT */
/*
 * vec.h - sixteen bytes at a time.
 *
 * The vector types of gcc and clang: SSE2 on x86-64, NEON on ARM, and words
 * where a processor has neither, from the same source.  What is done with them
 * here is what a byte loop does, so the loop for the last few bytes has to say
 * the same as the loop for sixteen; the tests try every length and offset.
 */

#ifndef COMMON_VEC_H
#define COMMON_VEC_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define VEC_LEN 16u

typedef uint8_t vec __attribute__((vector_size(VEC_LEN)));

/* The same byte sixteen times. */
#define VEC_ALL(byte) ((vec){ 0 } + (uint8_t)(byte))

static inline vec
vec_load(const void *from)
{
	vec v;

	memcpy(&v, from, sizeof(v));
	return v;
}

static inline void
vec_store(void *to, vec v)
{
	memcpy(to, &v, sizeof(v));
}

/* Its two halves, or-ed: tells whether any of some bits is set in any byte. */
static inline uint64_t
vec_fold(vec v)
{
	uint64_t half[2];

	memcpy(half, &v, sizeof(half));
	return half[0] | half[1];
}

/* Of the first byte that is not 0: its index, or VEC_LEN. */
static inline unsigned
vec_first(vec v)
{
	uint64_t half[2];

	memcpy(half, &v, sizeof(half));
	if (half[0] != 0)
		return (unsigned)__builtin_ctzll(le64toh(half[0])) / 8;
	if (half[1] != 0)
		return 8 + (unsigned)__builtin_ctzll(le64toh(half[1])) / 8;
	return VEC_LEN;
}

#endif
