/* SPDX-License-Identifier: MIT */
/*
 * mime.h - the Content-Type of a file, by its name.
 */

#ifndef COMMON_MIME_H
#define COMMON_MIME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Only the extension of the last path segment counts, in any case.
 *
 * Returns: a static string fit for a Content-Type line;
 *          "application/octet-stream" for an extension not in the table.
 */
const char *mime_type(const char *path, size_t len);

/* Returns: whether files of that Content-Type become much smaller by gzip: text
 * and formats made of text.  Images and films are compressed already. */
bool mime_compresses(const char *type);

#endif
