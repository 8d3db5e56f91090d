/* SPDX-License-Identifier: MIT */
/* sub.h - `pubsubd sub': print messages until told to stop. */

#ifndef BROKER_CLI_CLIENT_SUB_H
#define BROKER_CLI_CLIENT_SUB_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/*
 * Subscribe, print, and go on where it was after every reconnect.
 * Blocks:  until SIGINT or SIGTERM, --count, --timeout, the end of the reader
 *          of standard output, or a failure that another try does not mend.
 * Returns: how to end.
 */
enum exit_status cli_sub(const struct cli *cli);

#endif
