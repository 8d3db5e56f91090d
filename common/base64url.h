/* SPDX-License-Identifier: MIT */
/*
 * base64url.h - base64 with the URL alphabet and without padding (RFC 4648,
 * section 5; RFC 7515, section 2), as tokens and keys are written.
 *
 * One sequence of bytes has exactly one text here.  Padding, white space, the
 * characters of ordinary base64 and leftover bits that are not zero are refused:
 * otherwise one signed token could be written in several ways.
 */

#ifndef COMMON_BASE64URL_H
#define COMMON_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that a text of len characters stands for, at most. */
#define BASE64URL_DECODED_MAX(len) ((len) / 4 * 3 + 2)

/* Characters that len bytes need. */
#define BASE64URL_ENCODED_LEN(len) (((len)*4 + 2) / 3)

/*
 * Decode a text.  out has room for BASE64URL_DECODED_MAX(len) bytes and does not
 * overlap it.  Pure.
 * Returns: true with *out_len set, or false with out undefined if the text is
 *          not the one text that stands for some bytes.
 */
bool base64url_decode(
    const char *text, size_t len, unsigned char *out, size_t *out_len);

/*
 * Encode bytes.  out has room for BASE64URL_ENCODED_LEN(len) characters; no NUL
 * is appended.  Pure.
 * Returns: how many characters were written.
 */
size_t base64url_encode(const void *data, size_t len, char *out);

#endif
