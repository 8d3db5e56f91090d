/* SPDX-License-Identifier: MIT */
/*
 * access_files.h - gather what the options and their files say about who may
 * what, and judge it.
 *
 * Whatever is wrong is said here in one line, before a client could meet it.
 */

#ifndef BROKER_HOST_ACCESS_FILES_H
#define BROKER_HOST_ACCESS_FILES_H

#include "common/access_rules.h"
#include "common/config.h"

#include <stdbool.h>

#define ACCESS_FILES_ERROR_MAX 512 /* bytes of a reason */

/*
 * Read the key files.  Without any of the options there are no texts.  A file
 * with a secret in it that others may read is refused, and so is one that any
 * user may change.
 * Returns: false with a reason that names option and file; nothing is kept then.
 * Owns:    the caller, access_texts_wipe().
 */
bool access_files_read(struct access_texts *texts, const struct config *config,
    char error[ACCESS_FILES_ERROR_MAX]);

#endif
