/* SPDX-License-Identifier: MIT */
/* small_file.h - read all of a file that an option names: a certificate, a key,
 * a token. */

#ifndef BROKER_HOST_SMALL_FILE_H
#define BROKER_HOST_SMALL_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define SMALL_FILE_WHY_MAX 160 /* bytes of a reason */

struct small_file {
	char *text; /* owned; not NUL-terminated; NULL: nothing was read */
	size_t len;
	unsigned mode; /* of the file */
};

/*
 * Read a file of at most max bytes.  A secret one that everybody may read, or
 * that others than its owner may write, is refused.
 * Blocks:  while it reads; a pipe or a device is refused.
 * Returns false with the reason, to be printed behind the file's name; nothing
 * is kept then.
 * Owns: the caller, small_file_wipe().
 */
bool small_file_read(struct small_file *file, const char *path, size_t max,
    bool is_secret, char why[SMALL_FILE_WHY_MAX]);

/* Whether a file, which was read as no secret, is guarded as one: what it is may
 * have become clear only then.  Returns false with the reason. */
bool small_file_is_guarded(
    const struct small_file *file, char why[SMALL_FILE_WHY_MAX]);

/* Overwrite what was read, and free it. */
void small_file_wipe(struct small_file *file);

#endif
