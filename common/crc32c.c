/* SPDX-License-Identifier: MIT */
/* crc32c.c - see crc32c.h.  A bit at a time: what it is used for is short, and
 * seldom. */

#include "common/crc32c.h"

#define CRC32C_POLYNOMIAL 0x82f63b78u /* 0x1edc6f41, the first bit last */

uint32_t
crc32c(uint32_t crc, const void *data, size_t len)
{
	const unsigned char *at = data;

	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= at[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
	}
	return ~crc;
}
