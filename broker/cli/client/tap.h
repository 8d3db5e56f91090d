/* SPDX-License-Identifier: MIT */
/* tap.h - the command `tap'. */

#ifndef BROKER_CLI_CLIENT_TAP_H
#define BROKER_CLI_CLIENT_TAP_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/*
 * Print the messages of all topics that match a pattern, as they are published
 * on a server of this host.  They are read from its shared memory, so this
 * works while its workers hang, and no worker knows of it.  What was overwritten
 * before it was read is told on standard error.
 * Blocks:  until there were as many as wanted, the time is over or the server is
 *          gone.
 * Returns: how the process should end.
 */
enum exit_status cli_tap(const struct cli *cli);

#endif
