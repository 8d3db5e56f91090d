/* SPDX-License-Identifier: MIT */
/* status.h - the command `status'. */

#ifndef BROKER_CLI_STATUS_H
#define BROKER_CLI_STATUS_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/* Print what the server and each of its workers do, for people or as JSON.
 * Returns how the process should end. */
enum exit_status cli_status(const struct cli *cli);

#endif
