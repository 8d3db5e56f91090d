/* SPDX-License-Identifier: MIT */
/* hex.h - the value of a hexadecimal digit. */

#ifndef COMMON_HEX_H
#define COMMON_HEX_H

/* Returns: 0 to 15, or -1 if c is no digit.  ASCII, whatever the locale. */
static inline int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif
