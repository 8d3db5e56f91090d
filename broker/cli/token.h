/* SPDX-License-Identifier: MIT */
/* token.h - the command `token'. */

#ifndef BROKER_CLI_TOKEN_H
#define BROKER_CLI_TOKEN_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/* Print a token with the claims that the options say, signed with the key in a
 * file.  Asks no server.  Returns how the process should end. */
enum exit_status cli_token(const struct cli *cli);

#endif
