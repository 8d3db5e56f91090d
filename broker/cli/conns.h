/* SPDX-License-Identifier: MIT */
/* conns.h - the commands `conns' and `kick'. */

#ifndef BROKER_CLI_CONNS_H
#define BROKER_CLI_CONNS_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/* Print the connections of a server, all or those that fit the options, as a
 * table or as JSON.  Returns how the process should end: failed if a worker
 * hangs, whose connections are not among them then. */
enum exit_status cli_conns(const struct cli *cli);

/* Close those that fit the options, with a code and a reason, and say how many.
 * Returns how the process should end: failed if there is none, or a worker
 * hangs. */
enum exit_status cli_kick(const struct cli *cli);

#endif
