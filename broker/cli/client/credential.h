/* SPDX-License-Identifier: MIT */
/*
 * credential.h - the token or key by which a client says who it is.
 *
 * It comes from a file or from the environment, never from the command line,
 * which every user of the host may read (ps).  A file is read for each connection
 * anew, and when the server says that the token expires (renewal.h), so that one
 * with a token that somebody renews serves for as long as the client runs.
 */

#ifndef BROKER_CLI_CLIENT_CREDENTIAL_H
#define BROKER_CLI_CLIENT_CREDENTIAL_H

#include "broker/cli/cli.h"

#include <stdbool.h>
#include <stddef.h>

#define CREDENTIAL_MAX     8192u /* bytes; a server takes no longer token */
#define CREDENTIAL_WHY_MAX 320   /* bytes of a reason */

struct buf;

/*
 * Append what the options name to buf; nothing if they name none.
 * Blocks:  while a file is read.
 * Returns: false with the reason, which names the option.
 */
bool credential_read(const struct cli_client_options *options, struct buf *buf,
    char why[CREDENTIAL_WHY_MAX]);

/* The same, as a line of a request's head, with its CRLF; an empty text if the
 * options name none.  A NUL follows.  What stood in buf is overwritten. */
bool credential_line(const struct cli_client_options *options, struct buf *buf,
    char why[CREDENTIAL_WHY_MAX]);

/* The credential in such a line, borrowed; of no bytes if there is none. */
const char *credential_of_line(const struct buf *line, size_t *len);

/* Whether the next one may be another: it is in a file. */
static inline bool
credential_may_change(const struct cli_client_options *options)
{
	return options->token_path != NULL;
}

/* Overwrite what stands in buf, and free it. */
void credential_wipe(struct buf *buf);

#endif
