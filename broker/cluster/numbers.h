/* SPDX-License-Identifier: MIT */
/* numbers.h - numbers as hosts send them: little-endian, at any address. */

#ifndef BROKER_CLUSTER_NUMBERS_H
#define BROKER_CLUSTER_NUMBERS_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline void
put_u64(char *at, uint64_t n)
{
	n = htole64(n);
	memcpy(at, &n, sizeof(n));
}

static inline void
put_u32(char *at, uint32_t n)
{
	n = htole32(n);
	memcpy(at, &n, sizeof(n));
}

static inline void
put_u16(char *at, uint16_t n)
{
	n = htole16(n);
	memcpy(at, &n, sizeof(n));
}

static inline uint64_t
get_u64(const char *at)
{
	uint64_t n;

	memcpy(&n, at, sizeof(n));
	return le64toh(n);
}

static inline uint32_t
get_u32(const char *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	return le32toh(n);
}

static inline uint16_t
get_u16(const char *at)
{
	uint16_t n;

	memcpy(&n, at, sizeof(n));
	return le16toh(n);
}

#endif
