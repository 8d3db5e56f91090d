/* SPDX-License-Identifier: MIT */
/*
 * percent.h - undo the percent-encoding of a URL's path and query.
 *
 * Split first, decode the pieces afterwards: a decoded %2F or %26 is an
 * ordinary character and no longer a separator.  A percent sign without two
 * hexadecimal digits is an error, and so is %00: no path, topic or option has
 * a NUL in it, and C strings made of the result then say all of it.  Any
 * other byte may come out, so the caller that wants UTF-8 checks for it.
 */

#ifndef COMMON_PERCENT_H
#define COMMON_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Decode a piece of a path.  out has room for len bytes and may be in itself;
 * *out_len is at most len.  No NUL is appended.
 *
 * Returns: false, with out undefined, where an escape is broken or %00.
 */
bool percent_decode_path(
    const char *in, size_t len, char *out, size_t *out_len);

/* The same for a name or value of a query, where a plus sign is a space. */
bool percent_decode_query(
    const char *in, size_t len, char *out, size_t *out_len);

/*
 * Write a path as it is normally written: the escapes of letters, digits and
 * "-._~", which mean the same without (RFC 3986, 6.2.2.2), are undone, all else
 * stays as it is, broken escapes too.  out has room for len bytes.
 *
 * Returns: how many bytes; len if there was nothing to undo.
 */
size_t percent_normalise(const char *in, size_t len, char *out);

#endif
