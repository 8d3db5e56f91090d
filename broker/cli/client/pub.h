/* SPDX-License-Identifier: MIT */
/* pub.h - `pubsubd pub': publish, and know that it is published. */

#ifndef BROKER_CLI_CLIENT_PUB_H
#define BROKER_CLI_CLIENT_PUB_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/*
 * Publish one message, or each line of standard input.
 * Blocks:  until all are acked, or one failed, or --timeout.
 * Returns: EXIT_STATUS_OK only if all are acked.
 */
enum exit_status cli_pub(const struct cli *cli);

#endif
