/* SPDX-License-Identifier: MIT */
/*
 * crc32c.h - the checksum CRC-32C (Castagnoli), as RFC 3720 (12.1) has it.
 *
 * Against accidents on the way, not against anybody who means it.
 */

#ifndef COMMON_CRC32C_H
#define COMMON_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* That of these bytes, behind those that crc is of; 0: there are none. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
