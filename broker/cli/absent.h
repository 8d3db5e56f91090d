/* SPDX-License-Identifier: MIT */
/* absent.h - what a command says that finds no server. */

#ifndef BROKER_CLI_ABSENT_H
#define BROKER_CLI_ABSENT_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/*
 * Say that the instance is not running; `left', unless it is "", is what was
 * found of it.  If one of that name runs all the same, another user's or with
 * its lock in another place, say so, for it is probably meant; and if its ring
 * waits for the next start.
 * Returns EXIT_STATUS_NOT_RUNNING.
 */
enum exit_status cli_not_running(const struct cli *cli, const char *left);

#endif
