/* SPDX-License-Identifier: MIT */
/*
 * vec.h - sixteen bytes at a time.
 *
 * The vector types of gcc and clang: SSE2 on x86-64, NEON on ARM, and words
 * where a processor has neither, from the same source.  What is done with them
 * here is what a byte loop does, so the loop for the last few bytes has to say
 * the same as the loop for sixteen; the tests try every length and offset.  Only
 * where in a vector a byte stands is better asked by the processor's own name.
 */

#ifndef COMMON_VEC_H
#define COMMON_VEC_H

#include <endian.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#endif

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

/* Of bytes that are 0 or 0xff, from index `from' on: the index of the first that
 * is 0xff, or VEC_LEN. */
static inline unsigned
vec_first_portable(vec v, unsigned from)
{
	uint64_t half[2];

	memset(&v, 0, from);
	memcpy(half, &v, sizeof(half));
	if (half[0] != 0)
		return (unsigned)__builtin_ctzll(le64toh(half[0])) / 8;
	if (half[1] != 0)
		return 8 + (unsigned)__builtin_ctzll(le64toh(half[1])) / 8;
	return VEC_LEN;
}

/* The same, as fast as the processor can; from < VEC_LEN. */
static inline unsigned
vec_first(vec v, unsigned from)
{
#if defined(__SSE2__)
	unsigned bits = (unsigned)_mm_movemask_epi8((__m128i)v) & ~0u << from;

	/* One bit more, which is none of the bytes'. */
	return (unsigned)__builtin_ctz(bits | 1u << VEC_LEN);
#elif defined(__aarch64__) && defined(__ARM_NEON)
	uint64_t nibbles = vget_lane_u64(
	    vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(v), 4)), 0);

	nibbles &= ~UINT64_C(0) << (4 * from);
	return nibbles != 0 ? (unsigned)__builtin_ctzll(nibbles) / 4 : VEC_LEN;
#else
	return vec_first_portable(v, from);
#endif
}

#endif
