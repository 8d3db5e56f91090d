/* SPDX-License-Identifier: MIT */
/*
 * utf8.h - is this UTF-8, and how is a code point written in it.
 *
 * Strict in the sense of RFC 3629 (and thus of RFC 6455 and RFC 8259): no
 * surrogates, no overlong forms, nothing above U+10FFFF, nothing cut off.
 */

#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX         4u      /* bytes that one code point may take */
#define UTF8_REPLACEMENT 0xfffdu /* for a number that is no code point */

/* Returns: whether all of text is UTF-8.  The empty text is. */
bool utf8_valid(const void *text, size_t len);

/*
 * Write one code point.  A number that is none (a surrogate, or over U+10FFFF)
 * is written as U+FFFD, so the result is always valid.
 *
 * Returns: the number of bytes written, 1 to UTF8_MAX.
 */
size_t utf8_encode(uint32_t code_point, char *out);

#endif
