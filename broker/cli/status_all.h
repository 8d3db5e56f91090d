/* SPDX-License-Identifier: MIT */
/* status_all.h - `status --all': the instances of this host. */

#ifndef BROKER_CLI_STATUS_ALL_H
#define BROKER_CLI_STATUS_ALL_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/* Print a line for each, or a JSON array.  Returns how the process should end:
 * EXIT_STATUS_NOT_RUNNING if there is none. */
enum exit_status cli_status_all(const struct cli *cli);

#endif
