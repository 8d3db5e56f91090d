/* SPDX-License-Identifier: MIT */
/*
 * tls_files.h - read the files of --tls-cert and --tls-key, and judge them.
 *
 * Whatever is wrong with one is said here in one line, before a client could
 * meet it.
 */

#ifndef BROKER_HOST_TLS_FILES_H
#define BROKER_HOST_TLS_FILES_H

#include "broker/host/small_file.h"
#include "common/config.h"
#include "common/tls_certs.h"

#include <stdbool.h>
#include <stddef.h>

#define TLS_FILES_ERROR_MAX 512 /* bytes of a reason */

struct tls_files {
	struct tls_pair pairs[TLS_CERTS_MAX]; /* point into files */
	size_t count;
	struct small_file files[2 * TLS_CERTS_MAX]; /* certificate, key, ... */
};

/*
 * Read all pairs, at least one.  A key file that everybody may read, or that
 * others than its owner may write, is refused, and so is a pair that does not
 * belong together.  at_start: also a certificate that has expired or is not yet
 * valid; otherwise that is the clients' to see.
 * Returns false with a reason that names option and file; nothing is kept then.
 * Owns: the caller, tls_files_wipe().
 */
bool tls_files_read(struct tls_files *files, const struct config *config,
    bool at_start, char error[TLS_FILES_ERROR_MAX]);

/* Overwrite what was read, and free it. */
void tls_files_wipe(struct tls_files *files);

#endif
